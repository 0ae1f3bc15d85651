"""One's own nickname, and the way out of the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from playground.errors import PlaygroundError
from playground.room.state import Member
from playground.ui.kit.messages import show_problem

if TYPE_CHECKING:
    from playground.room.hub.room import Room


def nickname_popover(room: Room, member: Member) -> None:
    """Whoever leads lays the wand down with leaving."""
    with st.popover("Nickname", icon=":material/badge:"), st.form("rename", border=False):
        wanted = st.text_input("Nickname", value=member.nickname, key="room_nickname")
        change = st.form_submit_button("Change", type="primary")
        leave = st.form_submit_button("Leave the room")
        if member.leader:
            st.caption("Nobody leads once you have left, until somebody opens the leader's link.")
    if leave:
        try:
            room.leave(member.visitor)
        except PlaygroundError as error:
            show_problem(error)
        else:
            st.rerun()
    if change:
        try:
            room.rename(member.visitor, wanted)
        except PlaygroundError as error:
            show_problem(error)
        else:
            st.rerun()
