"""The draw: one uniform per step, turned into a token by the inverse of the cumulative distribution.

Random numbers are counter-based: u is a function of (seed, row, step, purpose) with no state, so any step can be
repeated, two settings can be compared on common random numbers, and a row draws the same tokens alone or in a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput

FloatArray = npt.NDArray[np.floating]
_HEAD = 1024  # tokens sorted before all are
PURPOSES = {"draw": 0, "xtc": 1}  # each has a stream of its own


@dataclass(frozen=True, slots=True)
class UniformStream:
    """The uniforms of one row. ``row`` is its place in the batch; the same (seed, row) gives the same stream."""

    seed: int
    row: int = 0

    def at(self, step: int, purpose: str = "draw") -> float:
        """The uniform in [0, 1) of this step (0 is the first) for "draw" or "xtc"."""
        if self.seed < 0 or self.row < 0 or step < 0:
            raise BadInput("seed: must be a whole number of 0 or more.", "seed")
        entropy = np.random.SeedSequence(entropy=self.seed, spawn_key=(self.row, step, PURPOSES[purpose]))
        # 53 random bits make every double k / 2^53 equally likely, and 1.0 impossible.
        return float(entropy.generate_state(1, np.uint64)[0] >> np.uint64(11)) * 2.0**-53


@dataclass(frozen=True, slots=True)
class Draw:
    """A token and why it was drawn: ``low <= u < high`` in the cumulative final distribution.

    ``rank`` is the token's place by descending final probability, 0 first.
    """

    u: float
    id: int
    low: float
    high: float
    rank: int


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeDistribution:
    """The tokens that can be drawn, likeliest first (ties by lower id), and where each one's interval ends.

    ``ids``: (n,) int64. ``ends``: (n,) float64, ascending, the last exactly 1.
    """

    ids: npt.NDArray[np.int64]
    ends: npt.NDArray[np.float64]

    def place_of(self, us: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Ranks drawn by uniforms in [0, 1)."""
        return np.searchsorted(self.ends, us, side="right")


def cumulative_distribution(final_probs: FloatArray) -> CumulativeDistribution:
    """Order the tokens of a (vocab,) distribution for drawing. Zero probabilities are left out, so never drawn."""
    probs = np.asarray(final_probs, dtype=np.float64)
    ids = np.flatnonzero(probs > 0)
    if probs.ndim != 1 or not len(ids) or not np.isfinite(probs).all():
        raise BadInput("A token can only be drawn from a row of probabilities that are finite and not all zero.")
    ids = ids[np.argsort(-probs[ids], kind="stable")]
    ends = np.cumsum(probs[ids])
    ends /= ends[-1]  # float32 probabilities sum to 1 only nearly; the last interval must end at 1
    return CumulativeDistribution(ids, ends)


def draw_token(final_probs: FloatArray, u: float) -> Draw:
    """The token whose interval holds ``u`` in [0, 1), over descending final probability.

    >>> draw_token(np.array([0.25, 0.5, 0.25]), 0.6)
    Draw(u=0.6, id=0, low=0.5, high=0.75, rank=1)
    """
    if not 0 <= u < 1:
        raise BadInput(f"u: a uniform lies in [0, 1), {u} does not.", "u")
    probs = np.asarray(final_probs)
    head = _draw_among_likeliest(probs, u) if probs.ndim == 1 and np.count_nonzero(probs) > _HEAD else None
    if head is not None:
        return head
    distribution = cumulative_distribution(probs)
    rank = int(distribution.place_of(np.array([u]))[0])
    low = float(distribution.ends[rank - 1]) if rank else 0.0
    return Draw(u=u, id=int(distribution.ids[rank]), low=low, high=float(distribution.ends[rank]), rank=rank)


def _draw_among_likeliest(probs: FloatArray, u: float) -> Draw | None:
    """The same draw with only the likeliest tokens sorted, or None when u falls beyond them.

    Sorting a whole vocabulary of 49,152 costs some 8 ms, a tenth of a small model's step; u lies among the likeliest
    thousand nearly always.
    """
    if not np.isfinite(probs).all():
        return None  # the full way says what is wrong
    cut = np.partition(probs, len(probs) - _HEAD)[len(probs) - _HEAD]
    ids = np.flatnonzero(probs > cut)  # with none of several equal ones left out
    values = probs[ids].astype(np.float64)
    order = np.argsort(-values, kind="stable")
    ends = np.cumsum(values[order]) / probs.sum(dtype=np.float64)
    rank = int(np.searchsorted(ends, u, side="right"))
    if rank >= len(ids):
        return None
    low = float(ends[rank - 1]) if rank else 0.0
    return Draw(u=u, id=int(ids[order[rank]]), low=low, high=float(ends[rank]), rank=rank)


def draw_many(final_probs: FloatArray, us: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The ids drawn by many uniforms in [0, 1) from one distribution. (n,) -> (n,)."""
    uniforms = np.asarray(us, dtype=np.float64)
    if uniforms.size and not (uniforms.min() >= 0 and uniforms.max() < 1):
        raise BadInput("u: uniforms lie in [0, 1).", "u")
    distribution = cumulative_distribution(final_probs)
    return distribution.ids[distribution.place_of(uniforms)]
