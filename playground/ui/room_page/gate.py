"""The gate of a room: who has not joined sees the joining form and no page. Without a room it stands open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from playground.errors import BadInput, PlaygroundError
from playground.room.codes import shown_code
from playground.room.leading import JOIN, LEAD
from playground.room.people import MOST_LETTERS
from playground.ui.kit import session
from playground.ui.kit.links import query_here
from playground.ui.kit.messages import escape_markdown, problems_shown_here, show_problem
from playground.ui.room_page.style import room_style
from playground.ui.runtime import session_id
from playground.ui.visitor import visitor_id
from playground.ui.workspace.room import the_room

if TYPE_CHECKING:
    from playground.room.hub.room import Room


@dataclass(frozen=True, slots=True)
class _Led:
    """Whether this tab's visitor held the wand when the page was last drawn."""

    now: bool = False


def admitted() -> bool:
    """Whether this reader sees the pages. Takes the wand for who comes by the leader's link."""
    try:
        room = the_room()
    except PlaygroundError:  # the store is away: the joining form says so
        return False
    if room is None:
        return True
    visitor = visitor_id()
    ticket = query_here().get(LEAD, "")
    if ticket and session.once(f"ticket {ticket}") and not room.is_leader(visitor):
        try:
            room.lead(visitor, ticket)
        except PlaygroundError as error:
            session.note_problem(str(error))
    room.note_tab(visitor, session_id())
    if room.member(visitor) is None:
        return False
    _tell_of_the_wand(room, visitor)
    return True


def has_another_part(room: Room, visitor: str) -> bool:
    """Whether this visitor's place is gone, or the wand has come or gone, since this tab's page was drawn: draw it anew."""
    return room.member(visitor) is None or session.get(_Led).now != room.is_leader(visitor)


def _tell_of_the_wand(room: Room, visitor: str) -> None:
    """Tell who has lost the wand, once."""
    before = session.get(_Led).now
    session.put(_Led(room.is_leader(visitor)))
    if before and not room.is_leader(visitor):
        leader = room.nickname_of(room.view().leader)
        st.toast(
            f"{escape_markdown(leader) or 'Nobody'} leads the room now. The leader's link takes it back.",
            icon=":material/swap_horiz:",
            duration="long",
        )


def joining_form(open_room: Callable[[], None]) -> None:
    """In place of every page: a nickname, and the code where the link did not bring it. ``open_room`` goes to the Room page."""
    room_style()
    with problems_shown_here(), st.container(key="room_joining"):
        room = the_room()
        if room is None:  # it was closed since
            st.rerun()
        linked = query_here().get(JOIN, "")[:20]
        st.title("Join the room", anchor=False)
        st.markdown("A workshop is on: see how a language model chooses its words.")
        for sentence in session.problems():
            show_problem(sentence)
        with st.form("join", border=False):
            code = linked or st.text_input(
                "Code",
                key="join_code",
                max_chars=20,
                placeholder=f"for example {shown_code('CDF347')}",
                help="It is on the wall.",
            )
            nickname = st.text_input(
                "Nickname",
                key="join_nickname",
                placeholder="optional",
                help=f"Up to {MOST_LETTERS} characters, seen on the wall. Without one you get a friendly one.",
            )
            if st.form_submit_button("Join", type="primary", width="stretch"):
                session.clear_problems()
                _join(room, code, nickname, open_room)
        if linked:
            st.caption("The link brought the code of the room.")


def _join(room: Room, code: str, nickname: str, open_room: Callable[[], None]) -> None:
    try:
        room.join(visitor_id(), code, nickname, address=st.context.ip_address or "")
    except PlaygroundError as error:
        if isinstance(error, BadInput) and error.field == "code" and query_here().get(JOIN):
            del st.query_params[JOIN]  # an old link: let the code be typed
            session.note_problem(str(error))
            st.rerun()
        show_problem(error)
    else:
        room.note_tab(visitor_id(), session_id())
        open_room()
