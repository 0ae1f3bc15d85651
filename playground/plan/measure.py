"""Timing the loaded model on this machine, for "predicted against measured". Runs on the worker; knows no streamlit."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from playground.engine.api import CancelToken, Engine, NextTokens, Rows
from playground.engine.facets import require
from playground.models.info import LoadedModelInfo
from playground.scaling.inference import MachineFit, fit_machine

LENGTHS = (1, 8, 32, 128, 256, 512)
ROUNDS = 2  # the faster one counts: anything else on the machine only makes it slower


@dataclass(frozen=True, slots=True)
class Timing:
    """One measured forward pass: ``tokens`` read after ``context`` known ones, with its arithmetic and traffic."""

    tokens: int
    context: int
    flops: float
    traffic: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """All passes, what fits them, and this machine's own peaks by a plain matrix product and a plain copy."""

    timings: tuple[Timing, ...]
    fit: MachineFit
    peak_flops: float
    peak_bytes: float
    model: str


def work_of(info: LoadedModelInfo, tokens: int, context: int) -> tuple[float, float]:
    """(FLOPs, bytes) of reading ``tokens`` after ``context`` known ones: weights once, the cache once."""
    width = info.layers * info.heads * info.head_dim
    seen = tokens * context + tokens * tokens / 2
    number = 4 if info.dtype == "float32" else 2
    cache = 2 * info.layers * info.kv_heads * info.head_dim * number * (context + tokens)
    return 2 * info.parameters * tokens + 4 * width * seen, float(info.weights_bytes + cache)


def measure(engine: Engine, cancel: CancelToken) -> Generator[tuple[int, int], None, Measurement]:
    """Read prompts of several lengths; yields (done, all) between passes. New random ids each time: nothing is cached."""
    info, reader = require(engine, Rows).info, require(engine, NextTokens)
    rng = np.random.default_rng()
    lengths = [length for length in LENGTHS if length < info.context_length]
    ids = [int(token) for token in rng.integers(0, info.vocab_size, 4)]
    reader.next_logits(ids, cancel=cancel)  # the first pass pays for warming up
    timings = []
    total = len(lengths) + 2
    for done, length in enumerate(lengths):
        yield done, total
        best = float("inf")
        for _ in range(ROUNDS):
            prompt = [int(token) for token in rng.integers(0, info.vocab_size, length)]
            started = time.perf_counter()
            reader.next_logits(prompt, cancel=cancel)
            best = min(best, time.perf_counter() - started)
        timings.append(Timing(length, 0, *work_of(info, length, 0), best))
    yield len(lengths), total
    timings.append(_decode_step(reader, info, rng, max(lengths), cancel))
    yield len(lengths) + 1, total
    fit = fit_machine([t.flops for t in timings], [t.traffic for t in timings], [t.seconds for t in timings])
    return Measurement(tuple(timings), fit, peak_flops(), peak_bandwidth(), info.name)


def _decode_step(
    reader: NextTokens, info: LoadedModelInfo, rng: np.random.Generator, context: int, cancel: CancelToken
) -> Timing:
    """One token after a context that the engine has just read."""
    prompt = [int(token) for token in rng.integers(0, info.vocab_size, context)]
    reader.next_logits(prompt, cancel=cancel)
    best = float("inf")
    for _ in range(4):
        prompt.append(int(rng.integers(0, info.vocab_size)))
        started = time.perf_counter()
        reader.next_logits(prompt, cancel=cancel)
        best = min(best, time.perf_counter() - started)
    return Timing(1, context, *work_of(info, 1, context), best)


def peak_flops(size: int = 1024, repeats: int = 4) -> float:
    """FLOP/s of a plain float32 matrix product here."""
    matrix = np.ones((size, size), dtype=np.float32)
    seconds = min(_timed(lambda: matrix @ matrix) for _ in range(repeats))
    return 2 * size**3 / seconds


def peak_bandwidth(megabytes: int = 128, repeats: int = 4) -> float:
    """Bytes/s of a plain copy here, reads and writes counted."""
    source = np.ones(megabytes * 250_000, dtype=np.float32)
    target = np.empty_like(source)
    seconds = min(_timed(lambda: np.copyto(target, source)) for _ in range(repeats))
    return 2 * source.nbytes / seconds


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
