"""Guess the next word, on the page: the leader's form, the participants' word, and what came out.

The model is not asked before the reveal, so there is nothing that a browser could have been told.
"""

from __future__ import annotations

import math

import streamlit as st

from playground.charts.numbers import logprob, percent
from playground.charts.room_guess import (
    guess_bars,
    guess_description,
    guess_figure,
    perplexity,
    rounds_table,
    scores_table,
)
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.text.prompt import encode_prompt
from playground.errors import PlaygroundError
from playground.room.questions.guess import (
    GPT3_RIGHT,
    PEOPLE_RIGHT,
    SOURCE,
    continuation,
    figures,
    first_token,
    score_guesses,
    scores_of,
)
from playground.room.questions.types import (
    MOST_GUESS,
    MOST_PROMPT,
    MOST_PURPOSE,
    MOST_ROUNDS,
    Guess,
    Guessed,
    GuessResult,
    Round,
)
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.room_page.asking import Asking, Panel, act, put_on_stage, show_text
from playground.ui.runtime import model_pool
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import next_row
from playground.ui.workspace.setup import setup

# -- asking ----------------------------------------------------------------------------------------------------------------


def _form(asking: Asking) -> None:
    shown = setup()
    _fields(asking, "new", "" if shown.chat else shown.prompt)


def _fields(asking: Asking, key: str, prompt: str, after: Round | None = None) -> None:
    """The leader's fields, for a first round or the one ``after`` another."""
    with st.form(key=f"guess_form_{key}", border=False):
        st.text_area("Text", prompt, key=f"guess_prompt_{key}", max_chars=MOST_PROMPT, height=90)
        with st.container(horizontal=True):
            st.text_input(
                "Real next word",
                key=f"guess_real_{key}",
                max_chars=MOST_PURPOSE,
                help="The next word of the text this was taken from, if you know it: the room and the model are held to it.",
            )
            st.text_input(
                "Words to pick from",
                key=f"guess_choices_{key}",
                placeholder="none: the room types",
                help="Two to eight words with commas between them, as buttons.",
            )
            if after is None:
                st.number_input("Rounds", 1, MOST_ROUNDS, 1, key=f"guess_rounds_{key}", width=110)
        label = "Ask the room" if after is None else "Next round"
        st.form_submit_button(label, type="primary", on_click=act, args=(_ask, asking, key, after))


def _ask(asking: Asking, key: str, after: Round | None) -> None:
    state = st.session_state
    words = tuple(word.strip() for word in state.get(f"guess_choices_{key}", "").split(",") if word.strip())
    rounds = state.get(f"guess_rounds_{key}", 1)
    if after is not None and isinstance(after.question.about, Guess):
        rounds = after.question.about.rounds
    about = Guess(
        state.get(f"guess_prompt_{key}", ""), state.get(f"guess_real_{key}", ""), words, _model_name(), rounds
    )
    if after is None:
        put_on_stage(asking, about)
    else:
        asking.hub.next_round(asking.visitor, after.question.id, about)


def _model_name() -> str:
    """Of the model that will be asked, so that a guess can be shown as its token. "" while it is being loaded."""
    try:
        return loaded_model().engine.info.name
    except PlaygroundError:
        return ""


def _following(asking: Asking, one: Round) -> None:
    about, result = one.question.about, one.question.result
    assert isinstance(about, Guess)
    with st.expander("Next round", icon=":material/skip_next:", expanded=one.question.round < about.rounds):
        word = continuation(about.prompt, about.real_next) if about.real_next else ""
        if not word and isinstance(result, GuessResult):
            word = result.top[0].text
        _fields(asking, one.question.id, about.prompt + word, one)


# -- answering -------------------------------------------------------------------------------------------------------------


def _pose(one: Round) -> None:
    about = one.question.about
    assert isinstance(about, Guess)
    show_text(f"{about.prompt} ▁▁▁", "asked")


def _answer(asking: Asking, one: Round) -> None:
    about, question = one.question.about, one.question.id
    assert isinstance(about, Guess)
    if about.choices:
        for place, word in enumerate(about.choices):
            st.button(
                escape_markdown(word),
                key=f"guess_pick_{question}_{place}",
                width="stretch",
                on_click=act,
                args=(_send, asking, one, word, False),
            )
    else:
        with st.form(key=f"guess_answer_{question}", border=False):
            st.text_input(
                "What comes next?", key=f"guess_word_{question}", max_chars=MOST_GUESS, placeholder="one word"
            )
            st.toggle("It goes on the last word: no space before it", key=f"guess_joined_{question}")
            st.form_submit_button(
                "Send my guess", type="primary", width="stretch", on_click=act, args=(_send_typed, asking, one)
            )
    _say_own(asking, about)


