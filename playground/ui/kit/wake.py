"""A fragment's timer told to tick now, from any thread, because what it waits for is there; or to stop.

A timer that looks in rarely is cheap and late: thirty readers who each look every two seconds see their bars a second late on
average. Streamlit has no public way to run something in a session from outside. What is sent here is the message that starts a
fragment's timer, with a short interval: the browser asks for the run with the values its widgets have then, as at every tick,
so nothing that the reader does meanwhile can be overtaken. The run that draws the result ends the timer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.app_session import AppSessionState
from streamlit.runtime.scriptrunner import get_script_run_ctx

TICK_S = 0.08


def waker(key: str) -> Callable[[], None]:
    """From the body of the fragment of that key: what lets its timer tick, from any thread; nothing without a server."""
    context = get_script_run_ctx(suppress_warning=True)
    session = context.session_id if context else ""
    fragment = context.fragment_storage.resolve_target([key])[0] if context else ""

    def wake() -> None:
        with suppress(RuntimeError):  # no server, or one that ends
            runtime = get_instance()
            runtime._get_async_objs().eventloop.call_soon_threadsafe(_tick, runtime, session, fragment)

    return wake


def stop_timer(key: str) -> None:
    """Once the fragment of that key has been drawn without a timer: end the one that it had.

    Streamlit ends the timers of fragments that are no longer drawn; one that is drawn again without keeps its own.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None:
        message = ForwardMsg()
        message.stop_auto_rerun.fragment_ids.extend(context.fragment_storage.resolve_target([key]))
        context.enqueue(message)


def _tick(runtime: Runtime, session: str, fragment: str) -> None:
    """In the server's loop. Waits for the end of a run: one of the whole page may be about to drop the fragment."""
    found = runtime._session_mgr.get_active_session_info(session)
    if found is None:
        return
    if found.session._state is AppSessionState.APP_IS_RUNNING:
        runtime._get_async_objs().eventloop.call_later(TICK_S, _tick, runtime, session, fragment)
    elif found.session.has_fragment(fragment):
        message = ForwardMsg()
        message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, TICK_S
        found.session._enqueue_forward_msg(message)
