"""One published number that this package must reproduce, and how far its source lets it be off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedCase:
    """One number. ``tolerance`` is relative; ``at_most``: the computed value is a bound that must not exceed it."""

    name: str
    given: str
    expected: float
    unit: str
    tolerance: float
    source: str
    compute: Callable[[], float]
    at_most: bool = False
    note: str = ""

    def holds(self) -> bool:
        """Whether the computed value agrees with the published one."""
        value = self.compute()
        if self.at_most:
            return 0 < value <= self.expected
        return abs(value - self.expected) <= self.tolerance * abs(self.expected)
