"""The room's slim strip under the heading of each page: what the lesson says, what is asked, who follows, and the way out and
back.

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
from playground.room.questions.types import KINDS, LessonQuestion, Question
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
from playground.ui.kit.fragments import in_fragment_run, redraw_next
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.kit.page import PageSpec
from playground.ui.page_links import open_link, open_section
from playground.ui.room_page.asking import QUESTION, ROOM_LINK, OwnAnswers, hub_or_none, missed_the_stage, on_stage
from playground.ui.room_page.gate import has_another_part
from playground.ui.workspace.room import Subscribe, wake_now, wake_with_room

if TYPE_CHECKING:
    from playground.room.hub.room import Room

EVERY_S = 20.0  # a net under the waking
QUESTIONS = "questions"  # the tab of the Room page where the leader has them
OpenPage = Callable[[PageSpec], None]


def room_strip(spec: PageSpec, pages: Pages, open_page: OpenPage) -> None:
    """Nothing where no room is open, or the reader has not joined it."""
    if place_in_room() is None:
        return
    own_line = has_lesson()

    def look() -> None:
        place = place_in_room()
        if place is None or has_another_part(place[0], place[1].visitor):
            st.rerun()  # to the joining form, or to what is one's own now
        room, member = place
        if in_fragment_run():
            catch_up(spec, pages, open_page)
            if spec.name == ROOM_PAGE and not member.leader and missed_the_stage(room):
                redraw_next(QUESTION)
            if own_line != has_lesson():
                st.rerun()  # the strip stands elsewhere on the page now
        moves = next_move(room, member.visitor, spec, pages)
        wake_with_room(
            room, STRIP, EVERY_S, people=member.leader, others=_stage_tells(spec, room, member), beside=moves
        )
        if not in_fragment_run() and is_behind():  # the leader moved while this page was being opened
            wake_now(STRIP)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="room_strip"):
            _draw(spec, *place, pages, open_page)

    st.fragment(look, key=STRIP, run_every=EVERY_S)()


def _stage_tells(spec: PageSpec, room: Room, member: Member) -> tuple[Subscribe, ...]:
    """Who is told of the stage here. Those who follow come to a question by the leader's move, and one run is enough; what they
    have answered in another tab is told on every page that asks them to."""
    hub = hub_or_none(room)
    if hub is None or (spec.name == ROOM_PAGE and not member.leader):
        return ()
    own = () if member.leader else (OwnAnswers(hub, member.visitor),)
    return (*own, hub.subscribe) if member.leader or not member.following else own


def has_lesson() -> bool:
    """Whether the strip has a sentence to say, and so a line of its own."""
    place = place_in_room()
    return place is not None and place[0].view().lesson != ""


def _draw(spec: PageSpec, room: Room, member: Member, pages: Pages, open_page: OpenPage) -> None:
    view, question = room.view(), on_stage(room)
    step, said = lesson_step(view.lesson, view.step, tuple(pages))
    if member.leader:
        if step is not None:
            _forth_and_back(room, member, view, said, question, pages, open_page)
        if question is not None and (spec.name, open_section(spec)) != (ROOM_PAGE, QUESTIONS):
            _way_to_the_question(question, pages, open_page)
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
    at_question = view.shown is not None and view.shown.link.startswith(ROOM_LINK)
    asked = spec.name != ROOM_PAGE and _has_to_answer(room, member, question)
    if asked:
        _way_to_answer(member, at_question, pages, open_page)
    if member.following and spec.name == ROOM_PAGE and view.shown is not None and not at_question:
        st.button(
            "To what the leader shows",
            key="to_leader",
            icon=":material/cast:",
            type="tertiary",
            on_click=follow,
            args=(True,),
        )
    elif member.following:
        st.button(
            "Look for yourself",
            key="leave_leader",
            icon=":material/cast:",
            type="tertiary",
            on_click=follow,
            args=(False,),
            help="You see what the leader shows, until you move something or press this.",
        )
    elif not (asked and at_question):  # the way to the question follows, too
        st.button(
            "The leader calls: follow" if member.called else "Follow the leader",
            key="follow_leader",
            icon=":material/campaign:" if member.called else ":material/cast:",
            type="primary" if member.called else "secondary",
            on_click=follow,
            args=(True,),
            help="You look for yourself. This brings you to what the leader shows.",
        )


# -- what is asked -----------------------------------------------------------------------------------------------------


def _way_to_the_question(question: Question, pages: Pages, open_page: OpenPage) -> None:
    """For the leader: what is on stage, and the way to where it is closed, revealed and finished."""
    label = f"On stage: {KINDS[question.kind]} ({question.state})"
    wanted = st.button(
        label,
        key="to_question",
        icon=":material/front_hand:",
        type="tertiary",
        help="Leads to the question: there you close it, show what came out, and finish it.",
    )
    if wanted:
        target = pages[ROOM_PAGE]
        st.session_state[target.section_key] = target.sections[QUESTIONS].title
        open_page(target)


def _has_to_answer(room: Room, member: Member, question: Question | None) -> bool:
    hub = hub_or_none(room)
    return (
        hub is not None and question is not None and question.state == "open" and hub.answer_of(member.visitor) is None
    )


def _way_to_answer(member: Member, at_question: bool, pages: Pages, open_page: OpenPage) -> None:
    """For all others, while a question is open and another page is. ``at_question``: whether the leader is there."""
    if not st.button(
        "The room is asked: answer",
        key="answer_question",
        icon=":material/front_hand:",
        type="primary",
        help="Leads to the question.",
    ):
        return
    if not member.following and at_question:
        follow(True)
    open_page(pages[ROOM_PAGE])


def _call_back() -> None:
    """A wand that is gone is told by the page itself."""
    place = place_in_room()
    if place is not None:
        with suppress(PlaygroundError):
            place[0].call_back(place[1].visitor)


# -- the lesson's steps ------------------------------------------------------------------------------------------------


def lesson_step(text: str, place: int, pages: tuple[str, ...]) -> tuple[LessonStep | None, Lesson | None]:
    """The step in view of a lesson's text, and the lesson; None where there is none, or one of another version."""
    lesson = lesson_of(text, pages)
    return (None, lesson) if lesson is None or place >= len(lesson.steps) else (lesson.steps[place], lesson)


