"""How much voters agree: the share of agreeing pairs, and Cohen's, Fleiss's and Krippendorff's chance-corrected forms.

All treat what was said as names without order (nominal). Knows votes, and no strengths.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.preferences.votes import Vote

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over comparisons that two or more voters judged (``units``); None where it is not defined.

    ``share``: of all pairs of voters on one comparison, those who said the same. ``alpha`` is Krippendorff's, which
    takes comparisons with any number of voters; ``fleiss`` where every comparison has equally many; ``cohen`` for each
    two voters who share comparisons. 1 is full agreement, 0 what chance would give.
    """

    voters: int
    units: int
    share: float | None
    alpha: float | None
    fleiss: float | None
    cohen: tuple[tuple[str, str, float | None], ...]


def measure_agreement(votes: Sequence[Vote], *, most_pairs: int = 200) -> Agreement:
    """What named voters said of one subject and pair, whichever side stood left; a voter's last word counts.

    ``most_pairs`` bounds how many pairs of voters get a Cohen's kappa.
    """
    said: dict[tuple[str, str, str], dict[str, str]] = {}
    for vote in votes:
        if vote.voter:
            said.setdefault((vote.subject, *vote.pair), {})[vote.voter] = _oriented(vote)
    shared = [words for words in said.values() if len(words) > 1]
    voters = sorted({voter for words in said.values() for voter in words})
    counts = _count([list(words.values()) for words in shared])
    return Agreement(
        voters=len(voters),
        units=len(shared),
        share=agreeing_share(counts),
        alpha=krippendorff_alpha(counts),
        fleiss=fleiss_kappa(counts) if len({len(words) for words in shared}) == 1 else None,
        cohen=_cohen_by_pair(shared, most_pairs),
    )


def _oriented(vote: Vote) -> str:
    """What was said, independent of the sides: "first" is the pair's first name in alphabetical order."""
    if vote.winner is None:
        return vote.outcome
    return "first" if vote.winner == vote.pair[0] else "second"


def _cohen_by_pair(shared: Sequence[dict[str, str]], most: int) -> tuple[tuple[str, str, float | None], ...]:
    """Every two voters who judged one comparison, and their kappa on all that they share."""
    together: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for words in shared:
        for pair in combinations(sorted(words), 2):
            if pair in together or len(together) < most:
                together.setdefault(pair, []).append((words[pair[0]], words[pair[1]]))
    return tuple(
        (a, b, cohen_kappa([x for x, _ in both], [y for _, y in both])) for (a, b), both in sorted(together.items())
    )


def _count(units: Sequence[Sequence[Hashable]]) -> Counts:
    """How often each word was said of each unit: (units, words)."""
    words = {word: place for place, word in enumerate(dict.fromkeys(word for unit in units for word in unit))}
    counts = np.zeros((len(units), len(words)), dtype=np.int64)
    for row, unit in zip(counts, units, strict=True):
        np.add.at(row, [words[word] for word in unit], 1)
    return counts


def agreeing_share(counts: Counts) -> float | None:
    """Of the pairs of voters on one unit, over all units, those who said the same. ``counts`` (units, words)."""
    sizes = counts.sum(axis=1)
    pairs = int((sizes * (sizes - 1)).sum())
    return float((counts * (counts - 1)).sum() / pairs) if pairs else None


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Two voters on the same units (Cohen 1960); None where both always said one and the same word."""
    if len(first) != len(second):
        raise BadInput("Cohen's kappa needs both voters' words on the same comparisons; leave out the others.", "votes")
    if not first:
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / len(first)
    expected = sum(first.count(word) * second.count(word) for word in set(first)) / len(first) ** 2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def fleiss_kappa(counts: Counts) -> float | None:
    """Equally many voters, two or more, on each unit (Fleiss 1971). ``counts`` (units, words)."""
    sizes = set(counts.sum(axis=1).tolist())
    if not sizes:
        return None
    if len(sizes) > 1 or min(sizes) < 2:
        raise BadInput("Fleiss's kappa needs equally many voters, two or more, on each comparison.", "votes")
    observed = agreeing_share(counts)
    shares = counts.sum(axis=0) / counts.sum()
    expected = float((shares**2).sum())
    return None if observed is None or math.isclose(expected, 1.0) else (observed - expected) / (1 - expected)


def krippendorff_alpha(counts: Counts) -> float | None:
    """Any number of voters on each unit; those with fewer than two say nothing (Krippendorff 2004, nominal metric).

    1 - observed / expected disagreement: a unit with m voters weighs as its m words, of which chance pairs two out of
    all n words said. None where all said the same word, or nobody shares a unit.
    """
    counts = counts[counts.sum(axis=1) > 1]
    if not counts.size:
        return None
    sizes, words, n = counts.sum(axis=1), counts.sum(axis=0), int(counts.sum())
    observed = float(((sizes**2 - (counts**2).sum(axis=1)) / (sizes - 1)).sum()) / n
    expected = float(n**2 - (words**2).sum()) / (n * (n - 1))
    return None if expected == 0 else 1 - observed / expected
