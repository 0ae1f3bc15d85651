"""What a bake-off says: each rule's accuracy, by difficulty, with a test of whether it helped and a plain sentence.

A rule is compared, problem by problem, with taking one candidate blindly (the share of that problem's candidates that are
right), so that easy and hard problems do not blur the comparison. Pure arithmetic on a ``BakeoffState``.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from playground.errors import BadInput
from playground.generation.diversity import mean_interval
from playground.testtime.bakeoff import BakeoffState, ProblemOutcome
from playground.testtime.curves import pass_at_k

LEVEL = 0.05
_RESAMPLES = 9_999
_FEW = 6  # problems; with fewer that differ, no two-sided sign-flip test can reach 5%


@dataclass(frozen=True, slots=True)
class Share:
    """A share of ``count`` problems, 0 to 1, with its 95% interval where one can be given."""

    mean: float
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule. ``gain``: its accuracy minus that of one blind candidate, problem by problem, with its 95% interval
    (Student's, for this rule alone). ``p_value``: two-sided, by flipping signs; ``p_adjusted``: by Holm's method for the
    number of rules.
    """

    name: str
    accuracy: Share
    by_difficulty: tuple[tuple[str, Share], ...]
    gain: float
    gain_low: float | None
    gain_high: float | None
    p_value: float
    p_adjusted: float
    statement: str


@dataclass(frozen=True, slots=True)
class BakeoffReport:
    """``single``: one blind candidate; ``coverage``: a right one was among the n, which no rule can beat."""

    single: Share
    coverage: Share
    single_by_difficulty: tuple[tuple[str, Share], ...]
    coverage_by_difficulty: tuple[tuple[str, Share], ...]
    rules: tuple[RuleResult, ...]
    problems: int
    n: int
    tokens: int
    seconds: float
    summary: str


def report(state: BakeoffState, seed: int = 0) -> BakeoffReport:
    """The results so far. Raises BadInput where no problem is done."""
    outcomes = state.outcomes
    if not outcomes:
        raise BadInput("No problem is done yet: let the bake-off run first.", "problems")
    raw = [_p_value(_gains(outcomes, rule.name), seed) for rule in state.rules]
    adjusted = holm(raw)
    rules = tuple(_rule(outcomes, rule.name, p, q) for rule, p, q in zip(state.rules, raw, adjusted, strict=True))
    single, coverage = _share(outcomes, lambda o: o.single), _share(outcomes, _covered)
    return BakeoffReport(
        single=single,
        coverage=coverage,
        single_by_difficulty=_grouped(outcomes, lambda o: o.single, lambda o: o.difficulty),
        coverage_by_difficulty=_grouped(outcomes, _covered, lambda o: o.difficulty),
        rules=rules,
        problems=len(outcomes),
        n=state.plan.n,
        tokens=state.tokens,
        seconds=state.seconds,
        summary=_summary(rules, single, coverage, len(outcomes)),
    )