@lru_cache(maxsize=8)
def lesson_of(text: str, pages: tuple[str, ...]) -> Lesson | None:
    """The lesson of that text; None for "" and for what is none."""
    try:
        return read_lesson(text, ("", *pages)) if text else None
    except PlaygroundError:
        return None


def _forth_and_back(
    room: Room,
    member: Member,
    view: RoomView,
    lesson: Lesson | None,
    question: Question | None,
    pages: Pages,
    open_page: OpenPage,
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
            busy = question is not None
            help = "Finish what is on stage first, or discard it: one question is asked at a time." if busy else None
            if st.button("Ask the room", key="lesson_ask", icon=":material/front_hand:", disabled=busy, help=help):
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

    A step that lets the room guess asks first, unless its page is wanted: the page shows the model's answer. While another
    question is on stage nothing changes, and why is said.
    """
    step = lesson.steps[place]
    asks, question = _hides_its_page(step) and not page_first, on_stage(room)
    if asks and question is not None:
        show_problem(
            f"Step {place + 1} asks the room, and a question is on already ({KINDS[question.kind]}): finish it or discard it, "
            "then go on."
        )
        return
    try:
        room.go(member.visitor, place)
    except PlaygroundError as error:
        show_problem(error)
        return
    target, query = page_of_link(step.link, pages)
    if target is None:
        return
    open_link(target, query)
    if step.question is not None and asks:
        _ask(step.question, pages, open_page)
    else:
        open_page(target)
