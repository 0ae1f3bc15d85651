"""Which rows are held out, so that what was learnt is seen on rows that were not taught. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Generic, Protocol, TypeVar

FEWEST_FOR_HELDOUT = 6  # of fewer rows each is needed


class Keyed(Protocol):
    @property
    def key(self) -> tuple[str, ...]:
        """Equal for rows that teach the same."""


RowT = TypeVar("RowT", bound=Keyed)


@dataclass(frozen=True, slots=True)
class Split(Generic[RowT]):
    """``notes``: sentences on what is odd about it."""

    train: tuple[RowT, ...]
    heldout: tuple[RowT, ...]
    notes: tuple[str, ...] = ()


def split(rows: Sequence[RowT], share: float, seed: int) -> Split[RowT]:
    """About ``share`` of the rows held out, drawn by ``seed``, their order kept.

    Equal rows stay on one side, else the held-out loss would be of what was taught; that is said. Of fewer than
    ``FEWEST_FOR_HELDOUT`` different rows, and with a share of 0, none is held out, which is said too.
    """
    keys = list(dict.fromkeys(row.key for row in rows))
    if share <= 0 or len(keys) < FEWEST_FOR_HELDOUT:
        why = "No row is held out" if share <= 0 else f"{len(keys)} different rows are too few to hold some out"
        note = f"{why}: the curve is of what is taught and cannot tell learning from learning by heart."
        return Split(tuple(rows), (), (note,))
    count = max(1, min(len(keys) - 1, round(share * len(keys))))
    out = set(Random(seed).sample(keys, count))
    train, heldout = (tuple(row for row in rows if (row.key in out) is held) for held in (False, True))
    notes = []
    if (twice := len(rows) - len(keys)) > 0:
        notes.append(f"{twice} rows repeat others; equal rows stay together on one side of the split.")
    return Split(train, heldout, tuple(notes))


def duplicates(train: Sequence[RowT], heldout: Sequence[RowT]) -> tuple[tuple[int, int], ...]:
    """Places (in train, in held-out) of rows that are in both: a held-out loss would be of what was taught."""
    places = {row.key: place for place, row in reversed(list(enumerate(train)))}
    return tuple((places[row.key], place) for place, row in enumerate(heldout) if row.key in places)


def apart(train: Sequence[RowT], heldout: Sequence[RowT]) -> Split[RowT]:
    """Two given sets, the held-out one without the rows that are taught, which is said."""
    both = {place for _place, place in duplicates(train, heldout)}
    kept = tuple(row for place, row in enumerate(heldout) if place not in both)
    notes = (
        (f"{len(both)} held-out rows are among those taught and were left out of the held-out ones.",) if both else ()
    )
    return Split(tuple(train), kept, notes)
