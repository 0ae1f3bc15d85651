"""A decision in sentences: what was found, how sure it is, what it costs elsewhere, what was not looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.tuning.measures import MEASURES, Measure
from playground.tuning.statistics import SIGNIFICANT, Difference, Floats, prompts_needed

WORTH_SEEING = 0.05  # of a share five points; of another measure this part of the present setting's mean
_UNITS = {"share": "points", "tokens": "tokens", "nats": "nats", "s": "s", "USD": "USD"}


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One measure's ``values`` (examples, arms) and each arm's difference from the first, its own among them."""

    measure: Measure
    values: Floats
    differences: tuple[Difference, ...]


def size_words(measure: Measure, value: float) -> str:
    """A difference's size in the measure's unit: shares in points, a hundredth each."""
    number = abs(value) * (100 if measure.unit == "share" else 1)
    return f"{number:.3g} {'point' if f'{number:.3g}' == '1' and measure.unit == 'share' else _UNITS[measure.unit]}"


def difference_words(measure: Measure, difference: Difference) -> str:
    """Such as "repeats 9 points less (95%: 4 to 14)", the interval in the direction in which it is said."""
    value = difference.difference or 0.0
    less = value < 0
    phrase = (measure.less if less else measure.more) or f"has {{}} {'less' if less else 'more'} {measure.name}"
    said = phrase.replace("{}", size_words(measure, value), 1)
    return said + _bounds(measure, difference, -1 if less else 1)


def _bounds(measure: Measure, difference: Difference, sign: int = 1) -> str:
    if difference.low is None or difference.high is None:
        return ""
    scale = sign * (100 if measure.unit == "share" else 1)
    low, high = sorted((difference.low * scale, difference.high * scale))
    return f" (95%: {low:.3g} to {high:.3g})"


def use_words(arms: Sequence[str], compared: Sequence[Compared], best: int, *, judged: bool = False) -> str:
    """Why the arm ``best`` is better than the first by the first measure, and what of the others."""
    first, present = compared[0], arms[0]
    own = first.differences[best]
    assert own.p_adjusted is not None
    said = [
        f"Use {arms[best]!r}: it {difference_words(first.measure, own)} than {present!r} on {own.prompts} examples, "
        f"p = {own.p_adjusted:.2g} after Holm's correction."
    ]
    said += _elsewhere(compared[1:], best)
    others = [
        arms[place]
        for place in range(1, len(arms) - 1)
        if place != best and not _gains(first.differences[place], first.measure)
    ]
    if others:
        said.append(f"{_listed([repr(name) for name in others])} showed no gain.")
    return " ".join([*said, *_not_compared(compared, judged)])


def _gains(difference: Difference, measure: Measure) -> bool:
    return difference.significant and (difference.difference or 0) * measure.better > 0


def _elsewhere(compared: Sequence[Compared], best: int) -> list[str]:
    """The winner's effect on the other measures: what changed, the worse after "But", and where no difference was found."""
    good, bad, same = [], [], []
    for each in compared:
        own, measure = each.differences[best], each.measure
        if own.difference is None:
            continue
        if not own.significant:
            unit = _UNITS[measure.unit]
            same.append(measure.name + _bounds(measure, own).replace(")", f" {unit})"))
        elif own.difference * measure.better < 0:
            bad.append(difference_words(measure, own))
        else:
            good.append(difference_words(measure, own))
    said = [f"It also {_listed(good)}."] if good else []
    said += [f"But it {_listed(bad)}."] if bad else []
    return said + ([f"No difference was found in {_listed(same)}."] if same else [])


def _not_compared(compared: Sequence[Compared], judged: bool) -> list[str]:
    """What nobody looked at: examples without a value, measures left out, people."""
    first = compared[0]
    silent = len(first.values) - first.differences[0].prompts
    said = [f"{silent} of {len(first.values)} examples say nothing of {first.measure.name}."] if silent else []
    looked = {each.measure.name.partition(":")[0] for each in compared if each.differences[0].prompts}
    left = [name for name, measure in MEASURES.items() if measure.better and name not in looked]
    left += [] if judged else ["what people prefer"]
    return [*said, f"It was not compared on {_listed(left)}."] if left else said


