"""The bundled model behind the seam and behind llama.cpp's own server, each loaded once for this folder.

Imports what it needs when it is asked: whoever hands the tests out reads this file too, and needs no tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playground.engine.hf.engine import TransformersEngine
    from playground.engine.remote.llama_cpp import LlamaCppEngine


@pytest.fixture(scope="session")
def bundled_engine(bundled_model_path: Path) -> Iterator[TransformersEngine]:
    from playground.engine.factory import make_engine
    from playground.engine.hf.engine import TransformersEngine

    engine = make_engine(None, device="cpu", dtype="float32")
    assert isinstance(engine, TransformersEngine)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def llama_base() -> Iterator[str]:
    """The address of llama.cpp's own server with the bundled weights."""
    from tests.engine.remote.llama_server import llama_server

    with llama_server() as base:
        yield base


@pytest.fixture(scope="session")
def llama(llama_base: str) -> Iterator[LlamaCppEngine]:
    from playground.engine.factory import make_engine
    from playground.engine.remote.llama_cpp import LlamaCppEngine

    engine = make_engine(llama_base)
    assert isinstance(engine, LlamaCppEngine)
    yield engine
    engine.close()
