"""Work in pieces, so that others have their turn between two of them: what runs it, times it and makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TypeVar

from playground.engine.types import TokenIds

T = TypeVar("T")

Pieces = Generator[None, None, T]
"""Whoever runs it may serve others at each yield. Returns the result at the end."""


def timed(pieces: Pieces[T]) -> Pieces[tuple[T, float]]:
    """The same; the result comes with the milliseconds the work took, the turns of others between not counted."""
    spent_ms = 0.0
    with closing(pieces):
        while True:
            started = time.perf_counter()
            try:
                next(pieces)
            except StopIteration as end:
                return end.value, spent_ms + (time.perf_counter() - started) * 1000
            spent_ms += (time.perf_counter() - started) * 1000
            yield


def finish(pieces: Generator[object, None, T]) -> T:
    """Run the pieces to the end, for a caller who has the model to himself."""
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            result: T = end.value
            return result


def one_by_one(texts: Sequence[TokenIds], read: Callable[[TokenIds], T]) -> Pieces[tuple[T, ...]]:
    """What ``read`` gives for each text, with a turn for others between: for engines that read no texts together.

    ``texts`` have been checked: where one cannot be read, none is.
    """
    rows = []
    for number, ids in enumerate(texts):
        if number:
            yield
        rows.append(read(ids))
    return tuple(rows)
