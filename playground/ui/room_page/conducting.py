"""What the leader does with the question on stage: who has answered, a timer, close and open again, reveal, finish, discard."""

from __future__ import annotations

import streamlit as st

from playground.room.questions.files import counted
from playground.room.questions.types import Question, Round
from playground.ui.components.clock import countdown
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.room_page.asking import Asking, Revealing, act

TIMES = {"30 s": 30, "1 min": 60, "2 min": 120, "5 min": 300}


def conduct(asking: Asking, one: Round) -> None:
    """Below the question, for who leads."""
    _who_has_answered(asking, one)
    question = one.question
    with st.container(horizontal=True, key="room_lead"):
        if question.state == "open":
            _close(asking, question)
        elif question.state == "closed":
            _reopen(asking, question)
        if question.state != "revealed":
            _reveal(asking, question)
        else:
            _finish(asking, question)
        if question.state == "open":
            _timer(asking, question)
        _discard(asking, one)


def show_time_left(asking: Asking) -> None:
    """Where a timer runs, for everybody."""
    left_s = asking.hub.seconds_left()
    if left_s is not None:
        countdown(left_s, key="room_countdown")


def _who_has_answered(asking: Asking, one: Round) -> None:
    """Of those whose browser is connected, and of who has answered and gone."""
    answered = asking.hub.answered()
    waiting = [member for member in asking.room.view().joined if member.here and member.visitor not in answered]
    with st.container(horizontal=True, vertical_alignment="center", key="room_answered"):
        st.markdown(f"**{len(answered)} of {len(answered) + len(waiting)} have answered**", width="content")
        if one.question.state == "open" and waiting:
            with st.popover("Who has not", icon=":material/person_search:", type="tertiary"):
                st.markdown(" · ".join(escape_markdown(member.nickname) for member in waiting))
        if one.question.state == "open":
            show_time_left(asking)


# -- buttons ---------------------------------------------------------------------------------------------------------------


def _close(asking: Asking, question: Question) -> None:
    st.button(
        "Close",
        key=f"ask_close_{question.id}",
        icon=":material/lock:",
        on_click=act,
        args=(asking.hub.close, asking.visitor, question.id),
        help="No answer is taken any more.",
    )


def _reopen(asking: Asking, question: Question) -> None:
    st.button(
        "Open again",
        key=f"ask_reopen_{question.id}",
        icon=":material/lock_open:",
        on_click=act,
        args=(_take_answers_again, asking, question.id),
        help="Answers are taken again; those given stay.",
    )


def _take_answers_again(asking: Asking, question: str) -> None:
    asking.hub.reopen(asking.visitor, question)
    session.put(Revealing())


def _reveal(asking: Asking, question: Question) -> None:
    """Asks once more where nobody has answered: a press too early cannot be taken back."""
    if asking.hub.stage().answered:
        _reveal_button(asking, question)
        return
    with st.popover("Reveal", icon=":material/visibility:"):
        st.markdown("Nobody has answered yet, and what is revealed takes no answers any more.")
        _reveal_button(asking, question)


def _reveal_button(asking: Asking, question: Question) -> None:
    st.button(
        "Reveal",
        key=f"ask_reveal_{question.id}",
        icon=":material/visibility:",
        type="primary",
        on_click=act,
        args=(_begin_reveal, asking, question.id),
        help="Close it, and show everybody what came out.",
    )


def _begin_reveal(asking: Asking, question: str) -> None:
    asking.hub.close(asking.visitor, question)
    session.put(Revealing(question))


def _finish(asking: Asking, question: Question) -> None:
    st.button(
        "Finish",
        key=f"ask_finish_{question.id}",
        icon=":material/done_all:",
        type="primary",
        on_click=act,
        args=(asking.hub.finish, asking.visitor, question.id),
        help="Take it off the stage. The answers are kept.",
    )


def _timer(asking: Asking, question: Question) -> None:
    with st.popover("Timer", icon=":material/timer:", help="Closes the question by itself; everybody sees it run."):
        with st.container(horizontal=True):
            for label, seconds in TIMES.items():
                _timer_button(asking, question, label, seconds)
        if asking.hub.seconds_left() is not None:
            _timer_button(asking, question, "Stop the timer", 0)
            st.caption("The next round begins with the same timer, unless you stop it.")


def _timer_button(asking: Asking, question: Question, label: str, seconds: int) -> None:
    st.button(
        label,
        key=f"ask_timer_{seconds}_{question.id}",
        on_click=act,
        args=(asking.hub.start_timer, asking.visitor, question.id, seconds),
    )


def _discard(asking: Asking, one: Round) -> None:
    """Asks once more where answers would go."""
    question, action = one.question, (asking.hub.discard, asking.visitor, one.question.id)
    if not one.answers:
        st.button(
            "Discard",
            key=f"ask_discard_{question.id}",
            icon=":material/delete:",
            on_click=act,
            args=action,
            help="Take it off the stage.",
        )
        return
    with st.popover("Discard", icon=":material/delete:"):
        st.markdown(
            f"Take it off the stage and delete its {counted(len(one.answers), 'answer')}? There is no way back."
        )
        st.button("Discard", key=f"ask_discard_{question.id}", type="primary", on_click=act, args=action)
