"""Of "Best-of-N under it": answers are made to a ballot's prompts, each prompt's as a kept run of Best-of-N."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import streamlit as st

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation.document import origin_of
from playground.state.preferences import MOST_RUNS, PreferencesState
from playground.testtime.events import BatchStep, Event
from playground.testtime.recorder import RunRecorder, recorded_run
from playground.testtime.request import BestOfNRequest
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.runtime import session_id
from playground.ui.visitor import owner_id
from playground.ui.workspace.setup import setup
from playground.ui.workspace.shared import check_best_of_n, visitor_limits

RUNS, MADE, NEW_TOKENS = MOST_RUNS, 128, 48
"""So many runs of so many answers: from fewer the place of a peak is not known to a fifth (docs/teach.md has the figures)."""


@dataclass(eq=False)
class Making(HasJob[None]):
    """``finished``: answers so far of ``wanted``. ``runs``: those that are whole."""

    wanted: int = 0
    finished: int = 0
    runs: list[str] = field(default_factory=list)

    def ended(self, job: JobView[None]) -> None:
        if self.runs:  # what is whole is looked at, also after a stop
            session.change(PreferencesState, runs=tuple(self.runs))


def answers_a_run() -> int:
    """As many as this visitor may have made at once."""
    return min(MADE, visitor_limits().rows)


def make(worker: Worker, prompts: tuple[str, ...]) -> None:
    """Begin ``RUNS`` runs, dealt in turn over the prompts. Raises PlaygroundError before the model runs."""
    own, limits, visitor, origin = session.get(Making), visitor_limits(), owner_id(), origin_of(worker.engine.info)
    requests = [
        BestOfNRequest(
            prompts[number % len(prompts)],
            chat=worker.engine.info.has_chat_template,
            settings=setup().settings,
            seed=setup().seed + number // len(prompts),
            n=answers_a_run(),
            max_new_tokens=NEW_TOKENS,
        )
        for number in range(RUNS)
    ]
    check_best_of_n(requests[0])
    own.wanted, own.finished, own.runs, own.problem = RUNS * answers_a_run(), 0, [], ""

    def job(engine: Engine, cancel: CancelToken) -> Generator[Event, None, None]:
        for request in requests:
            recorder = RunRecorder.begin(request, origin, visitor, limits.check_runs)
            if not recorder.run:
                raise PlaygroundError(recorder.problem or "The run cannot be kept.")
            yield from recorded_run(engine, request, recorder, cancel=cancel)
            own.runs.append(recorder.run)

    def take(step: Event) -> None:
        own.finished += len(step.finished) if isinstance(step, BatchStep) else 0

    own.job = JobView(worker.submit(session_id(), "preferences-making", job), take)


def making_progress() -> None:
    """How far it is, with a stop; nothing while nothing is made."""
    own = session.get(Making)
    if own.busy:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(min(1.0, own.finished / own.wanted), text=f"{own.finished:,} of {own.wanted:,} answers")
            st.button("Stop", key="preferences_stop_making", icon=":material/stop:", on_click=_stop, shortcut="escape")


def _stop() -> None:
    job = session.get(Making).job
    if job is not None:
        job.stop()
