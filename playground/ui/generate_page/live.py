"""The text as it grows: progress, speed, the stop button, and the strip itself.

One fragment that looks in a few times a second while something is under way, and not at all otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.charts.generation_strip import path_tokens, prompt_tokens
from playground.charts.numbers import milliseconds
from playground.charts.token_colours import legend_html
from playground.engine.serving.worker import Worker
from playground.generation import samples_here
from playground.generation.tree import REASONS, Branch
from playground.state.generate import GenerateState
from playground.ui.components.token_strip import token_strip
from playground.ui.generate_page.session import GenerateSession, options
from playground.ui.generate_page.surviving import store_progress
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import escape_markdown
from playground.ui.kit.pace import queue_words
from playground.ui.kit.widgets import Bound

# A look costs about 150 ms of a processor, 60 here and 90 in the browser, whatever has come: what decodes on the same machine
# has them less. Reading is not faster than this.
LOOK_EVERY_S, LONG_LOOK_EVERY_S = 0.6, 1.2
LONG_TOKENS = 200
STRIP_HEIGHT = "22rem"


def live(work: GenerateSession, section: str, worker: Worker, body: Callable[[GenerateSession, Worker], None]) -> None:
    """``body`` with progress above it, repainted while the work is busy, and the work stored as it grows."""

    def draw() -> None:
        store_progress(work, section, worker)
        _progress(work, section == "write")
        body(work, worker)

    watch(work, draw, key="live", every=look_every_s(work))


def look_every_s(work: GenerateSession) -> float:
    """Seconds between two looks at a text under way."""
    return LONG_LOOK_EVERY_S if work.stream is not None and work.stream.wanted > LONG_TOKENS else LOOK_EVERY_S


def _progress(work: GenerateSession, one_text: bool) -> None:
    """One row of one height, so that nothing below it jumps. ``one_text``: once it has ended, why."""
    stream = work.stream or work.last
    with st.container(horizontal=True, vertical_alignment="center", key="generate_status"):
        if work.stream is None:
            sentences = [ending_words(work.tree[work.tree.current])] if one_text and work.tree.branches else []
            if stream is not None and stream.count:
                prefill = f", prompt read in {milliseconds(stream.generation.prefill_ms)}" if stream.generation else ""
                sentences.append(f"{stream.count:,} new tokens, {stream.tokens_per_second:.1f} tokens/s{prefill}")
            if sentences:
                st.caption(" ".join(sentences))
            return
        done = stream.count if stream else 0
        wanted = max(1, work.stream.wanted)
        said = f"Writing: {done:,} of at most {wanted:,} tokens" if done else "The model reads the prompt"
        # Once it writes, its speed says what it waits for others.
        more = f", {work.stream.tokens_per_second:.1f} tokens/s" if done else queue_words(work.stream.ticket)
        st.progress(min(1.0, done / wanted), text=f"{said}{more}")
        st.button(
            "Stop",
            key="generate_stop",
            icon=":material/stop:",
            on_click=work.stop,
            shortcut="escape",
            help="Frees the model at once; what has been written stays.",
        )


def writing_strip(work: GenerateSession, worker: Worker) -> None:
    """The strip of the branch in view; while another one is being written, how it ended."""
    if work.run is None or not work.tree.branches:
        return
    scale = options().scale
    codec, branch = worker.engine.codec, work.tree[work.tree.current]
    tokens = prompt_tokens(work.run.prompt, codec, scale)
    shown_prompt = len(tokens)
    if work.stream is None:
        tokens += path_tokens(work.run, work.tree, branch.id, codec, scale)
    else:
        tokens += work.growing[""].look(work.run, work.tree, branch.id, codec, scale)

    def pick(index: int) -> None:
        work.selected = index - shown_prompt if index >= shown_prompt else None
        work.closed = work.selected is None
        redraw(PICTURES)

    hidden = len(work.run.prompt.ids) - shown_prompt
    if hidden > 0:
        st.caption(f"The prompt's first {hidden:,} tokens are not shown.")
    token_strip(
        tokens,
        key="generate_strip",
        label="Prompt and generated text, one button for each token: Enter on a generated one shows its alternatives",
        on_pick=pick,
        selected=-1 if work.open_place is None else shown_prompt + work.open_place,
        height=STRIP_HEIGHT,
    )
    if work.stream is not None and branch.id not in work.stream.branches:
        show_ending(branch)


def show_ending(branch: Branch) -> None:
    """Why the text ended, always, with what the ending hides."""
    st.markdown(ending_words(branch))


def ending_words(branch: Branch) -> str:
    """Markdown."""
    by = f" {_quoted(branch.stopped_by)}" if branch.stopped_by else ""
    hidden = f" Hidden from the text: {_quoted(branch.hidden_text)}." if branch.hidden_text else ""
    if branch.stopped_by and branch.stopped_by == branch.hidden_text:
        by, hidden = f"{by}, hidden from the text", ""
    return f"**Ended:** {REASONS[branch.ended]}{by}.{hidden}"


def _quoted(text: str) -> str:
    shown = text.replace("\n", "↵").replace("\t", "⇥")
    return f"“{escape_markdown(shown)}”"


def legend_line(worker: Worker) -> None:
    """What the colours mean, and the choice of it; and what an engine that samples by itself does not tell."""
    with st.container(horizontal=True, vertical_alignment="center", key="generate_legend"):
        Bound(GenerateState).choose("scale", label_visibility="collapsed", width=150)
        st.html(legend_html(options().scale, named=False))
    if not samples_here(worker.engine):
        st.caption(
            ":material/info: This engine samples by itself, in its own order of samplers: it tells no random number, no entropy "
            "and no probability after them. A token without a colour is one it does not tell that figure of."
        )
