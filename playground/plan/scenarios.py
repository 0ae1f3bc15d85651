"""The present setup beside up to four pinned ones, each under its letter: what the tables and pictures compare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from playground.charts.scale_lines import NOW
from playground.errors import BadInput, PlaygroundError
from playground.plan.setup import ScaleSetup

T = TypeVar("T")
LETTERS = ("A", "B", "C", "D")


@dataclass(frozen=True, slots=True)
class Pins:
    """Pinned scenarios by letter, in the order of the letters."""

    by_letter: Mapping[str, ScaleSetup] = field(default_factory=dict)

    def with_pin(self, setup: ScaleSetup) -> Pins:
        """``setup`` under the first free letter. Raises BadInput on a full board."""
        free = [letter for letter in LETTERS if letter not in self.by_letter]
        if not free:
            raise BadInput("Four scenarios are pinned already; unpin one first.")
        return Pins(dict(sorted({**self.by_letter, free[0]: setup}.items())))

    def without(self, letter: str) -> Pins:
        """The others."""
        return Pins({name: setup for name, setup in self.by_letter.items() if name != letter})


def pinned(setups: Sequence[ScaleSetup]) -> Pins:
    """The first four of ``setups``, lettered from A."""
    return Pins(dict(zip(LETTERS, setups, strict=False)))


@dataclass(frozen=True, slots=True)
class Scenarios:
    """``now``: the present setup. Iterating gives it under NOW, then the pinned ones under their letters."""

    now: ScaleSetup = field(default_factory=ScaleSetup)
    pins: Mapping[str, ScaleSetup] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, ScaleSetup]]:
        yield NOW, self.now
        yield from self.pins.items()

    def each(self, compute: Callable[[ScaleSetup], T]) -> Iterator[tuple[str, T]]:
        """(letter, result) of every scenario that can be computed; one that cannot is told in the page's table."""
        yield from _computed(self, compute)

    def each_pin(self, compute: Callable[[ScaleSetup], T]) -> Iterator[tuple[str, T]]:
        """The same of the pinned ones alone."""
        yield from _computed(self.pins.items(), compute)


def _computed(
    scenarios: Iterable[tuple[str, ScaleSetup]],
    compute: Callable[[ScaleSetup], T],
) -> Iterator[tuple[str, T]]:
    for letter, setup in scenarios:
        try:
            result = compute(setup)
        except PlaygroundError:
            continue
        yield letter, result


def lettered(name: str, letter: str) -> str:
    """``name`` with a pinned scenario's letter; the present scenario has none."""
    return f"{name}, {letter}" if letter in LETTERS else name


def titled(letter: str) -> str:
    """A scenario as a row or curve of its own is called."""
    return "Now" if letter == NOW else letter
