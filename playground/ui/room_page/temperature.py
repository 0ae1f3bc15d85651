"""Set the temperature, on the page: a purpose, one slider for everybody, the spread, and what the model writes there."""

from __future__ import annotations

import streamlit as st

from playground.charts.room_spread import spread_description, spread_figure
from playground.engine.api import CancelToken, Engine
from playground.generation import Generation, GenerationStep, generate
from playground.room.questions.temperature import spread
from playground.room.questions.types import (
    COOLEST,
    HOTTEST,
    MOST_PROMPT,
    MOST_PURPOSE,
    TEMPERATURE_STEP,
    Moved,
    Result,
    Round,
    Temperature,
    TemperatureResult,
)
from playground.room.questions.writing import share_done, texts_requests, texts_result
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.room_page.asking import Asking, Panel, act, put_on_stage, show_text
from playground.ui.runtime import session_id
from playground.ui.workspace.model import loaded_model

PURPOSES = {
    "A poem": "Write a four-line poem about the sea.",
    "A date": "On which date did people first walk on the moon? Answer with the date only.",
    "Names for a café": "Give three names for a small café.",
}
_START = 1.0


# -- asking ----------------------------------------------------------------------------------------------------------------


def _form(asking: Asking) -> None:
    chosen = st.pills("Purpose", [*PURPOSES, "Own words"], default="A poem", key="heat_purpose", required=True)
    own = chosen not in PURPOSES
    with st.form(key=f"heat_form_{chosen}", border=False):
        if own:
            st.text_input(
                "What is it for?", key="heat_words", max_chars=MOST_PURPOSE, placeholder="A letter to a friend"
            )
        st.text_area(
            "What the model is given", PURPOSES.get(str(chosen), ""), key=f"heat_prompt_{chosen}", max_chars=MOST_PROMPT
        )
        st.form_submit_button("Ask the room", type="primary", on_click=act, args=(_ask, asking, str(chosen)))


def _ask(asking: Asking, chosen: str) -> None:
    purpose = chosen if chosen in PURPOSES else st.session_state.get("heat_words", "")
    put_on_stage(asking, Temperature(purpose, st.session_state.get(f"heat_prompt_{chosen}", "")))


def _following(asking: Asking, one: Round) -> None:
    """The next one is a new question."""


# -- answering -------------------------------------------------------------------------------------------------------------


def _pose(one: Round) -> None:
    about = one.question.about
    assert isinstance(about, Temperature)
    show_text(about.purpose, "asked")
    st.caption("What the model is given:")
    show_text(about.prompt)


def _answer(asking: Asking, one: Round) -> None:
    own, key = asking.own_answer(), f"heat_slider_{one.question.id}"
    sent = own.given.temperature if own is not None and isinstance(own.given, Moved) else None
    shown = _START if sent is None else sent
    st.slider(
        "Temperature",
        COOLEST,
        HOTTEST,
        shown,
        TEMPERATURE_STEP,
        key=key,
        on_change=act,
        args=(_send_moved, asking, one, key, shown),
        help="0: always the likeliest token. 1: as the model gives it. Higher: flatter, with more surprises.",
    )
    if sent is None:
        st.button(
            f"Take {st.session_state.get(key, _START):.2f}",
            type="primary",
            width="stretch",
            key=f"heat_take_{one.question.id}",
            on_click=act,
            args=(_send, asking, one, key),
        )
    else:
        st.success(f"Your setting: **{sent:.2f}**. You can move it until the end.", icon=":material/check:")


def _send_moved(asking: Asking, one: Round, key: str, shown: float) -> None:
    """A browser that has not heard yet that the slider is gone sends once more where it stood: nobody has moved it."""
    if st.session_state.get(key, shown) != shown:
        _send(asking, one, key)


def _send(asking: Asking, one: Round, key: str) -> None:
    value = round(float(st.session_state.get(key, _START)), 2)
    asking.hub.answer(asking.visitor, one.question.id, Moved(value))


# -- what came out ---------------------------------------------------------------------------------------------------------


def _compute(one: Round) -> Result | None:
    """Let the model write at the room's settings, once. Raises Pending while it writes, and the engine's refusals."""
    about, quartiles = one.question.about, spread(one.answers)
    assert isinstance(about, Temperature)
    if quartiles is None:
        return None
    worker = loaded_model()
    requests = texts_requests(worker.engine, about, quartiles)

    def job(engine: Engine, cancel: CancelToken) -> object:
        return generate(engine, requests, cancel=cancel)

    def share(step: object) -> float:
        return share_done(step) if isinstance(step, GenerationStep) else 0.0

    written = result_of(
        "room_texts",
        (one.question.id, worker.engine.info.revision),
        lambda: worker.submit(session_id(), "room_texts", job),
        f"The model writes at {len(requests)} temperatures",
        share=share,
    )
    assert isinstance(written, Generation)
    return texts_result(written, quartiles, worker.engine.info.name)


def _show(asking: Asking, rounds: tuple[Round, ...]) -> None:
    one = rounds[-1]
    quartiles, result = spread(one.answers), one.question.result
    if quartiles is None:
        st.caption("Nobody has set it yet.")
        return
    show_figure(spread_figure(quartiles), spread_description(quartiles), key=f"heat_spread_{one.question.id}")
    st.caption(
        f"{len(quartiles.settings)} settings. Half of them lie between {quartiles.lower_quartile:.2f} and "
        f"{quartiles.upper_quartile:.2f} (the band); the line is the median, {quartiles.median:.2f}."
    )
    if not isinstance(result, TemperatureResult):
        return
    for column, text in zip(st.columns(len(result.texts)), result.texts, strict=True):
        with column, st.container(border=True):
            st.markdown(f"**{text.name.capitalize()}: {text.temperature:.2f}**")
            show_text(text.text or "(nothing: the model ended at once)")
    why_it_matters(
        f"Written by {escape_markdown(result.model)} with the same random numbers (seed {result.seed}) and no sampler but the "
        "temperature: what differs is the temperature alone. One text each says little about the next.",
    )


TEMPERATURE = Panel(_form, _pose, _answer, _show, _compute, _following, live=True)
