"""A model counted on torch's meta device, on a thread of its own: it takes seconds and needs no worker. Knows no streamlit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from playground.errors import PlaygroundError
from playground.scaling.meta import MetaCount, count_on_meta


class Counting:
    """A count under way, and then its result; what a page shows of work that it waits for."""

    doing = "Building the model without its weights, usually 3 to 10 s"
    queue = ""
    stop: Callable[[], None] | None = None  # transformers cannot be interrupted

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config, self._started = dict(config), time.monotonic()
        self._result: MetaCount | PlaygroundError | None = None
        self._seconds = 0.0
        self._tell: list[Callable[[], None]] = []
        self._lock, self._done = threading.Lock(), threading.Event()
        threading.Thread(target=self._run, name="meta-count", daemon=True).start()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait so long at most; whether it is done."""
        return self._done.wait(seconds)

    def fraction(self) -> float | None:
        """Nobody knows."""
        return None

    def when_done(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` at the end, from any thread."""
        with self._lock:
            if not self.done:
                self._tell.append(tell)
                return
        tell()

    def result(self) -> tuple[MetaCount, float]:
        """The count and the seconds it took, once it is done. Raises what it could not be made for."""
        assert self._result is not None
        if isinstance(self._result, PlaygroundError):
            raise self._result.with_traceback(None)
        return self._result, self._seconds

    def _run(self) -> None:
        result: MetaCount | PlaygroundError
        try:
            result = count_on_meta(self._config)
        except PlaygroundError as error:
            result = error
        except Exception as error:  # whatever a hostile config does to transformers must end in a sentence
            result = PlaygroundError(
                f"The model could not be built ({type(error).__name__}); check the config or count by the formula."
            )
        with self._lock:
            self._seconds, self._result = time.monotonic() - self._started, result
            self._done.set()
        for tell in self._tell:
            tell()
