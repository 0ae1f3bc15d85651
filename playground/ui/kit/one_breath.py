"""What a short run of parts says leaves in one breath.

The browser goes over the whole page for each message that it draws by itself: that a run began, what it drew, that it ended; some
12 ms each on a page of many widgets. What comes at once it draws at once. Streamlit sends what it has every 10 ms, with a pause
behind each message, so that "a run began" goes ahead of its picture, and a moved slider, whose callback's run is followed by that
of the pictures, was drawn three times. Here a run of parts keeps its messages until it has ended, ``LONGEST_S`` at most, and
writes them one right behind the other. A run whose callback asked for another one, and that has drawn nothing, is not told of:
the browser hears of that other run alone. Whole pages are sent as they come. Knows nothing of what is drawn.
"""

from __future__ import annotations

from asyncio import TimerHandle
from dataclasses import dataclass

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.session_manager import SessionClientDisconnectedError

LONGEST_S = 0.025
_OF_A_RUN = {"new_session", "session_status_changed", "script_finished"}  # beside what it drew
_BREATH = "_playground_breath"

_enqueue, _flush, _sent = (
    AppSession._enqueue_forward_msg,
    AppSession.flush_browser_queue,
    AppSession.on_flushed_messages_sent,
)


@dataclass(slots=True)
class _Breath:
    """Of a session. ``held``: the timer that ends it; None where messages are sent as they come. ``before``: whether the
    server's loop has messages in hand that go first.
    """

    held: TimerHandle | None = None
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
        breath.held = self._event_loop.call_later(LONGEST_S, _release, self)
    elif (
        kind == "new_session" and breath.held and _OF_A_RUN.issuperset(each.WhichOneof("type") for each in queue._queue)
    ):
        queue.clear()  # a run that ended for this one
    if breath.held is None:
        _enqueue(self, msg)
    else:
        queue.enqueue(msg)
        if kind == "session_status_changed" and _has_ended(queue._queue):
            _release(self)


def _has_ended(said: list[ForwardMsg]) -> bool:
    """Whether the last run is over, and none follows it."""
    over = [each.script_finished for each in said if each.WhichOneof("type") == "script_finished"]
    running = said[-1].session_status_changed.script_is_running
    return bool(over) and not running and over[-1] != ForwardMsg.FINISHED_EARLY_FOR_RERUN


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
