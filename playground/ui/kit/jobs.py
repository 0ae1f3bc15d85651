"""Long work seen from a page: nobody waits in a script run, so nothing that happens meanwhile can be in the way.

A request is a ticket at the worker. ``result_of`` gives a short one a fifth of a second and otherwise raises Pending; the
page shows how far it is, with a stop button, in a small fragment that looks again by itself, is woken by the result, and
redraws the page's parts. Work that streams (a generation, a bake-off) is looked in on in the same way:
``job_view.py``. A closed tab's work is dropped by the worker; another page's goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import streamlit as st

from playground.engine.serving.ticket import Ticket
from playground.errors import PlaygroundError
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw_next, rerun_callback
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.pace import look_every, queue_words
from playground.ui.kit.run_turns import TURNS
from playground.ui.kit.streamlit_mends import called_away
from playground.ui.kit.wake import waker

T = TypeVar("T")
PATIENCE_S = 0.2  # a script run waits so long for a result before it goes on without
PROGRESS_EVERY_S = 0.5  # and on how far a single result is: the result itself wakes the page
SELDOM_S = 5.0  # where there is nothing to show meanwhile: a net under the waking


# -- one result --------------------------------------------------------------------------------------------------------


class Progress(Protocol):
    """Something under way, as it is shown."""

    @property
    def done(self) -> bool: ...

    @property
    def doing(self) -> str:
        """What is being done, in a few words; plain text."""

    @property
    def queue(self) -> str:
        """Its place in the queue and the expected wait, in words that follow ``doing``."""

    def fraction(self) -> float | None:
        """How much of it is done, 0 to 1; None where nobody knows."""

    def when_done(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` at the end, from any thread."""

    @property
    def stop(self) -> Callable[[], None] | None:
        """Ends it; None for what others wait for too."""


class Pending(PlaygroundError):
    """The result is on its way. Raised so that what needs it is left out of this run and drawn by a later one."""

    def __init__(self, slot: str, progress: Progress) -> None:
        super().__init__(f"{progress.doing} …")
        self.slot, self.progress = slot, progress


@dataclass(eq=False)
class _Request(Generic[T]):
    """``key`` says what was asked: a look with the same key finds the same ticket, another key asks anew."""

    key: Hashable
    ticket: Ticket[T]
    doing: str
    share: Callable[[Any], float] | None = None
    _fraction: float = 0.0

    @property
    def done(self) -> bool:
        return self.ticket.done

    @property
    def queue(self) -> str:
        return queue_words(self.ticket)

    def fraction(self) -> float | None:
        if self.share is None:
            return None
        self._fraction = max([self._fraction, *map(self.share, self.ticket.take())])
        return self._fraction

    def when_done(self, tell: Callable[[], None]) -> None:
        self.ticket.when_done(tell)

    @property
    def stop(self) -> Callable[[], None]:
        return self.ticket.cancel


class _Requests(dict[str, _Request[Any]]):
    """This session's latest request of each slot."""


def there_soon(awaited: Progress) -> bool:
    """How a script waits for anything: for a moment, while others' scripts run, and no longer once its reader asks for
    something else. Says whether it is there."""
    woken = threading.Event()
    awaited.when_done(woken.set)
    with TURNS.let_go(), called_away(woken.set):
        woken.wait(PATIENCE_S)
    return awaited.done


def result_of(
    slot: str,
    key: Hashable,
    submit: Callable[[], Ticket[T]],
    doing: str,
    *,
    share: Callable[[Any], float] | None = None,
) -> T:
    """What ``submit``'s ticket gives, asked once for each ``key``. Raises Pending until it is there, and its own errors.

    ``share`` says of a job's step which part of the whole is done, 0 to 1. Cancelled after a stop, until the key changes
    or the reader runs it again.
    """
    requests = session.get(_Requests)
    request = requests.get(slot)
    if request is None or request.key != key:
        request = requests[slot] = _Request(key, submit(), doing, share)
    if not there_soon(request):
        raise Pending(slot, request)
    result: T = request.ticket.result()
    return result


def show_pending(pending: Pending, *parts: str) -> None:
    """What is being done, for how long, how many are ahead, and a stop button; looks again by itself.

    The named parts of the page, all where none is named, are redrawn when the result is there.
    """
    progress, started = pending.progress, time.monotonic()

    def look() -> None:
        if progress.done:
            redraw_next(*parts)
        spent, fraction = time.monotonic() - started, progress.fraction()
        said = escape_markdown(progress.doing) + f" · {spent:.0f} s{progress.queue}"
        with st.container(horizontal=True, vertical_alignment="center", key=f"pending_{pending.slot}"):
            if fraction is None:
                st.caption(f":material/hourglass_top: {said}")
            else:
                st.progress(min(fraction, 1.0), text=said)
            if spent > 1 and progress.stop is not None:
                st.button(
                    "Stop",
                    key=f"stop_{pending.slot}",
                    icon=":material/stop:",
                    on_click=rerun_callback(progress.stop),
                    shortcut="escape",
                )

    _look_in(look, progress, f"look_{pending.slot}", look_every(PROGRESS_EVERY_S))


def redraw_when_done(pending: Pending, part: str) -> None:
    """For a part that leaves showing the progress to another: it is woken once the result is there.

    The other part may find the result already, in the same run, and then shows no progress and redraws nobody.
    """

    def look() -> None:
        if pending.progress.done:
            redraw_next(part)

    _look_in(look, pending.progress, f"wait_{pending.slot}_{part}", SELDOM_S)


def _look_in(look: Callable[[], None], progress: Progress, key: str, every: float) -> None:
    """Run ``look`` now, by a timer, and as soon as ``progress`` is done."""
    asked = False

    def first() -> None:
        nonlocal asked
        if not asked:
            asked = True
            progress.when_done(waker(key, lambda: every))
        look()

    st.fragment(first, key=key, run_every=every)()


def offer_again() -> None:
    """Say that the work was stopped, with a button to take it up again."""
    st.info("Stopped: the model is free. Change anything, or run it again.", icon=":material/stop_circle:")
    st.button("Run again", icon=":material/play_arrow:", key="run_again", on_click=rerun_callback(_forget_stopped))


def _forget_stopped() -> None:
    requests = session.get(_Requests)
    for slot, request in list(requests.items()):
        if request.ticket.cancel_token.cancelled:
            del requests[slot]
