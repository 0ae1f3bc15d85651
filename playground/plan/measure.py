"""This machine measured for "predicted against measured": the loaded model's passes, and the machine's own peaks.

The passes are timed and predicted as everywhere (``inspection/timing.py``, ``speed.py``). Runs on the worker; knows no
streamlit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from playground.engine.api import CancelToken, Engine
from playground.inspection.timing import LENGTHS, Progress, Timing, time_machine


@dataclass(frozen=True, slots=True)
class Peaks:
    """What the processor does at best: FLOP/s of a plain float32 matrix product, bytes/s of a plain copy."""

    flops_per_s: float
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """``peaks`` None where the model runs on another device than the one they could be measured on."""

    timing: Timing
    peaks: Peaks | None


def measure(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, Measurement]:
    """Time the model's passes, then the peaks; yields between passes. Raises what ``time_machine`` raises."""
    timing = yield from time_machine(engine, cancel, LENGTHS[:-1])
    return Measurement(timing, Peaks(peak_flops(), peak_bandwidth()) if timing.info.device == "cpu" else None)


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
