"""This session's ``ScaleSetup``, the widgets bound to it, and its pinned scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from playground.errors import PlaygroundError
from playground.plan.setup import ScaleSetup
from playground.ui.kit import session
from playground.ui.kit.widgets import Bound

T = TypeVar("T")
LETTERS = ("A", "B", "C", "D")
WIDGETS = Bound(ScaleSetup)


class PinnedScenarios(dict[str, ScaleSetup]):
    """Up to four pinned scenarios by letter."""


def setup() -> ScaleSetup:
    """This session's setup."""
    return session.get(ScaleSetup)


# -- pinned scenarios ----------------------------------------------------------------------------------------------


def pins() -> dict[str, ScaleSetup]:
    """Pinned scenarios by letter, in the order of the letters."""
    found = session.get(PinnedScenarios)
    return {letter: found[letter] for letter in LETTERS if letter in found}


def pin() -> None:
    """Pin what is set now under the first free letter; a full board refuses."""
    taken = pins()
    free = [letter for letter in LETTERS if letter not in taken]
    if not free:
        session.note_problem("Four scenarios are pinned already; unpin one first.")
        return
    session.put(PinnedScenarios({**taken, free[0]: setup()}))


def unpin(letter: str) -> None:
    session.put(PinnedScenarios({name: kept for name, kept in pins().items() if name != letter}))


def recall(letter: str) -> None:
    """Make a pinned scenario the present one."""
    if letter in pins():
        session.put(pins()[letter])
        session.clear_problems()


def set_pins(scenarios: tuple[ScaleSetup, ...]) -> None:
    """Replace all pins, for an experiment."""
    session.put(PinnedScenarios(zip(LETTERS, scenarios, strict=False)))


def each_pin(compute: Callable[[ScaleSetup], T]) -> Iterator[tuple[str, T]]:
    """(letter, result) of every pinned scenario that can be computed here; one that cannot is told in the table above."""
    for letter, scenario in pins().items():
        try:
            yield letter, compute(scenario)
        except PlaygroundError:
            continue


def lettered(name: str, letter: str) -> str:
    """``name`` with a pinned scenario's letter; the present scenario has none."""
    return f"{name}, {letter}" if letter in LETTERS else name
