"""An adapter on the bundled model, packed for the processor: PEFT's numbers, the base's own after it, one copy of the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from playground.engine.factory import adapted
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import PackedLinear
from playground.models.bundled import ensure_bundled
from tests.models.tiny_adapter import save_adapter, with_peft

pytestmark = pytest.mark.model
TEXT = "The capital of France is"


@pytest.fixture(scope="module")
def adapter_folder(bundled_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(
        ensure_bundled(), tmp_path_factory.mktemp("adapter"), size=0.02, r=8, target_modules="all-linear"
    )


def test_pefts_numbers_and_the_base_to_the_bit(bundled_engine: TransformersEngine, adapter_folder: Path) -> None:
    ids = bundled_engine.codec.encode(TEXT)
    bundled_engine._runner.prefixes.clear()  # what is read in two parts differs in the last digit
    before = bundled_engine.next_logits(ids).logits
    on, off = (adapted(bundled_engine, f"+{adapter_folder}{rest}") for rest in ("", "*0"))
    with torch.inference_mode():
        expected = with_peft(ensure_bundled(), adapter_folder)[1](torch.tensor([ids])).logits[0, -1]
    np.testing.assert_allclose(on.next_logits(ids).logits, expected, atol=2e-3)  # type: ignore[attr-defined]
    assert float(np.abs(expected.numpy() - before).max()) > 0.5
    assert np.array_equal(off.next_logits(ids).logits, before)  # type: ignore[attr-defined]
    bundled_engine._runner.prefixes.clear()
    assert np.array_equal(bundled_engine.next_logits(ids).logits, before)


def test_another_strength_copies_no_weight(bundled_engine: TransformersEngine, adapter_folder: Path) -> None:
    engine = adapted(bundled_engine, f"+{adapter_folder}*0.25")
    assert isinstance(engine, TransformersEngine)
    packed = {id(module.packed) for module in bundled_engine.loaded.model.modules() if isinstance(module, PackedLinear)}
    shared = {id(module.packed) for module in engine.loaded.model.modules() if isinstance(module, PackedLinear)}
    assert shared == packed, "no weight is copied"
