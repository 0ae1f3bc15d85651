"""Who is removed more often than others: rates by a tag of the documents, with intervals and a test against all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest, fisher_exact

from playground.corpus.verdicts import Verdicts

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Slice:
    """``low`` and ``high``: Wilson's 95% interval of the removed share. ``p``: Fisher's exact test against all documents

    outside of the slice, two-sided, after Holm's correction over the slices. ``rule``: which removes most of it, "" for none.
    """

    name: str
    total: int
    removed: int
    low: float
    high: float
    p: float
    rule: str

    @property
    def rate(self) -> float:
        return self.removed / self.total

    @property
    def stands_out(self) -> bool:
        return self.p < LEVEL


def slices(tags: Sequence[str], verdicts: Verdicts) -> tuple[Slice, ...]:
    """Documents by ``tags`` (one each, "" for none, which are left out), the most removed first."""
    kept = verdicts.kept
    places: dict[str, list[int]] = {}
    for number, tag in enumerate(tags):
        if tag:
            places.setdefault(tag, []).append(number)
    total, removed = sum(map(len, places.values())), sum(int((~kept[own]).sum()) for own in places.values())
    tag_slices = list[Slice]()
    for name, own in places.items():
        gone = int((~kept[own]).sum())
        inside, outside = (gone, len(own) - gone), (removed - gone, total - len(own) - (removed - gone))
        interval = binomtest(gone, len(own)).proportion_ci(method="wilson")
        p = float(fisher_exact([inside, outside]).pvalue) if total > len(own) else 1.0
        counts = dict(zip(verdicts.rules, verdicts.failed[own].sum(axis=0).tolist(), strict=True))
        rule = max(counts, key=counts.__getitem__, default="") if any(counts.values()) else ""
        tag_slices.append(Slice(name, len(own), gone, float(interval.low), float(interval.high), p, rule))
    return tuple(sorted(_corrected(tag_slices), key=lambda each: (-each.rate, each.name)))


def _corrected(tag_slices: Sequence[Slice]) -> list[Slice]:
    """Holm's correction: the smallest p times the number of tests, the next times one less, never falling."""
    corrected, floor = list[Slice](), 0.0
    for place, each in enumerate(sorted(tag_slices, key=lambda one: one.p)):
        floor = max(floor, min(1.0, each.p * (len(tag_slices) - place)))
        corrected.append(Slice(each.name, each.total, each.removed, each.low, each.high, floor, each.rule))
    return corrected