def keep_words(arms: Sequence[str], compared: Sequence[Compared], samples: int) -> str:
    """Why the first arm is kept: nothing to compare, nothing that could be seen, or nothing seen and what would show it."""
    first, present = compared[0], arms[0]
    measure, others = first.measure, first.differences[1:-1]
    name, measured = measure.name, first.values[~np.isnan(first.values)]
    if not measure.better:
        why = f"more {name} is neither better nor worse, so it decides nothing."
    elif not others:
        why = "there was no other setting to compare."
    elif not measured.size:
        why = f"no example says anything of {name}; give references or checks, or choose another measure."
    elif measure.unit == "share" and (measured == measured[0]).all() and measured[0] in (0.0, 1.0):
        ease = "harder" if (measured[0] == 1) == (measure.better > 0) else "easier"
        why = (
            f"{name} is {measured[0]:.0%} on every example under every setting, so these examples cannot tell them apart; "
            f"take {ease} ones."
        )
    elif first.differences[-1].significant:
        why = (
            f"its own second run differs from it in {name}, so differences here are chance and nothing is claimed; "
            "take more examples."
        )
    elif all(each.difference == 0 and each.low is None for each in others):
        why = f"every other setting has the same {name} as it on every example; they may be equal settings."
    elif any(each.significant for each in others):
        worse = [repr(arm) for arm, each in zip(arms[1:], others, strict=False) if each.significant]
        rest = "" if len(worse) == len(others) else f" In the others no difference was found. {_to_see(first, samples)}"
        why = f"{_listed(worse)} did worse in {name}.{rest}"
    else:
        largest = _largest(arms, first)
        why = f"no difference found in {name}. {f'{largest} ' if largest else ''}{_to_see(first, samples)}"
    return f"Keep {present!r}: {why}".strip()


def _largest(arms: Sequence[str], first: Compared) -> str:
    """The largest gain that was seen, though chance gives such ones too."""
    gains = [
        ((own.difference or 0) * first.measure.better, arm, own)
        for arm, own in list(zip(arms, first.differences, strict=True))[1:-1]
    ]
    gain, arm, own = max(gains, key=lambda each: each[0])
    if gain <= 0 or own.p_adjusted is None:
        return ""
    return f"The most seen: {arm!r} {difference_words(first.measure, own)}, p = {own.p_adjusted:.2g} after Holm's correction."


def _to_see(first: Compared, samples: int) -> str:
    """How many more examples would show a difference worth seeing, by the widest spread of the differences."""
    prompts = first.differences[0].prompts
    fewest = fewest_examples(first.values.shape[1] - 1)
    differences = first.values[:, 1:-1] - first.values[:, [0]]
    spreads = [column.std(ddof=1) for column in (c[~np.isnan(c)] for c in differences.T) if len(column) > 1]
    if prompts < fewest:
        return f"With {prompts} examples none could be shown, whatever its size; take {fewest} at least."
    spread = max(spreads, default=0.0)
    worth = WORTH_SEEING
    if first.measure.unit != "share":
        worth *= abs(float(np.nanmean(first.values[:, 0])))
    if not spread or not worth:
        return "Too few examples differ to say how many would show one."
    more = prompts_needed(worth, float(spread)) - prompts
    if more <= 0:
        return f"One of {size_words(first.measure, worth)} would have been seen in four of five such plans."
    texts = f" ({more * samples:,} more samples of each setting)" if samples > 1 else ""
    return f"To see one of {size_words(first.measure, worth)}, {more:,} more examples{texts}."


def fewest_examples(comparisons: int) -> int:
    """Below so many nothing can be significant: where all examples agree p is 2 / 2^n, times the comparisons by Holm."""
    return math.ceil(math.log2(2 * comparisons / SIGNIFICANT))


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
