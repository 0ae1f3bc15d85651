"""The room's questions on the page: what the leader does with them, what the others see, and what is kept.

Which kinds there are is the table ``PANELS``; each kind's own part is a module beside this one.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from playground.errors import BadInput, PlaygroundError
from playground.room.questions.files import answers_csv, counted, prompt_of, votes_csv
from playground.room.questions.types import (
    KINDS,
    About,
    Better,
    Guess,
    Kind,
    LessonQuestion,
    Round,
    Temperature,
)
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import fragment
from playground.ui.kit.messages import escape_markdown, problems_shown_here
from playground.ui.room_page.asking import (
    QUESTION,
    Asking,
    Panel,
    Revealing,
    act,
    asking_here,
    listen,
    put_on_stage,
    show_refusal,
    title_of,
)
from playground.ui.room_page.better import BETTER
from playground.ui.room_page.conducting import conduct, show_time_left
from playground.ui.room_page.guess import GUESS
from playground.ui.room_page.style import room_style
from playground.ui.room_page.temperature import TEMPERATURE
from playground.ui.workspace.setup import setup

PANELS: dict[Kind, Panel] = {"guess": GUESS, "better": BETTER, "temperature": TEMPERATURE}


def question_part() -> None:
    """The part of the page called QUESTION: redrawn by itself when something changes on stage."""
    room_style()
    fragment(QUESTION, _draw)


def _draw() -> None:
    with problems_shown_here():
        asking = asking_here()
        listen(asking)  # before the look, so that no change falls between
        show_refusal()
        one = asking.hub.current()
        if asking.leads:
            _lead(asking, one)
        elif one is None:
            st.caption("Nothing is asked at the moment. A question appears here by itself.")
        else:
            _take_part(asking, one)


# -- a participant ---------------------------------------------------------------------------------------------------------


def _take_part(asking: Asking, one: Round) -> None:
    question, panel = one.question, PANELS[one.question.kind]
    st.subheader(title_of(question, KINDS[question.kind]), anchor=False)
    panel.pose(one)
    if question.state == "open":
        show_time_left(asking)
        panel.answer(asking, one)
    elif question.state == "closed":
        own = "Your answer is in. " if asking.own_answer() else ""
        st.info(f"Closed. {own}What came out appears here when the leader shows it.", icon=":material/lock:")
    else:
        panel.show(asking, _series(asking, one))


def _series(asking: Asking, one: Round) -> tuple[Round, ...]:
    """The rounds up to the present one, which is on stage and may be newer than what was read."""
    before = asking.hub.rounds(one.question.series) if one.question.round > 1 else ()
    return (*(each for each in before if each.question.round < one.question.round), one)


# -- the leader ------------------------------------------------------------------------------------------------------------


def _lead(asking: Asking, one: Round | None) -> None:
    if one is None:
        _choose(asking)
        _kept(asking)
        return
    panel = PANELS[one.question.kind]
    waits: PlaygroundError | None = None
    try:
        _reveal_when_ready(asking, one, panel)
    except PlaygroundError as error:  # drawn below what the leader can do meanwhile
        waits = error
    one = asking.hub.current() or one
    st.subheader(title_of(one.question, KINDS[one.question.kind]), anchor=False)
    panel.pose(one)
    conduct(asking, one)
    if waits is not None:
        raise waits
    if one.question.state == "revealed":
        panel.show(asking, _series(asking, one))
        panel.following(asking, one)
    elif panel.live:
        _look_early(asking, one, panel)


def _choose(asking: Asking) -> None:
    kinds: list[Kind] = list(PANELS)
    kind = st.segmented_control(
        "Question", kinds, default=kinds[0], key="room_kind", required=True, format_func=lambda each: KINDS[each]
    )
    PANELS[kind or kinds[0]].form(asking)


def _reveal_when_ready(asking: Asking, one: Round, panel: Panel) -> None:
    """Once the leader has asked for it: compute what came out, then show it to all. Raises Pending meanwhile."""
    question = one.question
    if question.state != "closed" or session.get(Revealing).question != question.id:
        return
    asking.hub.reveal(asking.visitor, question.id, panel.compute(one))
    session.put(Revealing())


def _look_early(asking: Asking, one: Round, panel: Panel) -> None:
    if st.toggle(
        "Show results while answers come in",
        key=f"ask_live_{one.question.id}",
        help="Who sees this wall before answering may follow the others.",
    ):
        panel.show(asking, _series(asking, one))


# -- what is kept ----------------------------------------------------------------------------------------------------------


def _kept(asking: Asking) -> None:
    """Series off the stage, the newest first, to be deleted. Its body runs only while it is open."""
    with st.expander("Kept results", on_change="rerun", key="room_kept", icon=":material/inventory_2:") as box:
        if not box.open:
            return
        series: dict[str, list[Round]] = {}
        for one in asking.hub.rounds():
            series.setdefault(one.question.series, []).append(one)
        if not series:
            st.caption("Nothing has been asked yet.")
            return
        for name, rounds in reversed(series.items()):
            first, answers = rounds[0].question, sum(len(one.answers) for one in rounds)
            number = f"{counted(len(rounds), 'round')} · {counted(answers, 'answer')}"
            said = f"{KINDS[first.kind]} · {prompt_of(first)[:60]} · {number}"
            with st.container(horizontal=True, vertical_alignment="center", key=f"room_kept_{name}"):
                st.markdown(escape_markdown(said), width="stretch")
                with st.popover("Delete", icon=":material/delete:"):
                    st.markdown(f"Delete this question with its {counted(answers, 'answer')}? There is no way back.")
                    st.button(
                        "Delete",
                        key=f"room_delete_{name}",
                        type="primary",
                        on_click=act,
                        args=(asking.hub.delete, asking.visitor, name),
                    )
        _files(asking, [one for rounds in series.values() for one in rounds])


def _files(asking: Asking, rounds: list[Round]) -> None:
    from playground.charts.room_html import room_page

    named = st.toggle("With nicknames", key="room_names", help="Without, voters are numbers.")
    visitors = {answer.visitor for one in rounds for answer in one.answers}
    names = {visitor: asking.room.nickname_of(visitor) for visitor in visitors} if named else None
    with st.container(horizontal=True):
        file_button("Answers (CSV)", "room-answers.csv", lambda: answers_csv(rounds, names))
        if any(one.question.kind == "better" for one in rounds):
            file_button("Votes (CSV)", "room-votes.csv", lambda: votes_csv(rounds, names), "As `votes fit` reads them.")
        file_button("Page (HTML)", "room-answers.html", lambda: room_page(rounds, names), "Opens without a network.")


# -- from a lesson ---------------------------------------------------------------------------------------------------------


def start_question(question: LessonQuestion) -> None:
    """Put a lesson's question on stage, for the leader, whose Room page then opens at it. Raises BadInput for what must be
    chosen by hand, and as the hub."""
    asking = asking_here()
    with suppress(StreamlitAPIException):  # the tabs are drawn already
        st.session_state["room_section"] = "Questions"
    if question.kind == "better" and not question.answers:
        st.session_state["room_kind"] = "better"
        raise BadInput("This question compares answers of a recorded run: choose the run under Questions.", "answers")
    put_on_stage(asking, _about(question), question.seconds)


def _about(question: LessonQuestion) -> About:
    prompt = question.prompt or setup().prompt
    if question.kind == "guess":
        return Guess(prompt, question.real_next, rounds=question.rounds)
    if question.kind == "better":
        return Better(question.prompt or question.purpose, question.answers)
    return Temperature(question.purpose or prompt[:200], prompt)
