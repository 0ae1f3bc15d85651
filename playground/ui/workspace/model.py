"""The model this session asks for, as the pages wait for it."""

from __future__ import annotations

from collections.abc import Callable

from playground.engine.serving.loading import Loading, ModelChoice
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.ui.kit import jobs
from playground.ui.kit.jobs import Pending
from playground.ui.runtime import model_pool, request_model
from playground.ui.workspace.setup import setup
from playground.ui.workspace.shared import model_refusal, refused_loading


def chosen_model() -> ModelChoice:
    """The model this session asks for."""
    chosen = setup()
    return model_pool().normalised(ModelChoice(chosen.model, chosen.device, chosen.dtype))


def request_chosen() -> Loading:
    """The loading of that model; one that has failed where this visitor may not choose it."""
    choice = chosen_model()
    problem = model_refusal(choice)
    return refused_loading(problem, choice) if problem else request_model(choice)


class LoadingProgress:
    """A loading as it is shown. The session's own model cannot be stopped: others may wait for the same."""

    queue = ""

    def __init__(self, loading: Loading, stop: Callable[[], None] | None = None) -> None:
        self._loading = loading
        self.stop = stop

    @property
    def done(self) -> bool:
        return self._loading.done.is_set()

    @property
    def doing(self) -> str:
        return self._loading.what

    def fraction(self) -> float:
        return self._loading.fraction

    def when_done(self, tell: Callable[[], None]) -> None:
        self._loading.when_done(tell)


def loaded_model() -> Worker:
    """The worker of the chosen model. Raises Pending while it is being loaded, and the loader's own errors."""
    return worker_of(request_chosen(), "model")


def worker_of(loading: Loading, slot: str, stop: Callable[[], None] | None = None) -> Worker:
    """Its worker. Raises Pending for ``slot`` while it is being loaded, and the loader's own errors."""
    progress = LoadingProgress(loading, stop)
    if not jobs.there_soon(progress):
        raise Pending(slot, progress)
    if loading.error is not None:
        raise loading.error.with_traceback(None)  # raised at every run: the frames of earlier ones must not pile up
    if loading.worker is None:
        raise PlaygroundError("The model was released while it was being loaded; reload the page.")
    return loading.worker
