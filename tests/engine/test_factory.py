"""From a choice of model to an engine: progress that only grows, tuning where it belongs, and what is there at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from playground.engine import factory
from playground.engine.hf.engine import TransformersEngine
from playground.errors import ModelNotFound, ModelTooLarge
from playground.models.loading import LoadedModel
from playground.models.locating import LocatedModel
from playground.models.wording import Progress
from tests.engine.small import small_loaded
from tests.models.tiny import save_llama

IDS = (5, 9, 30, 2)


@pytest.mark.parametrize(
    ("kind", "device", "tuned"), [("llama", "cpu", 1), ("mamba", "cpu", 0), ("llama", "cuda:0", 0)]
)
def test_only_attention_models_on_the_cpu_are_tuned(
    monkeypatch: pytest.MonkeyPatch, kind: str, device: str, tuned: int
) -> None:
    from playground.engine.hf import prepack
    from playground.models import loading

    loaded = small_loaded(kind)
    loaded.info = dataclasses.replace(loaded.info, device=device)
    asked: list[tuple[str, str, str]] = []
    tunings: list[object] = []

    def locate(spec: str, *, device: str, dtype: str, progress: Progress) -> str:
        asked.append((spec, device, dtype))
        for fraction in (0.0, 0.5, 1.0):
            progress("Looking", fraction)
        return "here"

    def read(located: str, *, progress: Progress) -> LoadedModel:
        assert located == "here"
        progress("Loading", 1.0)
        return loaded

    def tune(model: object) -> prepack.Tuning:
        tunings.append(model)
        return prepack.Tuning(0, 1)

    monkeypatch.setattr(factory, "locate", locate)
    monkeypatch.setattr(loading, "read", read)
    monkeypatch.setattr(prepack, "tune_for_cpu", tune)
    reports: list[tuple[str, float]] = []
    engine = factory.make_engine("org/m", "d", "t", lambda what, fraction: reports.append((what, fraction)))
    assert isinstance(engine, TransformersEngine) and engine.info is loaded.info
    assert asked == [("org/m", "d", "t")] and len(tunings) == tuned
    fractions = [fraction for _what, fraction in reports]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    unwatched = factory.make_engine("org/m")
    assert isinstance(unwatched, TransformersEngine) and unwatched.next_logits((1, 2)).computed_tokens == 2


def test_a_model_that_cannot_be_had_is_said_in_a_sentence() -> None:
    with pytest.raises(ModelNotFound):
        factory.make_engine("no/such-model-anywhere")


def test_a_model_without_room_is_refused_before_a_weight_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from playground.models import loading

    def refuse(located: LocatedModel) -> None:
        raise ModelTooLarge(
            f"{located.source.id} needs {located.memory.total_bytes} and 1 is free: choose another.", 2, 1
        )

    def read(located: LocatedModel, **_given: object) -> LoadedModel:
        raise AssertionError("its weights were read")

    monkeypatch.setattr(loading, "read", read)
    save_llama(tmp_path)
    with pytest.raises(ModelTooLarge, match="and 1 is free"):
        factory.make_engine(str(tmp_path), admit=refuse)
