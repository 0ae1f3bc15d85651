"""The shared ``Setup`` in the session: replaced by widgets, links and experiments, followed by everything on the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from playground.errors import PlaygroundError
from playground.sampling.settings import SamplerSettings
from playground.state.setup import MAX_SEED, Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, TEXT
from playground.ui.kit.widgets import bind_widget


def setup() -> Setup:
    """This session's setup."""
    return session.get(Setup)


def put(new: Setup) -> None:
    """Replace the setup. Another text or model starts the accepted tokens afresh."""
    old = setup()
    if old.steps and new.steps == old.steps and not old.same_text(new):
        new = new.restart()
    session.put(new)


def change(**fields: Any) -> None:
    """Replace some fields of the setup."""
    put(replace(setup(), **fields))


def change_settings(**values: Any) -> None:
    """Replace sampling parameters; a refused value leaves the setup as it was and is told on the page."""
    try:
        change(settings=setup().settings.replace(**values))
        session.clear_problems()
    except PlaygroundError as error:
        session.note_problem(str(error))


def use_settings(settings: SamplerSettings) -> None:
    """Replace all sampling parameters."""
    change(settings=settings)
    session.clear_problems()


def set_seed(value: int | None) -> None:
    """Another random stream; a browser's own limits bind nobody, so the bounds are checked here again."""
    if value is None or not 0 <= value <= MAX_SEED:
        session.note_problem(f"The seed must be a whole number from 0 to {MAX_SEED:,}; the last one is kept.")
        return
    session.clear_problems()
    change(seed=int(value))


def accept(token_id: int, *, position: int) -> None:
    """Append a token picked from a picture of the moment after ``position`` accepted ones.

    A pick made on an older picture (a second click before the first was answered) is dropped. The settings are the
    present ones, not those of the picture: a slider may have moved since it was drawn.
    """
    if setup().position == position:
        put(setup().accept(token_id))


def bind_setup(key: str, current: object, write: Callable[[Any], None]) -> Callable[[], None]:
    """``bind_widget`` for a widget that writes to the setup: what has to be redrawn follows from what it changed."""

    def write_and_compare(value: Any) -> tuple[str, ...]:
        before = setup(), session.problems()
        write(value)
        return parts_that_differ(before, (setup(), session.problems()))

    return bind_widget(key, current, write_and_compare)


def parts_that_differ(before: tuple[Setup, tuple[str, ...]], after: tuple[Setup, tuple[str, ...]]) -> tuple[str, ...]:
    """The parts of a page that look different: the text only with another text, the controls when a sampler goes on or off."""
    (old, told), (new, tell) = before, after
    if replace(new, settings=old.settings, seed=old.seed) != old:
        return PICTURES, TEXT, CONTROLS
    same_controls = (old.settings.active(), old.settings.replaced(), old.settings.order) == (
        new.settings.active(),
        new.settings.replaced(),
        new.settings.order,
    )
    return (PICTURES,) if same_controls and told == tell else (PICTURES, CONTROLS)
