"""The shared ``Setup`` in the session: replaced by widgets, links and experiments, followed by everything on the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, TEXT


def setup() -> Setup:
    """This session's setup."""
    return session.get(Setup)


def change(**fields: Any) -> None:
    """Replace some fields of the setup, see ``Setup.change``."""
    session.put(setup().change(**fields))


def accept(token_id: int, *, position: int) -> None:
    """Append a token picked from a picture of the moment after ``position`` accepted ones.

    A pick made on an older picture (a second click before the first was answered) is dropped. The settings are the
    present ones, not those of the picture: a slider may have moved since it was drawn.
    """
    if setup().position == position:
        session.put(setup().accept(token_id))


def parts_that_differ(old: Setup, new: Setup) -> tuple[str, ...]:
    """The parts of a page that look different: the text only with another text, the controls when a sampler goes on or off."""
    if replace(new, settings=old.settings, seed=old.seed) != old:
        return PICTURES, TEXT, CONTROLS
    same_controls = (old.settings.active(), old.settings.replaced(), old.settings.order) == (
        new.settings.active(),
        new.settings.replaced(),
        new.settings.order,
    )
    return (PICTURES,) if same_controls else (PICTURES, CONTROLS)
