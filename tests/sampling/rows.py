"""Rows of logits on which implementations tend to disagree: ties, peaks, heavy tails, removed tokens."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from playground.sampling.context import SamplingContext

FloatRow = npt.NDArray[np.float32]


def make_rows(vocab: int, seed: int) -> dict[str, FloatRow]:
    """One row of each kind, (vocab,) float32."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=vocab) * 3
    masked = normal.copy()
    masked[rng.random(vocab) < 0.7] = -np.inf
    masked[0] = 0.0
    peaked = normal.copy()
    peaked[rng.integers(vocab)] += 30
    zipf = -1.1 * np.log(np.arange(1, vocab + 1))
    rng.shuffle(zipf)
    few = np.full(vocab, -np.inf)
    few[: min(3, vocab)] = [2.0, 1.0, 1.0][: min(3, vocab)]
    single = np.full(vocab, -np.inf)
    single[vocab // 2] = -4.0
    kinds = {
        "random": normal,
        "flat": rng.normal(size=vocab) * 0.3,
        "tied": np.round(normal),
        "uniform": np.zeros(vocab),
        "sparse ties": np.round(rng.normal(size=vocab)) * (rng.random(vocab) < 0.1),
        "peaked": peaked,
        "heavy tail": zipf,
        "partly -inf": masked,
        "few left": few,
        "one left": single,
    }
    return {kind: row.astype(np.float32) for kind, row in kinds.items()}


def make_context(vocab: int, length: int, seed: int) -> SamplingContext:
    """A history with many repeats, so that every penalty has work."""
    ids = np.random.default_rng(seed).integers(0, max(2, min(vocab, 6)), size=length)
    return SamplingContext(
        prompt_ids=tuple(ids[: length // 2].tolist()), generated_ids=tuple(ids[length // 2 :].tolist())
    )
