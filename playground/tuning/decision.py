"""What a plan's values allow to be said: intervals, comparisons with the present setting, and a recommendation.

Nothing is claimed where the control, a second run of the present setting, differs from it. Knows numbers and no texts;
``decision_words`` has the sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.tuning.decision_words import Compared, keep_words, use_words
from playground.tuning.measures import Measure
from playground.tuning.statistics import Difference, Floats, Interval, mean_intervals, paired_differences


@dataclass(frozen=True, slots=True)
class Comparison:
    """``difference`` is setting ``a``'s mean less ``b``'s, the present one's."""

    a: str
    b: str
    measure: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Recommendation:
    """``setting`` to use; ``keep`` where that is the present one. ``text``: why, in sentences."""

    setting: str
    keep: bool
    measure: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """By arm and measure the interval; every comparison; the recommendation by the first measure."""

    intervals: Mapping[str, Mapping[str, Interval]]
    comparisons: tuple[Comparison, ...]
    recommendation: Recommendation

    def failures(self, require: Mapping[str, float], measures: Sequence[Measure]) -> tuple[str, ...]:
        """A sentence for each bar that the recommended setting's mean does not reach; one without a mean does not."""
        own, said = self.intervals[self.recommendation.setting], []
        for measure in measures:
            bar, mean = require.get(measure.name), own[measure.name].mean
            if bar is not None and (mean is None or (mean - bar) * measure.better < 0):
                mean_text = "has no value" if mean is None else f"is {mean:.3g}"
                side = "at least" if measure.better > 0 else "at most"
                said.append(f"{measure.name} of {self.recommendation.setting!r} {mean_text}; required: {side} {bar:g}.")
        return tuple(said)


def decide(
    arms: Sequence[str],
    values: Mapping[str, Floats],
    measures: Sequence[Measure],
    *,
    samples: int = 1,
    judged: bool = False,
    seed: int = 0,
) -> Findings:
    """``arms``: the present setting first, the control last. ``values``: by measure, (examples, arms), each the mean of an
    example's ``samples``. ``judged``: people have voted, which is said elsewhere.

    Comparisons are corrected within each measure (Holm), the control's among them.
    """
    intervals: dict[str, dict[str, Interval]] = {arm: {} for arm in arms}
    comparisons: list[Comparison] = []
    compared: list[Compared] = []
    for measure in measures:
        own = values[measure.name]
        for arm, interval in zip(arms, mean_intervals(own, seed=seed, shares=measure.unit == "share"), strict=True):
            intervals[arm][measure.name] = interval
        differences = paired_differences(own, 0, seed=seed)
        compared.append(Compared(measure, own, differences))
        comparisons += [
            Comparison(arm, arms[0], measure.name, difference)
            for arm, difference in zip(arms[1:], differences[1:], strict=True)
        ]
    return Findings(intervals, tuple(comparisons), _recommend(arms, compared, samples, judged))


def winner(differences: Sequence[Difference], better: int) -> int | None:
    """The place of the arm whose gain over the first is largest among those significant after correction; None for none.

    ``differences``: of all arms, the control last. Where the control differs nothing is won.
    """
    if not better or differences[-1].significant:
        return None
    gains = [
        ((each.difference or 0) * better, place)
        for place, each in enumerate(differences[:-1])
        if each.significant and (each.difference or 0) * better > 0
    ]
    return max(gains)[1] if gains else None


def _recommend(arms: Sequence[str], compared: Sequence[Compared], samples: int, judged: bool) -> Recommendation:
    first = compared[0]
    best = winner(first.differences, first.measure.better)
    if best is None:
        return Recommendation(arms[0], True, first.measure.name, keep_words(arms, compared, samples))
    return Recommendation(arms[best], False, first.measure.name, use_words(arms, compared, best, judged=judged))
