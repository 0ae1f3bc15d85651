"""How many rows of each session go into one pass, and how long a pass takes. Pure; knows no thread, no engine, no clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

MOST_ROWS = 64  # of one pass: whoever waits for another kind of work waits for its end
_SLOWER = 1.15  # what those with few rows may lose to those with many: below a third with the one pass that they wait for first
_MANY = 8  # times as many rows as another visitor wants
_LONGEST = 2.0  # a pass in which many rows go along, to one without them; what that costs is paid back (see ``Debt``)
_KEPT = 0.98  # of what earlier passes said, at each new one
_LATE = 0.2  # the weight of the newest pass in what passes of its size take
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
    """What a pass costs, by its rows."""

    def __init__(self) -> None:
        self._line = _Line()
        self._seconds: dict[int, float] = {}

    def add(self, rows: int, seconds: float) -> None:
        """A pass of so many rows has taken so long."""
        self._line.add(rows, seconds)
        self._seconds[rows] = (1 - _LATE) * self._seconds.get(rows, seconds) + _LATE * seconds

    def seconds(self, rows: int) -> float | None:
        """Of a pass of so many rows: what such passes took of late, else what the line says; None while nothing is known.

        No line alone: on some processors one row takes half as long as two, and ten no longer than four.
        """
        line = self._line.fit()
        return self._seconds.get(rows, None if line is None else line[0] + line[1] * rows)

    def rows_within(self, rows: int, factor: float) -> int:
        """How many rows take at most ``factor`` times as long as ``rows``; at least these."""
        line = self._line.fit()
        if line is None or line[0] < 0:
            return max(rows, _FIRST_GUESS)
        base, slope = line
        return rows + int((factor - 1) * (base + slope * rows) / slope + 1e-9)


class Debt:
    """What visitors with many rows have cost the others, in passes and by drawing, above what those may lose; in seconds.

    While there is any they sit out, so that in the long run, too, the others are slowed by 15% and no more.
    """

    def __init__(self) -> None:
        self._seconds = 0.0

    @property
    def is_open(self) -> bool:
        return self._seconds > 0

    def add(self, seconds: float) -> None:
        """So long the others have waited for them."""
        self._seconds += max(0.0, seconds)

    def pay(self, seconds: float) -> None:
        """So long the model has worked for the others."""
        self._seconds = max(0.0, self._seconds - (_SLOWER - 1) * seconds)

    def forget(self) -> None:
        """There are no others."""
        self._seconds = 0.0


def with_many(rows: Mapping[str, int]) -> Collection[str]:
    """The visitors who want more than eight times as many rows as another one, from how many each wants (at least 1)."""
    least = min(rows.values(), default=1)
    return {visitor for visitor, wanted in rows.items() if wanted > _MANY * least}


def share_rows(wanted: Sequence[int], cost: PassCost, *, others: bool = False) -> list[int]:
    """Rows of each session in the next pass, from how many each wants, all at least 1.

    Whoever wants least gets all, and everybody as many; what more the others want goes along as long as it slows the pass
    by no more than 15% against one without them, in equal parts (max-min fairness). Who wants more than eight times as
    much goes along seldom (see ``Debt``) and then with what doubles the pass: one row costs nearly as much. A session
    alone takes what a pass holds, and what takes 15% longer than one row while ``others`` wait for the pass to end.
    """
    if not wanted:
        return []
    if others and len(wanted) == 1:
        return [min(*wanted, MOST_ROWS, cost.rows_within(1, _SLOWER))]
    level = len(wanted) * min(wanted)
    without = level - min(wanted)  # as many rows as a pass has that leaves the largest out
    longest = _LONGEST if max(wanted) > _MANY * min(wanted) else _SLOWER
    room = min(MOST_ROWS, max(level, cost.rows_within(without, longest))) if without else MOST_ROWS
    shares = [0] * len(wanted)
    for place in sorted(range(len(wanted)), key=lambda place: wanted[place]):
        left = sum(share == 0 for share in shares)
        shares[place] = min(wanted[place], room // left)
        room -= shares[place]
    return shares
