"""The text so far, token by token, and stepping: accept the drawn token, go back and forth, start over."""

from __future__ import annotations

import math
from contextlib import suppress

import streamlit as st

from playground.charts.numbers import entropy, logprob, percent
from playground.engine.text.display import glyphs
from playground.engine.types import SequenceScore
from playground.errors import PlaygroundError
from playground.inspection.next_token import CONTEXT_TAIL
from playground.ui import state
from playground.ui.components.token_strip import StripToken, token_strip
from playground.ui.sampling_page.view import SamplingView, load_view, score_text

SHOWN_TOKENS = 400


def steps_section() -> None:
    """The strip and its buttons. Nothing here depends on the samplers: a moved slider leaves it alone."""
    view = load_view()
    score = score_text(view)
    tokens, first = strip_tokens(view, score)
    token_strip(
        tokens,
        key="text_strip",
        label="The text so far, one button for each token",
        on_pick=state.acting(lambda index: _go_to(view, first + index)),
    )
    setup = view.setup
    if not setup.prompt and not setup.chat:
        st.caption(
            "The prompt is empty: the model starts from its own start token. Type into the Prompt box to give it a text."
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            "Accept the drawn token",
            icon=":material/play_arrow:",
            type="primary",
            key="accept_drawn",
            shortcut="Alt+A",
            on_click=state.acting(_accept_drawn),
            help="Append the token that the seed draws here: the one marked ▶ among the bars.",
        )
        at_start, at_end = setup.position == 0, setup.position == len(setup.steps)
        move = state.acting(_move)
        st.button(
            "Back",
            icon=":material/undo:",
            key="step_back",
            on_click=move,
            args=(-1,),
            disabled=at_start,
            help="Step back",
        )
        st.button(
            "Forth",
            icon=":material/redo:",
            key="step_forth",
            on_click=move,
            args=(1,),
            disabled=at_end,
            help="Step forth",
        )
        st.button(
            "Start over",
            icon=":material/first_page:",
            key="start_over",
            on_click=state.acting(_restart),
            disabled=not setup.steps,
            help="Drop the accepted tokens and start over at the prompt",
        )
        st.caption(f"{len(view.ids):,} of {view.worker.engine.info.context_length:,} tokens")


def strip_tokens(view: SamplingView, score: SequenceScore | None) -> tuple[list[StripToken], int]:
    """The strip's tokens and the index of the first one shown in the whole text."""
    ids = view.ids + view.setup.steps[view.setup.position :]
    first = max(0, len(ids) - SHOWN_TOKENS)
    tokens = [_strip_token(view, ids, index, score) for index in range(first, len(ids))]
    return tokens, first


def _strip_token(view: SamplingView, ids: tuple[int, ...], index: int, score: SequenceScore | None) -> StripToken:
    codec, token = view.codec, ids[index]
    text = codec.piece(token, ids[max(0, index - CONTEXT_TAIL) : index])
    shown = glyphs(text) or "␀"
    if index >= len(view.ids):
        kind = "ghost"
    elif codec.is_special(token):
        kind = "special"
    else:
        kind = "step" if index >= len(view.prompt_ids) else "prompt"
    lines = [f"{shown}  ·  id {token}", *_score_lines(index, score, view)]
    return StripToken(
        text=shown,
        label=", ".join(lines),
        kind=kind,
        lines=tuple(lines),
        breaks=text.endswith("\n"),
    )


def _score_lines(index: int, score: SequenceScore | None, view: SamplingView) -> list[str]:
    if index >= len(view.ids):
        return ["stepped back over: press Forth to return to it"]
    if score is None:
        return ["probability not computed: the text is long"]
    value = float(score.logprobs[index])
    if math.isnan(value):
        return ["first token: nothing comes before it, so it has no probability"]
    return [
        f"raw probability {percent(math.exp(value))}, log-probability {logprob(value)}",
        f"rank {int(score.ranks[index]) + 1:,}, entropy before it {entropy(float(score.entropies[index]))}",
    ]


def _accept_drawn() -> None:
    """Append what the present settings draw; the pictures have traced it already."""
    with suppress(PlaygroundError):  # nothing to accept: the page says why
        state.put(state.setup().accept(load_view().next.draw.id))


def _move(by: int) -> None:
    state.put(state.setup().move(by))


def _restart() -> None:
    state.put(state.setup().restart())


def _go_to(view: SamplingView, index: int) -> None:
    """A click on an accepted token goes to the moment before it was chosen; prompt tokens stay where they are."""
    step = index - len(view.prompt_ids)
    setup = state.setup()  # the present one: a slider may have moved since this strip was drawn
    if step >= 0:
        state.put(setup.move(step - setup.position))
