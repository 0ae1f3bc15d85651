"""From a choice of model to an engine: progress that only grows, tuning where it belongs, and what is there at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.engine import factory, transformers_engine
from playground.engine.early import EarlyEngine
from playground.engine.protocol import Engine
from playground.engine.runner import ModelRunner
from playground.engine.transformers_engine import TransformersEngine
from playground.errors import ModelNotFound, StillLoading
from playground.models.bundled import CACHE_VARIABLE
from tests.engine.small import small_loaded
from tests.models.tiny import save_llama

IDS = (5, 9, 30, 2)


@pytest.mark.parametrize(
    ("kind", "device", "tuned"), [("llama", "cpu", 1), ("mamba", "cpu", 0), ("llama", "cuda:0", 0)]
)
def test_only_attention_models_on_the_cpu_are_tuned(
    monkeypatch: pytest.MonkeyPatch, kind: str, device: str, tuned: int
) -> None:
    from playground.engine import prepack

    loaded = small_loaded(kind)
    loaded.info = dataclasses.replace(loaded.info, device=device)
    asked: list[Any] = []
    tunings: list[Any] = []

    def locate(spec: Any, *, device: Any, dtype: Any, progress: Any) -> str:
        asked.append((spec, device, dtype))
        for fraction in (0.0, 0.5, 1.0):
            progress("Looking", fraction)
        return "here"

    def read(located: Any, tokenizer: Any, *, progress: Any) -> Any:
        assert (located, tokenizer) == ("here", None)
        progress("Loading", 1.0)
        return loaded

    monkeypatch.setattr(factory, "locate", locate)
    monkeypatch.setattr(factory, "read", read)
    monkeypatch.setattr(prepack, "tune_for_cpu", lambda model: tunings.append(model) or prepack.Tuning(0, 1))
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


# -- a second start ----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    save_llama(tmp_path / "llama")
    return tmp_path / "llama"


def start(folder: Path, **wish: str) -> tuple[Engine, list[EarlyEngine], list[np.ndarray[Any, Any] | None]]:
    """A start: the engine, what was offered before it, and the row that the offered one had after IDS."""
    offered: list[EarlyEngine] = []
    rows: list[np.ndarray[Any, Any] | None] = []

    def offer(engine: Engine) -> None:
        assert isinstance(engine, EarlyEngine)
        offered.append(engine)
        found = engine.cached_logits(IDS)
        rows.append(None if found is None else found.logits)

    return factory.make_engine(str(folder), **wish, offer=offer), offered, rows


def test_a_second_start_shows_at_once_what_the_first_computed(folder: Path) -> None:
    first, offered, _ = start(folder)
    assert not offered, "nothing is known yet"
    answer, score = first.next_logits(IDS), first.score(IDS)
    first.close()
    second, (early,), (row,) = start(folder)
    assert row is not None and np.array_equal(row, answer.logits)
    assert (early.info, early.capabilities) == (second.info, second.capabilities)
    assert early.codec.encode("the cat") == second.codec.encode("the cat")
    assert np.array_equal(early.score(IDS).logprobs, score.logprobs, equal_nan=True)
    assert early.score(IDS).ranks.tolist() == score.ranks.tolist()
    kept = second.cached_logits(IDS)
    assert kept is not None and kept.logits is row, "the numbers on the screen stay"


def test_what_was_not_kept_waits_for_the_weights(folder: Path) -> None:
    start(folder)[0].close()
    _, (early,), (row,) = start(folder)
    assert row is None and early.cached_attentions(IDS) is None
    asks = (
        lambda: early.next_logits(IDS),
        lambda: early.next_logits_each([IDS]),
        lambda: early.score(IDS),
        lambda: early.open_batch([IDS]),
        lambda: early.lens(IDS, range(1)),
        lambda: early.attentions(IDS),
        lambda: early.weights(),
    )
    for ask in asks:
        with pytest.raises(StillLoading):
            ask()
    assert list(early.prepare()) == []
    early.close()


def test_other_weights_and_other_formats_begin_with_nothing(folder: Path) -> None:
    start(folder)[0].next_logits(IDS)
    assert not start(folder, dtype="bfloat16")[1]
    save_llama(folder, seed=1)
    assert not start(folder)[1]


def test_a_row_that_the_model_does_not_confirm_is_dropped(folder: Path) -> None:
    right = start(folder)[0].next_logits(IDS).logits
    cache = folder.parent / "cache" / "answers"
    (file,) = cache.glob("*.npz")
    np.savez(file, logits=right[::-1])
    second, _, (shown,) = start(folder)
    assert shown is not None and not np.allclose(shown, right)
    assert second.cached_logits(IDS) is None and not file.exists()
    assert np.allclose(second.next_logits(IDS).logits, right, atol=1e-5)


def test_rows_shown_while_others_are_confirmed_are_confirmed_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers go on while the weights arrive: what they look at meanwhile must neither break the load nor slip through."""
    first, others = start(folder)[0], [(7, number) for number in range(5)]
    for ids in (IDS, *others):
        first.next_logits(ids)
    early: list[Engine] = []
    confirmed: list[tuple[int, ...]] = []
    run = ModelRunner.run

    def look_elsewhere(runner: ModelRunner, ids: tuple[int, ...], cancel: Any) -> Any:
        confirmed.append(ids)
        if len(confirmed) == 1:
            for other in others:
                early[0].cached_logits(other)
        return run(runner, ids, cancel)

    def offer(engine: Engine) -> None:
        early.append(engine)
        engine.cached_logits(IDS)

    monkeypatch.setattr(ModelRunner, "run", look_elsewhere)
    factory.make_engine(str(folder), offer=offer)
    assert sorted(confirmed) == sorted([IDS, *others])


def test_a_long_text_is_not_kept_for_confirming_it_would_hold_up_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformers_engine, "KEPT_TOKENS", 3)
    first = start(folder)[0]
    first.next_logits(IDS)
    first.score(IDS)
    first.next_logits(IDS[:3])
    _, (early,), (row,) = start(folder)
    assert row is None and early.cached_logits(IDS[:3]) is not None
    with pytest.raises(StillLoading):
        early.score(IDS)


def test_without_anybody_to_offer_to_nothing_is_kept(folder: Path) -> None:
    factory.make_engine(str(folder)).next_logits(IDS)
    assert not (folder.parent / "cache").exists()


def test_the_bundled_model_is_offered_before_its_weights_are_compared_with_their_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That takes longer than everything before the first bars."""
    monkeypatch.setattr(factory, "cache_folder", lambda: tmp_path)
    offered: list[Engine] = []
    first = factory.make_engine(device="cpu", dtype="float32", offer=offered.append)
    ids = first.codec.encode("The capital of France is")
    row = first.next_logits(ids).logits
    first.close()
    assert not offered

    def too_late(*given: object, **options: object) -> None:
        raise ModelNotFound("The look at the whole model comes later: wait.")

    monkeypatch.setattr(factory, "locate", too_late)
    with pytest.raises(ModelNotFound):
        factory.make_engine(device="cpu", dtype="float32", offer=offered.append)
    (early,) = offered
    assert early.codec.encode("The capital of France is") == ids
    kept = early.cached_logits(ids)
    assert kept is not None and np.array_equal(kept.logits, row)
