"""Rows of logits in a form in which any temperature and any cut of the tail cost little: sorted, and the tail in segments.

A row's likeliest tokens stand alone; the others are summed in narrow segments of the sorted row. A segment holds how many
tokens it has, their mean c and the sums of the second to fourth powers of their distances from it, so that for every
inverse temperature b

    sum exp(b z) = exp(b c) (n + b^2 m2 / 2 + b^3 m3 / 6 + b^4 m4 / 24)

but for the fifth order of (b times the segment's width), which is a fiftieth of its distance from the top: below 1e-7 of
the row's mass at any b. The reference's token and its equals end segments on both sides, so that what stands before them
is not interpolated. Knows no samplers and no text.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

HEAD = 256  # tokens that stand alone
ORDERED = 16_384  # tokens whose logits are held in order
_WIDTH = 0.02  # of a segment, as a share of its distance from the top
_EDGES = np.exp(np.arange(np.log(1e-3), np.log(1e5), _WIDTH))
FARTHEST = 5e4  # distances are looked up to here
_STRIDE = 2 * FARTHEST  # between rows that are searched in one go
_IN_CACHE = 64  # rows whose segments a core's cache holds
_REMEMBERED = 16  # temperatures whose sums are held: 5 MB each for 640 tokens


@dataclass(frozen=True, eq=False)
class SortedRows:
    """P rows of n segments each, by descending logit; shorter ones end in empty segments. Logits are less the row's top.

    ``ordered`` (P, m): the first m sorted logits, as they were. ``centre``, ``count``, ``first`` and ``last`` (P, n): a
    segment's mean, its size, its largest and smallest logit; ``moments`` (3, P, n - head): m2, m3, m4 of those behind the
    ``head``. ``counts``, ``sums`` and ``squares`` (P, n + 1): tokens, logits and their squares before each boundary.
    Of the reference's token (P,): ``logit``, the boundary ``before`` it and its equals, how many tokens are ``larger`` and
    how many it ``equals`` with itself (0 where it cannot come), and whether it is the ``likeliest``, the lowest id on a
    tie. ``top`` (P,): the row's largest logit. ``wild`` (P,): a logit lies farther below it than is represented.
    ``number`` (P,): 0, 1, 2, …. ``places`` (P n,): how far each segment begins below its row's top, the rows far apart.
    """

    ordered: npt.NDArray[np.float32]
    centre: Floats
    count: Floats
    first: Floats
    last: Floats
    moments: Floats
    counts: Floats
    sums: Floats
    squares: Floats
    head: int
    logit: Floats
    before: Places
    larger: Places
    equals: Places
    likeliest: npt.NDArray[np.bool_]
    top: Floats
    wild: npt.NDArray[np.bool_]
    number: Places
    places: Floats
    _sums: LRUCache[float | bytes, tuple[Floats, Floats]] = field(default_factory=lambda: LRUCache(_REMEMBERED))
    _tops: LRUCache[int, Floats] = field(default_factory=lambda: LRUCache(_REMEMBERED))
    _keys: LRUCache[float | bytes, Floats] = field(default_factory=lambda: LRUCache(_REMEMBERED))

    def __len__(self) -> int:
        return len(self.top)

    def cumulative(self, beta: float | Floats) -> tuple[Floats, Floats]:
        """Sums of exp(b z) and of z exp(b z) before each boundary, (P, n + 1) each. ``beta``: one for all, or (P, 1)."""
        key = _key(beta)
        if key not in self._sums:
            self._sums[key] = self._cumulative(beta)
        return self._sums[key]

    def head_decides(self, places: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Of the rows ``places``: whether their token is within the first half of the head, and no equals of the token or
        of the head's last one leave open which of them it is."""
        if self.ordered.shape[1] <= HEAD:
            return np.zeros(len(places), dtype=np.bool_)
        half = HEAD // 2
        parted = self.ordered[places, HEAD - 1] < self.ordered[places, half - 1]
        result: npt.NDArray[np.bool_] = parted & (self.larger[places] < half) & (self.equals[places] == 1)
        return result

    def sums_until(self, beta: Floats, end: Floats) -> tuple[Floats, Floats]:
        """What ``cumulative`` has at the boundaries ``end`` (P,) alone, in float32: within 1e-6, in a quarter of the time.

        For inverse temperatures (P, 1) that each row has its own, which are hardly ever met again.
        """
        total, weighted = np.empty(len(self)), np.empty(len(self))
        width, head = int(np.ceil(end.max())), self.head
        centre, count, moments = self._short
        for first in range(0, len(self), _IN_CACHE):
            part = slice(first, first + _IN_CACHE)
            b = np.minimum(beta[part], 1e6).astype(np.float32)  # beyond that the top alone has mass
            c = centre[part, :width]
            m2, m3, m4 = moments[:, part, : max(width - head, 0)]
            weight = np.exp(np.maximum(b * c, -80))
            weight *= np.clip(end[part, None] - np.arange(width), 0, 1).astype(np.float32)
            size = count[part, :width].copy()
            size[:, head:] += b**2 * (m2 / 2 + b * (m3 / 6 + b * m4 / 24))
            shift = np.einsum("ij,ij->i", weight[:, head:], b * (m2 + b * (m3 / 2 + b * m4 / 6)))
            weight *= size
            total[part] = weight.sum(axis=1, dtype=np.float64)
            weighted[part] = np.einsum("ij,ij->i", weight, c) + shift
        return total, weighted

    @cached_property
    def _short(self) -> tuple[npt.NDArray[np.float32], ...]:
        return tuple(values.astype(np.float32) for values in (self.centre, self.count, self.moments))

    def segments_from(self, limit: Floats) -> Places:
        """How many segments of each row begin at ``limit`` (P,) or above."""
        wanted = self.number * _STRIDE - np.clip(limit, 0.5 - FARTHEST, 0.0)
        segments: Places = np.searchsorted(self.places, wanted, side="right") - self.number * self.first.shape[1]
        return segments

    def boundary_at(self, limit: Floats) -> tuple[Floats, Floats, Floats]:
        """Where each row falls below ``limit`` (P,), and the logits before and behind that place.

        In whole tokens as far as rows are ``ordered``, behind that in proportion (and both logits infinitely far off).
        """
        segment = self.segments_from(limit) - 1  # at least 0: the top itself
        place = self.number * self.count.shape[1] + segment
        size = self.count.ravel()[place].astype(np.int64)
        start = self.counts.ravel()[place + self.number].astype(np.int64)
        flat, width = self.ordered.ravel(), self.ordered.shape[1]
        inside = start + size <= width
        low, high = np.where(inside, start, 0), np.where(inside, start + size, 0)
        while (halved := low < high).any():  # all rows at once: the first ``low`` tokens are not below the limit
            middle = (low + high) // 2
            above = flat[self.number * width + np.minimum(middle, width - 1)] >= limit + self.top
            low, high = np.where(halved & above, middle + 1, low), np.where(halved & ~above, middle, high)
        first, last = self.first.ravel()[place], self.last.ravel()[place]
        share = np.where(first > last, (first - limit) / np.where(first > last, first - last, 1), 1.0).clip(0, 1)
        end = (segment + np.where(inside, (low - start) / size, share)).astype(np.float64)
        before = np.where(inside, flat[self.number * width + np.maximum(low, 1) - 1], np.inf) - self.top
        behind = np.where(inside & (low < width), flat[self.number * width + np.minimum(low, width - 1)], -np.inf)
        return end, before.astype(np.float64), (behind - self.top).astype(np.float64)

    def boundary_of_top(self, k: int) -> Floats:
        """Where each row's k largest logits end, all equals of the k-th included; k is at most what is ``ordered``."""
        if k not in self._tops:
            kth = self.ordered[:, k - 1] - self.top  # where a row has fewer, -inf
            self._tops[k] = self.boundary_at(kth.clip(min=1 - FARTHEST))[0]
        return self._tops[k]

    def boundaries_reaching(self, beta: float | Floats, target: Floats, mass: Floats) -> Places:
        """Of each row the first boundary before which ``mass``, the sum of exp(b z), is not below ``target`` (P,)."""
        whole = mass[:, -1]
        keys = self._keys.get(_key(beta))
        if keys is None:
            keys = (mass / whole[:, None] + self.number[:, None]).ravel()  # ascending, a row after the other
            self._keys[_key(beta)] = keys
        boundaries: Places = np.searchsorted(keys, target / whole + self.number) - self.number * mass.shape[1]
        return boundaries

    def _cumulative(self, beta: float | Floats) -> tuple[Floats, Floats]:
        weight = np.exp(beta * self.centre)
        tail = weight[:, self.head :]
        m2, m3, m4 = self.moments
        shift = tail * (beta * m2 + beta**2 / 2 * m3 + beta**3 / 6 * m4)
        tail *= self.count[:, self.head :] + beta**2 / 2 * m2 + beta**3 / 6 * m3 + beta**4 / 24 * m4
        weight[:, : self.head] *= self.count[:, : self.head]
        weighted = weight * self.centre
        weighted[:, self.head :] += shift
        return _running(weight), _running(weighted)


