"""The bundled model behind the seam, loaded once for this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.engine.hf.engine import TransformersEngine


@pytest.fixture(scope="session")
def bundled_engine(bundled_model_path: Path) -> Iterator[TransformersEngine]:
    from playground.engine.factory import make_engine

    engine = make_engine(None, device="cpu", dtype="float32")
    assert isinstance(engine, TransformersEngine)
    yield engine
    engine.close()
