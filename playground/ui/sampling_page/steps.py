"""The text so far, token by token, and stepping: accept the drawn token, go back and forth, start over."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from playground.charts.text_strip import text_tokens
from playground.engine.types import SequenceScore
from playground.errors import PlaygroundError
from playground.state.setup import Setup
from playground.ui.components.token_strip import token_strip
from playground.ui.kit import session
from playground.ui.kit.fragments import TEXT, rerun_callback
from playground.ui.kit.jobs import Pending, redraw_when_done, show_pending
from playground.ui.sampling_page.view import SamplingView, load_view
from playground.ui.workspace.reading import score_text
from playground.ui.workspace.setup import setup

_OPEN_DRAW = (
    "Which token is drawn here cannot be said: click one of the bars to accept its token, or take another seed."
)


def steps_section() -> None:
    """The strip and its buttons on one line. Nothing here depends on the samplers: a moved slider leaves it alone.

    The bars come first: each token's own probability is asked for once they are there, and the strip is drawn without it
    until then.
    """
    try:
        view = load_view()
    except Pending as still:  # the pictures show how far it is; the old text stays, dimmed, so that nothing jumps
        before = session.get(_LastView)
        with st.container(key="stale_text"):
            if before.view is not None:
                _draw_text(before.view, before.score)
        redraw_when_done(still, TEXT)
        return
    except PlaygroundError:
        return  # the pictures say what is wrong
    try:
        score, pending = score_text(view.worker, view.ids), None
    except Pending as still:
        score, pending = None, still
    session.put(_LastView(view, score))
    with st.container(key="fresh_text"):  # in the place of the dimmed one
        _draw_text(view, score)
    if pending is not None:
        show_pending(pending, TEXT)


@dataclass(frozen=True, slots=True)
class _LastView:
    """What this session's strip showed last: nothing is asked for a text that is about to go."""

    view: SamplingView | None = None
    score: SequenceScore | None = None


def _draw_text(view: SamplingView, score: SequenceScore | None) -> None:
    tokens, first = text_tokens(
        view.codec, view.ids, len(view.prompt_ids), view.setup.steps[view.setup.position :], score
    )
    shown = view.setup
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="text_row"):
        with st.container(width="stretch"):
            token_strip(
                tokens,
                key="text_strip",
                label="The text so far, one button for each token",
                on_pick=rerun_callback(lambda index: _go_to(view, first + index)),
                height="4.5rem",
            )
        _step_buttons(shown)
        st.caption(f"{len(view.ids):,} of {view.worker.engine.info.context_length:,}", width="content", help="Tokens.")
    if not shown.prompt and not shown.chat:
        st.caption(
            "The prompt is empty: the model starts from its own start token. Type into the Prompt box to give it a text."
        )


def _step_buttons(shown: Setup) -> None:
    """Icons beside the text: accept the drawn token, step back and forth, start over."""
    at_start, at_end = shown.position == 0, shown.position == len(shown.steps)
    st.button(
        "Accept the drawn token",
        icon=":material/play_arrow:",
        type="primary",
        key="accept_drawn",
        shortcut="Alt+A",
        on_click=rerun_callback(_accept_drawn),
        help="Append the token that the seed draws here: the one marked ▶ among the bars.",
    )
    buttons = (
        ("step_back", "Back", ":material/undo:", "Step back", _move, (-1,), at_start),
        ("step_forth", "Forth", ":material/redo:", "Step forth", _move, (1,), at_end),
        (
            "start_over",
            "Start over",
            ":material/first_page:",
            "Drop the accepted tokens",
            _restart,
            (),
            not shown.steps,
        ),
    )
    for key, name, icon, about, write, args, disabled in buttons:
        st.button(name, icon=icon, key=key, help=about, on_click=rerun_callback(write), args=args, disabled=disabled)


def _accept_drawn() -> None:
    """Append what the present settings draw; the pictures have traced it already."""
    with suppress(PlaygroundError):  # nothing to accept: the page says why
        drawn = load_view().next.draw.id
        if drawn is None:
            session.note_problem(_OPEN_DRAW)
        else:
            session.put(setup().accept(drawn))


def _move(by: int) -> None:
    session.put(setup().move(by))


def _restart() -> None:
    session.put(setup().restart())


def _go_to(view: SamplingView, index: int) -> None:
    """A click on an accepted token goes to the moment before it was chosen; prompt tokens stay where they are."""
    step = index - len(view.prompt_ids)
    shown = setup()  # the present one: a slider may have moved since this strip was drawn
    if step >= 0:
        session.put(shown.move(step - shown.position))
