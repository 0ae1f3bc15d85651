"""The section "Lesson" of the Room page, for who leads: choose a lesson or line one up, and begin.

A lesson is kept by the room as its file's text; each change here writes that anew. Must not know what a step's page shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.errors import PlaygroundError
from playground.room.lesson import (
    LONGEST_SENTENCE,
    MOST_MINUTES,
    SHIPPED,
    Lesson,
    LessonStep,
    check_link,
    read_lesson,
    write_lesson,
)
from playground.room.questions.types import KINDS, LONGEST_S, LessonQuestion
from playground.ui.following import place_in_room, plain_link
from playground.ui.frame import open_page
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.room_strip import lesson_of, open_step
from playground.ui.workspace.shared import file_uploader
from playground.uploads import decode

NO_QUESTION = "none"
NEW = Lesson("A new lesson", ())


@dataclass(frozen=True, slots=True)
class _Before:
    """What the last change here took away: the lesson's text and the step; None where nothing was changed yet."""

    lesson: str | None = None
    step: int = 0


def lesson_section(_view: object) -> None:
    """For the leader; nobody else has the tab."""
    from pages import PAGES

    own_place = place_in_room()
    if own_place is None or not own_place[1].leader:
        return
    room, member = own_place
    names = tuple(PAGES)
    lesson = lesson_of(room.view().lesson, names)
    _choose(names)
    if lesson is None:
        st.caption("No lesson is chosen. A lesson is a list of pages, each with a sentence that everybody reads.")
        _ways_back(lesson)
    else:
        st.subheader(f"{escape_markdown(lesson.title)} · {lesson.minutes:g} min", anchor=False)
        st.caption(escape_markdown(lesson.about))
        now = room.view().step
        for place in range(len(lesson.steps)):
            if _step(lesson, place, names, now=now):
                open_step(room, member, lesson, place, pages=PAGES, open_page=open_page)
        _ways_back(lesson)
    _add(lesson or NEW, names)


def _ways_back(lesson: Lesson | None) -> None:
    with st.container(horizontal=True, key="lesson_ends"):
        if lesson is not None:
            text = write_lesson(lesson)
            file_button("Lesson", "lesson.yaml", lambda: text, "The file, to be changed and given again.")
            st.button(
                "End the lesson",
                icon=":material/stop_circle:",
                key="lesson_end",
                on_click=_end,
                help="No sentence stands above the pages any more.",
            )
        if session.get(_Before).lesson is not None:
            st.button("Undo", icon=":material/undo:", key="lesson_undo", on_click=_undo, help="The lesson as it was.")


def _end() -> None:
    _replace("", None)


def _undo() -> None:
    before = session.get(_Before)
    if before.lesson is not None:
        _replace(before.lesson, before.step)


# -- choosing --------------------------------------------------------------------------------------------------------------