def sort_rows_in_pieces(
    rows: Iterable[npt.NDArray[np.float32]], targets: Sequence[int]
) -> Generator[None, None, SortedRows]:
    """``rows``: (vocab,) each with a finite logit; of each the place of its reference token.

    Others have a turn after each row, some milliseconds.
    """
    parts = []
    for logits, target in zip(rows, targets, strict=True):
        parts.append(_sort_row(logits, target))
        yield
    segments = max(len(part.starts) for part in parts)
    head = min(HEAD, max(len(part.logits) for part in parts))
    shape = len(parts), segments
    centre, count, first, last = np.full(shape, -FARTHEST), np.zeros(shape), np.full(shape, -FARTHEST), np.zeros(shape)
    last[:] = -FARTHEST
    moments, squares = np.zeros((3, len(parts), max(segments - head, 0))), np.zeros(shape)
    held = min(ORDERED, max(len(part.logits) for part in parts))
    ordered = np.full((len(parts), held), -np.inf, dtype=np.float32)
    for row, part in enumerate(parts):
        own, n = len(part.starts), len(part.logits)
        ordered[row, : min(n, held)] = part.logits[:held] + part.top  # as they were, to the bit
        sizes = np.diff(np.append(part.starts, n))
        means = np.add.reduceat(part.logits, part.starts) / sizes
        centre[row, :own], count[row, :own] = means, sizes
        first[row, :own], last[row, :own] = part.logits[part.starts], part.logits[np.append(part.starts[1:], n) - 1]
        squares[row, :own] = np.add.reduceat(part.logits**2, part.starts)
        if own > head:
            places = part.starts[head:] - head
            distance = part.logits[head:] - np.repeat(means[head:], sizes[head:])
            square = distance * distance  # products: NumPy's powers cost ten times as much
            for power, values in enumerate((square, square * distance, square * square)):
                moments[power, row, : own - head] = np.add.reduceat(values, places)
    return SortedRows(
        ordered=ordered,
        centre=centre,
        count=count,
        first=first,
        last=last,
        moments=moments,
        counts=_running(count),
        sums=_running(count * centre),
        squares=_running(squares),
        head=head,
        logit=np.array([part.logit for part in parts]),
        before=np.array([np.searchsorted(part.starts, part.larger) for part in parts]),
        larger=np.array([part.larger for part in parts]),
        equals=np.array([part.equals for part in parts]),
        likeliest=np.array([part.likeliest for part in parts]),
        top=np.array([part.top for part in parts]),
        wild=np.array([part.logits[-1] <= 1 - FARTHEST for part in parts]),
        number=np.arange(len(parts)),
        places=(np.arange(len(parts))[:, None] * _STRIDE - first).ravel(),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One row's alive logits, descending, less the top; where its segments start; and its reference token's place."""

    logits: Floats
    starts: Places
    logit: float
    larger: int
    equals: int
    likeliest: bool
    top: float


def _sort_row(row: npt.NDArray[np.float32], target: int) -> _Row:
    alive = np.sort(row[row > -np.inf])[::-1].astype(np.float64)
    n, top = len(alive), float(alive[0])
    distance = top - alive  # ascending
    np.minimum(distance, FARTHEST - 1, out=distance)
    own = top - float(row[target]) if row[target] > -np.inf else np.inf
    larger = int(np.searchsorted(distance, min(own, FARTHEST - 1)))
    equals = 0 if np.isinf(own) else int(np.searchsorted(distance, own, side="right")) - larger
    if not equals:
        larger = n
    alone = min(HEAD, n)
    inner = np.searchsorted(distance, _EDGES)
    bounds = np.concatenate([np.arange(alone), inner[(inner >= alone) & (inner < n)], [alone, larger, larger + equals]])
    starts = np.unique(bounds[bounds < n])
    return _Row(-distance, starts, -own if equals else -FARTHEST, larger, equals, int(row.argmax()) == target, top)


def _key(beta: float | Floats) -> float | bytes:
    return beta if isinstance(beta, float) else beta.tobytes()


def _running(values: Floats) -> Floats:
    """Sums of what stands before each boundary: (P, n) -> (P, n + 1)."""
    result = np.zeros((len(values), values.shape[1] + 1))
    np.cumsum(values, axis=1, out=result[:, 1:])
    return result
