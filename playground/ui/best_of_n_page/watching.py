"""Looking in on the bench while the model works: one row of progress with a stop button, and a timer that ends by itself."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.charts.numbers import gigabytes, milliseconds
from playground.ui.best_of_n_page.bench import Bench
from playground.ui.kit.messages import escape_markdown

LOOK_EVERY_S = 0.4


def watch(
    mine: Bench, key: str, draw: Callable[[], None] | None = None, *, watched: Callable[[], object] = lambda: None
) -> None:
    """``draw`` (the progress alone, where none is given) again and again while the bench is busy.

    The whole page is drawn anew when the work ends, and when ``watched`` changes.
    """

    def look() -> None:
        before = mine.busy, watched()
        mine.drain()
        if draw is not None:
            draw()
        elif mine.busy:
            progress(mine)
        if before[0] and (not mine.busy or watched() != before[1]):
            st.rerun()

    mine.drain()
    st.fragment(look, key=key, run_every=LOOK_EVERY_S if mine.busy else None)()


def progress(mine: Bench) -> None:
    """One row of one height: what is being done, how far it is, and the stop button."""
    with st.container(horizontal=True, vertical_alignment="center", key="bon_status"):
        job = mine.job
        if job is None:
            st.caption(_spent(mine))
            return
        queue = f", {job.ticket.position} ahead of you" if job.ticket.position else ""
        if job.what == "run":
            said, share = _run_progress(mine)
        else:
            said, share = f"{job.note or 'Waiting'}: {job.done} of {job.total}", job.done / max(1, job.total)
        st.progress(min(1.0, share), text=escape_markdown(said + queue))
        st.button(
            "Stop",
            key="bon_stop",
            icon=":material/stop:",
            on_click=mine.stop,
            shortcut="escape",
            help="Frees the model at once; finished candidates stay.",
        )
    if said := _split(mine):
        st.caption(said)


def _split(mine: Bench) -> str:
    """Into how many batches the run was split, why, and what one was estimated to take; "" for one alone."""
    if mine.plan is None or len(mine.plan.batches) < 2:
        return ""
    why = "memory for all at once is not free" if mine.plan.split_by_memory else "so that others get their turn"
    return (
        f"{len(mine.plan.batches)} batches of at most {max(map(len, mine.plan.batches))} rows, {why}: an estimated "
        f"{gigabytes(mine.plan.needed_bytes)} at a time."
    )


def _run_progress(mine: Bench) -> tuple[str, float]:
    finished, wanted = len(mine.candidates), max(1, mine.wanted)
    if not mine.cost.new_tokens:
        return "The model reads the prompt", 0.0
    most = wanted * (mine.asking.max_new_tokens if mine.asking else 1)
    rate = mine.cost.new_tokens / max(mine.cost.decode_ms, 1e-3) * 1000
    said = f"{finished} of {wanted} finished, {mine.live_rows} being written, {rate:,.1f} tokens/s"
    return said, max(finished / wanted, mine.cost.new_tokens / most)


def _spent(mine: Bench) -> str:
    if not mine.cost.new_tokens:
        return ""
    cost = mine.cost
    rate = cost.new_tokens / max(cost.decode_ms, 1e-3) * 1000
    again = f", resumed {cost.resumed}×" if cost.resumed else ""
    return (
        f"{len(mine.candidates)} candidates, {cost.new_tokens:,} tokens at {rate:,.1f} tokens/s; prompt read in "
        f"{milliseconds(cost.prefill_ms)}, written in {milliseconds(cost.decode_ms)}{again}. {_split(mine)}"
    ).rstrip(" .")
