"""Prefill and decode: the cache's measured bytes equal the formula, and the fit recovers rates that are known."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import pytest
from transformers import Cohere2Config, DeepseekV2Config

from playground.engine.api import CancelToken, Engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.errors import BadInput, Cancelled
from playground.inspection.anatomy import spec_of
from playground.inspection.cache_formula import cache_words, spelt_out_bytes
from playground.inspection.speed import workload_of
from playground.inspection.timing import (
    ROWS,
    STEPS,
    CacheSize,
    Timing,
    time_length,
    time_machine,
    usable_lengths,
)
from tests.clock import PassClock
from tests.engine.small import CONFIGS, LATENT, LLAMA_LIKE, small_loaded

T = TypeVar("T")
SHORT = (4, 8, 20, 40)


def finish(steps: Generator[Any, None, T]) -> tuple[list[Any], T]:
    progress: list[Any] = []
    while True:
        try:
            progress.append(next(steps))
        except StopIteration as end:
            return progress, end.value


def engine_of(kind: str) -> TransformersEngine:
    """With the facts that loading would have found: the configs of the tests all have these shapes."""
    full = kind in ("gpt2", "neox", "deepseek", "unknown-latent")
    heads = (
        {"heads": 0, "kv_heads": 0, "head_dim": 0} if kind == "mamba" else {"heads": 4, "kv_heads": 4 if full else 2}
    )
    return TransformersEngine(small_loaded(kind, **({"head_dim": 8} | heads)))


def timed(engine: Engine) -> Timing:
    return finish(time_machine(engine, CancelToken(), SHORT, seed=0))[1]


@pytest.mark.parametrize("kind", [kind for kind in CONFIGS if kind != "mamba"])
def test_the_caches_measured_bytes_equal_the_formula(kind: str) -> None:
    """Sliding windows of 16 tokens are shorter than the longest prompt."""
    timing = timed(engine_of(kind))
    assert [length.cache.tokens for length in timing.lengths] == [length + STEPS for length in SHORT]
    for length in timing.lengths:
        assert length.cache.predicted == length.cache.measured and length.cache.measured


@pytest.mark.parametrize("kind", ["unknown-latent", "unknown-windows"])
def test_an_unknown_architectures_cache_is_predicted_from_what_its_config_says(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the calculator has a formula for the parameters."""
    make = {
        "unknown-latent": lambda: DeepseekV2Config(**LATENT, first_k_dense_replace=1),
        "unknown-windows": lambda: Cohere2Config(
            **LLAMA_LIKE, sliding_window=16, layer_types=["sliding_attention", "full_attention"]
        ),
    }[kind]
    monkeypatch.setitem(CONFIGS, kind, make)
    engine = engine_of(kind)
    timing = timed(engine)
    for length in timing.lengths:
        assert length.cache.predicted == length.cache.measured and length.cache.measured


def test_the_formula_in_words_has_the_models_numbers_and_both_sizes_of_a_latent() -> None:
    latent = spec_of(engine_of("deepseek").weights())
    assert latent is not None
    assert spelt_out_bytes(latent, 4) == 2 * 4 * (8 + 4 + 8) * 4
    words = cache_words(latent, 4)
    assert "2 layers · (12 numbers of the latent + 4 of the rotated key) · 4 bytes a number = 128 bytes." in words
    assert "Keys and values spelt out for every head would take 640 bytes a token, 5.0 times as much" in words
    windowed = spec_of(engine_of("mistral-sliding").weights())
    assert windowed is not None
    words = cache_words(windowed, 2)
    assert "2 layers · 2 (a key and a value) · 2 heads · 8 numbers · 2 bytes a number = 128 bytes" in words
    assert "2 of the layers keep the last 15 tokens only" in words and "spelt out" not in words


def test_a_model_without_a_cache_says_none() -> None:
    timing = timed(engine_of("mamba"))
    assert [length.cache for length in timing.lengths] == [CacheSize(n + STEPS, None, None) for n in SHORT]
    assert all(length.prefill.seconds > 0 and length.decode.seconds > 0 for length in timing.lengths)


