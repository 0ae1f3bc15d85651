"""Of a training on votes: how far it is and how long it will take, its losses, and how it ended."""

from __future__ import annotations

import streamlit as st

from playground.charts.teach_curves import best_step
from playground.training.steps import TrainStep
from playground.ui.examples_page.kept_trainings import state_word
from playground.ui.examples_page.training_view import LOOK_S
from playground.ui.kit.fragments import PICTURES, redraw_next, rerun_callback
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.pace import queue_words
from playground.ui.preferences_page.pair_training import (
    PairKind,
    PairTraining,
    end,
    is_under_way,
    pair_training,
    seconds_left,
)
from playground.ui.tune_page.run_panel import duration

PAIR_LOOK_S = 1.0  # a step takes seconds, and each look draws up to four charts in the browser anew
_READS: dict[PairKind, str] = {
    "reward": "The model is loaded once more, to be taught, and reads what is held out",
    "dpo": "The model is loaded once more, and rates all answers as it is before it is taught",
}


def pair_progress(kind: PairKind, own: PairTraining) -> None:
    """A bar with pause and end while it runs; how it ended after."""
    if own.kept is None:
        return
    for note in own.notes:
        st.caption(f":material/info: {escape_markdown(note)}")
    last = own.steps[-1] if own.steps else None
    if not own.busy:
        _ended(own, last)
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"preferences_{kind}_under_way"):
        _bar(kind, own, last)
        st.button(
            "Pause",
            key=f"preferences_{kind}_pause",
            icon=":material/pause:",
            on_click=rerun_callback(lambda: end(own, "paused"), PICTURES),
        )
        st.button(
            "End here",
            key=f"preferences_{kind}_stop",
            icon=":material/stop:",
            shortcut="escape",
            on_click=rerun_callback(lambda: end(own, "stopped"), PICTURES),
            help="Frees the machine; the best so far is kept.",
        )


def _bar(kind: PairKind, own: PairTraining, last: TrainStep | None) -> None:
    ahead = "" if own.ticket is None else queue_words(own.ticket)
    if last is None or own.reading is not None:
        share = 0.0 if own.reading is None else own.reading.share
        st.progress(share, text=_READS[kind] + (f", {share:.0%}" if share else "") + ahead)
        return
    recent = [step for step in own.steps[-5:] if step.seconds > 0]
    rate = (
        f", epoch {last.epoch:.1f}, {sum(step.tokens for step in recent) / sum(step.seconds for step in recent):,.0f} tokens/s"
        if recent
        else ""
    )
    left = f", about {duration(seconds_left(own.steps))} left" if recent and last.step < last.steps else ""
    st.progress(last.step / max(1, last.steps), text=f"Step {last.step:,} of {last.steps:,}{rate}{left}{ahead}")


def _ended(own: PairTraining, last: TrainStep | None) -> None:
    assert own.kept is not None
    summary, best = own.kept.summary, best_step(own.steps)
    said = f"**{escape_markdown(summary.name)}** · {escape_markdown(own.kept.origin.name)} · {state_word(summary)}"
    if last is not None:
        said += f" · {last.step:,} of {last.steps:,} steps"
    if best is not None and own.kept.folder is not None:
        said += f". Kept is step {best.step:,}, where the held-out loss was lowest: {best.heldout:.3f} nats a pair."
    st.markdown(said)
    if summary.problem:
        st.warning(escape_markdown(summary.problem), icon=":material/pause_circle:")


def look_on(kind: PairKind) -> None:
    """By a timer, while a training goes on without this tab; the page is drawn anew once it does not."""
    if not is_under_way(pair_training(kind)):
        return

    def look() -> None:
        st.caption(":material/save: Its last checkpoint is being written, or another tab trains it.")
        if not is_under_way(pair_training(kind)):
            redraw_next(PICTURES)

    st.fragment(look, key=f"preferences_{kind}_look_on", run_every=LOOK_S)()
