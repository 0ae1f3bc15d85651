"""What whoever leads can do beside showing, below the wall: places, the code, what one visitor may ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import streamlit as st

from playground.charts.room_sheet import join_sheet
from playground.errors import BadInput, PlaygroundError
from playground.room.codes import shown_code
from playground.room.limits import MOST_LIMIT, Limits, is_shared_server, present_limits, set_limits
from playground.ui.kit.file_button import file_button
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.room_page.asking import question_hub
from playground.ui.room_page.nickname import nickname_popover
from playground.ui.room_page.wall import join_link, own_address, qr_code
from playground.ui.visitor import visitor_id
from playground.ui.workspace.room import the_room

if TYPE_CHECKING:
    from playground.room.hub.room import Room

LIMITS = {
    "tabs": "Tabs open at once",
    "queued": "Requests that wait or run",
    "rows": "Texts written at once",
    "new_tokens": "New tokens of a text",
    "prompt_tokens": "Tokens of a prompt",
    "runs": "Recorded runs",
    "address_tabs": "Tabs from one address",
}


def host_controls(room: Room) -> None:
    """Seldom needed: in popovers."""
    member = room.member(visitor_id())
    with st.container(horizontal=True, key="room_host"):
        with st.popover("People and code", icon=":material/manage_accounts:"):
            _people(room)
        if is_shared_server():
            with st.popover("Limits", icon=":material/speed:"):
                _limits()
        if member is not None:
            nickname_popover(room, member)


def _people(room: Room) -> None:
    view = room.view()
    st.caption("The link to join, for a chat or a slide:")
    st.code(join_link(view.code), language=None)
    file_button("Sheet to print", "room-code.html", lambda: _sheet(view.code), "Code, address and QR on one page.")
    names = {member.visitor: member.nickname for member in view.joined}
    if names:
        chosen = st.selectbox(
            "Who has joined", list(names), format_func=lambda visitor: names.get(visitor, ""), key="room_person"
        )
        st.button(
            "Remove",
            key="room_remove",
            help="Takes the place away, of an ugly nickname, and what they have answered to the question on stage. With the code "
            "they can join again.",
            on_click=_led,
            args=(lambda present, leader: _remove(present, leader, chosen),),
        )
    else:
        st.caption("Nobody has joined yet.")
    st.button(
        "New code",
        key="room_new_code",
        help="Who has joined stays; the old code opens nothing.",
        on_click=_led,
        args=(lambda present, leader: present.change_code(leader),),
    )


def _remove(room: Room, leader: str, visitor: str) -> None:
    """The place first: who has none cannot answer once more in between."""
    room.remove(leader, visitor)
    question_hub(room).remove_answer(leader, visitor)


def _sheet(code: str) -> str:
    return join_sheet(own_address(), shown_code(code), qr_code(join_link(code)))


def _led(act: Callable[[Room, str], object]) -> None:
    """From a callback: what only the leader may do; a wand that is gone is told by the page itself."""
    room = the_room()
    if room is None:
        return
    try:
        act(room, visitor_id())
    except PlaygroundError as error:
        st.toast(escape_markdown(str(error)))


def _limits() -> None:
    """Of one visitor, from now on until the server ends."""
    present = asdict(present_limits())
    with st.form("room_limits", border=False):
        st.caption("What each visitor may ask for, until the server ends. They do not hold for you.")
        columns, wanted = st.columns(2), dict[str, int]()
        for place, (name, label) in enumerate(LIMITS.items()):
            value = min(present[name], MOST_LIMIT)
            with columns[place % 2]:
                wanted[name] = st.number_input(label, 1, MOST_LIMIT, value, key=f"room_limit_{name}")
        if st.form_submit_button("Set", type="primary"):
            _set(wanted)


def _set(wanted: dict[str, int]) -> None:
    room = the_room()
    if room is None or not room.is_leader(visitor_id()):
        return
    try:
        if not all(1 <= value <= MOST_LIMIT for value in wanted.values()):
            raise BadInput(f"A limit is a whole number from 1 to {MOST_LIMIT:,}.", "limits")
        set_limits(Limits(**wanted))
    except PlaygroundError as error:
        show_problem(error)
    else:
        st.toast("These limits hold from now on.", icon=":material/check:")
