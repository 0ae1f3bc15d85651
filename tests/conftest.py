"""What every test shares: no network, quiet libraries, and the bundled model unpacked once for all workers."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports huggingface_hub, which reads it once
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import hypothesis  # noqa: E402
import pytest  # noqa: E402

# The same examples everywhere and no stopwatch: a busy machine is no defect.
hypothesis.settings.register_profile("playground", deadline=None, derandomize=True, database=None, max_examples=60)
hypothesis.settings.load_profile("playground")

_CHOICES = (
    "PLAYGROUND_MODEL",
    "PLAYGROUND_DEVICE",
    "PLAYGROUND_DTYPE",
    "PLAYGROUND_STORE",
    "PLAYGROUND_SECRET",
    "PLAYGROUND_ROOM",
    "PLAYGROUND_SHARED",
    "PLAYGROUND_LIMITS",
    "PLAYGROUND_MODELS",
)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are numbered, not written out: what was packed bears the second of its packing, and two workers who collect
    in different seconds would disagree about which tests there are."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_finish() -> None:
    """Six thousand tests and the libraries stay to the end: collections need not walk them each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _what_is_frozen_stays_so() -> Iterator[None]:
    """Who unloads a model first thaws what its server froze. Here that would be six thousand tests: a second each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "unfreeze", lambda: None)
        yield


@pytest.fixture(autouse=True)
def _no_choices_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own choice of model or device must not change what is tested."""
    for name in _CHOICES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def bundled_model_path() -> Path:
    """The unpacked bundled model, in the normal cache. Parallel workers wait for the first one's result."""
    from playground.models.bundled import ensure_bundled

    return ensure_bundled()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server, started for the first test that asks for it."""
    from tests.store.postgres import cluster

    with cluster() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database, of each kind in turn."""
    from playground.store.place import sqlite_url
    from tests.store.postgres import new_database

    if request.param == "sqlite":
        return sqlite_url(tmp_path / "new")
    return new_database(request.getfixturevalue("postgres_server"))
