"""The wall: code and QR as large as the screen allows, who is here, who follows, what the model does. For the projector."""

from __future__ import annotations

import os
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit, urlunsplit

import segno
import streamlit as st

from playground.room.codes import shown_code
from playground.room.leading import join_path
from playground.room.present import room_address
from playground.room.state import Member, RoomView
from playground.ui.runtime import model_pool

MOST_NAMES = 60  # on the wall
LARGE_NAMES = 12  # of more the letters are smaller, so that a workshop's thirty stand on one screen


def own_address() -> str:
    """What people type to come here, ``http://host:port``: as the server was started with it, else as this reader came."""
    here = urlsplit(st.context.url or "http://localhost:8501/")
    return room_address(os.environ) or urlunsplit((here.scheme, here.netloc, "", "", ""))


def join_link(code: str) -> str:
    """The link behind the QR: one click from a place in the room."""
    return own_address() + join_path(code)


@lru_cache(maxsize=16)
def qr_code(link: str) -> str:
    """As the address of a picture. Black on white with its margin in dark mode too: many cameras need that."""
    data_uri: str = segno.make(link, error="m", micro=False).svg_data_uri(scale=8, border=4, dark="#000", light="#fff")
    return data_uri


def draw_wall(view: RoomView) -> None:
    """All in one picture. Nicknames were typed by strangers: escaped, and each within its own direction of writing."""
    code, link = shown_code(view.code), join_link(view.code)
    names = "".join(map(_name, view.joined[:MOST_NAMES]))
    more = len(view.joined) - MOST_NAMES
    kind = "room-names many" if len(view.joined) > LARGE_NAMES else "room-names"
    with st.container(key="room_wall_picture"):
        st.html(
            f"""<div class="room-wall">
<img src="{escape(qr_code(link))}" alt="QR code of {escape(link)}">
<div class="room-say">
<p class="room-quiet">Scan, or open this address and type the code</p>
<p class="room-address">{escape(own_address())}</p>
<p class="room-code" aria-label="{" ".join(view.code)}">{code}</p>
<p class="room-count"><b>{view.here}</b> here · <b>{view.followers}</b> follow</p>
<p class="room-quiet">{escape(_at_work())}</p>
</div>
<ul class="{kind}" aria-label="Who is here">{names}{f"<li>and {more} more</li>" if more > 0 else ""}</ul>
</div>"""
        )


def _name(member: Member) -> str:
    away = "" if member.here else ' class="away" title="not connected"'
    return f"<li{away}><bdi>{escape(member.nickname)}</bdi></li>"


def _at_work() -> str:
    """What the models do now."""
    statuses = [(worker.engine.info.name, worker.status()) for worker in model_pool().workers()]
    said = [
        f"{name}: {'at work' if status.busy else 'free'}" + (f", {status.queued} wait" if status.queued else "")
        for name, status in statuses
    ]
    return " · ".join(said) or "The model is on its way."
