"""What the tabs of the Best-of-N page look at, and what the last button asked for, done before they are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from playground.engine.api import Rows
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.ui.best_of_n_page.actions import note_run, resume, start_run, start_scoring, take_up
from playground.ui.best_of_n_page.bake_off import bakeoff_section, forget_kept, start_bakeoff
from playground.ui.best_of_n_page.beams import beams_section
from playground.ui.best_of_n_page.candidates import candidates_section
from playground.ui.best_of_n_page.cost_section import cost_section, start_measure
from playground.ui.best_of_n_page.curves import curves_section
from playground.ui.best_of_n_page.first_valid import first_valid_section, start_race
from playground.ui.best_of_n_page.following import take_over_run
from playground.ui.best_of_n_page.rankings import rankings_section
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession, PendingAction, present_request
from playground.ui.best_of_n_page.votes import voting_section
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.kit.page import Section
from playground.ui.workspace.model import loaded_model

ACTIONS: dict[str, Callable[[ModelSession, Worker], None]] = {
    "run": lambda own, worker: start_run(own, worker, present_request()),
    "beams": lambda own, worker: start_run(own, worker, present_request(beams=True), retain_samples=True),
    "resume": resume,
    "score": start_scoring,
    "race": lambda own, worker: start_race(own, worker, retried=False),
    "retry": lambda own, worker: start_race(own, worker, retried=True),
    "measure": start_measure,
    "bakeoff": lambda own, worker: start_bakeoff(own, worker, go_on=False),
    "bakeoff_on": lambda own, worker: start_bakeoff(own, worker, go_on=True),
    "bakeoff_forget": lambda own, worker: forget_kept(worker),
}
"""What a button may ask for, by the name it asks with."""


@dataclass(frozen=True, slots=True)
class BestOfNView:
    """One moment of the page: the session of the model in use, and its worker."""

    own: ModelSession
    worker: Worker


def load_view() -> BestOfNView:
    """The page, after what the last button asked for. No page opens empty: the first visit asks at once."""
    worker = loaded_model()
    own = session.get(BestOfNSession).of_model(worker.engine.info.id)
    take_over_run(own, worker)
    action = session.get(PendingAction).what
    session.put(PendingAction())
    taken_up = False
    if not action and own.run.request is None and own.problem is None and not own.busy:
        taken_up = take_up(own, worker)
        action = "resume" if taken_up else "" if own.run.candidates else "run"
    if action:
        own.make_way()
        try:
            ACTIONS[action](own, worker)
        except PlaygroundError as error:  # what is there stays
            own.problem = str(error)
    if taken_up:
        own.note = "The process that made these candidates has ended; another one goes on from what it had stored."
    note_run(own, worker)
    return BestOfNView(own, worker)


def _section(title: str, draw: Callable[[ModelSession, Worker], None], needs: tuple[type, ...] = ()) -> Section:
    def drawn(view: BestOfNView) -> None:
        own = view.own
        if own.problem:
            show_problem(own.problem)
        if own.note:
            st.info(escape_markdown(own.note), icon=":material/info:")
        draw(own, view.worker)

    return Section(title, drawn, needs=needs)


SECTIONS: dict[str, Section] = {
    "candidates": _section("Candidates", candidates_section),
    "rankings": _section("Rankings", rankings_section),
    "voting": _section("Voting", voting_section),
    "beams": _section("Beams", beams_section, needs=(Rows,)),
    "first-valid": _section("First valid", first_valid_section),
    "curves": _section("Curves", curves_section),
    "bake-off": _section("Bake-off", bakeoff_section),
    "cost": _section("What it costs", cost_section),
}
