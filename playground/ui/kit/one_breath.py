"""What a short run of parts says leaves in one breath.

The browser goes over the whole page for each message that it draws by itself: that a run began, what it drew, that it ended; some
12 ms each on a page of many widgets. What comes at once it draws at once. Streamlit sends what it has every 10 ms, with a pause
behind each message, so that "a run began" goes ahead of its picture, and a moved slider, whose callback's run is followed by that
of the pictures, was drawn three times. Here a run of parts keeps its messages until it has ended, ``FIRST_S`` at most, and
writes them one right behind the other; what a longer run says later is kept too, each time twice as long, up to ``LONGEST_S``:
on a busy machine the browser went over the page up to eight times for one move. A run whose callback asked for another one, and
that has drawn nothing, is not told of: the browser hears of that other run alone. Whole pages are sent as they come. Knows
nothing of what is drawn.
"""

from __future__ import annotations

from asyncio import TimerHandle
from dataclasses import dataclass

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.session_manager import SessionClientDisconnectedError

FIRST_S, LONGEST_S = 0.025, 0.1
_OF_A_RUN = {"new_session", "session_status_changed", "script_finished"}  # beside what it drew
_BREATH = "_playground_breath"

_enqueue, _flush, _sent = (
    AppSession._enqueue_forward_msg,
    AppSession.flush_browser_queue,
    AppSession.on_flushed_messages_sent,
)


@dataclass(slots=True)
class _Breath:
    """Of a session. ``held``: the timer that ends it; None where messages are sent as they come. ``length_s``: of the present
    one. ``before``: whether the server's loop has messages in hand that go first.
    """

    held: TimerHandle | None = None
    length_s: float = FIRST_S
    before: bool = False


def hold_breath() -> None:
    """From now on, in this process. Calling it again changes nothing."""
    AppSession._enqueue_forward_msg = _enqueue_held  # type: ignore[method-assign]
    AppSession.flush_browser_queue = _flush_unheld  # type: ignore[method-assign]
    AppSession.on_flushed_messages_sent = _note_sent  # type: ignore[method-assign]


def _breath(session: AppSession) -> _Breath:
    breath: _Breath | None = getattr(session, _BREATH, None)
    if breath is None:
        breath = _Breath()
        setattr(session, _BREATH, breath)
    return breath


def _enqueue_held(self: AppSession, msg: ForwardMsg) -> None:
    kind, queue, breath = msg.WhichOneof("type"), self._browser_queue, _breath(self)
    if kind == "new_session" and not msg.metadata.run.fragment_ids:
        _release(self)
    elif kind == "new_session" and breath.held is None and queue.is_empty():
        _hold(self, FIRST_S)
    elif kind == "new_session" and breath.held and _has_drawn_nothing(queue._queue):
        queue.clear()  # a run that ended for this one
    if breath.held is None:
        _enqueue(self, msg)
    else:
        queue.enqueue(msg)
        if kind == "session_status_changed" and _has_ended(queue._queue):
            _release(self)


def _has_drawn_nothing(said: list[ForwardMsg]) -> bool:
    """Whether that is a whole run, of whose beginning the browser has not heard either."""
    kinds = [each.WhichOneof("type") for each in said]
    return kinds[:1] == ["new_session"] and _OF_A_RUN.issuperset(kinds)


def _has_ended(said: list[ForwardMsg]) -> bool:
    """Whether the last run is over, and none follows it."""
    over = [each.script_finished for each in said if each.WhichOneof("type") == "script_finished"]
    running = said[-1].session_status_changed.script_is_running
    return bool(over) and not running and over[-1] != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _hold(session: AppSession, length_s: float) -> None:
    breath = _breath(session)
    breath.length_s, breath.held = length_s, session._event_loop.call_later(length_s, _breathe_out, session)


def _breathe_out(session: AppSession) -> None:
    """The run is longer than this breath. Where it said something, and that is sent, another breath follows."""
    breath, queue = _breath(session), session._browser_queue
    had_said = not queue.is_empty()
    _release(session)
    if had_said and queue.is_empty():
        _hold(session, min(2 * breath.length_s, LONGEST_S))


def _release(session: AppSession) -> None:
    breath = _breath(session)
    if breath.held is None:
        return
    breath.held.cancel()
    breath.held = None
    if not breath.before:
        _send(get_instance(), session)
    elif session._message_enqueued_callback:
        session._message_enqueued_callback()


def _send(runtime: Runtime, session: AppSession) -> None:
    """As the server's loop does, without its pauses."""
    session_info = runtime._session_mgr.get_active_session_info(session.id)
    if session_info is None:  # the connection is lost: they wait for the next one
        return
    try:
        for msg in _flush(session):
            runtime._send_message(session_info, msg)
    except SessionClientDisconnectedError:
        runtime.disconnect_session(session.id, client=session_info.client)


def _flush_unheld(self: AppSession) -> list[ForwardMsg]:
    breath = _breath(self)
    given = _flush(self) if breath.held is None else []
    breath.before = bool(given)
    return given


def _note_sent(self: AppSession) -> None:
    _breath(self).before = False
    _sent(self)
