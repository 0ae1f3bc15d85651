"""Showing and following: where the room's leader is, everybody who follows is too.

The leader's page tells the room its link at the end of a run. The room wakes each follower's strip (a fragment: see
``kit/wake.py``), whose run sets the page up as the link says and opens it: one run of the page for a move, and none for a
move that another has overtaken. A reader who moves something follows no longer, until he asks to. Knows no page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st

from playground.errors import PlaygroundError
from playground.json_reading import read_json
from playground.room.state import Member
from playground.state.sampling import Pins
from playground.state.setup import Setup, read_setup, setup_query
from playground.ui.experiments import under_way
from playground.ui.kit import session
from playground.ui.kit.fragments import ADDRESS, CONTROLS, PICTURES, TEXT, in_fragment_run, redraw_next
from playground.ui.kit.messages import said
from playground.ui.kit.page import PageSpec
from playground.ui.kit.wake import Beside
from playground.ui.page_links import open_link, open_section
from playground.ui.room_page.asking import ROOM_LINK, on_stage
from playground.ui.visitor import visitor_id
from playground.ui.workspace.room import the_room, wake_now
from playground.ui.workspace.setup import setup

if TYPE_CHECKING:
    from playground.room.hub.room import Room

ON_SCREEN, PINNED = "shown", "pinned"  # fields that only the room's own links have
ROOM_PAGE = "room"  # shown only while a question is on stage: else the leader looks things up there
STRIP = "room_strip_part"  # the fragment that the room wakes
Pages = Mapping[str, PageSpec]


@dataclass(frozen=True, slots=True)
class Place:
    """Where this tab is in the room. ``version``: what of the leader's it has taken over, 0 for nothing.

    ``link``: its own link after that, or the one that it told the room as the leader's; "" where it is not known yet.
    """

    version: int = 0
    link: str = ""


def place_in_room() -> tuple[Room, Member] | None:
    """The room that is open and this reader's place in it; None where there is none."""
    room = the_room()
    member = None if room is None else room.member(visitor_id())
    return None if room is None or member is None else (room, member)


def note_link(spec: PageSpec, query: str) -> None:
    """At the end of each run: the leader's page is shown to the room; a follower who has moved something follows no longer.

    A tab tells its link once: a second tab of the leader's that redraws something takes nothing back.
    """
    own_place = place_in_room()
    if own_place is None:
        return
    room, member = own_place
    link, place = f"/{spec.name}?{query}", session.get(Place)
    if member.leader:
        link += _beside_link(spec)
    if spec.name == ROOM_PAGE:
        session.put(Place(place.version))  # the leader's next page is told, were it the one before
        if member.leader and on_stage(room) is not None:
            _show(room, member, ROOM_LINK)  # who was taken elsewhere comes back to it
    elif member.leader:
        if place.link != link:
            session.put(Place(place.version, link))
            _show(room, member, link)
    elif member.following and place.version:
        session.put(Place(place.version, link))
        if place.link not in ("", link):
            _follow(room, member, False)
            wake_now(STRIP)  # it says so


def _beside_link(spec: PageSpec) -> str:
    """What is on screen and no page's link carries: what the page tells, and the pins."""
    pins = {letter: setup_query(Setup(settings=settings)) for letter, settings in session.get(Pins).items()}
    fields = {ON_SCREEN: spec.tell(), PINNED: json.dumps(pins) if pins and spec.needs else ""}
    return "".join(f"&{urlencode({name: value})}" for name, value in fields.items() if value)


def plain_link(link: str) -> str:
    """A link that the room was shown, as a reader would copy it."""
    parts = urlsplit(link)
    fields = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in (ON_SCREEN, PINNED)]
    return f"{parts.path}?{urlencode(fields)}"


def _take_pins(given: str) -> None:
    pins = read_json(given) if given else {}
    assert isinstance(pins, dict)
    session.put(Pins({letter: read_setup(dict(parse_qsl(query))).state.settings for letter, query in pins.items()}))


def _show(room: Room, member: Member, link: str) -> None:
    try:
        room.show(member.visitor, link)
    except PlaygroundError as error:  # a text that is too long for a link
        session.note_problem(str(error))


def is_behind() -> bool:
    """Whether the leader has moved on since this follower's page was set up."""
    place = place_in_room()
    if place is None or place[1].leader or not place[1].following:
        return False
    shown = place[0].view().shown
    return shown is not None and shown.version != session.get(Place).version


def next_move(room: Room, visitor: str, spec: PageSpec, pages: Pages) -> Callable[[], Beside]:
    """From the body of a page whose strip is drawn: what a move of the leader's runs beside the strip, asked from any thread.

    One run for a move: the parts of the page that is open, or the whole of another one.
    """
    version = session.get(Place).version
    parts = (TEXT, PICTURES, *spec.parts, ADDRESS, CONTROLS)

    def beside() -> Beside:
        member, shown = room.member(visitor), room.shown()
        if member is None or member.leader or not member.following or shown is None or shown.version == version:
            return Beside()
        target, _query = page_of_link(shown.link, pages)
        if target is None or target.name == spec.name:
            return Beside(parts if target else ())
        return Beside(page="" if target.default else target.name)

    return beside


def catch_up(spec: PageSpec, pages: Pages, open_page: Callable[[PageSpec], None]) -> None:
    """Bring a follower's tab, whose page is ``spec``, to where the leader is. ``open_page`` changes the page; never returns."""
    place = place_in_room()
    shown = None if place is None else place[0].view().shown
    if shown is None or not is_behind():
        return
    target, query = page_of_link(shown.link, pages)
    if target is None:  # of another version of this app
        return
    before = _outside_of_parts(spec)
    on_screen, pinned = query.pop(ON_SCREEN, ""), query.pop(PINNED, "")
    open_link(target, query)
    if target.needs:
        _take_pins(pinned)
    target.follow(on_screen)
    session.put(Place(shown.version))
    if target.name != spec.name:
        open_page(target)
    elif in_fragment_run():
        if spec.one_fragment or _outside_of_parts(spec) == before:
            redraw_next()
        else:
            open_page(target)


def _outside_of_parts(spec: PageSpec) -> tuple[object, ...]:
    """What decides over that of a page which stands outside of its parts: redrawing those is enough where it is the same."""
    used = setup()
    own = session.get(spec.state) if spec.state else None
    return open_section(spec), under_way(spec), own, used.model, used.device, used.dtype, used.chat


def page_of_link(link: str, pages: Pages) -> tuple[PageSpec | None, dict[str, str]]:
    """The page that a link opens, None where there is none, and the link's fields."""
    parts = urlsplit(link)
    name = parts.path.strip("/")
    spec = pages.get(name) if name else next(each for each in pages.values() if each.default)
    return spec, dict(parse_qsl(parts.query, keep_blank_values=True))


def follow(on: bool) -> None:
    """From a callback: follow the leader again, or look for oneself."""
    place = place_in_room()
    if place is not None:
        session.put(Place())
        _follow(*place, on)


def _follow(room: Room, member: Member, on: bool) -> None:
    """Where that cannot be stored all stays as it is, and why is said: pages go on without the store."""
    try:
        room.follow(member.visitor, on)
    except PlaygroundError as error:
        st.toast(said(error), icon=":material/error:")