def test_an_architecture_without_a_formula_is_predicted_from_its_heads() -> None:
    timing = timed(FakeEngine())
    assert all(length.cache.predicted == length.cache.measured for length in timing.lengths)


def test_the_fit_recovers_the_rates_of_a_machine_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    clock = PassClock(engine)
    monkeypatch.setattr("playground.inspection.timing.time.perf_counter", lambda: clock.now)
    progress, timing = finish(time_machine(engine, CancelToken(), (16, 64, 256, 1024), seed=1))
    fit, seconds = timing.speed.fit, timing.speed.seconds
    assert fit.flops_per_s == pytest.approx(2e9, rel=1e-2) and fit.bytes_per_s == pytest.approx(1e9, rel=1e-2)
    assert [check.prefill.tokens for check in timing.checks] == [1024], "the longest was not fitted"
    for length in timing.lengths:
        assert seconds(length.prefill.tokens) == pytest.approx(length.prefill.seconds, rel=2e-2)
        assert seconds(1, length.decode.context) == pytest.approx(length.decode.seconds, rel=2e-2)
    assert [one.rows for one in timing.rows] == list(ROWS)
    for several in timing.rows:
        assert seconds(1, several.context, several.rows) == pytest.approx(several.seconds, rel=2e-2)
    assert (
        progress[0].share == 0
        and [p.share for p in progress] == sorted(p.share for p in progress)
        and progress[-1].share < 1
    )
    longer = finish(time_length(engine, CancelToken(), 1500))[1]
    assert seconds(1500) == pytest.approx(longer.prefill.seconds, rel=2e-2)
    checked = timing.with_check(longer).with_check(longer)
    assert [check.prefill.tokens for check in checked.checks] == [1024, 1500]


def test_a_prompt_that_would_take_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine()
    clock = PassClock(engine)
    monkeypatch.setattr("playground.inspection.timing.time.perf_counter", lambda: clock.now * 200)
    timing = finish(time_machine(engine, CancelToken(), (16, 64, 256, 1024), seed=1))[1]
    assert [length.prefill.tokens for length in timing.lengths] == [16, 64, 256]
    assert len(timing.rows) < len(ROWS), "nor are so many rows decoded together"


@pytest.mark.parametrize("kind", ["llama", "llama-tied", "gpt2"])
def test_the_work_of_a_pass(kind: str) -> None:
    engine = engine_of(kind)
    model, work = engine.loaded.model, workload_of(engine.info, engine.weights())
    table = model.get_input_embeddings().weight.numel()
    positions = model.transformer.wpe.weight.numel() if kind == "gpt2" else 0
    tied = model.config.tie_word_embeddings
    assert work.head == table
    assert work.body + work.head == model.num_parameters() - positions - (0 if tied else table)
    assert work.flops(10, 0) == 2 * work.body * 10 + 2 * work.head + 2 * 2 * 4 * 8 * 10 * 10
    assert work.flops(1, 30, rows=5) == 5 * work.flops(1, 30)
    assert work.traffic(1, 30, rows=5) == work.traffic(1, 30) + 4 * (work.cache_bytes(31) or 0)
    assert work.flops(1, 0) < work.flops(1, 100) < work.flops(1, 200)
    assert work.traffic(1, 100) - work.traffic(1, 99) == work.cache_bytes(1)


def test_a_model_that_reads_too_little_and_a_length_it_cannot_read_are_refused() -> None:
    with pytest.raises(BadInput, match="too few"):
        usable_lengths(20)
    assert usable_lengths(100) == (16, 64)
    for length in (0, 2048):
        with pytest.raises(BadInput):
            finish(time_length(FakeEngine(), CancelToken(), length))


def test_it_stops_between_passes() -> None:
    cancel = CancelToken()
    steps = time_machine(FakeEngine(), cancel, SHORT)
    next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        finish(steps)
