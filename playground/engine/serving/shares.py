"""How many rows of each session go into one pass, and how long a pass takes. Pure; knows no thread, no engine, no clock."""

from __future__ import annotations

from collections.abc import Sequence

MOST_ROWS = 64  # of one pass: whoever waits for another kind of work waits for its end
_SLOWER = 1.2  # what those with few rows may lose to those with many: with the drawing of these it stays below a third
_KEPT = 0.98  # of what earlier passes said, at each new one
_FIRST_GUESS = 4  # rows that go at the price of one while nothing is known: a pass is bound by reading the weights


class PassCost:
    """Seconds of a pass as ``base + rows * slope``, by least squares over the passes seen, the older the less."""

    def __init__(self) -> None:
        self._weight = self._rows = self._seconds = self._squares = self._products = 0.0

    def add(self, rows: int, seconds: float) -> None:
        """A pass of so many rows has taken so long."""
        self._weight = self._weight * _KEPT + 1
        self._rows = self._rows * _KEPT + rows
        self._seconds = self._seconds * _KEPT + seconds
        self._squares = self._squares * _KEPT + rows * rows
        self._products = self._products * _KEPT + rows * seconds

    def _line(self) -> tuple[float, float] | None:
        """Base and slope; None while all passes were of about one size, or say that more rows take less time."""
        if not self._weight:
            return None
        rows, seconds = self._rows / self._weight, self._seconds / self._weight
        spread = self._squares / self._weight - rows * rows
        if spread < 0.25:
            return None
        slope = (self._products / self._weight - rows * seconds) / spread
        base = seconds - slope * rows
        return (base, slope) if slope > 0 and base >= 0 else None

    def rows_within(self, rows: int, factor: float) -> int:
        """How many rows take at most ``factor`` times as long as ``rows``; at least these."""
        line = self._line()
        if line is None:
            return max(rows, _FIRST_GUESS)
        base, slope = line
        return max(rows, int((factor * (base + slope * rows) - base) / slope))


def share_rows(wanted: Sequence[int], cost: PassCost) -> list[int]:
    """Rows of each session in the next pass, from how many each wants, all at least 1.

    Whoever wants least gets all, and everybody as many; what more the others want goes along as long as it slows the pass
    by no more than a fifth against one without them, in equal parts (max-min fairness). A session alone takes what a pass holds.
    """
    if not wanted:
        return []
    level = len(wanted) * min(wanted)
    without = level - min(wanted)  # as many rows as a pass has that leaves the largest out
    room = min(MOST_ROWS, max(level, cost.rows_within(without, _SLOWER))) if without else MOST_ROWS
    shares = [0] * len(wanted)
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place]):
        left = sum(share == 0 for share in shares)
        shares[place] = min(wanted[place], room // left)
        room -= shares[place]
    return shares
