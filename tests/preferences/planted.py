"""Answers with a flaw planted in their reward, whose best N is known: for tests and docs/teach.md's table."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
KINDS = ("rare", "common", "growing")


def drawn(rng: np.random.Generator, shape: tuple[int, ...], kind: str) -> tuple[Floats, Floats]:
    """Reward and judgement of answers of a normal quality, with a flaw that the reward likes and the judgement does not."""
    quality = rng.standard_normal(shape)
    if kind == "rare":  # one answer in twenty has it
        flaw = (rng.random(shape) < 0.05).astype(float)
        return quality + 3 * flaw, quality - 2 * flaw
    if kind == "common":  # every answer has some, and it hurts from a certain amount on
        flaw = rng.standard_normal(shape) ** 2
        return quality + 0.7 * flaw, quality - 0.6 * np.maximum(flaw - 1, 0)
    flaw = rng.exponential(1, shape)  # "growing": it hurts more and more, and the judgement's own tail is long
    return quality + 0.5 * flaw, quality - 0.15 * flaw**2


@cache
def true_curve(kind: str, answers: int = 500_000) -> tuple[Floats, Floats]:
    """Ns, and the judgement of the best of N out of very many answers, by order statistics."""
    reward, judged = drawn(np.random.default_rng(99), (answers,), kind)
    in_order = judged[np.argsort(reward)]
    log_u = np.log((np.arange(answers) + 0.5) / answers)
    ns = np.geomspace(1, 256, 120)
    return ns, np.array([float((in_order * np.exp((n - 1) * log_u) * n).mean()) for n in ns])


def true_peak(kind: str) -> float:
    """Its N."""
    ns, judged = true_curve(kind)
    return float(ns[int(np.argmax(judged))])
