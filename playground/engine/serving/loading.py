"""A choice of model and its loading: what a session asks the pool for, and how far that is. Knows no pool and no session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field

from playground.engine.api import Engine
from playground.engine.serving.worker import Worker
from playground.errors import Cancelled, PlaygroundError
from playground.models.estimate import MemoryNeed
from playground.models.locating import LocatedModel
from playground.models.placement import Placement


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What a session asks for. ``None`` means: as the environment or the machine suggests."""

    spec: str | None = None
    device: str | None = None
    dtype: str | None = None


@dataclass
class Loading:
    """A model on its way. ``fraction`` runs from 0 to 1; exactly one of ``worker`` and ``error`` is set at the end.

    Whoever opens the engine calls ``admit`` before a weight is read: it raises ModelTooLarge where there is no room.
    """

    choice: ModelChoice
    what: str = "Starting"
    fraction: float = 0.0
    worker: Worker | None = None
    error: PlaygroundError | None = None
    done: threading.Event = field(default_factory=threading.Event)
    admit: Callable[[LocatedModel], None] = lambda located: None
    cancelled: bool = False
    need: MemoryNeed | None = None  # once admitted; None of a model behind an address
    placement: Placement | None = None
    _at_end: list[Callable[[], None]] = field(default_factory=list)

    def report(self, what: str, fraction: float) -> None:
        """How far it is. Raises Cancelled where nobody wants it any more."""
        if self.cancelled:
            raise Cancelled("The model is not loaded: it was let go of; choose it again to load it.")
        self.what, self.fraction = what, min(max(fraction, 0.0), 1.0)

    def when_done(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` at the end, in the loading thread; at once where it is over."""
        self._at_end.append(tell)
        if self.done.is_set():
            self._tell()

    def finish(self) -> None:
        """It is over, one way or the other."""
        self.done.set()
        self._tell()

    def _tell(self) -> None:
        while self._at_end:  # both threads may be here: each call is made once
            with suppress(IndexError):
                self._at_end.pop()()


OpenEngine = Callable[[ModelChoice, Loading], Engine]
"""Loads a choice and tells the loading how far it is."""


AtRest = Callable[[], AbstractContextManager[None]]
"""A block in which no pass of a model runs; see ``StepWorker.at_rest``."""


@dataclass(frozen=True, slots=True)
class OverOthers:
    """Choices that need another's weights: an adapter needs its base's. ``base_of``: the other, of a normalised choice;
    None of one that stands alone. ``open``: its engine, over the base's, whose modules keep still where it is ``at_rest``.
    """

    base_of: Callable[[ModelChoice], ModelChoice | None] = lambda choice: None
    open: Callable[[ModelChoice, Engine, AtRest], Engine] = lambda choice, base, at_rest: base
