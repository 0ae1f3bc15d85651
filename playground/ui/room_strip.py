"""The room's slim strip under the heading of each page: what the lesson says, who follows, and the way out and back.

It is a fragment that the room wakes (``kit/wake.py``); a follower's brings the page to where the leader is.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import streamlit as st

from playground.errors import PlaygroundError
from playground.room.lesson import Lesson, LessonStep, read_lesson
from playground.room.questions.types import LessonQuestion
from playground.room.state import Member, RoomView
from playground.ui.components.clock import time_gone
from playground.ui.following import (
    ROOM_PAGE,
    STRIP,
    Pages,
    catch_up,
    follow,
    is_behind,
    next_move,
    page_of_link,
    place_in_room,
)
from playground.ui.kit.fragments import in_fragment_run
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.kit.page import PageSpec
from playground.ui.page_links import open_link
from playground.ui.room_page.gate import has_another_part
from playground.ui.workspace.room import wake_now, wake_with_room

if TYPE_CHECKING:
    from playground.room.hub.room import Room

EVERY_S = 20.0  # a net under the waking
OpenPage = Callable[[PageSpec], None]


def room_strip(spec: PageSpec, pages: Pages, open_page: OpenPage) -> None:
    """Nothing where no room is open, or the reader has not joined it."""
    if place_in_room() is None:
        return

    def look() -> None:
        found = place_in_room()
        if found is None or has_another_part(found[0], found[1].visitor):
            st.rerun()  # to the joining form, or to what is one's own now
        room, member = found
        if in_fragment_run():
            catch_up(spec, pages, open_page)
        moves = next_move(room, member.visitor, spec, pages)
        wake_with_room(room, STRIP, EVERY_S, people=member.leader, beside=moves)
        if not in_fragment_run() and is_behind():  # the leader moved while this page was being opened
            wake_now(STRIP)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="room_strip"):
            _draw(spec, *found, pages, open_page)

    st.fragment(look, key=STRIP, run_every=EVERY_S)()


def has_lesson() -> bool:
    """Whether the strip has a sentence to say, and so a line of its own."""
    found = place_in_room()
    return found is not None and found[0].view().lesson != ""


def _draw(spec: PageSpec, room: Room, member: Member, pages: Pages, open_page: OpenPage) -> None:
    view = room.view()
    step, said = lesson_step(view.lesson, view.step, tuple(pages))
    if member.leader:
        if step is not None:
            _forth_and_back(room, member, view, said, pages, open_page)
        if spec.name != ROOM_PAGE:  # the wall says it
            st.markdown(f":material/cast: {view.followers} of {view.here} follow", width="content")
        if view.followers < view.here:
            st.button(
                "Call back",
                key="call_back",
                icon=":material/campaign:",
                type="tertiary",
                on_click=_call_back,
                help="Asks those who look for themselves to follow again. Nobody is moved.",
            )
        return
    if step is not None:
        st.markdown(f"**{escape_markdown(step.say)}**", width="stretch")
    if member.following:
        st.button(
            "Look for yourself",
            key="leave_leader",
            icon=":material/cast:",
            type="tertiary",
            on_click=follow,
            args=(False,),
            help="You see what the leader shows, until you move something or press this.",
        )
    else:
        asked = view.shown is not None and view.shown.link.startswith(f"/{ROOM_PAGE}?")
        label = (
            "The room is asked: answer"
            if asked
            else "The leader calls: follow"
            if member.called
            else "Follow the leader"
        )
        st.button(
            label,
            key="follow_leader",
            icon=":material/campaign:" if member.called else ":material/cast:",
            type="primary" if member.called or asked else "secondary",
            on_click=follow,
            args=(True,),
            help="You look for yourself. This brings you to what the leader shows.",
        )


def _call_back() -> None:
    """A wand that is gone is told by the page itself."""
    found = place_in_room()
    if found is not None:
        with suppress(PlaygroundError):
            found[0].call_back(found[1].visitor)


# -- the lesson's steps ------------------------------------------------------------------------------------------------


def lesson_step(text: str, place: int, pages: tuple[str, ...]) -> tuple[LessonStep | None, Lesson | None]:
    """The step in view of a lesson's text, and the lesson; None where there is none, or one of another version."""
    lesson = known_lesson(text, pages)
    return (None, lesson) if lesson is None or place >= len(lesson.steps) else (lesson.steps[place], lesson)


@lru_cache(maxsize=8)
def known_lesson(text: str, pages: tuple[str, ...]) -> Lesson | None:
    """The lesson of that text; None for "" and for what is none."""
    try:
        return read_lesson(text, ("", *pages)) if text else None
    except PlaygroundError:
        return None


def _forth_and_back(
    room: Room, member: Member, view: RoomView, lesson: Lesson | None, pages: Pages, open_page: OpenPage
) -> None:
    assert lesson is not None
    place, last = view.step, len(lesson.steps) - 1
    step = lesson.steps[place]
    go = partial(open_step, room, member, lesson, pages=pages, open_page=open_page)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="room_lesson"):
        if st.button("The step before", icon=":material/chevron_left:", key="lesson_back", disabled=place == 0):
            go(place - 1, page_first=True)
        if st.button("The next step", icon=":material/chevron_right:", key="lesson_forth", disabled=place == last):
            go(place + 1)
        planned = "" if view.step_s is not None else f" · {step.minutes:g} min"
        st.markdown(f"**{place + 1} of {last + 1}** · {escape_markdown(step.say)}{planned}", width="stretch")
        if view.step_s is not None:
            time_gone(view.step_s, step.minutes * 60, key="lesson_clock")
        if step.question is not None:
            if st.button("Ask the room", key="lesson_ask", icon=":material/front_hand:"):
                _ask(step.question, pages, open_page)
            if _hides_its_page(step) and st.button("Show the page", key="lesson_page", icon=":material/visibility:"):
                go(place, page_first=True)


def _hides_its_page(step: LessonStep) -> bool:
    """Whether the page of the step's link would tell the room what it is to guess."""
    return step.question is not None and step.question.kind == "guess"


def _ask(question: LessonQuestion, pages: Pages, open_page: OpenPage) -> None:
    """Put a step's question to the room; it is answered on the Room page, where the leader goes too."""
    from playground.ui.room_page.questions import start_question

    try:
        start_question(question)
    except PlaygroundError as error:
        show_problem(error)
    else:
        open_page(pages[ROOM_PAGE])


def open_step(
    room: Room,
    member: Member,
    lesson: Lesson,
    place: int,
    *,
    pages: Pages,
    open_page: OpenPage,
    page_first: bool = False,
) -> None:
    """From the body of a part: go to a step, and open its page; those who follow come along.

    A step that lets the room guess asks first, unless its page is wanted: the page shows the model's answer.
    """
    room.go(member.visitor, place)
    step = lesson.steps[place]
    target, query = page_of_link(step.link, pages)
    if target is None:
        return
    open_link(target, query)
    if step.question is not None and _hides_its_page(step) and not page_first:
        _ask(step.question, pages, open_page)
    else:
        open_page(target)
