"""A room as judge of a tuning's texts, where this server has one: what it said of them, and asking it about the next pair."""

from __future__ import annotations

import streamlit as st

from playground.errors import BadInput, PlaygroundError
from playground.preferences.votes import Vote
from playground.room.questions.better import votes_of
from playground.room.questions.types import Better, tidy
from playground.tuning.judging import Material, votes_on_the_same
from playground.tuning.panel import Panel
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.room_page.asking import asking_here, put_on_stage, question_hub
from playground.ui.workspace.room import the_room

_LOOKED_THROUGH = 40  # pairs, for one that the room has not been asked about


def votes_of_the_room(material: Material) -> list[Vote]:
    """[] without a room; a room that cannot be read has said nothing."""
    try:
        room = the_room()
        return [] if room is None else votes_on_the_same(material, votes_of(question_hub(room).rounds()), _shown)
    except PlaygroundError:
        return []


def _shown(text: str) -> str:
    return tidy(text).strip()


def room_part(panel: Panel) -> None:
    """For who leads a room: its next question about this tuning. Nothing for others."""
    if the_room() is None or not asking_here().leads:
        return
    st.markdown("**The room** judges too: what it is asked here is answered and revealed on the Room page.")
    st.button(
        "Ask the room about the next pair",
        key="judge_ask_room",
        icon=":material/groups:",
        on_click=rerun_callback(lambda: _ask(panel), PICTURES),
    )


def _ask(panel: Panel) -> None:
    try:
        asking = asking_here()
        asked = [one.question.about for one in asking.hub.rounds()]
        already_asked = {(about.prompt, *sorted(about.answers)) for about in asked if isinstance(about, Better)}
        for question in panel.turn(asking.visitor, _LOOKED_THROUGH, votes_of_the_room(panel.material())).questions:
            about = Better(question.prompt, (question.left_text, question.right_text))
            if (about.prompt, *sorted(about.answers)) not in already_asked:
                put_on_stage(asking, about)
                return
        raise BadInput("There is no pair left that the room has not been asked about.", "room")
    except PlaygroundError as error:
        session.note_problem(str(error))
