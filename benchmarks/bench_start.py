"""From a command to the first bars in Chromium: starts of the server, and of `make run` on a fresh clone.

The first start of a server has an empty cache and unpacks the model; a start is one of those after it. It is held against
the plain page's start and against transformers reading the model's file. The first `make run` also makes the environment and
installs what the app needs (from pip's cache, where that has it). Needs some 3 GB of disk for the moment.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.browser import chromium, new_page
from tests.e2e.conftest import free_port, wait_healthy

STARTS = 3
ROOT = Path(__file__).resolve().parents[1]
PLAIN, SERVED = "benchmarks/plain_page.py", "app.py"
FIRST_BAR = ".bars .fill"

# What a start costs without a cache of converted weights: transformers reading the GGUF file itself, no server, no browser.
_GGUF_START = """
import time
begun = time.perf_counter()
from playground.models.bundled import bundled_file
from transformers import AutoModelForCausalLM, AutoTokenizer
import torch
file = bundled_file()
where = dict(gguf_file=file.name, local_files_only=True)
tokenizer = AutoTokenizer.from_pretrained(file.parent, **where)
model = AutoModelForCausalLM.from_pretrained(file.parent, dtype=torch.float32, **where).eval()
ids = tokenizer("The capital of France is", return_tensors="pt").input_ids
with torch.inference_mode():
    model(ids, logits_to_keep=1).logits[0, -1].float().softmax(-1)
print(__import__("json").dumps({"total_s": time.perf_counter() - begun}))
"""


def run() -> dict[str, float]:
    """Seconds, each from a command to the bars, and their ratios."""
    with chromium() as browser, tempfile.TemporaryDirectory(prefix="bench-start-") as folder:
        unpacking = _server(browser, folder)
        start = statistics.median(_server(browser, folder) for _ in range(STARTS))
        plain = statistics.median(_server(browser, folder, PLAIN, ".js-plotly-plot") for _ in range(STARTS))
        figures = _make_run(browser, folder)
    gguf = _gguf_start_s()
    return {
        "first start, unpacking the model, s": unpacking,
        "start, s": start,
        "plain page, from its command to its chart, s": plain,
        "start / plain page": start / plain,
        "transformers reading the GGUF file, without server and browser, s": gguf,
        "start / transformers reading the GGUF file": start / gguf,
        **figures,
    }


def _server(browser: Browser, cache: str, script: str = SERVED, sign: str = FIRST_BAR) -> float:
    port = free_port()
    command = (
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        "--server.headless",
        "true",
        "--server.port",
        str(port),
    )
    with _begun(command, ROOT, Path(cache)) as (process, started):
        return _bars_s(browser, process, port, started, sign)


def _make_run(browser: Browser, folder: str) -> dict[str, float]:
    """The two commands of the README as a stranger types them: in a fresh clone, and once more."""
    clone, cache = Path(folder, "clone"), Path(folder, "cache-of-clone")
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    times = []
    for _ in range(2):
        port = free_port()
        with _begun(("make", "run", f"PORT={port}"), clone, cache) as (process, started):
            times.append(_bars_s(browser, process, port, started))
    return {
        "first `make run` on a fresh clone, s": times[0],
        "second `make run`, s": times[1],
        "second `make run` / first": times[1] / times[0],
    }


@contextmanager
def _begun(command: tuple[str, ...], folder: Path, cache: Path) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A command under way, with its start on the clock; it and all it started end with the block."""
    environment = os.environ | {"PLAYGROUND_CACHE": str(cache), "HF_HUB_OFFLINE": "1", "PLAYGROUND_MODEL": ""}
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process, started
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _bars_s(
    browser: Browser, process: subprocess.Popen[bytes], port: int, started: float, sign: str = FIRST_BAR
) -> float:
    """Seconds until a browser, opened as soon as the server answers, has painted its first bar, or another ``sign``."""
    wait_healthy(process, port, patience_s=900)
    page = new_page(browser)
    page.goto(f"http://127.0.0.1:{port}")
    page.locator(sign).first.wait_for(timeout=120_000)
    spent = time.perf_counter() - started
    page.close()
    return spent


def _gguf_start_s() -> float:
    done = subprocess.run(
        [sys.executable, "-c", _GGUF_START],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return float(json.loads(done.stdout)["total_s"])


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:70} {value:8.2f}")
