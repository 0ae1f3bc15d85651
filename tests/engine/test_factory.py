"""From a choice of model to an engine: progress that only grows, and tuning where it belongs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from playground.engine import factory
from playground.engine.prepack import Tuning
from playground.engine.transformers_engine import TransformersEngine
from playground.errors import ModelNotFound
from tests.engine.small import small_loaded


@pytest.mark.parametrize(
    ("kind", "device", "tuned"), [("llama", "cpu", 1), ("mamba", "cpu", 0), ("llama", "cuda:0", 0)]
)
def test_only_attention_models_on_the_cpu_are_tuned(
    monkeypatch: pytest.MonkeyPatch, kind: str, device: str, tuned: int
) -> None:
    loaded = small_loaded(kind)
    loaded.info = dataclasses.replace(loaded.info, device=device)
    asked: list[Any] = []
    tunings: list[Any] = []

    def load(spec: Any, **options: Any) -> Any:
        asked.append((spec, options["device"], options["dtype"]))
        for fraction in (0.0, 0.5, 1.0):
            options["progress"]("Loading", fraction)
        return loaded

    monkeypatch.setattr(factory, "load", load)
    monkeypatch.setattr(factory, "tune_for_cpu", lambda model: tunings.append(model) or Tuning(0, 1))
    told: list[tuple[str, float]] = []
    engine = factory.make_engine("m", "d", "t", lambda what, fraction: told.append((what, fraction)))
    assert isinstance(engine, TransformersEngine) and engine.info is loaded.info
    assert asked == [("m", "d", "t")] and len(tunings) == tuned
    fractions = [fraction for _what, fraction in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert factory.make_engine("m").next_logits((1, 2)).computed_tokens == 2  # nobody watches


def test_a_model_that_cannot_be_had_is_said_in_a_sentence() -> None:
    with pytest.raises(ModelNotFound):
        factory.make_engine("no/such-model-anywhere")
