"""What the tabs of the Best-of-N page look at, and what the last button asked for, done before they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.ui.best_of_n_page.bake_off import bakeoff_section, forget_kept, start_bakeoff
from playground.ui.best_of_n_page.beams import beams_section
from playground.ui.best_of_n_page.candidates import candidates_section
from playground.ui.best_of_n_page.curves import curves_section
from playground.ui.best_of_n_page.first_valid import first_valid_section, start_race
from playground.ui.best_of_n_page.price import cost_section, start_measure
from playground.ui.best_of_n_page.rankings import rankings_section
from playground.ui.best_of_n_page.session import Bench, BestOfNSession, Todo, present_asking
from playground.ui.best_of_n_page.votes import voting_section
from playground.ui.best_of_n_page.work import resume, start_run, start_scoring
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.kit.page import Section
from playground.ui.workspace.model import loaded_model

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


@dataclass(frozen=True, slots=True)
class BestOfNView:
    """One moment of the page: the bench of the model in use, and its worker."""

    bench: Bench
    worker: Worker


def load_view() -> BestOfNView:
    """The bench, after what the last button asked for. No page opens empty: the first visit asks at once."""
    worker = loaded_model()
    mine = session.get(BestOfNSession).bench(worker.engine.info.id)
    todo = session.get(Todo).what
    session.put(Todo())
    if not todo and mine.run.asking is None and mine.problem is None and not mine.busy:
        todo = "run"
    if todo:
        mine.make_way()
        try:
            DOES[todo](mine, worker)
        except PlaygroundError as error:  # what is there stays
            mine.problem = str(error)
    return BestOfNView(mine, worker)


def _section(title: str, draw: Callable[[Bench, Worker], None]) -> Section:
    def drawn(view: BestOfNView) -> None:
        mine = view.bench
        if mine.problem:
            show_problem(mine.problem)
        if mine.note:
            st.info(escape_markdown(mine.note), icon=":material/info:")
        draw(mine, view.worker)

    return Section(title, drawn)


SECTIONS: dict[str, Section] = {
    "candidates": _section("Candidates", candidates_section),
    "rankings": _section("Rankings", rankings_section),
    "voting": _section("Voting", voting_section),
    "beams": _section("Beams", beams_section),
    "first-valid": _section("First valid", first_valid_section),
    "curves": _section("Curves", curves_section),
    "bake-off": _section("Bake-off", bakeoff_section),
    "cost": _section("What it costs", cost_section),
}
