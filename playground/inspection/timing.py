"""Prefill and decode of the loaded model, timed here and now, and held against arithmetic.

New random tokens at each pass, so that nothing is remembered; the fastest of a few rounds counts, because anything
else on the machine only makes a pass slower. One row is timed at every length and several rows after a short prompt.
``speed.py`` is fitted to all passes but those of the longest prompt, which check it. Every page that predicts a time
measures by this module.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.engine.api import CancelToken, Engine, Rows, Weights
from playground.engine.facets import require
from playground.errors import BadInput
from playground.inspection.speed import Pass, Speed, Workload, fit_speed, workload_of
from playground.models.info import LoadedModelInfo

LENGTHS = (16, 64, 128, 256, 512, 1024)  # prompt tokens
STEPS = 4  # decode steps after each prompt
ROWS = (4, 16, 32)  # decoded together after the shortest prompt
_ROUNDS = ((128, 3), (256, 2))  # prompts up to so many tokens are read so often, longer ones once
_SLOW_S = 1.0  # a pass that takes longer is not repeated
LONGEST_PASS_S = 20.0  # a prompt expected to take longer is left out, beyond the first three
LONGEST_CHECK_S = 60.0  # a prediction that says more is not checked


@dataclass(frozen=True, slots=True)
class CacheSize:
    """Bytes of the key-value cache of ``tokens``; ``predicted`` None without a formula, ``measured`` without a cache."""

    tokens: int
    predicted: int | None
    measured: int | None


@dataclass(frozen=True, slots=True)
class LengthTiming:
    """All that was measured at one prompt length."""

    prefill: Pass
    decode: Pass
    cache: CacheSize


@dataclass(frozen=True, slots=True)
class Timing:
    """A model on this machine. ``rows``: a decode step of several rows, each count once. ``speed`` is fitted to these
    and to all lengths but the last of several, which is in ``checks`` beside later ones asked for by hand."""

    info: LoadedModelInfo
    speed: Speed
    lengths: tuple[LengthTiming, ...]
    rows: tuple[Pass, ...]
    checks: tuple[LengthTiming, ...]

    def with_check(self, check: LengthTiming) -> Timing:
        """The same with one more length measured after the prediction."""
        others = tuple(other for other in self.checks if other.prefill.tokens != check.prefill.tokens)
        return replace(self, checks=tuple(sorted((*others, check), key=lambda one: one.prefill.tokens)))


@dataclass(frozen=True, slots=True)
class Progress:
    """``share`` of the whole that is done, from 0 to 1, and what comes next."""

    share: float
    doing: str


def usable_lengths(context_length: int, lengths: Sequence[int] = LENGTHS) -> tuple[int, ...]:
    """Those that leave room for the decode steps. Raises BadInput where fewer than two are left."""
    usable = tuple(length for length in lengths if length + STEPS <= context_length)
    if len(usable) < 2:
        raise BadInput(
            f"The model reads at most {context_length:,} tokens, too few to see how time grows: choose another model.",
            "model",
        )
    return usable


def time_machine(
    engine: Engine, cancel: CancelToken, lengths: Sequence[int] = LENGTHS, seed: int | None = None
) -> Generator[Progress, None, Timing]:
    """Measure every length, fit, and check the fit on the longest; yields between passes.

    ``seed`` None takes new random tokens at each call. Raises Cancelled, BadInput and what the engine raises.
    """
    rows = require(engine, Rows)
    info = rows.info
    workload = workload_of(info, require(engine, Weights).weights())
    usable = usable_lengths(info.context_length, lengths)
    rng = np.random.default_rng(seed)
    warm = rows.open_batch([_tokens(info, usable[0], rng)], cancel=cancel)  # the first passes pay for waking up
    warm.step(_tokens(info, 1, rng), cancel=cancel)
    warm.close()
    timings: list[LengthTiming] = []
    whole, done = sum(usable) + sum(ROWS), 0
    for length in usable:
        if len(timings) >= 3 and length / timings[-1].prefill.tokens * timings[-1].prefill.seconds > LONGEST_PASS_S:
            break
        yield Progress(done / whole, f"a prompt of {length:,} tokens")
        timings.append((yield from _time_length(rows, workload, length, rng, cancel, done / whole)))
        done += length
    several: list[Pass] = []
    for count in ROWS:
        if count * timings[0].decode.seconds <= LONGEST_PASS_S:
            yield Progress(done / whole, f"a new token for each of {count} rows")
            several.append(_time_rows(rows, workload, usable[0], count, rng, cancel))
            done += count
    return timing_of(info, workload, timings, several)


def timing_of(
    info: LoadedModelInfo, workload: Workload, lengths: Sequence[LengthTiming], several: Sequence[Pass]
) -> Timing:
    """The measured passes with what is fitted to them. Raises BadInput for too few."""
    learnt = lengths[:-1] if len(lengths) > 2 else lengths
    passes = [one for length in learnt for one in (length.prefill, length.decode)]
    speed = fit_speed(workload, [*passes, *several])
    return Timing(info, speed, tuple(lengths), tuple(several), tuple(lengths[len(learnt) :]))


def time_length(engine: Engine, cancel: CancelToken, length: int) -> Generator[Progress, None, LengthTiming]:
    """One more length, to check a prediction. Raises BadInput where the model cannot read so much."""
    if not 1 <= length <= engine.info.context_length - STEPS:
        raise BadInput(
            f"The model reads {engine.info.context_length:,} tokens, {STEPS} of them new: choose a shorter prompt.",
            "length",
        )
    yield Progress(0.0, f"a prompt of {length:,} tokens")
    rows = require(engine, Rows)
    workload = workload_of(rows.info, require(engine, Weights).weights())
    return (yield from _time_length(rows, workload, length, np.random.default_rng(), cancel, 0.0))


def _time_length(
    rows: Rows, workload: Workload, length: int, rng: np.random.Generator, cancel: CancelToken, share: float
) -> Generator[Progress, None, LengthTiming]:
    info, prefill_s = rows.info, math.inf
    for turn in range(next((rounds for most, rounds in _ROUNDS if length <= most), 1)):
        if prefill_s > _SLOW_S and turn:
            break
        if turn:
            yield Progress(share, f"a prompt of {length:,} tokens again")
        prompt = _tokens(info, length, rng)
        started = time.perf_counter()
        batch = rows.open_batch([prompt], cancel=cancel)
        prefill_s = min(prefill_s, time.perf_counter() - started)
    decode_s = math.inf
    for step in range(STEPS):
        yield Progress(share, f"a new token after {length + step:,}")
        token = _tokens(info, 1, rng)
        started = time.perf_counter()
        batch.step(token, cancel=cancel)
        decode_s = min(decode_s, time.perf_counter() - started)
    held = length + STEPS
    cache = CacheSize(held, workload.cache_bytes(held) if batch.cache_bytes is not None else None, batch.cache_bytes)
    batch.close()
    after = length + STEPS // 2
    return LengthTiming(
        Pass(length, 0, workload.flops(length, 0), workload.traffic(length, 0), prefill_s),
        Pass(1, after, workload.flops(1, after), workload.traffic(1, after), decode_s),
        cache,
    )


def _time_rows(
    rows: Rows, workload: Workload, length: int, count: int, rng: np.random.Generator, cancel: CancelToken
) -> Pass:
    """A decode step of ``count`` rows after one prompt. The first step copies the prompt's cache and is left out."""
    batch = rows.open_batch([_tokens(rows.info, length, rng)] * count, cancel=cancel, branching=False)
    batch.step(_tokens(rows.info, count, rng), cancel=cancel)
    seconds = math.inf
    for _ in range(STEPS - 1):
        tokens = _tokens(rows.info, count, rng)
        started = time.perf_counter()
        batch.step(tokens, cancel=cancel)
        seconds = min(seconds, time.perf_counter() - started)
    batch.close()
    after = length + STEPS // 2
    return Pass(1, after, workload.flops(1, after, count), workload.traffic(1, after, count), seconds, count)


def _tokens(info: LoadedModelInfo, count: int, rng: np.random.Generator) -> list[int]:
    return [int(token) for token in rng.integers(0, info.vocab_size, count)]
