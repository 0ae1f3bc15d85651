"""A taught policy against best-of-N of the model it started from, at the N whose KL is the policy's. Runs no model.

The policy's KL to the start is measured on its own answers: each token y gives r - 1 - ln r with r = start(y) / policy(y), whose
mean over the policy's tokens is the KL and which is never negative (Schulman 2020, "Approximating KL divergence", k3).
Best-of-N's is ln N - (N - 1)/N; between two N, the mixture of both in proportion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.testtime.curves import kl_bound, winner_weights

Array = npt.NDArray[np.float64]
RESAMPLES = 400
_COVERAGE = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Measured:
    """A mean with its 95% interval, by resampling each prompt's answers."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EqualKl:
    """Rewards in standard deviations of the start's answers to a prompt, from their mean.

    ``kl``: nats an answer. ``n``: of the best-of-N with that KL, at most ``ns[-1]``; ``beyond``: the KL is more than its.
    ``ahead``: the policy's reward less best-of-N's. ``curve``, ``low``, ``high``: (ns,) best-of-N's reward at each of ``ns``.
    """

    kl: Measured
    n: float
    beyond: bool
    policy: Measured
    best: Measured
    ahead: Measured
    ns: tuple[int, ...]
    curve: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    prompts: int
    answers: int


def answer_kl(policy: npt.NDArray[np.floating], start: npt.NDArray[np.floating]) -> float:
    """Of one answer: the sum of r - 1 - ln r over its tokens. Both (tokens,) log-probabilities, nats.

    >>> round(answer_kl(np.log([0.5]), np.log([0.25])), 4)  # r = 1/2
    0.1931
    """
    log_r = np.asarray(start, dtype=np.float64) - np.asarray(policy, dtype=np.float64)
    return float((np.expm1(log_r) - log_r).sum())


def compare_at_equal_kl(
    start_rewards: Sequence[Array], policy_rewards: Sequence[Array], policy_kls: Sequence[Array], seed: int = 0
) -> EqualKl:
    """Each: by prompt, (answers,), all of one size. Raises BadInput where the answers to a prompt do not differ."""
    start, policy, kls = (np.array(each, dtype=np.float64) for each in (start_rewards, policy_rewards, policy_kls))
    centre, spread = start.mean(axis=1, keepdims=True), start.std(axis=1, keepdims=True)
    if not (spread > 0).all():
        raise BadInput(
            "The reward gives all answers to a prompt the same value, so nothing can be compared by it.", "reward"
        )
    start, policy = (start - centre) / spread, (policy - centre) / spread
    prompts, count = start.shape
    ns = tuple(range(1, count + 1))
    steps, weights = np.array([kl_bound(n) for n in ns]), winner_weights(count, ns)

    def measure(start: Array, policy: Array, kls: Array) -> tuple[Array, Array, Array, Array]:
        """(draws, prompts, answers) each -> (draws, ns) of best-of-N's rewards; (draws,) of KL, both rewards."""
        curve = (-np.sort(-start, axis=-1) @ weights).mean(axis=1)
        kl = kls.mean(axis=(1, 2))
        best = np.array([np.interp(at, steps, row) for at, row in zip(kl, curve, strict=True)])
        return curve, kl, policy.mean(axis=(1, 2)), best

    curve, kl, own, best = measure(start[None], policy[None], kls[None])
    random = np.random.default_rng([seed, 9])
    drawn, other = (random.integers(0, count, (RESAMPLES, *start.shape)) for _ in range(2))

    def again(values: Array, places: npt.NDArray[np.int64]) -> Array:
        return np.take_along_axis(np.broadcast_to(values, places.shape), places, axis=-1)

    curves, drawn_kl, drawn_own, drawn_best = measure(again(start, drawn), again(policy, other), again(kls, other))
    low, high = np.percentile(curves, _COVERAGE, axis=0)
    return EqualKl(
        _measured(kl[0], drawn_kl),
        float(np.interp(kl[0], steps, ns)),
        bool(kl[0] > steps[-1]),
        _measured(own[0], drawn_own),
        _measured(best[0], drawn_best),
        _measured(own[0] - best[0], drawn_own - drawn_best),
        ns,
        tuple(map(float, curve[0])),
        tuple(map(float, low)),
        tuple(map(float, high)),
        prompts,
        count,
    )


def _measured(mean: float, draws: Array) -> Measured:
    low, high = np.percentile(draws, _COVERAGE)
    return Measured(float(mean), float(low), float(high))


def equal_kl_sentence(comparison: EqualKl) -> str:
    """Both rewards with their intervals, and which is ahead."""
    said = (
        f"{comparison.prompts * comparison.answers:,} answers of each to {comparison.prompts} prompts. DPO's have a KL to "
        f"the start of {_shown(comparison.kl, sign=False)} nats an answer and a mean reward of "
        f"{_shown(comparison.policy)} standard deviations above one answer of the start; best-of-N with that KL, "
        f"N ≈ {comparison.n:.1f}, has {_shown(comparison.best)}."
    )
    if comparison.beyond:
        said += f" The KL is more than that of the best of {comparison.ns[-1]}, the most that was measured: it is held back here."
    if comparison.ahead.low <= 0 <= comparison.ahead.high:
        return f"{said} The difference, {_shown(comparison.ahead)}, may be chance."
    first = "DPO" if comparison.ahead.mean > 0 else "Best-of-N"
    return f"{said} {first} is ahead: DPO less best-of-N is {_shown(comparison.ahead)}."


def _shown(value: Measured, *, sign: bool = True) -> str:
    form = "+.2f" if sign else ".3f"
    return f"{value.mean:{form}} (95%: {value.low:{form}} to {value.high:{form}})"
