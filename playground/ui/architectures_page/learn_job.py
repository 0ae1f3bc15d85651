"""Trainings of this session: which are asked for, the job at the worker that runs them one after the other, what came."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace

from playground.architectures.request import LearnRequest, usual_request
from playground.architectures.tasks import LEARNERS, TASKS
from playground.architectures.types import LearnStep, Learnt
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import Worker
from playground.state.architectures import ArchitecturesState
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.runtime import session_id


@dataclass(frozen=True, slots=True)
class TrainingUpdate:
    """A step of one training, or what came of it."""

    request: LearnRequest
    step: LearnStep | None = None
    learnt: Learnt | None = None


@dataclass(eq=False)
class Trainings(HasJob[None]):
    """``requests``: of the last job. ``curves``: steps by request. ``learnt``: finished ones of this session, all tasks."""

    requests: tuple[LearnRequest, ...] = ()
    curves: dict[LearnRequest, list[LearnStep]] = field(default_factory=dict)
    learnt: dict[LearnRequest, Learnt] = field(default_factory=dict)
    stopped: bool = False

    def of(self, task: str) -> tuple[Learnt, ...]:
        return tuple(each for each in self.learnt.values() if each.request.task == task)

    def ended(self, job: JobView[None]) -> None:
        self.stopped = job.stopped


def wanted_models(chosen: ArchitecturesState) -> tuple[str, ...]:
    """Those chosen that fit the task, else the task's usual ones."""
    task = TASKS[chosen.task]
    return tuple(name for name in chosen.models if name in task.models) or task.shown


def wanted_requests(chosen: ArchitecturesState) -> tuple[LearnRequest, ...]:
    """Every model from every seed, the first seed of all models first. Raises BadInput."""
    requests = []
    for seed in range(chosen.seeds):
        for name in wanted_models(chosen):
            usual = usual_request(chosen.task, name, seed)
            requests.append(
                replace(
                    usual,
                    size=chosen.size or usual.size,
                    width=chosen.width or usual.width,
                    steps=chosen.steps or usual.steps,
                    learning_rate=chosen.rate,
                )
            )
    return tuple(requests)


def start_trainings(worker: Worker) -> None:
    """Begin what is chosen and not trained yet in this session. Raises BadInput before anything is begun."""
    own = session.get(Trainings)
    requests = wanted_requests(session.get(ArchitecturesState))
    missing = tuple(each for each in requests if each not in own.learnt) or requests

    def job(_engine: Engine, cancel: CancelToken) -> Generator[TrainingUpdate | None, None, None]:
        from playground.architectures.learning import learn

        for request in missing:
            steps = learn(request)
            while True:
                cancel.check()
                try:
                    step = next(steps)
                except StopIteration as end:
                    yield TrainingUpdate(request, learnt=end.value[0])
                    break
                yield None if step is None else TrainingUpdate(request, step)

    def take(update: TrainingUpdate) -> None:
        if update.step is not None:
            own.curves.setdefault(update.request, []).append(update.step)
        if update.learnt is not None:
            own.learnt[update.request] = update.learnt

    own.requests, own.problem, own.stopped = requests, "", False
    for request in missing:
        own.curves.pop(request, None)
    own.job = JobView(worker.submit(session_id(), "arch-learn", job), take)


def label_of(request: LearnRequest) -> str:
    return LEARNERS[request.model].label
