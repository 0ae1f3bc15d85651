"""What is under way: one row of progress with a stop button, and what a finished run took."""

from __future__ import annotations

import streamlit as st

from playground.charts.numbers import gigabytes, milliseconds
from playground.testtime.live_run import LiveRun
from playground.ui.best_of_n_page.session import ModelSession
from playground.ui.kit.messages import escape_markdown
from playground.ui.kit.pace import queue_words


def progress(own: ModelSession) -> None:
    """One row of one height: what is being done, how far it is, and the stop button."""
    with st.container(horizontal=True, vertical_alignment="center", key="bon_status"):
        job = own.job
        if job is None:
            st.caption(_spent(own.run))
            return
        if own.doing == "run":
            said, share = _run_progress(own.run)
        else:
            said, share = f"{job.note or 'Waiting'}: {job.done} of {job.total}", job.done / max(1, job.total)
        if not share:  # later its pace says what it waits for others
            said += queue_words(job.ticket)
        st.progress(min(1.0, share), text=escape_markdown(said))
        st.button(
            "Stop",
            key="bon_stop",
            icon=":material/stop:",
            on_click=own.stop,
            shortcut="escape",
            help="Frees the model at once; finished candidates stay.",
        )
    if said := _split(own.run):
        st.caption(said)


def work_progress(own: ModelSession) -> None:
    """``progress`` while there is something under way, and nothing afterwards."""
    if own.busy:
        progress(own)


def _split(run: LiveRun) -> str:
    """Into how many batches the run was split, why, and what one was estimated to take; "" for one alone."""
    if run.plan is None:
        return ""
    if run.plan.memory is None:
        at_once = run.plan.at_once
        return f"The server writes {at_once} at a time." if at_once and at_once < run.wanted else ""
    if len(run.plan.batches) < 2:
        return ""
    why = "memory for all at once is not free" if run.plan.split_by_memory else "so that others get their turn"
    return (
        f"{len(run.plan.batches)} batches of at most {max(map(len, run.plan.batches))} rows, {why}: an estimated "
        f"{gigabytes(run.plan.memory.needed_bytes)} at a time."
    )


def _run_progress(run: LiveRun) -> tuple[str, float]:
    finished, wanted = len(run.candidates), max(1, run.wanted)
    if not run.cost.new_tokens:
        return "The model reads the prompt", 0.0
    most = wanted * (run.request.max_new_tokens if run.request else 1)
    said = f"{finished} of {wanted} finished, {run.live_rows} being written, {run.tokens_per_second:,.1f} tokens/s"
    return said, max(finished / wanted, run.cost.new_tokens / most)


def _spent(run: LiveRun) -> str:
    cost = run.cost
    if not cost.new_tokens:
        return ""
    read = "prompt read in" if run.plan is None or run.plan.memory is not None else "first token after"
    again = f", resumed {cost.resumed}×" if cost.resumed else ""
    return (
        f"{len(run.candidates)} candidates, {cost.new_tokens:,} tokens at {run.tokens_per_second:,.1f} tokens/s; {read} "
        f"{milliseconds(cost.prefill_ms)}, written in {milliseconds(cost.decode_ms)}{again}. {_split(run)}"
    ).rstrip(" .")