def _choose(names: tuple[str, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson_choose"):
        for name, path in SHIPPED.items():
            text = path.read_text(encoding="utf-8")
            shipped = lesson_of(text, names)
            if shipped is not None:
                st.button(
                    f"{shipped.title} · {shipped.minutes:g} min",
                    key=f"lesson_{name}",
                    help=shipped.about,
                    on_click=_choose_text,
                    args=(text, names),
                )
        with st.popover("A file", icon=":material/upload_file:"):
            given = file_uploader("A lesson's file", type=["yaml", "yml"], key="lesson_file", max_upload_size=1)
            if (
                given is not None
                and st.button("Take this file", key="lesson_take")
                and _put(decode(given.getvalue())[0], names)
            ):
                st.rerun()


def _choose_text(text: str, names: tuple[str, ...]) -> None:
    _put(text, names)


def _put(text: str, names: tuple[str, ...], step: int | None = None) -> bool:
    """Make it the room's lesson; a refusal is told here, and the one before stays."""
    try:
        read_lesson(text, ("", *names))
    except PlaygroundError as error:
        show_problem(error)
        return False
    return _replace(text, step)


def _replace(text: str, step: int | None) -> bool:
    """``text`` is a lesson's or ""; what was there can be brought back."""
    place = place_in_room()
    if place is None:
        return False
    room, member = place
    before = room.view()
    try:
        room.put_lesson(member.visitor, text, step)
    except PlaygroundError as error:
        show_problem(error)
        return False
    session.put(_Before(before.lesson, before.step))
    return True


# -- its steps -------------------------------------------------------------------------------------------------------------


def _step(lesson: Lesson, place: int, names: tuple[str, ...], *, now: int) -> bool:
    """One line; whether it is to be opened."""
    step, last = lesson.steps[place], len(lesson.steps) - 1
    asks = f" · {_asks(step.question)}" if step.question else ""
    said = f"{place + 1}\\. {escape_markdown(step.say)} · {step.minutes:g} min{asks}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"lesson_step_{place}"):
        st.markdown(
            f"**▶ {said}**" if place == now else said, width="stretch", help=f"`{step.link[:200].replace('`', '')}`"
        )
        wanted = st.button("Open", key=f"lesson_open_{place}", type="tertiary")
        with st.popover("Change", icon=":material/edit:", type="tertiary", help="Sentence, minutes, time to answer"):
            _change_step(lesson, place, names, now)
        changes: dict[str, tuple[str, str, Callable[[], tuple[Lesson, int]]]] = {
            "up": (
                "Earlier",
                ":material/arrow_upward:",
                lambda: (lesson.moved(place, -1), lesson.where_moved(now, place, -1)),
            ),
            "down": (
                "Later",
                ":material/arrow_downward:",
                lambda: (lesson.moved(place, 1), lesson.where_moved(now, place, 1)),
            ),
            "out": (
                "Take this step out",
                ":material/close:",
                lambda: (lesson.without(place), max(0, now - 1) if place < now or now == last else now),
            ),
        }
        for name, (label, icon, change) in changes.items():
            st.button(
                label,
                icon=icon,
                key=f"lesson_{name}_{place}",
                type="tertiary",
                help=label,
                on_click=_change,
                args=(change, names),
            )
    return wanted


def _asks(question: LessonQuestion) -> str:
    return KINDS[question.kind] + (f", {question.seconds} s" if question.seconds else "")


def _change(change: Callable[[], tuple[Lesson, int]], names: tuple[str, ...]) -> None:
    lesson, step = change()
    _put(write_lesson(lesson), names, step)


def _change_step(lesson: Lesson, place: int, names: tuple[str, ...], now: int) -> None:
    step = lesson.steps[place]
    with st.form(f"lesson_change_{place}", border=False):
        say = st.text_area("Sentence", step.say, max_chars=LONGEST_SENTENCE, key=f"lesson_say_{place}_{hash(step)}")
        minutes = st.number_input(
            "Minutes", 0.5, MOST_MINUTES, max(0.5, step.minutes), 0.5, key=f"lesson_minutes_{place}_{hash(step)}"
        )
        seconds = 0
        if step.question is not None:
            seconds = _seconds(step.question.seconds, f"lesson_seconds_{place}_{hash(step)}")
        if st.form_submit_button("Change", type="primary"):
            try:
                changed = lesson.changed(place, say, float(minutes), seconds)
            except PlaygroundError as error:
                show_problem(error)
            else:
                if _put(write_lesson(changed), names, now):
                    st.rerun()


def _seconds(value: int, key: str) -> int:
    """Of a question's timer."""
    return st.number_input(
        "Seconds to answer",
        0,
        LONGEST_S,
        value,
        15,
        key=key,
        help="The question closes by itself then, and everybody sees the time run. 0: it is open until you close it.",
    )


def _add(lesson: Lesson, names: tuple[str, ...]) -> None:
    """The page that was shown last as a further step."""
    place = place_in_room()
    view = None if place is None else place[0].view()
    shown = None if view is None else view.shown
    with st.form("lesson_add", border=True):
        st.markdown("**Add the page that you showed last**")
        st.caption(
            escape_markdown(plain_link(shown.link)[:120]) if shown else "Nothing has been shown yet: open a page first."
        )
        say = st.text_input("Sentence", max_chars=LONGEST_SENTENCE, key="lesson_say")
        minutes = st.number_input("Minutes", 0.5, MOST_MINUTES, 3.0, 0.5, key="lesson_minutes")
        kind = st.selectbox(
            "Question",
            [NO_QUESTION, *KINDS],
            key="lesson_kind",
            format_func=lambda name: KINDS.get(name, "None"),
        )
        seconds = _seconds(0, "lesson_seconds")
        if st.form_submit_button("Add this step", disabled=shown is None) and shown is not None:
            try:
                question = None if kind == NO_QUESTION else LessonQuestion(kind, purpose=say[:200], seconds=seconds)
                step = LessonStep(check_link(plain_link(shown.link), names), say, float(minutes), question)
                under_way = view.step if view is not None and view.lesson else None
                if _put(write_lesson(lesson.added(step)), names, under_way):
                    st.rerun()
            except PlaygroundError as error:
                show_problem(error)