def _send_typed(asking: Asking, one: Round) -> None:
    question = one.question.id
    word, joined = st.session_state.get(f"guess_word_{question}", ""), st.session_state.get(f"guess_joined_{question}")
    _send(asking, one, word, bool(joined))


def _send(asking: Asking, one: Round, word: str, joined: bool) -> None:
    about = one.question.about
    assert isinstance(about, Guess)
    asking.hub.answer(asking.visitor, one.question.id, Guessed(continuation(about.prompt, word, joined=joined)))


def _say_own(asking: Asking, about: Guess) -> None:
    """The guess that was sent, and the token that it is counted as."""
    own = asking.own_answer()
    if own is None or not isinstance(own.given, Guessed):
        return
    said = f"Your guess: **{escape_markdown(glyphs(own.given.text))}**"
    codec = _codec_of(about.model)
    if codec is not None:
        token = first_token(codec, own.given.text)
        said += f", counted as its first token **{escape_markdown(glyphs(codec.piece(token)))}** (id {token})"
    st.success(f"{said}. You can change it until the end.", icon=":material/check:")


def _codec_of(model: str) -> TextCodec | None:
    """The tokenizer of a model in memory, of the only one where the question names none; none is loaded for this."""
    engines = [worker.engine for worker in model_pool().workers()]
    if not model:
        return engines[0].codec if len(engines) == 1 else None
    return next((engine.codec for engine in engines if engine.info.name == model), None)


# -- what came out ---------------------------------------------------------------------------------------------------------


def _compute(one: Round) -> GuessResult:
    """Ask the leader's model now. Raises Pending, and CapabilityMissing for a row that is told in part."""
    about = one.question.about
    assert isinstance(about, Guess)
    engine = loaded_model()
    row = next_row(engine, encode_prompt(engine.engine.codec, about.prompt), "room_guess")
    return score_guesses(engine.engine.codec, row, about, one.answers, model=engine.engine.info.name)


def _show(asking: Asking, rounds: tuple[Round, ...]) -> None:
    one = rounds[-1]
    data, room_figures, result = guess_bars(one), figures([one]), one.question.result
    if data is None or room_figures is None or not isinstance(result, GuessResult):
        return
    own = next((token for answer, token in scores_of(one) if answer.visitor == asking.visitor), None)
    if own is not None:
        st.success(
            f"Your guess **{escape_markdown(glyphs(own.text))}**: the model gives it {percent(math.exp(own.logprob))}, "
            f"log-probability {logprob(own.logprob)}, rank {own.rank + 1:,}.",
            icon=":material/person:",
        )
    with st.container(horizontal=True, key="room_figures"):
        if room_figures.room_perplexity is not None:
            st.metric(
                "Room's perplexity", perplexity(room_figures.room_perplexity), help="exp of the mean of −ln p(guess)."
            )
        st.metric(
            "Model's perplexity",
            perplexity(room_figures.model_perplexity),
            help="exp of the entropy of its distribution.",
        )
        if room_figures.right is not None:
            st.metric(
                "Room right", f"{room_figures.right:.0%}", help="Guesses of the token the real next word begins with."
            )
        if room_figures.likeliest is not None:
            st.metric(
                "Guessed the likeliest", f"{room_figures.likeliest:.0%}", help="Guesses of the model's likeliest token."
            )
    show_figure(guess_figure(data), guess_description(data), key=f"guess_bars_{one.question.id}")
    why_it_matters(
        f"p is the raw distribution of {escape_markdown(result.model)} at this place, without samplers. A guess scores "
        "ln p; the room's perplexity is exp of the mean of −ln p. ✓ marks the text's real next token. "
        f"Published mark: people name it {PEOPLE_RIGHT:.0%} of the time, GPT-3 {GPT3_RIGHT:.0%} ({SOURCE}).",
    )
    with st.expander("What each guess scored", icon=":material/format_list_numbered:"):
        show_table(scores_table(one), key=f"guess_scores_{one.question.id}")
    if len(rounds) > 1:
        show_table(rounds_table(rounds), key=f"guess_rounds_{one.question.id}")


GUESS = Panel(_form, _pose, _answer, _show, _compute, _following, live=False)
