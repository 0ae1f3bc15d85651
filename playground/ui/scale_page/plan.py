"""A Plan page as data, and the columns of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playground.errors import PlaygroundError
from playground.plan.scenarios import Scenarios
from playground.plan.setup import AS_IN_NOTES, CHECKED, ScaleSetup
from playground.plan.tables import NOW
from playground.plan.wording import Row
from playground.ui.kit.messages import show_problem
from playground.ui.kit.page import Experiment
from playground.ui.scale_page import store

Answer = Callable[[ScaleSetup, str], tuple[Row, ...]]


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One page. ``answer(setup, basis)`` gives its table; ``topics`` are the disagreements that concern it."""

    name: str
    title: str
    icon: str
    about: str
    sentence: str
    controls: Callable[[], None]
    answer: Answer
    sections: Mapping[str, Callable[[Scenarios], None]]
    experiments: Mapping[str, Experiment]
    topics: tuple[str, ...]


def columns_of(page: PlanPage) -> dict[str, tuple[Row, ...]]:
    """The table's columns: now, in the notes' numbers too if asked, and every pinned scenario that can be computed."""
    scenarios = store.scenarios()
    checked = page.answer(scenarios.now, "checked")
    notes = page.answer(scenarios.now, "notes") if scenarios.now.basis == "notes" else ()
    columns = {AS_IN_NOTES: notes, CHECKED: checked} if notes else {NOW: checked}
    for letter, pinned in scenarios.pins.items():
        try:
            columns[letter] = page.answer(pinned, "checked")
        except PlaygroundError as error:
            show_problem(f"Scenario {letter}: {error}")
    return columns
