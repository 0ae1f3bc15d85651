"""Quality against quantity: one tiny model trained on clean text, on as much noisy text, and on twice as much of it.

Every model reads its text the same number of times, so the third reads twice as much. All are rated on the same stories,
which none has seen. A run is a generator for the worker: a step of training is a piece of work, others have their turn
after each.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from playground.corpus.stories import clean_text, noisy_text
from playground.corpus.tiny_model import STEP_BYTES, TinyModel
from playground.engine.api import CancelToken
from playground.errors import BadInput

Arm = Literal["clean", "noisy", "twice"]
ARMS: dict[Arm, str] = {"clean": "clean", "noisy": "as much, noisy", "twice": "twice as much, noisy"}
HELD_OUT_BYTES = 6_000
MOST_SEEDS, LEAST_BYTES = 5, 4_000
OWN_SEEDS = 1_000  # apart: of texts, and of what is held out
RATED_EVERY = 10  # ratings of an arm


@dataclass(frozen=True, slots=True)
class QualityPlan:
    """``size``: bytes of the clean text. ``passes``: how often each text is read. Raises BadInput for what cannot be run.

    ``share``: of the noisy text that is noise.

    ``kept`` and ``removed``: texts of one's own in place of the stories, "" for stories; a part of ``kept`` is held out.
    """

    size: int = 40_000
    passes: int = 6
    seeds: int = 2
    share: float = 0.75
    kept: bytes = b""
    removed: bytes = b""

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= MOST_SEEDS or not 1 <= self.passes <= 50 or not LEAST_BYTES <= self.size <= 1_000_000:
            raise BadInput(f"Choose {LEAST_BYTES:,} to 1,000,000 bytes, 1 to 50 passes and 1 to {MOST_SEEDS} seeds.")
        if not 0 <= self.share < 1:
            raise BadInput("The share of noise is a number from 0 to less than 1.")
        if self.kept and (len(self.kept) < 2 * LEAST_BYTES or len(self.removed) < LEAST_BYTES // 2):
            raise BadInput(
                f"Your kept documents have {len(self.kept):,} bytes and the removed ones {len(self.removed):,}; training on them "
                f"needs {2 * LEAST_BYTES:,} and {LEAST_BYTES // 2:,}: bring more, or take the stories."
            )

    def texts(self, seed: int) -> tuple[dict[Arm, bytes], bytes]:
        """What each arm reads, and what all are rated on."""
        if self.kept:
            held, clean = self.kept[: len(self.kept) // 5], self.kept[len(self.kept) // 5 :]
            good = round(len(clean) * (1 - self.share))
            noise = (self.removed * (2 * len(clean) // len(self.removed) + 1))[: 2 * (len(clean) - good)]
            whole = (clean * 2)[: 2 * good]  # of little noise there is not enough good text: it stands there again
            return {
                "clean": clean,
                "noisy": clean[:good] + noise[: len(clean) - good],
                "twice": whole + noise,
            }, held[:HELD_OUT_BYTES]
        texts: dict[Arm, bytes] = {
            "clean": clean_text(self.size, seed),
            "noisy": noisy_text(self.size, seed + OWN_SEEDS, self.share),
            "twice": noisy_text(2 * self.size, seed + OWN_SEEDS, self.share),
        }
        return texts, clean_text(HELD_OUT_BYTES, seed + 2 * OWN_SEEDS)

    def steps(self, data: bytes) -> int:
        """Steps of one arm."""
        return max(RATED_EVERY, round(len(data) * self.passes / STEP_BYTES))


@dataclass(frozen=True, slots=True)
class Rating:
    """One point of a curve: after ``read`` bytes the arm's model of this seed has ``bits`` a byte on the held-out text."""

    arm: Arm
    seed: int
    read: int
    bits: float


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` steps; ``rating``: where one was just made."""

    done: int
    total: int
    rating: Rating | None = None


def run_quality(plan: QualityPlan, cancel: CancelToken) -> Generator[Progress, None, int]:
    """Train every arm with every seed. Returns how many parameters a model has."""
    total = sum(plan.steps(data) for seed in range(plan.seeds) for data in plan.texts(seed)[0].values())
    done = parameters = 0
    for seed in range(plan.seeds):
        texts, held = plan.texts(seed)
        for arm, data in texts.items():
            steps = plan.steps(data)
            model = TinyModel(seed, steps)
            parameters = model.parameters
            yield Progress(done, total, Rating(arm, seed, 0, model.held_out(held)))
            for step in range(1, steps + 1):
                cancel.check()
                model.train(data)
                done += 1
                rate = step * RATED_EVERY // steps > (step - 1) * RATED_EVERY // steps
                yield Progress(
                    done, total, Rating(arm, seed, step * STEP_BYTES, model.held_out(held)) if rate else None
                )
    return parameters


@dataclass(frozen=True, slots=True)
class Compared:
    """The final bits a byte of an arm minus the clean one's, over seeds: mean and 95% interval (t over seeds, paired)."""

    arm: Arm
    difference: float
    low: float
    high: float


def compare_arms(ratings: list[Rating]) -> tuple[Compared, ...]:
    """What the seeds that are whole say; no interval of one seed alone (NaN)."""
    last: dict[tuple[Arm, int], Rating] = {}
    for each in ratings:
        last[each.arm, each.seed] = each
    compared = list[Compared]()
    for arm in ("noisy", "twice"):
        seeds = [seed for (own, seed) in last if own == arm and ("clean", seed) in last]
        differences = np.array([last[arm, seed].bits - last["clean", seed].bits for seed in seeds])
        if not len(differences):
            continue
        mean, half = float(differences.mean()), float("nan")
        if len(differences) > 1:
            half = float(t.ppf(0.975, len(differences) - 1) * differences.std(ddof=1) / len(differences) ** 0.5)
        compared.append(Compared(arm, mean, mean - half, mean + half))
    return tuple(compared)


def curve(ratings: list[Rating], arm: Arm) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """``read`` (points,) and ``bits`` (seeds, points) of an arm, as far as all of its seeds have come."""
    by_seed: dict[int, list[Rating]] = {}
    for each in ratings:
        if each.arm == arm:
            by_seed.setdefault(each.seed, []).append(each)
    points = min(map(len, by_seed.values()), default=0)
    read = next(iter(by_seed.values()), [])[:points]
    bits = [[each.bits for each in own[:points]] for own in by_seed.values()]
    return np.array([each.read for each in read], dtype=np.float64), np.array(bits, dtype=np.float64).reshape(
        -1, points
    )
