"""What the Best-of-N page remembers for one session: each model's present run, and the work under way for it.

It outlives page changes. What a button asks for is a ``PendingAction``, done by the next look at the pictures, where the
model is at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from playground.engine.serving.ticket import Ticket
from playground.errors import PlaygroundError
from playground.state.best_of_n import BestOfNState, request_of
from playground.testtime.live_run import LiveRun
from playground.testtime.recorder import RunRecorder
from playground.testtime.request import BestOfNRequest
from playground.testtime.types import ScoredCandidates
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.job_view import JobView
from playground.ui.visitor import visitor_id
from playground.ui.workspace.setup import setup


@dataclass(frozen=True, slots=True)
class PendingAction:
    """What a button or an experiment asked for, by its name among ``sections.ACTIONS``; "" for nothing."""

    what: str = ""


def request_action(what: str) -> Callable[[], None]:
    """A callback: let the next look at the pictures do it."""

    def callback() -> None:
        session.put(PendingAction(what))
        redraw(PICTURES)

    return callback


@dataclass(eq=False)
class ModelSession:
    """One model's run and the job that is under way for it. ``doing``: which, as ``PendingAction`` names it.

    ``recorder`` writes the run down. ``leader``: whose run is shown here while a room's leader is followed; with her next
    one this ends, and the run stays.
    ``results``: what other sections remember, by their name. ``problem`` and ``note`` stand above all sections.
    """

    model: str = ""
    run: LiveRun = field(default_factory=LiveRun)
    job: JobView[Any] | None = None
    doing: str = ""
    opened: int | None = None
    problem: str | None = None
    note: str | None = None
    recorder: RunRecorder = field(default_factory=RunRecorder)
    results: dict[str, Any] = field(default_factory=dict)
    leader: ModelSession | None = None

    @property
    def busy(self) -> bool:
        return self.job is not None

    @property
    def ticket(self) -> Ticket[Any] | None:
        """The request that is under way."""
        return None if self.job is None else self.job.ticket

    def begin(
        self,
        doing: str,
        ticket: Ticket[Any],
        on_step: Callable[[Any], None] = lambda step: None,
        on_end: Callable[[Any], None] = lambda result: None,
        **about: Any,
    ) -> JobView[Any]:
        """Look after a job; ``about`` are further fields of its view."""
        self.doing, self.job = doing, JobView(ticket, on_step, on_end, **about)
        return self.job

    def drain(self) -> None:
        """Take over what the worker has done since the last look; never waits."""
        if self.leader is not None:
            self._look_at(self.leader)
            return
        job = self.job
        if job is None:
            return
        job.drain()
        if job.busy:
            return
        self.job = None
        self.run.live_rows = 0
        self.problem = job.problem or self.recorder.problem or self.problem
        if job.stopped and self.doing == "run":
            self.note = f"Stopped: {len(self.run.candidates)} finished candidates stay."

    def stop(self) -> None:
        """Free the model; what is finished stays."""
        if self.leader is not None:  # hers goes on
            self.leader = self.job = None
            self.run = self.run.copy()
        elif self.job is not None:
            self.job.stop()

    def follow(self, leader: ModelSession) -> None:
        """Show the leader's present run here as it comes in."""
        self.stop()
        self.problem = self.note = None
        self.leader, self.run, self.doing = leader, leader.run, "run"
        self._look_at(leader)

    def _look_at(self, leader: ModelSession) -> None:
        hers = leader.run is self.run
        self.job = leader.job if hers and leader.doing == "run" else None
        if not hers:
            self.leader = None

    def make_way(self) -> None:
        """Stop what is under way for something else; what it has finished stays."""
        self.stop()
        self.drain()
        self.job = self.problem = self.note = None


@dataclass(eq=False)
class BestOfNSession:
    """The models' sessions by their ids. ``compared``: the id of the stored run that the present one is compared with."""

    models: dict[str, ModelSession] = field(default_factory=dict)
    compared: str | None = None

    def of_model(self, model: str) -> ModelSession:
        """A model's session, a new one at the first look."""
        return self.models.setdefault(model, ModelSession(model))


# -- what the controls ask for -----------------------------------------------------------------------------------------


def chosen() -> BestOfNState:
    """The page's own options."""
    return session.get(BestOfNState)


def present_request(*, beams: bool = False) -> BestOfNRequest:
    """What the controls ask for now. Raises BadInput or BadSetting."""
    return request_of(chosen(), setup(), beams=beams)


def scoring_request(run: LiveRun) -> BestOfNRequest:
    """What the candidates are judged by now: the controls' rules on the run's own prompt."""
    assert run.request is not None
    try:
        now = present_request()
    except PlaygroundError:
        return run.request
    return replace(run.request, scorers=now.scorers, reference=now.reference, answer_pattern=now.answer_pattern)


def scores_now(run: LiveRun) -> ScoredCandidates:
    """The candidates under ``scoring_request``; no model runs."""
    return run.scored(scoring_request(run), visitor=visitor_id())
