"""Which models are loaded, for whom, and when one is let go.

A pool keeps one ``Worker`` for each distinct choice of model. Loading runs on a thread of its own, so a reader who
closes the tab does not spoil it for the others who wait. A model that no living session uses is released as soon as
another has been loaded, and after a few seconds in any case. A session has one model that is its own and up to three
beside it, to compare with; each must fit beside what the others may still take. The pool knows nothing of browsers: it is
told how to open an engine, which choices are the same and who is alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from playground.engine.api import Engine
from playground.engine.serving.loading import Loading, ModelChoice, OpenEngine, OverOthers
from playground.engine.serving.sharing import APART, Sharing
from playground.engine.serving.slot_worker import SlotWorker
from playground.engine.serving.step_worker import StepWorker
from playground.engine.serving.worker import Worker
from playground.errors import BadInput, Cancelled, ModelTooLarge, PlaygroundError
from playground.models.hardware import Hardware, probe
from playground.models.locating import LocatedModel, require_memory
from playground.models.placement import Placement

LOOK_SECONDS = 5.0  # between two looks for unused models; one is released at the second that finds it unused
MOST_MODELS = 4  # that one session has: its own, and those beside it
_LOOK_AT_BASE_S = 0.1  # between two looks at how far a base's loading is
CLOSING_SECONDS = 3.0  # how long an end waits for a load that has begun: nobody likes a Ctrl+C that hangs


def open_worker(
    engine: Engine, is_alive: Callable[[str], bool] = lambda session: True, sharing: Sharing = APART
) -> Worker:
    """The kind of worker that ``engine`` needs: a server answers several requests at a time, a model here one."""
    kind = StepWorker if engine.info.server is None else SlotWorker
    return kind(engine, is_alive=is_alive, sharing=sharing)


class ModelPool:
    """Loads each choice once and shares it. Safe to call from any thread."""

    def __init__(
        self,
        open_engine: OpenEngine,
        *,
        normalise: Callable[[ModelChoice], ModelChoice] = lambda choice: choice,
        is_alive: Callable[[str], bool] = lambda session: True,
        sharing: Sharing = APART,
        look_seconds: float = LOOK_SECONDS,
        hardware: Callable[[], Hardware] = probe,
        over: OverOthers = OverOthers(),  # noqa: B008 - frozen
    ) -> None:
        """``normalise`` gives choices that mean the same one form, and leaves that form as it is."""
        self._open_engine = open_engine
        self._normalise = normalise
        self._is_alive = is_alive
        self._sharing = sharing
        self._look_seconds = look_seconds
        self._hardware = hardware
        self._over = over
        self._lock = threading.Lock()
        self._entries: dict[ModelChoice, Loading] = {}
        self._wanted: dict[str, ModelChoice] = {}
        self._beside: dict[str, tuple[ModelChoice, ...]] = {}
        self._ready: ModelChoice | None = None  # kept while no reader has chosen another
        self._unused: frozenset[ModelChoice] = frozenset()  # at the last look
        self._closed = threading.Event()
        self._releasing: threading.Thread | None = None

    def normalised(self, choice: ModelChoice) -> ModelChoice:
        """The form in which choices are compared."""
        return self._normalise(choice)

    def keep_ready(self, choice: ModelChoice) -> Loading:
        """Load ``choice`` for whoever comes, and keep it while no reader has chosen otherwise."""
        self._ready = self._normalise(choice)
        with self._lock:
            return self._entry(self._ready)

    def request(self, session: str, choice: ModelChoice) -> Loading:
        """The (possibly still running) loading of ``choice``; starts it if nobody has. A failed one is tried anew.

        Whatever the session still asks of the model it had before is cancelled: nobody waits for that any more.
        """
        choice = self._normalise(choice)
        with self._lock:
            before = self._wanted.get(session, choice)
            self._wanted[session] = choice
            self._drop(session, {before})
            return self._entry(choice)

    def beside(self, session: str, choices: Sequence[ModelChoice]) -> tuple[Loading, ...]:
        """The loadings of what ``session`` compares its model with, each started if nobody has; a failed one is tried anew.

        What it had beside and does not name now is let go of; a load that nobody else waits for is cancelled then. Raises
        BadInput for more than a session may have.
        """
        wanted = tuple(dict.fromkeys(self._normalise(choice) for choice in choices))
        if len(wanted) >= MOST_MODELS:
            raise BadInput(
                f"{MOST_MODELS} models can be compared at a time: let one go before another is loaded.", "model"
            )
        with self._lock:
            before = self._beside.pop(session, ())
            if wanted:
                self._beside[session] = wanted
            self._drop(session, set(before))
            named = self._named()
            for choice in set(before) - named:
                if (entry := self._entries.get(choice)) is not None and not entry.done.is_set():
                    entry.cancelled = True
            entries = {choice: self._entry(choice) for choice in wanted}
        return tuple(entries[self._normalise(choice)] for choice in choices)

    def _drop(self, session: str, before: set[ModelChoice]) -> None:
        """Cancel what the session asks of models it has no more. With the lock held."""
        for choice in before - {self._wanted.get(session), *self._beside.get(session, ())}:
            entry = self._entries.get(choice)
            if entry is not None and entry.worker is not None:
                entry.worker.drop_session(session)

    def _named(self) -> set[ModelChoice | None]:
        """What sessions want, and what that needs. With the lock held."""
        beside = (choice for choices in self._beside.values() for choice in choices)
        return self._with_bases({*self._wanted.values(), *beside} or {self._ready})

    def _with_bases(self, choices: Iterable[ModelChoice | None]) -> set[ModelChoice | None]:
        distinct = set(choices)
        return distinct | {self._over.base_of(choice) for choice in distinct if choice is not None}

    # -- room ------------------------------------------------------------------------------------------------------

    def free_bytes(self, placement: Placement) -> int:
        """What ``placement`` has for one more model: what is free, less what the others may still take."""
        hardware = self._hardware()
        with self._lock:
            return max(0, placement.memory_bytes(hardware) - self._promised(placement))

    def _promised(self, placement: Placement, to: Loading | None = None) -> int:
        """Bytes that others than ``to`` may still take of the same memory: all of a model on its way, since not all of
        its weights are there; of one that is loaded, its caches. With the lock held.
        """
        total = 0
        for entry in self._entries.values():
            if entry is to or entry.need is None or entry.placement is None or entry.error is not None:
                continue
            if entry.placement.shares_memory(placement):
                total += entry.need.working_bytes if entry.done.is_set() else entry.need.total_bytes
        return total

    def _admit(self, entry: Loading, model: LocatedModel) -> None:
        hardware = self._hardware()
        with self._lock:
            promised = self._promised(model.placement, entry)
            require_memory(model.source.id, model.memory, model.placement, hardware, promised)
            entry.need, entry.placement = model.memory, model.placement

    def _entry(self, choice: ModelChoice) -> Loading:
        """With the lock held."""
        entry = self._entries.get(choice)
        if entry is None or entry.cancelled or (entry.done.is_set() and entry.error is not None):
            entry = self._entries[choice] = Loading(choice)
            entry.admit = partial(self._admit, entry)
            threading.Thread(target=self._load, args=(entry,), name="model-loader", daemon=True).start()
        if self._releasing is None:
            self._releasing = threading.Thread(target=self._look_for_unused, name="model-release", daemon=True)
            self._releasing.start()
        return entry

    def _look_for_unused(self) -> None:
        while not self._closed.wait(self._look_seconds):
            self.release_unused(at_once=False)

    def release_unused(self, *, at_once: bool = True) -> int:
        """Let go of every loaded model that no living session wants. Returns how many were released.

        Not ``at_once``: only of what the look before found unused too, so that a lost connection costs nobody the model.
        """
        with self._lock:
            self._wanted = {session: choice for session, choice in self._wanted.items() if self._is_alive(session)}
            self._beside = {session: choices for session, choices in self._beside.items() if self._is_alive(session)}
            wanted = self._named()
            idle = [entry for choice, entry in self._entries.items() if choice not in wanted and entry.done.is_set()]
            unused = [entry for entry in idle if at_once or entry.choice in self._unused]
            needed = self._with_bases(self._entries.keys() - {entry.choice for entry in unused})
            unused = [entry for entry in unused if entry.choice not in needed]
            self._unused = frozenset(entry.choice for entry in idle)
            for entry in unused:
                del self._entries[entry.choice]
        closed = [entry.worker for entry in unused if entry.worker is not None]
        for worker in closed:
            worker.close()
        return len(closed)

    def loaded(self) -> tuple[ModelChoice, ...]:
        """The choices whose model is in memory now."""
        with self._lock:
            loaded = (entry for entry in self._entries.values() if entry.done.is_set() and entry.worker is not None)
            return tuple(entry.choice for entry in loaded)

    def workers(self) -> tuple[Worker, ...]:
        """Those of the models that are in memory now, or behind an address."""
        with self._lock:
            return tuple(entry.worker for entry in self._entries.values() if entry.worker is not None)

    def asked_for(self) -> tuple[ModelChoice, ...]:
        """The choices whose model is in memory or on its way."""
        with self._lock:
            wanted = (entry for entry in self._entries.values() if entry.error is None and not entry.cancelled)
            return tuple(entry.choice for entry in wanted)

    def close(self) -> None:
        """Release everything; what is still loading is waited for, and released as well."""
        self._closed.set()
        with self._lock:
            self._wanted.clear()
            self._beside.clear()
            self._ready = None
            loading = [entry for entry in self._entries.values() if not entry.done.is_set()]
        for entry in loading:
            entry.done.wait(CLOSING_SECONDS)
        self.release_unused()

    def _load(self, entry: Loading) -> None:
        try:
            base = self._over.base_of(entry.choice)
            if base is None:
                worker = open_worker(self._open_with_room(entry), self._is_alive, self._sharing)
            else:
                worker = self._open_over(entry, base)
            with self._lock:
                replaced = self._entries.get(entry.choice) is not entry  # cancelled, and asked for anew meanwhile
                entry.worker = None if replaced else worker
            if replaced:
                worker.close()
                raise Cancelled("The model was let go of while it was being loaded: choose it again to load it.")
            self.release_unused()
        except PlaygroundError as error:
            entry.error = error
        except (
            BaseException
        ) as error:  # a loader must end in a sentence, whatever a model file did (a panic in Rust too)
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            entry.error = PlaygroundError(f"The model could not be loaded ({reason}); choose another one.")
        finally:
            entry.finish()

    def _open_over(self, entry: Loading, base: ModelChoice) -> Worker:
        """A worker over the base's weights, which are loaded first where nobody has."""
        with self._lock:
            below = self._entry(base)
        while not below.done.wait(_LOOK_AT_BASE_S):
            entry.report(below.what, below.fraction)
        if below.error is not None:
            raise below.error.with_traceback(None)
        if not isinstance(below.worker, StepWorker):
            raise BadInput("An adapter needs a model whose weights are in this process: choose one that runs here.")
        return below.worker.beside(self._over.open(entry.choice, below.worker.engine.inner, below.worker.at_rest))

    def _open_with_room(self, entry: Loading) -> Engine:
        """Keep the old model until the new one is there; only when both do not fit, the unused one goes first."""
        try:
            return self._open_engine(entry.choice, entry)
        except ModelTooLarge:
            if not self.release_unused():
                raise
            return self._open_engine(entry.choice, entry)
