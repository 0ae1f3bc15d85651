"""Several streams of one server, mixed as they come. Knows no format."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from playground.engine.api import CancelToken
from playground.errors import Cancelled

T = TypeVar("T")

_POLL_S = 0.03


class _End:
    """A stream is over, by itself or by what it raised."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def mixed(
    begin: Sequence[Callable[[CancelToken], Iterator[T]]], cancel: CancelToken, at_once: int
) -> Generator[T, None, None]:
    """What the streams give, each in its own order, ``at_once`` of them at the same time.

    The first error ends all, and so do ``cancel`` and a caller who leaves.
    """
    if len(begin) == 1:
        yield from begin[0](cancel)
        return
    parts: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    own = CancelToken()

    def run(stream: Callable[[CancelToken], Iterator[T]]) -> None:
        error: BaseException | None = None
        try:
            own.check()
            for part in stream(own):
                parts.put(part)
        except BaseException as raised:
            error = raised
        parts.put(_End(error))

    pool = ThreadPoolExecutor(max(1, at_once), thread_name_prefix="server-stream")
    try:
        for stream in begin:
            pool.submit(run, stream)
        open_streams = len(begin)
        while open_streams:
            try:
                part = parts.get(timeout=_POLL_S)
            except queue.Empty:
                cancel.check()
                continue
            cancel.check()
            if not isinstance(part, _End):
                yield part
            elif part.error is not None and not isinstance(part.error, Cancelled):
                raise part.error
            else:
                open_streams -= 1
    finally:
        own.cancel()
        pool.shutdown(wait=False, cancel_futures=True)
