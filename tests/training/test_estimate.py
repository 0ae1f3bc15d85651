"""What a training takes, said before: counted as it then is, in proportion to the pace, memory as the process then needs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from playground.engine.api import CancelToken
from playground.engine.factory import make_engine
from playground.engine.pieces import finish
from playground.training.estimate import Pace, estimate
from playground.training.masks import encode_rows
from playground.training.running import calibration
from playground.training.settings import KINDS, Kind
from playground.training.student import open_student
from tests.training.tiny_student import prepared, rows_of, settings_of


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_counted_before_is_what_is_done(tiny_model: Path, kind: Kind) -> None:
    settings = settings_of(kind, targets=("q_proj", "k_proj", "v_proj", "o_proj"))
    setup = prepared(tiny_model, settings)
    rows = encode_rows(setup.student.codec, rows_of(kind), settings, 256).encoded
    forecast = estimate(setup.student.info, rows, settings, Pace(1.0, 0.0, 0.0))
    steps = [step for step in setup.training.run() if step is not None]
    assert forecast.steps == setup.training.total == len(steps) - 1
    assert forecast.tokens == pytest.approx(sum(step.tokens for step in steps), rel=0.1) == forecast.seconds
    assert (
        forecast.flops == 6 * setup.student.info.parameters * forecast.tokens and forecast.share_of_pretraining is None
    )
    assert forecast.rows + forecast.heldout == len(rows_of(kind))
    assert forecast.trainable_parameters == setup.student.trainable_parameters


def test_of_the_bundled_model_two_epochs_are_a_share_of_its_two_trillion_tokens(tiny_model: Path) -> None:
    student = open_student(str(tiny_model), settings_of())
    rows = encode_rows(student.codec, rows_of("sft"), settings_of(), 256).encoded
    forecast = estimate(replace(student.info, id="smollm2-135m-instruct"), rows, settings_of())
    assert forecast.share_of_pretraining == forecast.tokens / 2e12 and forecast.seconds is None


def test_the_pace_is_measured_on_the_rows(tiny_model: Path) -> None:
    engine = make_engine(str(tiny_model), dtype="float32")
    pace = finish(calibration(settings_of("dpo"), rows_of("dpo"))(engine, CancelToken()))
    assert min(pace.learn, pace.look, pace.load) > 0
    engine.close()
