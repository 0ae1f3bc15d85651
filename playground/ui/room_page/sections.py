"""What the Room page shows: the wall for who leads; one's own place and the way in for all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from playground.room.codes import shown_code
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here
from playground.ui.room_page.gate import has_another_part
from playground.ui.room_page.host import host_controls
from playground.ui.room_page.nickname import nickname_popover
from playground.ui.room_page.questions import question_part
from playground.ui.room_page.style import room_style
from playground.ui.room_page.wall import draw_wall, join_link, qr_code
from playground.ui.visitor import visitor_id
from playground.ui.workspace.room import leads, the_room, wake_with_room

if TYPE_CHECKING:
    from playground.room.hub.room import Room

WALL = "room_wall"  # the fragment
WALL_EVERY_S = 3.0  # who went away and what the model does, nobody tells: the wall looks
PLACE_EVERY_S = 30.0


def room_section(_view: None) -> None:
    """For this reader's part in the room."""
    room = the_room()
    if room is None:
        st.info(
            "No room is open on this server. `python -m playground room` opens one: it prints an address and a code.",
            icon=":material/groups:",
        )
        return
    room_style()
    if leads():
        _watched(room, WALL_EVERY_S, lambda: _wall(room), people=True)
    else:
        question_part()
        _watched(room, PLACE_EVERY_S, lambda: _place(room), people=False)


def _watched(room: Room, every: float, draw: Callable[[], None], *, people: bool) -> None:
    """Drawn now, whenever the room changes, and every so often."""

    def look() -> None:
        wake_with_room(room, WALL, every, people=people)
        if has_another_part(room, visitor_id()):
            st.rerun()
        with problems_shown_here():
            draw()

    st.fragment(look, key=WALL, run_every=every)()


def _wall(room: Room) -> None:
    draw_wall(room.view())
    host_controls(room)


def _place(room: Room) -> None:
    """One's nickname, whether somebody leads, and the way in for a neighbour."""
    visitor, view = visitor_id(), room.view()
    member = room.member(visitor)
    if member is None:
        return
    leader = escape_markdown(room.nickname_of(view.leader))
    st.markdown(f"You are **{escape_markdown(member.nickname)}**.")
    st.markdown(
        f"**{leader}** leads. Every page is yours to try."
        if leader
        else "Nobody leads now. Every page is yours to try."
    )
    with st.container(horizontal=True, key="room_place"):
        nickname_popover(room, member)
        with st.popover("Invite", icon=":material/qr_code:"):
            st.html(
                f'<img src="{qr_code(join_link(view.code))}" alt="QR code to join" style="width:min(70vw,18rem);background:#fff">'
            )
            st.markdown(f"Code **{shown_code(view.code)}**")
