"""Who is told of changes: some of every one, some of those alone that concern all. Knows nothing of what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Subscribers:
    """Callbacks, which must not wait: they are called from the thread of whoever changed something. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[object, tuple[Callable[[], None], bool]] = {}

    def add(self, callback: Callable[[], None], *, details: bool) -> Callable[[], None]:
        """Tell ``callback`` of changes, of ``details`` too where it wants them. Gives what ends that."""
        mark = object()
        with self._lock:
            self._callbacks[mark] = callback, details

        def unsubscribe() -> None:
            with self._lock:
                self._callbacks.pop(mark, None)

        return unsubscribe

    def tell(self, *, detail: bool = False) -> None:
        """Tell everybody, or of a mere ``detail`` those who want such. To be called after all other locks are free."""
        with self._lock:
            callbacks = [callback for callback, details in self._callbacks.values() if details or not detail]
        for callback in callbacks:
            callback()


class SubscribersByVisitor:
    """Callbacks that are told of what one visitor does, alone. As ``Subscribers`` otherwise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_visitor: dict[str, Subscribers] = {}

    def add(self, visitor: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Gives what ends that."""
        with self._lock:
            subscribers = self._by_visitor.setdefault(visitor, Subscribers())
        return subscribers.add(callback, details=False)

    def tell(self, visitor: str) -> None:
        with self._lock:
            subscribers = self._by_visitor.get(visitor)
        if subscribers is not None:
            subscribers.tell()
