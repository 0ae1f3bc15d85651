"""Prefill and decode of the loaded model, timed here and now, and held against arithmetic.

New random tokens at each pass, so that nothing is remembered; the fastest of a few rounds counts, because anything
else on the machine only makes a pass slower. The work of a pass is counted from the model's own tensors and shapes;
two rates of this machine (arithmetic, bandwidth) are fitted to all passes but the longest, which checks them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from playground.engine.api import CancelToken, Engine, Rows, Weights
from playground.engine.facets import require
from playground.engine.types import WeightList
from playground.errors import BadInput
from playground.inspection.anatomy import examine_weights, text_config
from playground.inspection.cache_formula import cache_bytes, plain_spec
from playground.models.info import LoadedModelInfo
from playground.scaling.inference import (
    MachineFit,
    attention_decode_flops,
    attention_prefill_flops,
    fit_machine,
    weights_read,
)
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import ArchitectureSpec

LENGTHS = (16, 64, 128, 256, 512, 1024)  # prompt tokens
STEPS = 4  # decode steps after each prompt
_ROUNDS = ((128, 3), (256, 2))  # prompts up to so many tokens are read so often, longer ones once
_SLOW_S = 1.0  # a pass that takes longer is not repeated
LONGEST_PASS_S = 20.0  # a prompt expected to take longer is left out, beyond the first three
LONGEST_CHECK_S = 60.0  # a prediction that says more is not checked


@dataclass(frozen=True, slots=True)
class Workload:
    """What a pass of one model costs. ``body`` and ``head``: parameters a token goes through before and in the head.

    ``spec`` None: no formula for what grows with the text (attention, cache).
    """

    body: float
    head: float
    bytes_per_weight: float
    spec: ArchitectureSpec | None

    def flops(self, tokens: int, context: int) -> float:
        """FLOPs of reading ``tokens`` after ``context`` known ones; the head is asked about the last one only."""
        attention = 0.0
        if self.spec is not None:
            if context:
                attention = tokens * attention_decode_flops(self.spec, context + tokens / 2)
            else:
                attention = attention_prefill_flops(self.spec, tokens)
        return 2 * self.body * tokens + 2 * self.head + attention

    def traffic(self, tokens: int, context: int) -> float:
        """Bytes that pass through memory: each weight once, the cache once."""
        weights = (self.body + self.head) * self.bytes_per_weight
        if self.spec is not None and self.spec.is_sparse:
            total = count_parameters(self.spec).total
            weights *= weights_read(self.spec, tokens, self.bytes_per_weight) / (total * self.bytes_per_weight)
        return weights + (self.cache_bytes(context + tokens) or 0)

    def cache_bytes(self, tokens: int) -> int | None:
        """Of the key-value cache of ``tokens``; None where no layer keeps one. See ``cache_formula``."""
        return cache_bytes(self.spec, tokens, self.bytes_per_weight)


def workload_of(info: LoadedModelInfo, listed: WeightList) -> Workload:
    """Counted from the model's tensors; what a token is looked up in (token and position tables) is not read through."""
    anatomy = examine_weights(info, listed)
    tables = anatomy.group("embeddings") + anatomy.group("positions")
    head = anatomy.group("embeddings") if anatomy.tied else anatomy.group("head")
    body = float(anatomy.total - tables - anatomy.group("head"))
    if anatomy.formula is not None and anatomy.formula.active < anatomy.formula.total:
        body -= anatomy.formula.total - anatomy.formula.active
    number = 4.0 if info.dtype == "float32" else 2.0
    return Workload(
        body, float(head), number, anatomy.spec or plain_spec(info, text_config(listed), listed.cache_layers)
    )


@dataclass(frozen=True, slots=True)
class Pass:
    """One timed pass: ``tokens`` read at once after ``context`` known ones. A prefill has no context."""

    tokens: int
    context: int
    flops: float
    traffic: float
    seconds: float

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds

    @property
    def intensity(self) -> float:
        """FLOPs a byte."""
        return self.flops / self.traffic


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
    """A model on this machine. ``fit`` is over all lengths but the last of several, which is ``checks`` beside later
    ones asked for by hand."""

    info: LoadedModelInfo
    workload: Workload
    lengths: tuple[LengthTiming, ...]
    fit: MachineFit
    checks: tuple[LengthTiming, ...]

    def predict_s(self, tokens: int, context: int = 0) -> float:
        """Seconds of a pass, by the fitted rates."""
        work, fit = self.workload, self.fit
        return work.flops(tokens, context) / fit.flops_per_s + work.traffic(tokens, context) / fit.bytes_per_s

    def with_check(self, check: LengthTiming) -> Timing:
        """The same with one more length measured after the prediction."""
        others = tuple(known for known in self.checks if known.prefill.tokens != check.prefill.tokens)
        return replace(self, checks=tuple(sorted((*others, check), key=lambda one: one.prefill.tokens)))


@dataclass(frozen=True, slots=True)
class Progress:
    """``share`` of the whole that is done, from 0 to 1, and what comes next."""

    share: float
    doing: str


def usable_lengths(context_length: int, lengths: Sequence[int] = LENGTHS) -> tuple[int, ...]:
    """Those that leave room for the decode steps. Raises BadInput where fewer than two are left."""
    found = tuple(length for length in lengths if length + STEPS <= context_length)
    if len(found) < 2:
        raise BadInput(
            f"The model reads at most {context_length:,} tokens, too few to see how time grows: choose another model.",
            "model",
        )
    return found


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
    found: list[LengthTiming] = []
    whole, done = sum(usable), 0
    for length in usable:
        if len(found) >= 3 and length / found[-1].prefill.tokens * found[-1].prefill.seconds > LONGEST_PASS_S:
            break
        yield Progress(done / whole, f"a prompt of {length:,} tokens")
        found.append((yield from _time_length(rows, workload, length, rng, cancel, done / whole)))
        done += length
    learnt = found[:-1] if len(found) > 2 else found
    passes = [one for length in learnt for one in (length.prefill, length.decode)]
    fit = fit_machine([one.flops for one in passes], [one.traffic for one in passes], [one.seconds for one in passes])
    return Timing(info, workload, tuple(found), fit, tuple(found[len(learnt) :]))


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


def _tokens(info: LoadedModelInfo, count: int, rng: np.random.Generator) -> list[int]:
    return [int(token) for token in rng.integers(0, info.vocab_size, count)]
