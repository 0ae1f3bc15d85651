"""What training the draft will take: steps, tokens, memory and compute by formula, the time at a pace that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import streamlit as st

from playground.charts.numbers import gigabytes, percent
from playground.engine.serving.worker import Worker
from playground.errors import BadInput
from playground.models.info import LoadedModelInfo
from playground.training.estimate import Estimate, Pace, estimate
from playground.training.line import training_line
from playground.training.masks import MaskedText, cut
from playground.training.teachable import why_not_taught
from playground.ui.examples_page.masked_rows import masked_rows
from playground.ui.examples_page.session import draft
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView, watch
from playground.ui.kit.messages import show_problem
from playground.ui.kit.pace import queue_words
from playground.ui.runtime import session_id
from playground.ui.tune_page.run_panel import duration

_Of = tuple[object, ...]


@dataclass(eq=False)
class Measured(HasJob[Pace]):
    """The paces that this session has measured, by what they depend on; the job that measures one."""

    def __init__(self) -> None:
        super().__init__()
        self.paces: dict[_Of, Pace] = {}


def forecast(worker: Worker) -> Estimate:
    """Of the draft. Raises Pending while rows are encoded, BadInput for settings and rows that cannot be trained."""
    settings = draft().settings.checked()
    rows = [
        cut(text, settings.most_tokens) for text in masked_rows(worker, draft().rows) if isinstance(text, MaskedText)
    ]
    if not rows:
        raise BadInput(
            "None of the demonstrations can be read by this model: see Demonstrations for why.", "demonstrations"
        )
    info = cast(LoadedModelInfo, worker.engine.info)  # the tab needs the facet Weights, which only such a model offers
    return estimate(info, rows, settings, session.get(Measured).paces.get(_pace_of(worker)))


def _pace_of(worker: Worker) -> _Of:
    """What a pace depends on: the weights, their format, and how much an adapter computes."""
    settings = draft().settings
    return worker.engine.info.revision, settings.dtype, settings.rank, settings.targets, settings.batch, settings.chat


def show_forecast(worker: Worker, costs: Estimate) -> None:
    """In words; where the time is not known, a button that measures a step of these rows."""
    own = session.get(Measured)
    share = costs.trainable_parameters / (worker.engine.info.parameters or 1)
    time = "" if costs.seconds is None else f"About **{duration(costs.seconds)}** on this machine. "
    st.markdown(
        f"**{costs.rows + costs.heldout:,} demonstrations**: {costs.steps:,} steps, {costs.tokens:,} tokens read in all. {time}"
        f"It needs **{gigabytes(costs.memory_bytes)}** beside what is loaded; {costs.trainable_parameters:,} weights are "
        f"trained, {percent(share)} of the model's."
    )
    if costs.seconds is None and not why_not_taught(worker.engine.info):
        watch(own, lambda: _measuring(worker), key="teach_measure_run")


def _measuring(worker: Worker) -> None:
    own = session.get(Measured)
    if own.problem:
        show_problem(own.problem)
    with st.container(horizontal=True, vertical_alignment="center", key="teach_measuring"):
        if own.job is not None:
            st.caption(f":material/hourglass_top: A step is timed{queue_words(own.job.ticket)}")
            st.button(
                "Stop", key="teach_measure_stop", icon=":material/stop:", on_click=own.job.stop, shortcut="escape"
            )
        else:
            st.button(
                "Measure the time",
                key="teach_measure",
                icon=":material/speed:",
                on_click=_measure,
                args=(worker,),
                help="Loads the model once more and learns from a few of these rows; nothing of it is kept.",
            )


def _measure(worker: Worker) -> None:
    from playground.training.running import calibration  # it takes torch, and a page opens without it

    own, of = session.get(Measured), _pace_of(worker)
    if own.busy:
        return
    own.problem = ""

    def note(pace: Pace) -> None:
        own.paces[of] = pace

    ticket = training_line().submit(worker, session_id(), "train", calibration(draft().settings, draft().rows))
    own.job = JobView(ticket, on_end=note)
