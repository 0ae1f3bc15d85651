"""The tabs of the Best-of-N page, and what the open one needs before it is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.engine.worker import Worker
from playground.ui.best_of_n_page.bench import Bench, bench, do_todo
from playground.ui.best_of_n_page.candidates import bench_problem, candidates_section
from playground.ui.best_of_n_page.rankings import rankings_section
from playground.ui.best_of_n_page.votes import voting_section
from playground.ui.messages import problems_shown_here

Section = Callable[[Bench, Worker], None]
SECTIONS: dict[str, Section] = {
    "Candidates": candidates_section,
    "Rankings": rankings_section,
    "Voting": voting_section,
}


def draw_sections(worker: Worker) -> None:
    """No page opens empty: the first visit asks at once."""
    mine = bench(worker.engine.info.id)
    wanted = st.session_state.pop("best_of_n_wanted", None)
    if wanted is not None:
        mine.todo = wanted
    elif mine.asking is None and mine.problem is None and not mine.busy:
        mine.todo = "run"
    do_todo(mine, worker)
    bench_problem(mine)
    tabs = st.tabs(list(SECTIONS), on_change="rerun", key="best_of_n_section")
    for tab, section in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab, problems_shown_here():
                section(mine, worker)
