"""llama.cpp's own server, once a session of tests, and an engine on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.engine.factory import make_engine
from playground.engine.remote.llama_cpp import LlamaCppEngine
from tests.engine.remote.llama_server import llama_server


@pytest.fixture(scope="session")
def llama_base() -> Iterator[str]:
    """The address of llama.cpp's own server with the bundled weights."""
    with llama_server() as base:
        yield base


@pytest.fixture(scope="session")
def llama(llama_base: str) -> Iterator[LlamaCppEngine]:
    engine = make_engine(llama_base)
    assert isinstance(engine, LlamaCppEngine)
    yield engine
    engine.close()