def coverage_by_n(state: BakeoffState) -> tuple[tuple[int, float], ...]:
    """(k, pass@k averaged over problems) for k = 1 to n."""
    return tuple(
        (k, statistics.fmean(pass_at_k(len(o.correct), sum(o.correct), k) for o in state.outcomes))
        for k in range(1, state.plan.n + 1)
        if state.outcomes
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment (Holm 1979): for the i-th smallest of m, the largest of (m - j + 1) · p_j for j ≤ i.

    >>> holm([0.01, 0.04])
    (0.02, 0.04)
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return tuple(adjusted)


def _gains(outcomes: Sequence[ProblemOutcome], rule: str) -> list[float]:
    return [float(_choice(outcome, rule)) - outcome.single for outcome in outcomes]


def _choice(outcome: ProblemOutcome, rule: str) -> bool:
    return next(choice.correct for choice in outcome.choices if choice.rule == rule)


def _p_value(gains: Sequence[float], seed: int) -> float:
    """Two-sided p that the mean gain is 0, by flipping the signs of the problems' gains at random (all ways where they
    are few). 1 where no gain differs from 0.
    """
    moved = [gain for gain in gains if abs(gain) > 1e-12]
    if len(moved) < 2:
        return 1.0
    from scipy.stats import permutation_test

    test = permutation_test(
        (np.array(moved),),
        lambda sample, axis: np.sum(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        alternative="two-sided",
        rng=np.random.default_rng(seed),
    )
    return float(min(1.0, test.pvalue))


def _rule(outcomes: Sequence[ProblemOutcome], name: str, p_value: float, p_adjusted: float) -> RuleResult:
    def right(outcome: ProblemOutcome) -> float:
        return float(_choice(outcome, name))

    gains = _gains(outcomes, name)
    gain, interval = statistics.fmean(gains), mean_interval(gains)
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    moved = sum(abs(g) > 1e-12 for g in gains)
    return RuleResult(
        name=name,
        accuracy=_share(outcomes, right, wilson=True),
        by_difficulty=_grouped(outcomes, right, lambda o: o.difficulty, wilson=True),
        gain=gain,
        gain_low=low,
        gain_high=high,
        p_value=p_value,
        p_adjusted=p_adjusted,
        statement=_statement(gain, (low, high), p_adjusted, moved, len(gains)),
    )


def _statement(
    gain: float, interval: tuple[float | None, float | None], p_adjusted: float, moved: int, count: int
) -> str:
    points = f"{100 * abs(gain):.1f} points {'above' if gain > 0 else 'below'} one blind candidate"
    low, high = interval
    if low is not None and high is not None:
        points += f" (95% interval for this rule alone {100 * low:+.1f} to {100 * high:+.1f})"
    corrected = f"p = {p_adjusted:.2g} when corrected for the number of rules"
    if moved == 0:
        return f"It made no difference on any of the {count} problems."
    if p_adjusted < LEVEL:
        return f"It {'helped' if gain > 0 else 'harmed'}: {points}, {corrected}."
    if moved < _FEW:
        return f"Nothing can be said: only {moved} of {count} problems could tell it from chance; run more problems."
    return (
        f"It does not show that it helps this model: {points} on {count} problems, which may be chance ({corrected})."
    )


def _summary(rules: Sequence[RuleResult], single: Share, coverage: Share, count: int) -> str:
    helped = [rule.name for rule in rules if rule.p_adjusted < LEVEL and rule.gain > 0]
    sentence = f"One candidate is right in {100 * single.mean:.1f}% and a right one was among all in {100 * coverage.mean:.1f}%"
    if helped:
        return f"{sentence}; better than blind choice on these {count} problems: {', '.join(helped)}."
    best = max(rules, key=lambda rule: rule.gain)
    ahead = f"; {best.name} comes out highest, {100 * best.gain:.1f} points above it" if best.gain > 0 else ""
    return (
        f"{sentence}, but on these {count} problems no rule can be told from blind choice, {len(rules)} tried at once taken into "
        f"account{ahead}."
    )


def _covered(outcome: ProblemOutcome) -> float:
    return float(any(outcome.correct))


Value = Callable[[ProblemOutcome], float]


def _share(outcomes: Sequence[ProblemOutcome], value: Value, *, wilson: bool = False) -> Share:
    """The mean with Wilson's interval where each value is 0 or 1, else Student's, cut to 0..1."""
    values = [value(outcome) for outcome in outcomes]
    mean = statistics.fmean(values)
    if wilson:
        from scipy.stats import binomtest

        interval = binomtest(round(sum(values)), len(values)).proportion_ci(method="wilson")
        return Share(mean, float(interval.low), float(interval.high), len(values))
    bounds = mean_interval(values)
    if bounds is None or bounds.low is None or bounds.high is None:
        return Share(mean, None, None, len(values))
    return Share(mean, max(0.0, bounds.low), min(1.0, bounds.high), len(values))


def _grouped(
    outcomes: Sequence[ProblemOutcome], value: Value, group: Callable[[ProblemOutcome], str], *, wilson: bool = False
) -> tuple[tuple[str, Share], ...]:
    groups: dict[str, list[ProblemOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(group(outcome), []).append(outcome)
    return tuple((name, _share(members, value, wilson=wilson)) for name, members in groups.items())
