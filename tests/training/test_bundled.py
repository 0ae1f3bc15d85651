"""The bundled model itself is taught, a few steps of each kind: only the adapter changes, and what it learnt can be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.engine.factory import adapted, make_engine
from playground.training.demonstrations import shipped
from playground.training.masks import Row
from playground.training.pairs import Pair
from playground.training.running import Prepared, prepare, write_folder
from playground.training.settings import KINDS, Kind, TrainSettings
from playground.training.student import open_student

pytestmark = pytest.mark.model
DEMONSTRATIONS = shipped("tone")[:8]  # of which two are held out
PAIRS = tuple(Pair(row.prompt, row.response, "I do not know.") for row in DEMONSTRATIONS)


def taught(kind: Kind) -> Prepared:
    """One step of six rows, measured on two others before and after; checked to change nothing but what is taught.

    In float32: after one step DPO moves less than bfloat16 rounds, which only some processors have.
    """
    settings = replace(TrainSettings.of(kind), epochs=1, batch=6, heldout_share=0.25, dtype="float32")
    rows: tuple[Row, ...] = DEMONSTRATIONS if kind == "sft" else PAIRS
    setup = prepare(open_student(None, settings), rows, settings, None)
    own = set(setup.student.trainable())
    before = {name: one.detach().clone() for name, one in setup.student.model.named_parameters() if name not in own}
    steps = [step for step in setup.training.run() if step is not None]
    first, last = steps[0].heldout, steps[-1].heldout
    assert first is not None and last is not None and last < first, "what is held out became likelier"
    after = dict(setup.student.model.named_parameters())
    assert all(torch.equal(one, after[name]) for name, one in before.items()), "the base is the same to the bit"
    assert all("lora_" in name or "score" in name for name in own)
    return setup


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_taught_and_its_own_weights_stay(bundled_model_path: Path, kind: Kind, tmp_path: Path) -> None:
    setup = taught(kind)
    if kind == "reward":
        return  # its folder is the whole model: tests/training/test_running.py loads a small one
    write_folder(setup.student, tmp_path / "taught")
    base = make_engine(None, device="cpu", dtype="float32")
    on, off = (adapted(base, f"+{tmp_path / 'taught'}{strength}") for strength in ("", "*0"))
    ids = base.codec.encode_chat(DEMONSTRATIONS[0].prompt)
    rows = [engine.next_logits(ids).logits for engine in (off, base, on)]  # type: ignore[attr-defined]
    assert np.array_equal(rows[0], rows[1]) and not np.allclose(rows[1], rows[2], atol=1e-3)
    base.close()
