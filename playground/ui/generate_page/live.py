"""The text as it grows: progress, speed, the stop button, and the strip itself.

One fragment that looks in a few times a second while something is under way, and not at all otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.charts.numbers import milliseconds
from playground.charts.token_colours import SCALES, legend_html
from playground.engine.serving.worker import Worker
from playground.generation import TokenStep
from playground.generation.tree import Branch
from playground.ui import state
from playground.ui.components.token_strip import token_strip
from playground.ui.generate_page.desk import Desk
from playground.ui.generate_page.strip import path_tokens, prompt_tokens
from playground.ui.kit.messages import escape_markdown

LOOK_EVERY_S, LONG_LOOK_EVERY_S = 0.4, 0.8  # a look costs the more, the longer the text is
LONG_TOKENS = 200
STRIP_HEIGHT = "22rem"
REASONS = {
    "length": "the maximum number of tokens was reached",
    "stop": "a stop string came",
    "eos": "the model ended its text (end-of-sequence token)",
    "stop_id": "a stop token came",
    "stopped": "stopped before it was finished",
    "picked": "the token was chosen by hand",
}


def live(desk: Desk, worker: Worker, body: Callable[[Desk, Worker], None]) -> None:
    """``body`` with progress above it, repainted while the desk is busy."""

    def look() -> None:
        was_busy = desk.busy
        if was_busy:
            desk.drain(worker)
        _progress(desk)
        body(desk, worker)
        if was_busy and not desk.busy:
            st.rerun()

    if desk.busy:
        desk.drain(worker)
    st.fragment(look, key="live", run_every=look_every_s(desk) if desk.busy else None)()


def look_every_s(desk: Desk) -> float:
    """Seconds between two looks at a text under way."""
    return LONG_LOOK_EVERY_S if desk.stream is not None and desk.stream.wanted > LONG_TOKENS else LOOK_EVERY_S


def _progress(desk: Desk) -> None:
    """One row of one height, so that nothing below it jumps."""
    stream = desk.stream or desk.last
    with st.container(horizontal=True, vertical_alignment="center", key="generate_status"):
        if desk.stream is None:
            if stream is not None and stream.count:
                prefill = f", prompt read in {milliseconds(stream.generation.prefill_ms)}" if stream.generation else ""
                st.caption(f"{stream.count:,} new tokens, {stream.tokens_per_second:.1f} tokens/s{prefill}")
            return
        done = stream.count if stream else 0
        wanted = max(1, desk.stream.wanted)
        queue = f", {desk.stream.ticket.position} ahead of you" if desk.stream.ticket.position else ""
        said = f"Writing: {done:,} of at most {wanted:,} tokens" if done else "The model reads the prompt"
        speed = f", {desk.stream.tokens_per_second:.1f} tokens/s" if done else ""
        st.progress(min(1.0, done / wanted), text=f"{said}{speed}{queue}")
        st.button(
            "Stop",
            key="generate_stop",
            icon=":material/stop:",
            on_click=desk.stop,
            shortcut="escape",
            help="Frees the model at once; what has been written stays.",
        )


def writing_strip(desk: Desk, worker: Worker) -> None:
    """The strip of the branch in view, with its legend and how it ended."""
    if desk.run is None or not desk.tree.branches:
        return
    scale = scale_in_use()
    codec, branch = worker.engine.codec, desk.tree[desk.tree.current]
    tokens = prompt_tokens(desk.run.prompt, codec, scale)
    shown_prompt = len(tokens)
    if desk.stream is None:
        tokens += path_tokens(desk.run, desk.tree, branch.id, codec, scale)
    else:
        tokens += desk.growing[""].look(desk.run, desk.tree, branch.id, codec, scale)

    def pick(index: int) -> None:
        desk.selected = index - shown_prompt if index >= shown_prompt else None
        state.rerun_parts(state.PICTURES)

    hidden = len(desk.run.prompt.ids) - shown_prompt
    if hidden > 0:
        st.caption(f"The prompt's first {hidden:,} tokens are not shown.")
    token_strip(
        tokens,
        key="generate_strip",
        label="Prompt and generated text, one button for each token: Enter on a generated one shows its alternatives",
        on_pick=pick,
        selected=-1 if desk.selected is None else shown_prompt + desk.selected,
        height=STRIP_HEIGHT,
    )
    st.html(legend_html(scale))
    if desk.stream is None or branch.id not in desk.stream.branches:
        show_ending(branch)


def show_ending(branch: Branch) -> None:
    """Why the text ended, always, with what the ending hides."""
    by = f" {_quoted(branch.stopped_by)}" if branch.stopped_by else ""
    hidden = f" Hidden from the text: {_quoted(branch.hidden_text)}." if branch.hidden_text else ""
    st.markdown(f"**Ended:** {REASONS[branch.ended]}{by}.{hidden}")


def _quoted(text: str) -> str:
    shown = text.replace("\n", "↵").replace("\t", "⇥")
    return f"“{escape_markdown(shown)}”"


def scale_in_use() -> str:
    found = st.session_state.get("generate_scale")
    return found if found in SCALES else "probability"


def scale_control() -> None:
    """What the colours mean."""

    def choose() -> None:
        st.session_state["generate_scale"] = st.session_state["w_generate_scale"] or "probability"
        state.rerun_parts(state.PICTURES)

    st.session_state["w_generate_scale"] = scale_in_use()
    st.segmented_control(
        "Colour by",
        list(SCALES),
        default=scale_in_use(),
        format_func=lambda name: SCALES[name].label,
        key="w_generate_scale",
        on_change=choose,
        required=True,
    )


def mean_logprob(path: tuple[TokenStep, ...]) -> float:
    return sum(step.raw_logprob for step in path) / len(path) if path else float("nan")
