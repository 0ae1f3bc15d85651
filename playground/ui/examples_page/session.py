"""What the page Examples is about to teach: the demonstrations and the settings, kept for the session until they are trained.

The draft is one frozen value, replaced as a whole or field by field; it survives page changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from playground.state.examples import ExamplesState
from playground.training.demonstrations import Demonstration, shipped
from playground.training.settings import TrainSettings
from playground.ui.kit import session

FIRST = "tone"  # the set that the page opens with


def _first() -> tuple[Demonstration, ...]:
    return shipped(FIRST)


@dataclass(frozen=True, slots=True)
class TeachDraft:
    """``rows``: what can be taught of the table. ``name``: what the training will be called, "" for a name of its own."""

    rows: tuple[Demonstration, ...] = field(default_factory=_first)
    settings: TrainSettings = TrainSettings.of("sft")
    name: str = ""


def draft() -> TeachDraft:
    """This session's draft."""
    return session.get(TeachDraft)


def change_draft(**fields: Any) -> None:
    """Replace some fields of the draft."""
    session.change(TeachDraft, **fields)


def change_settings(**fields: Any) -> None:
    """Replace some of the draft's settings. Raises BadInput for a value that is not allowed."""
    change_draft(settings=replace(draft().settings, **fields).checked())


def opened_training() -> str:
    """The id of the kept training in view, "" for none; the page's link carries it."""
    return session.get(ExamplesState).training


def open_training(training: str) -> None:
    """Show a kept training under Train and What moved; "" for none."""
    session.change(ExamplesState, training=training)
