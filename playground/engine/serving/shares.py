"""How many rows of each session go into one pass, and how long a pass takes. Pure; knows no thread, no engine, no clock."""

from __future__ import annotations

from collections.abc import Sequence

MOST_ROWS = 64  # of one pass: whoever waits for another kind of work waits for its end
_SLOWER = 1.15  # what those with few rows may lose to those with many: below a third with the one pass that they wait for first
_KEPT = 0.98  # of what earlier passes said, at each new one
_FIRST_GUESS = 4  # rows that go at the price of one while nothing is known: a pass is bound by reading the weights


class _Line:
    """Seconds as ``base + rows * slope``, by least squares over what was seen, the older the less."""

    def __init__(self) -> None:
        self._weight = self._rows = self._seconds = self._squares = self._products = 0.0
        self._last: tuple[float, float] | None = None

    def add(self, rows: int, seconds: float) -> None:
        self._weight = self._weight * _KEPT + 1
        self._rows = self._rows * _KEPT + rows
        self._seconds = self._seconds * _KEPT + seconds
        self._squares = self._squares * _KEPT + rows * rows
        self._products = self._products * _KEPT + rows * seconds

    def fit(self) -> tuple[float, float] | None:
        """Base and slope, as they were last where all of late were of about one size; None while nothing sensible is known."""
        if not self._weight:
            return None
        rows, seconds = self._rows / self._weight, self._seconds / self._weight
        spread = self._squares / self._weight - rows * rows
        if spread < 0.25:
            return self._last
        slope = (self._products / self._weight - rows * seconds) / spread
        self._last = (seconds - slope * rows, slope) if slope > 0 else None
        return self._last


class PassCost:
    """What a row costs: in its pass, and where its token is drawn, on the same thread before the next pass."""

    def __init__(self) -> None:
        self._passes, self._draws = _Line(), _Line()

    def add(self, rows: int, seconds: float) -> None:
        """A pass of so many rows has taken so long."""
        self._passes.add(rows, seconds)

    def add_draw(self, rows: int, seconds: float) -> None:
        """The tokens of a batch of so many rows have been drawn, with all that follows from them, in so long."""
        self._draws.add(rows, seconds)

    def rows_within(self, rows: int, factor: float) -> int:
        """How many rows take at most ``factor`` times as long as ``rows``, the drawing of the others included; at least these."""
        line = self._passes.fit()
        if line is None or line[0] < 0:
            return max(rows, _FIRST_GUESS)
        (base, slope), drawing = line, self._draws.fit()
        each = slope + (drawing[1] if drawing else slope)  # while nothing is known, as dear as its place in the pass
        return rows + int((factor - 1) * (base + slope * rows) / each + 1e-9)


def share_rows(wanted: Sequence[int], cost: PassCost, *, others: bool = False) -> list[int]:
    """Rows of each session in the next pass, from how many each wants, all at least 1.

    Whoever wants least gets all, and everybody as many; what more the others want goes along as long as it slows the pass
    by no more than 15% against one without them, their drawing included, in equal parts (max-min fairness). A session
    alone takes what a pass holds, and what takes 15% longer than one row while ``others`` wait for the pass to end.
    """
    if not wanted:
        return []
    if others and len(wanted) == 1:
        return [min(*wanted, MOST_ROWS, cost.rows_within(1, _SLOWER))]
    level = len(wanted) * min(wanted)
    without = level - min(wanted)  # as many rows as a pass has that leaves the largest out
    room = min(MOST_ROWS, max(level, cost.rows_within(without, _SLOWER))) if without else MOST_ROWS
    shares = [0] * len(wanted)
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place]):
        left = sum(share == 0 for share in shares)
        shares[place] = min(wanted[place], room // left)
        room -= shares[place]
    return shares
