"""The hub's local cache, the way the hub fails, and what is refused before anything is fetched. No network."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants

from playground.errors import ModelNotFound, ModelRefused, ModelTooLarge
from playground.models import hub
from playground.models.hardware import Hardware
from playground.models.listing import list_models
from playground.models.loading import load
from tests.models.tiny import save_gpt2, save_llama

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MACHINE = Hardware(ram_available_bytes=4 * 10**9)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache of our own."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def add_to_cache(cache: Path, hub_id: str) -> Path:
    """Lay out an empty snapshot the way huggingface_hub does."""
    home = cache / f"models--{hub_id.replace('/', '--')}"
    snapshot = home / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    return snapshot


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "0")


def test_a_cached_model_loads_offline(cache: Path) -> None:
    save_llama(add_to_cache(cache, "org/tiny"))
    info = load("org/tiny", hardware=MACHINE).info
    assert (info.id, info.name) == ("org/tiny", "tiny")
    assert info.revision == f"{COMMIT[:16]}:float32:cpu"
    assert load(f"org/tiny@{COMMIT}", hardware=MACHINE).info.revision == info.revision
    with pytest.raises(ModelNotFound):
        load("org/tiny@another", hardware=MACHINE)


def test_a_half_cached_model_says_so(cache: Path) -> None:
    snapshot = add_to_cache(cache, "org/tiny")
    save_llama(snapshot)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(ModelNotFound, match="only partly"):
        load("org/tiny", hardware=MACHINE)


def test_the_list_has_the_catalogue_and_the_cache(cache: Path) -> None:
    model = save_llama(add_to_cache(cache, "org/tiny"))
    save_gpt2(add_to_cache(cache, "openai-community/gpt2"))
    broken = add_to_cache(cache, "org/broken")
    (broken / "config.json").write_text("{")
    rows = {row.id: row for row in list_models(MACHINE)}
    assert rows["gpt2"].available
    assert not rows["pythia-70m"].available
    assert rows["org/tiny"].available
    assert rows["org/tiny"].parameters == model.num_parameters()
    assert rows["org/tiny"].memory_bytes > rows["org/tiny"].weights_bytes == model.num_parameters() * 4
    assert "org/broken" not in rows
    assert list(rows)[0] == "smollm2-135m-instruct"
    assert all(row.memory_bytes > 0 and row.device == "cpu" and row.dtype == "float32" for row in rows.values())


def test_the_list_does_not_need_a_cache(cache: Path) -> None:
    shutil.rmtree(cache)
    assert not any(row.available for row in list_models(MACHINE)[1:])


@pytest.mark.usefixtures("online")
def test_no_network_is_one_sentence(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        assert 0 < float(str(kwargs["timeout"])) <= 15
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fail)
    with pytest.raises(ModelNotFound, match=r"out of reach \(Name or service not known\)"):
        load("org/tiny", hardware=MACHINE)


class FakeHub:
    """Answers like the hub for one model whose files lie in a folder, and remembers what was fetched."""

    def __init__(self, folder: Path, parameters: int) -> None:
        self.folder, self.parameters, self.fetched_all = folder, parameters, False

    def model_info(self, *args: object, **kwargs: object) -> SimpleNamespace:
        files = [SimpleNamespace(rfilename=path.name) for path in self.folder.iterdir()]
        return SimpleNamespace(sha=COMMIT, siblings=files, safetensors=SimpleNamespace(total=self.parameters))

    def hf_hub_download(self, hub_id: str, name: str, **kwargs: object) -> str:
        return str(self.folder / name)

    def snapshot_download(self, hub_id: str, **kwargs: object) -> str:
        self.fetched_all = True
        return str(self.folder)


@pytest.fixture
def fake_hub(tmp_path: Path, cache: Path, online: None, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    folder = tmp_path / COMMIT
    save_llama(folder)
    fake = FakeHub(folder, 6000)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", fake.model_info)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fake.hf_hub_download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fake.snapshot_download)
    return fake


def test_a_model_is_fetched_and_loaded(fake_hub: FakeHub) -> None:
    assert load("org/tiny", hardware=MACHINE).info.revision.startswith(COMMIT[:16])
    assert fake_hub.fetched_all


def test_a_model_too_large_is_not_even_fetched(fake_hub: FakeHub) -> None:
    fake_hub.parameters = 70_000_000_000
    with pytest.raises(ModelTooLarge, match=r"280\.\d GB \(26\d\.\d GiB\)"):
        load("org/tiny", hardware=MACHINE)
    assert not fake_hub.fetched_all


def test_pickles_and_code_are_not_even_fetched(fake_hub: FakeHub) -> None:
    (fake_hub.folder / "modeling_tiny.py").write_text("import os")
    with pytest.raises(ModelRefused, match="own Python code"):
        load("org/tiny", hardware=MACHINE)
    (fake_hub.folder / "modeling_tiny.py").unlink()
    (fake_hub.folder / "model.safetensors").rename(fake_hub.folder / "pytorch_model.bin")
    with pytest.raises(ModelRefused, match="pickled"):
        load("org/tiny", hardware=MACHINE)
    assert not fake_hub.fetched_all


def test_no_pattern_would_fetch_code_or_pickles() -> None:
    from fnmatch import fnmatch

    for name in ("pytorch_model.bin", "modeling.py", "model.ckpt", "weights.pt", "model.pth", "handler.py"):
        assert not any(fnmatch(name, pattern) for pattern in hub.WANTED_FILES)
