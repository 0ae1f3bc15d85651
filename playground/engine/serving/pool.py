"""Which models are loaded, for whom, and when one is let go.

A pool keeps one ``Worker`` for each distinct choice of model. Loading runs on a thread of its own, so a reader who
closes the tab does not spoil it for the others who wait. A model that no living session uses is released as soon as
somebody asks for another. The pool knows nothing of browsers: it is told how to open an engine and who is alive.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.engine.api import Engine
from playground.engine.serving.worker import Worker
from playground.errors import ModelTooLarge, PlaygroundError

CLOSING_SECONDS = 3.0  # how long an end waits for a load that has begun: nobody likes a Ctrl+C that hangs


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a session asks for. ``None`` means: as the environment or the machine suggests."""

    spec: str | None = None
    device: str | None = None
    dtype: str | None = None


@dataclass
class Loading:
    """A model on its way. ``fraction`` runs from 0 to 1; exactly one of ``worker`` and ``error`` is set at the end."""

    choice: ModelChoice
    what: str = "Starting"
    fraction: float = 0.0
    worker: Worker | None = None
    error: PlaygroundError | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def report(self, what: str, fraction: float) -> None:
        self.what, self.fraction = what, min(max(fraction, 0.0), 1.0)


OpenEngine = Callable[[ModelChoice, Loading], Engine]
"""Loads a choice and tells the loading how far it is."""


class ModelPool:
    """Loads each choice once and shares it. Safe to call from any thread."""

    def __init__(
        self,
        open_engine: OpenEngine,
        *,
        is_alive: Callable[[str], bool] = lambda session: True,
    ) -> None:
        self._open_engine = open_engine
        self._is_alive = is_alive
        self._lock = threading.Lock()
        self._entries: dict[ModelChoice, Loading] = {}
        self._wanted: dict[str, ModelChoice] = {}

    def request(self, session: str, choice: ModelChoice) -> Loading:
        """The (possibly still running) loading of ``choice``; starts it if nobody has. A failed one is tried anew.

        Whatever the session still asks of the model it had before is cancelled: nobody waits for that any more.
        """
        with self._lock:
            before = self._entries.get(self._wanted.get(session, choice))
            if before is not None and before.choice != choice and before.worker is not None:
                before.worker.drop_session(session)
            self._wanted[session] = choice
            entry = self._entries.get(choice)
            if entry is None or (entry.done.is_set() and entry.error is not None):
                entry = self._entries[choice] = Loading(choice)
                threading.Thread(target=self._load, args=(entry,), name="model-loader", daemon=True).start()
            return entry

    def release_unused(self) -> int:
        """Let go of every loaded model that no living session wants. Returns how many were released."""
        with self._lock:
            self._wanted = {session: choice for session, choice in self._wanted.items() if self._is_alive(session)}
            wanted = set(self._wanted.values())
            unused = [entry for choice, entry in self._entries.items() if choice not in wanted and entry.done.is_set()]
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

    def asked_for(self) -> tuple[ModelChoice, ...]:
        """The choices whose model is in memory or on its way."""
        with self._lock:
            return tuple(choice for choice, entry in self._entries.items() if entry.error is None)

    def close(self) -> None:
        """Release everything; what is still loading is waited for, and released as well."""
        with self._lock:
            self._wanted.clear()
            loading = [entry for entry in self._entries.values() if not entry.done.is_set()]
        for entry in loading:
            entry.done.wait(CLOSING_SECONDS)
        self.release_unused()

    def _load(self, entry: Loading) -> None:
        try:
            entry.worker = Worker(self._open_with_room(entry))
            self.release_unused()
        except PlaygroundError as error:
            entry.error = error
        except (
            BaseException
        ) as error:  # a loader must end in a sentence, whatever a model file did (a panic in Rust too)
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            entry.error = PlaygroundError(f"The model could not be loaded ({reason}); choose another one.")
        finally:
            entry.done.set()

    def _open_with_room(self, entry: Loading) -> Engine:
        """Keep the old model until the new one is there; only when both do not fit, the unused one goes first."""
        try:
            return self._open_engine(entry.choice, entry)
        except ModelTooLarge:
            if not self.release_unused():
                raise
            return self._open_engine(entry.choice, entry)
