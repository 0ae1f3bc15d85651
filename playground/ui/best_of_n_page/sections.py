"""The tabs of the Best-of-N page, and what the open one needs before it is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.ui.best_of_n_page.bake_off import bakeoff_section, forget_kept, start_bakeoff
from playground.ui.best_of_n_page.beams import beams_section
from playground.ui.best_of_n_page.bench import Bench, bench, present_asking
from playground.ui.best_of_n_page.bench_work import make_way, resume, start_run, start_scoring
from playground.ui.best_of_n_page.candidates import bench_problem, candidates_section
from playground.ui.best_of_n_page.curves import curves_section
from playground.ui.best_of_n_page.first_valid import first_valid_section, start_race
from playground.ui.best_of_n_page.price import cost_section, start_measure
from playground.ui.best_of_n_page.rankings import rankings_section
from playground.ui.best_of_n_page.votes import voting_section
from playground.ui.kit.messages import problems_shown_here

Section = Callable[[Bench, Worker], None]
SECTIONS: dict[str, Section] = {
    "Candidates": candidates_section,
    "Rankings": rankings_section,
    "Voting": voting_section,
    "Beams": beams_section,
    "First valid": first_valid_section,
    "Curves": curves_section,
    "Bake-off": bakeoff_section,
    "What it costs": cost_section,
}

DOES: dict[str, Callable[[Bench, Worker], None]] = {
    "run": lambda mine, worker: start_run(mine, worker, present_asking()),
    "beams": lambda mine, worker: start_run(mine, worker, present_asking(beams=True), keep=True),
    "resume": resume,
    "score": start_scoring,
    "race": lambda mine, worker: start_race(mine, worker, retried=False),
    "retry": lambda mine, worker: start_race(mine, worker, retried=True),
    "measure": start_measure,
    "bakeoff": lambda mine, worker: start_bakeoff(mine, worker, go_on=False),
    "bakeoff_on": lambda mine, worker: start_bakeoff(mine, worker, go_on=True),
    "bakeoff_forget": lambda mine, worker: forget_kept(worker),
}
"""What a button may ask for, by the name it asks with."""


def do_todo(mine: Bench, worker: Worker) -> None:
    """What the last button asked for. A refusal becomes the bench's problem; what is there stays."""
    todo, mine.todo = mine.todo, None
    if todo is None:
        return
    make_way(mine)
    try:
        DOES[todo](mine, worker)
    except PlaygroundError as error:
        mine.problem = str(error)


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
