"""Tiny models: the same seed gives the same curve, text is learnt, and arms read what they are said to."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from playground.corpus import quality_run, tiny_model
from playground.corpus.quality_run import Arm, QualityPlan, Rating, compare_arms, curve, run_quality
from playground.corpus.stories import clean_text, noisy_text
from playground.corpus.tiny_model import STEP_BYTES, TinyModel
from playground.engine.api import CancelToken
from playground.errors import BadInput, Cancelled

SMALL = QualityPlan(size=4_000, passes=4, seeds=1)


def run(plan: QualityPlan) -> list[Rating]:
    return [step.rating for step in run_quality(plan, CancelToken()) if step.rating is not None]


def test_a_run_is_its_seed_and_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny_model, "BATCH", 4)
    monkeypatch.setattr(quality_run, "HELD_OUT_BYTES", 1_000)
    ratings = run(SMALL)
    again = itertools.islice(run_quality(SMALL, CancelToken()), 6)
    assert [step.rating for step in again] == ratings[:6]  # a rating a step, of so few
    for arm in ("clean", "noisy", "twice"):
        read, bits = curve(ratings, arm)
        steps = SMALL.steps(SMALL.texts(0)[0][arm])
        assert read[0] == 0 and read[-1] == steps * STEP_BYTES
        assert bits[0, 0] == pytest.approx(8, abs=0.6) and bits[0, -1] < bits[0, 0] - 1
    assert SMALL.steps(b"x" * 80_000) == 2 * SMALL.steps(b"x" * 40_000)


def test_held_out_loss_is_a_teacher_forced_pass() -> None:
    import torch

    model, text = TinyModel(0, 10), clean_text(2_000, 5)
    model.train(text)
    codes = np.frombuffer(text, dtype=np.uint8).astype(np.int64)[:97]
    with torch.no_grad():
        logits = torch.stack([model._net(torch.from_numpy(codes[None, :end]))[0, -1] for end in range(1, 97)])
    direct = -torch.log_softmax(logits, -1)[torch.arange(96), torch.from_numpy(codes[1:])].mean()
    assert model.held_out(text[:97]) == pytest.approx(float(direct) / math.log(2), rel=1e-4)


def test_texts_are_what_they_are_said_to_be() -> None:
    texts, held = SMALL.texts(0)
    assert [len(texts[arm]) for arm in ("clean", "noisy", "twice")] == [4_000, 4_000, 8_000]
    assert b"casino" not in clean_text(40_000, 1) and held not in texts["clean"]
    assert noisy_text(4_000, 1, 0.0) != noisy_text(4_000, 1, 0.9) and clean_text(500, 1) == clean_text(500, 1)
    kept, removed = b"good. " * 3_000, b"BAD! " * 500
    own, rated = replace(SMALL, kept=kept, removed=removed, share=0.75).texts(0)
    assert len(own["noisy"]) == len(own["clean"]) and len(own["twice"]) == 2 * len(own["clean"]) and rated in kept
    assert own["noisy"].count(b"BAD") / len(own["noisy"]) == pytest.approx(0.75 / 5, rel=0.01)


def test_differences_over_seeds() -> None:
    arms: dict[Arm, tuple[float, float]] = {"clean": (3.0, 3.1), "noisy": (3.5, 3.4)}
    ratings = [Rating(arm, seed, 9, bits) for arm, values in arms.items() for seed, bits in enumerate(values)]
    (comparison,) = compare_arms(ratings)
    assert comparison.difference == pytest.approx(0.4) and comparison.low < 0 < 0.4 < comparison.high
    (one,) = compare_arms([each for each in ratings if each.seed == 0])
    assert math.isnan(one.low) and one.difference == 0.5


def test_refusals_and_a_stop() -> None:
    for wrong in ({"seeds": 0}, {"size": 10}, {"share": 1.0}, {"kept": b"short"}):
        with pytest.raises(BadInput):
            replace(SMALL, **wrong)
    cancel = CancelToken()
    steps = run_quality(SMALL, cancel)
    next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(steps)
