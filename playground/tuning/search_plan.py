"""What a search is asked for: a goal, bars, ranges of samplers, and how many texts it may write. Runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from playground.errors import BadInput
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.examples import Example
from playground.tuning.measures import Measure, find_measure
from playground.tuning.plan import Plan

FEWEST_TRIALS = 4  # the present setting among them
MOST_TRIALS = 200
FEWEST_EXAMPLES = 4
MOST_RANGES = 8
_BAR = re.compile(r"\s*(\S.*?)\s*(>=|<=|≥|≤)\s*([-+]?\d*\.?\d+)\s*")


@dataclass(frozen=True, slots=True)
class SearchRange:
    """A sampling parameter and the values that may be tried, both ends included."""

    name: str
    low: float
    high: float

    def rounded(self, value: float) -> float | int:
        """``value`` with as many digits as the parameter's step has."""
        parameter = PARAMETERS[self.name]
        if parameter.kind == "int":
            return int(value)
        digits = len(f"{parameter.step:.6f}".rstrip("0").split(".")[1])
        return min(max(round(value, digits), self.low), self.high)


@dataclass(frozen=True, slots=True)
class Bar:
    """What a measure's mean must reach, or must not exceed."""

    measure: Measure
    at_least: bool
    value: float

    def missed_by(self, mean: float | None) -> float:
        """0 or less where it is met; a mean that nobody knows misses it."""
        if mean is None:
            return 1.0
        return self.value - mean if self.at_least else mean - self.value


def read_bars(text: str) -> tuple[Bar, ...]:
    """``distinct-2 >= 0.8``, one a line. Raises BadInput."""
    bars = []
    for line in filter(str.strip, text.splitlines()):
        parts = _BAR.fullmatch(line)
        if parts is None:
            raise BadInput(f"{line[:40]!r} is no bar: write one a line, as in “distinct-2 >= 0.8”.", "bars")
        try:
            bars.append(Bar(find_measure(parts[1]), parts[2] in (">=", "≥"), float(parts[3])))
        except BadInput as error:
            raise BadInput(f"Bars: {str(error).rstrip('.')}.", "bars") from None
    return tuple(bars)


def bars_text(bars: Iterable[Bar]) -> str:
    """What ``read_bars`` reads back."""
    return "\n".join(f"{bar.measure.name} {'>=' if bar.at_least else '<='} {bar.value:g}" for bar in bars)


@dataclass(frozen=True)
class SearchPlan:
    """``texts``: how many may be written in all, the last comparison's among them. Checked on creation: raises BadInput."""

    examples: tuple[Example, ...]
    present: SamplerSettings
    ranges: tuple[SearchRange, ...]
    goal: Measure
    bars: tuple[Bar, ...] = ()
    texts: int = 400
    samples: int = 2
    max_new_tokens: int = 64
    seed: int = 0
    chat: bool = False

    def __post_init__(self) -> None:
        _check(self)

    @cached_property
    def split(self) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
        """The examples searched on, and those held out: a half each, by the seed."""
        order = np.random.default_rng(self.seed).permutation(len(self.examples)).tolist()
        half = len(order) // 2
        searched, held = sorted(order[:half]), sorted(order[half:])
        return tuple(self.examples[place] for place in searched), tuple(self.examples[place] for place in held)

    @property
    def trial_texts(self) -> int:
        return len(self.split[0]) * self.samples

    @property
    def check_texts(self) -> int:
        """Of the comparison at the end: the best, the present setting, and its second run."""
        return 3 * len(self.split[1]) * self.samples

    @property
    def trials(self) -> int:
        """As many as the texts allow; the present setting is the first."""
        return min((self.texts - self.check_texts) // self.trial_texts, MOST_TRIALS)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The goal and what has a bar, each once."""
        by_name = {measure.name: measure for measure in (self.goal, *(bar.measure for bar in self.bars))}
        return tuple(by_name.values())

    def beside(self, settings: Mapping[str, SamplerSettings], examples: Sequence[Example]) -> Plan:
        """These settings on these examples, all else as the search has it."""
        return Plan(
            examples=tuple(examples),
            settings=settings,
            samples=self.samples,
            max_new_tokens=self.max_new_tokens,
            seed=self.seed,
            measures=self.measures,
            require={},
            chat=self.chat,
        )


def _check(plan: SearchPlan) -> None:
    if len(plan.examples) < FEWEST_EXAMPLES:
        raise BadInput(
            f"A search needs {FEWEST_EXAMPLES} examples at least, half of them to try what it finds on: add some.",
            "examples",
        )
    if not plan.goal.better:
        raise BadInput(f"More {plan.goal.name} is neither better nor worse: choose another goal.", "goal")
    if not 1 <= len(plan.ranges) <= MOST_RANGES or len({each.name for each in plan.ranges}) < len(plan.ranges):
        raise BadInput(f"Choose 1 to {MOST_RANGES} samplers to search over, each once.", "ranges")
    for each in plan.ranges:
        parameter = PARAMETERS.get(each.name)
        if parameter is None or parameter.kind not in ("float", "int"):
            raise BadInput(f"{each.name[:40]!r} cannot be searched over: choose a sampler with a number.", "ranges")
        if not parameter.low <= each.low < each.high <= parameter.high:
            raise BadInput(
                f"{parameter.label}: the range goes from a smaller to a larger number within {parameter.low:,.9g} and "
                f"{parameter.high:,.9g}.",
                "ranges",
            )
    if not 1 <= plan.samples <= 64 or not 1 <= plan.max_new_tokens <= 2_000:
        raise BadInput("A search takes 1 to 64 samples and 1 to 2,000 tokens a text.", "samples")
    if plan.trials < FEWEST_TRIALS:
        needed = FEWEST_TRIALS * plan.trial_texts + plan.check_texts
        raise BadInput(
            f"{plan.texts:,} texts are too few for a search on these examples: allow {needed:,}, or take fewer samples.",
            "texts",
        )
