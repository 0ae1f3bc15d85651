"""One tiny model for all tests of training."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.tiny_student import save_tiny


@pytest.fixture(scope="package")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny") / "model")
