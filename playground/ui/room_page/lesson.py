"""The section "Lesson" of the Room page, for who leads: choose a lesson or line one up, and begin.

A lesson is kept by the room as its file's text; each change here writes that anew. Must not know what a step's page shows.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.errors import PlaygroundError
from playground.room.lesson import SHIPPED, Lesson, LessonStep, check_link, read_lesson, write_lesson
from playground.room.questions.types import KINDS, LessonQuestion
from playground.ui.following import place_in_room, plain_link
from playground.ui.frame import open_page
from playground.ui.kit.file_button import file_button
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.room_strip import known_lesson, open_step
from playground.uploads import decode

NO_QUESTION = "none"
NEW = Lesson("A new lesson", ())


def lesson_section(_view: object) -> None:
    """For the leader; nobody else has the tab."""
    from pages import PAGES

    found = place_in_room()
    if found is None or not found[1].leader:
        return
    room, member = found
    names = tuple(PAGES)
    lesson = known_lesson(room.view().lesson, names)
    _choose(names)
    if lesson is None:
        st.caption("No lesson is chosen. A lesson is a list of pages, each with a sentence that everybody reads.")
    else:
        st.subheader(f"{escape_markdown(lesson.title)} · {lesson.minutes:g} min", anchor=False)
        st.caption(escape_markdown(lesson.about))
        now = room.view().step
        for place in range(len(lesson.steps)):
            if _step(lesson, place, names, now=place == now):
                open_step(room, member, lesson, place, pages=PAGES, open_page=open_page)
        file_button("Lesson", "lesson.yaml", lambda: write_lesson(lesson), "The file, to be changed and given again.")
    _add(lesson or NEW, names)


def _choose(names: tuple[str, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson_choose"):
        for name, path in SHIPPED.items():
            text = path.read_text(encoding="utf-8")
            shipped = known_lesson(text, names)
            if shipped is not None:
                st.button(
                    shipped.title, key=f"lesson_{name}", help=shipped.about, on_click=_choose_text, args=(text, names)
                )
    given = st.file_uploader("A lesson's file", type=["yaml", "yml"], key="lesson_file", max_upload_size=1)
    if (
        given is not None
        and st.button("Take this file", key="lesson_take")
        and _put(decode(given.getvalue())[0], names)
    ):
        st.rerun()


def _put(text: str, names: tuple[str, ...], step: int = 0) -> bool:
    """Make it the room's lesson; a refusal is told here, and the one before stays."""
    found = place_in_room()
    if found is None:
        return False
    room, member = found
    try:
        read_lesson(text, ("", *names))
        room.put_lesson(member.visitor, text)
        if step:
            room.go(member.visitor, step)
    except PlaygroundError as error:
        show_problem(error)
        return False
    return True


def _choose_text(text: str, names: tuple[str, ...]) -> None:
    _put(text, names)


def _change(change: Callable[[], Lesson], names: tuple[str, ...]) -> None:
    _put(write_lesson(change()), names)


def _step(lesson: Lesson, place: int, names: tuple[str, ...], *, now: bool) -> bool:
    """One line; whether it is to be opened."""
    step = lesson.steps[place]
    asks = f" · {KINDS[step.question.kind]}" if step.question else ""
    mark = "**▶** " if now else ""
    with st.container(horizontal=True, vertical_alignment="center", key=f"lesson_step_{place}"):
        st.markdown(
            f"{mark}{place + 1}. {escape_markdown(step.say)} · {step.minutes:g} min{asks}",
            width="stretch",
            help=escape_markdown(step.link[:200]),
        )
        wanted = st.button("Open", key=f"lesson_open_{place}", type="tertiary")
        changes: dict[str, tuple[str, Callable[[], Lesson]]] = {
            "up": (":material/arrow_upward:", lambda: lesson.moved(place, -1)),
            "down": (":material/arrow_downward:", lambda: lesson.moved(place, 1)),
            "out": (":material/close:", lambda: lesson.without(place)),
        }
        for name, (icon, change) in changes.items():
            st.button(
                "",
                icon=icon,
                key=f"lesson_{name}_{place}",
                type="tertiary",
                help={"up": "Earlier", "down": "Later", "out": "Take this step out"}[name],
                on_click=_change,
                args=(change, names),
            )
    return wanted


def _add(lesson: Lesson, names: tuple[str, ...]) -> None:
    """The page that was shown last as a further step."""
    found = place_in_room()
    shown = None if found is None else found[0].view().shown
    with st.form("lesson_add", border=True):
        st.markdown("**Add the page that you showed last**")
        st.caption(
            escape_markdown(plain_link(shown.link)[:120]) if shown else "Nothing has been shown yet: open a page first."
        )
        say = st.text_input("Sentence", max_chars=600, key="lesson_say")
        minutes = st.number_input("Minutes", 0.5, 180.0, 3.0, 0.5, key="lesson_minutes")
        kind = st.selectbox(
            "Question",
            [NO_QUESTION, *KINDS],
            key="lesson_kind",
            format_func=lambda name: KINDS.get(name, "None"),
        )
        if st.form_submit_button("Add this step", disabled=shown is None) and shown is not None:
            try:
                question = None if kind == NO_QUESTION else LessonQuestion(kind, purpose=say[:200])
                step = LessonStep(check_link(plain_link(shown.link), names), say, float(minutes), question)
                if _put(write_lesson(lesson.added(step)), names):
                    st.rerun()
            except PlaygroundError as error:
                show_problem(error)
