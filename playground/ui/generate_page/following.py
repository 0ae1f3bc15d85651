"""A leader's text on the pages of those who follow: they look at hers, and the model writes it once."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation.document import origin_of
from playground.ui.generate_page.session import COMPARE, SECTION_KEY, GenerateSession, opened
from playground.ui.kit import session
from playground.ui.kit.jobs import Pending
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.shown import find_shown, shown_as


@dataclass(frozen=True, slots=True)
class FollowedText:
    """What is on the leader's screen and has not been taken over here yet; "" for nothing."""

    on_screen: str = ""


def tell_text() -> str:
    """Which text is on screen, and what of it, for who follows; "" for none."""
    try:
        work = opened(_section(), loaded_model())
    except (Pending, PlaygroundError):
        return ""
    if work.run is None:
        return ""
    view = (work.tree.current, len(work.tree.branches), "" if work.selected is None else work.selected, work.seed_view)
    return ".".join(map(str, (shown_as(work), work.begun, *view)))


def follow_text(on_screen: str) -> None:
    """Show it at the next look at the pictures."""
    session.put(FollowedText(on_screen))


def take_over_text(worker: Worker) -> None:
    """Once after ``follow_text``: the leader's text in the place of one's own, if it is of this model and still hers."""
    on_screen = session.get(FollowedText).on_screen
    if not on_screen:
        return
    session.put(FollowedText())
    name, begun, *_view = on_screen.split(".")
    leader, work = find_shown(name, GenerateSession), opened(_section(), worker)
    if leader is None or leader is work or str(leader.begun) != begun or leader.run is None:
        return
    if leader.run.origin == origin_of(worker.engine.info):
        work.follow(leader)


def _section() -> str:
    return "compare" if st.session_state.get(SECTION_KEY) == COMPARE else "write"
