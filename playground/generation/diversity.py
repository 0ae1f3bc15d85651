"""How varied texts are, with intervals over seeds. Works on ids, or texts, of tokens; knows no model.

Distinct-n (Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models") is the share of
different n-grams among all n-grams. It falls with length, so it compares only texts of about the same length.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

REPEAT_N = 4
COVERAGE = 0.95

Keys = tuple[int | str, ...]
"""What tells a text's tokens from one another: their ids, or their texts where the engine tells no ids."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over ``count`` texts and its 95% interval by Student's t; None where one text gives none."""

    mean: float
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Diversity:
    """What several texts of one setting have in common. Means over texts in which the figure is defined.

    ``repeated``: the share of 4-grams that the same text had before. ``length`` in tokens; ``logprob`` the mean raw
    log-probability a token, in nats. ``different``: how many of the texts are not the same as another.
    """

    distinct: dict[int, Interval | None]
    repeated: Interval | None
    length: Interval | None
    logprob: Interval | None
    different: int
    texts: int


def ngrams(ids: Keys, n: int) -> list[Keys]:
    """All n-grams in order: max(0, length - n + 1) of them."""
    return [ids[begin : begin + n] for begin in range(len(ids) - n + 1)]


def distinct_n(ids: Keys, n: int) -> float | None:
    """Different n-grams / all n-grams, in (0, 1]; None for a text shorter than n.

    >>> distinct_n((1, 2, 1, 2), 2)  # (1,2) (2,1) (1,2)
    0.6666666666666666
    """
    grams = ngrams(ids, n)
    return len(set(grams)) / len(grams) if grams else None


def repeated_share(ids: Keys, n: int = REPEAT_N) -> float | None:
    """The share of n-grams that occurred earlier in the text: 1 - distinct-n."""
    distinct = distinct_n(ids, n)
    return None if distinct is None else 1.0 - distinct


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Mean and 95% interval: mean ± t(0.975, n - 1) · s / √n, s with n - 1. None without values."""
    if not values:
        return None
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Interval(mean, None, None, 1)
    from scipy.stats import t

    half = float(t.ppf((1 + COVERAGE) / 2, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half, len(values))


def diversity(texts: Sequence[Keys], logprobs: Sequence[Sequence[float]], ns: Sequence[int] = (1, 2, 3)) -> Diversity:
    """The figures of one setting. ``logprobs[i]``: the raw log-probability of each token of ``texts[i]``."""
    return Diversity(
        distinct={n: mean_interval([v for ids in texts if (v := distinct_n(ids, n)) is not None]) for n in ns},
        repeated=mean_interval([v for ids in texts if (v := repeated_share(ids)) is not None]),
        length=mean_interval([float(len(ids)) for ids in texts]),
        logprob=mean_interval([statistics.fmean(row) for row in logprobs if len(row)]),
        different=len(set(texts)),
        texts=len(texts),
    )


def first_divergence(left: Sequence[object], right: Sequence[object]) -> int | None:
    """The first place where two texts differ, an end counting as a difference; None where they are the same.

    Token ids of one vocabulary are compared, characters where the vocabularies differ.
    """
    for place, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return place
    return None if len(left) == len(right) else min(len(left), len(right))
