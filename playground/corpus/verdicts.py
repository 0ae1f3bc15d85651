"""What thresholds make of values: who is kept, by which rules the others are removed, and which dial would rescue one.

Everything from the matrix of values, at once for all documents; a moved dial costs a millisecond for 10,000 documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.corpus.rules import COLUMN, RULES

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """``failed`` (documents, rules): whether a document fails each of ``rules``, the active ones in their order."""

    rules: tuple[str, ...]
    failed: Flags

    @property
    def kept(self) -> Flags:
        """(documents,) those that fail none."""
        passed: Flags = np.logical_not(self.failed.any(axis=1))
        return passed

    @property
    def removed_by(self) -> dict[str, int]:
        """How many each rule removes, whatever the others do."""
        return dict(zip(self.rules, self.failed.sum(axis=0).tolist(), strict=True))

    @property
    def only_by(self) -> dict[str, int]:
        """How many are removed by this rule and no other: they would stay without it."""
        lonely = self.failed & (self.failed.sum(axis=1) == 1)[:, None]
        return dict(zip(self.rules, lonely.sum(axis=0).tolist(), strict=True))

    def failed_by(self, document: int) -> tuple[str, ...]:
        """The rules that one document fails, in their order."""
        return tuple(name for name, fails in zip(self.rules, self.failed[document], strict=True) if fails)

    def agreement(self) -> Values:
        """(rules, rules) of those that either of two rules removes, the share that both do; NaN where neither removes any."""
        flags = self.failed.astype(np.float64)
        both = flags.T @ flags
        each = np.diag(both)
        either = each[:, None] + each[None, :] - both
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(either > 0, both / either, np.nan)


def judge(values: Values, dials: Mapping[str, float]) -> Verdicts:
    """``values`` (documents, all rules) under ``dials``: active rules and their thresholds. A NaN fails nothing."""
    names = tuple(name for name in RULES if name in dials)
    columns = [COLUMN[name] for name in names]
    thresholds = np.array([dials[name] for name in names])
    below = np.array([RULES[name].fails == "below" for name in names], dtype=bool)
    chosen = values[:, columns]
    with np.errstate(invalid="ignore"):
        return Verdicts(names, np.where(below, chosen < thresholds, chosen > thresholds))


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What would be with one rule's threshold at each of ``places`` and all others as they are, (places,) each.

    ``only``: by rule those that it alone removes. ``weight``: of the kept documents, in the weights that were given.
    """

    places: Values
    kept: Counts
    removed: Counts
    only: Mapping[str, Counts]
    weight: Values


def sweep(verdicts: Verdicts, values: Values, rule: str, places: Values, weights: Values) -> Sweep:
    """``verdicts`` of ``values`` with the dial of ``rule``, one of its rules, moved over ``places``, ascending.

    A document is in one of these classes by what it fails besides: nothing, one other rule, or more. In each of them those
    that fail here are counted from the sorted values, so that the places cost next to nothing. ``weights`` (documents,).
    """
    column, own = values[:, COLUMN[rule]], verdicts.rules.index(rule)
    others = verdicts.failed.sum(axis=1) - verdicts.failed[:, own]
    below = RULES[rule].fails == "below"

    def failing(chosen: Flags, each: Values | None = None) -> Values:
        numbers = column[chosen]
        order = np.argsort(numbers)  # NaN last
        ranked = numbers[order][: np.count_nonzero(~np.isnan(numbers))]
        heavy = np.ones(len(ranked)) if each is None else each[chosen][order][: len(ranked)]
        before = np.concatenate([[0.0], np.cumsum(heavy)])
        first: Values = before[np.searchsorted(ranked, places, "left" if below else "right")]
        return first if below else before[-1] - first

    free, lonely = others == 0, others == 1
    alone = {rule: failing(free)} | {
        name: lonely[verdicts.failed[:, place]].sum() - failing(lonely & verdicts.failed[:, place])
        for place, name in enumerate(verdicts.rules)
        if place != own
    }
    return Sweep(
        places,
        (free.sum() - alone[rule]).astype(np.int64),
        failing(np.ones(len(column), dtype=bool)).astype(np.int64),
        {name: counts.astype(np.int64) for name, counts in alone.items()},
        weights[free].sum() - failing(free, weights),
    )


def rescues(row: Values, dials: Mapping[str, float]) -> dict[str, float]:
    """Of one document's values (rules,): how far each failed rule's dial must be moved for it to be kept.

    With one entry that dial alone rescues it; with several all of them must move.
    """
    return {
        name: float(row[COLUMN[name]])
        for name, threshold in dials.items()
        if (row[COLUMN[name]] < threshold if RULES[name].fails == "below" else row[COLUMN[name]] > threshold)
    }
