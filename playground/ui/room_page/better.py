"""Which answer is better?, on the page: the leader's choice of answers, two texts and four buttons, and how they stand."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.charts.room_strengths import (
    agreement_sentence,
    strengths_data,
    strengths_description,
    strengths_figure,
)
from playground.errors import PlaygroundError
from playground.room.questions.better import Side, answer_name, left_of, pairs, vote_for
from playground.room.questions.types import (
    MOST_ANSWER,
    MOST_ANSWERS,
    MOST_PROMPT,
    Better,
    Question,
    Result,
    Round,
    Voted,
)
from playground.testtime.stored_runs import RunSummary, StoredRun, available_store
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.room_page.asking import Asking, Panel, act, put_on_stage, show_text
from playground.ui.visitor import owner_id

RUNS_SHOWN = 30
_SOURCES = ("A recorded run", "Typed texts")
_VOTES: dict[Side, str] = {"left": "A is better", "right": "B is better", "tie": "A tie", "bad": "Both are bad"}


# -- asking ----------------------------------------------------------------------------------------------------------------


def _form(asking: Asking) -> None:
    source = st.segmented_control(
        "Answers from", _SOURCES, default=_SOURCES[0], key="better_source", required=True, label_visibility="collapsed"
    )
    if source == _SOURCES[0]:
        _run_form(asking)
    else:
        _typed_form(asking)


def _run_form(asking: Asking) -> None:
    store, why = available_store(owner_id())
    if store is None:
        show_problem(why)
        return
    runs = {run.id: run for run in store.runs()[:RUNS_SHOWN] if run.finished > 1 and run.status != "damaged"}
    if not runs:
        st.caption("Nothing is recorded yet: run Best-of-N first, or type the texts.")
        return
    chosen = st.selectbox("Run", list(runs), key="better_run", format_func=lambda run: _run_line(runs[run]))
    try:
        run = store.load(chosen)
    except PlaygroundError as error:
        show_problem(error)
        return
    texts = dict.fromkeys(candidate.text.strip() for candidate in run.candidates if candidate.text.strip())
    places = {place: text for place, text in enumerate(texts) if len(text) <= MOST_ANSWER}
    picked = st.multiselect(
        "Answers to compare",
        list(places),
        default=list(places)[:3],
        max_selections=MOST_ANSWERS,
        format_func=lambda place: f"{place + 1}: {places[place][:60]}",
        key=f"better_picked_{chosen}",
        help="Equal texts stand here once. Every round compares two of them.",
    )
    st.button(
        "Ask the room",
        type="primary",
        key="better_ask_run",
        disabled=len(picked) < 2,
        on_click=act,
        args=(_ask_run, asking, run, [places[place] for place in picked]),
    )


def _run_line(run: RunSummary) -> str:
    return f"{run.prompt[:60]} · {run.finished} answers"


def _ask_run(asking: Asking, run: StoredRun, texts: list[str]) -> None:
    put_on_stage(asking, Better(run.request.prompt, tuple(texts), run=run.summary.id))


def _typed_form(asking: Asking) -> None:
    with st.form(key="better_form", border=False):
        st.text_input("Question", key="better_prompt", max_chars=MOST_PROMPT, placeholder="What both answer")
        for place in range(3):
            label = answer_name(place) + (" (optional)" if place > 1 else "")
            st.text_area(label, key=f"better_text_{place}", max_chars=MOST_ANSWER, height=80)
        st.form_submit_button("Ask the room", type="primary", on_click=act, args=(_ask_typed, asking))


def _ask_typed(asking: Asking) -> None:
    state = st.session_state
    texts = tuple(text for place in range(3) if (text := state.get(f"better_text_{place}", "")).strip())
    put_on_stage(asking, Better(state.get("better_prompt", ""), texts))


def _following(asking: Asking, one: Round) -> None:
    about, number = one.question.about, one.question.round
    assert isinstance(about, Better)
    all_pairs = pairs(len(about.answers))
    if number < len(all_pairs):
        following = replace(about, pair=all_pairs[number])
        first, second = map(answer_name, following.pair)
        st.button(
            f"Next pair: {first} and {second}",
            key=f"better_next_{one.question.id}",
            icon=":material/skip_next:",
            on_click=act,
            args=(asking.hub.next_round, asking.visitor, one.question.id, following),
        )
        st.caption(f"Pair {number} of {len(all_pairs)}.")


# -- answering -------------------------------------------------------------------------------------------------------------


def _pose(one: Round) -> None:
    about = one.question.about
    assert isinstance(about, Better)
    if about.prompt.strip():
        show_text(about.prompt, "asked")


def _answer(asking: Asking, one: Round) -> None:
    about, question = one.question.about, one.question
    assert isinstance(about, Better)
    left = left_of(asking.visitor, question.id)
    order = about.pair if left == "first" else about.pair[::-1]
    for column, letter, place in zip(st.columns(2), "AB", order, strict=True):
        with column, st.container(border=True, key=f"better_{letter}_{question.id}"):
            st.markdown(f"**{letter}**")
            show_text(about.answers[place])
    own = asking.own_answer()
    chosen = own.given if own is not None and isinstance(own.given, Voted) else None
    with st.container(horizontal=True, key="room_votes"):
        for side, label in _VOTES.items():
            voted = chosen is not None and vote_for(side, left).winner == chosen.winner
            st.button(
                label,
                key=f"better_vote_{question.id}_{side}",
                width="stretch",
                type="primary" if voted else "secondary",
                icon=":material/check:" if voted else None,
                on_click=act,
                args=(_vote, asking, question, side),
            )
    if chosen is not None:
        st.caption("Your vote is in. You can change it until the end.")


def _vote(asking: Asking, question: Question, side: Side) -> None:
    vote = vote_for(side, left_of(asking.visitor, question.id))
    asking.hub.answer(asking.visitor, question.id, vote)


# -- what came out ---------------------------------------------------------------------------------------------------------


def _show(asking: Asking, rounds: tuple[Round, ...]) -> None:
    from playground.preferences.settling import judge_pairs
    from playground.room.questions.standing import standing_of, votes_to_fit

    standing = standing_of(rounds)
    if standing is None:
        st.caption("Nobody has voted yet.")
        return
    data = strengths_data(standing.strengths)
    show_figure(strengths_figure(data), strengths_description(data), key=f"better_strengths_{rounds[-1].question.id}")
    st.markdown(escape_markdown(agreement_sentence(standing)))
    for verdict in judge_pairs(votes_to_fit(rounds)):
        said = {"first": f"{verdict.first} is preferred", "second": f"{verdict.second} is preferred", "level": "level"}
        more = f": {verdict.more:,} more decided votes at this share would settle it" if verdict.more else ""
        st.caption(
            f"{verdict.first} against {verdict.second}: {verdict.wins} to {verdict.losses}, {verdict.ties} undecided; "
            f"{said.get(verdict.verdict, 'open')}{more}."
        )
    for note in standing.strengths.notes:
        st.caption(escape_markdown(note))
    why_it_matters(
        f"Log strengths by Bradley and Terry with Davidson's ties, fitted to {standing.strengths.votes} votes; both bad counts "
        f"as a tie. The lines are {standing.strengths.level:.0%} {standing.strengths.interval} intervals: where two overlap "
        "widely, the room has not decided. Sides are shuffled for each voter.",
    )
    _texts(rounds[-1])


def _texts(one: Round) -> None:
    about = one.question.about
    assert isinstance(about, Better)
    with st.expander("The answers", icon=":material/article:"):
        for place, text in enumerate(about.answers):
            st.markdown(f"**{answer_name(place)}**")
            show_text(text)


def _compute(one: Round) -> Result | None:
    return None


BETTER = Panel(_form, _pose, _answer, _show, _compute, _following, live=True)
