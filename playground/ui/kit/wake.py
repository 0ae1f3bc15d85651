"""A fragment run now, from any thread, because what it waits for is there; or its timer stopped.

A timer that looks in rarely is cheap and late: thirty readers who each look every two seconds see their bars a second late on
average. Streamlit has no public way to run something in a session from outside. Here the server's loop asks for the run itself,
once for any number of calls before it begins.

On a page that the browser has not answered for yet, messages of such a run would find no page. There the browser is sent the
message that starts a fragment's timer, with a short interval, and asks for the run itself. Once that tick is here the timer is
told its own interval again. (Not after a time: a crowded server's two messages come in one breath, and the second ends the
first's timer.) What ticks until then is not served: thirty browsers at twenty ticks a second each would keep a server from ever
telling them. The run that draws the result ends the timer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from streamlit.errors import StreamlitAPIException
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, get_instance
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from playground.ui.kit.streamlit_mends import at_next_tick, page_has_answered, shown_page

TICK_S = 0.05
_LOOK_AGAIN_S = 0.05
_QUIET = 0.9  # of the fragment's own interval: before that, no tick of its own can come


def waker(key: str, every: Callable[[], float]) -> Callable[[], None]:
    """From the body of the fragment of that key: what runs it once more, from any thread; nothing without a server.

    ``every`` gives the timer's own interval in seconds, asked at the wake: others have come since the page was drawn.
    """
    context = get_script_run_ctx(suppress_warning=True)
    session = context.session_id if context else ""

    def wake() -> None:
        with suppress(RuntimeError):  # no server, or one that ends
            runtime = get_instance()
            runtime._get_async_objs().eventloop.call_soon_threadsafe(_ask, runtime, session, key, every())

    return wake


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run from the server draws beside the fragment: further parts behind it, or a whole page instead, by its path."""

    parts: tuple[str, ...] = ()
    page: str | None = None


def rerunner(key: str, every: float, beside: Callable[[], Beside] = Beside) -> Callable[[], None]:
    """As ``waker``, for a timer of one pace, with what runs beside the fragment.

    The run has no widgets' values: those that the browser told last are older than what a script has set since, and would be
    taken for the reader's. ``every``: the fragment's own timer in seconds. ``beside`` is asked when the run begins; parts that
    the page has not drawn are left out, and a whole page needs no page that has answered.
    """
    context = get_script_run_ctx(suppress_warning=True)
    session = context.session_id if context else ""

    def rerun() -> None:
        with suppress(RuntimeError):  # no server, or one that ends
            runtime = get_instance()
            runtime._get_async_objs().eventloop.call_soon_threadsafe(_ask, runtime, session, key, every, beside)

    return rerun


_asked: set[tuple[str, str]] = set()  # session and key; touched in the server's loop alone


def _ask(runtime: Runtime, session: str, key: str, every: float, beside: Callable[[], Beside] = Beside) -> None:
    if (session, key) not in _asked:
        _asked.add((session, key))
        _rerun(runtime, session, key, every, beside)


def _rerun(runtime: Runtime, session: str, key: str, every: float, beside: Callable[[], Beside]) -> None:
    """In the server's loop. Waits for the end of a run: until then a page has the fragments of the one before, too."""
    session_info = runtime._session_mgr.get_active_session_info(session)
    if session_info is not None and session_info.session._state is AppSessionState.APP_IS_RUNNING:
        loop = runtime._get_async_objs().eventloop
        loop.call_later(_LOOK_AGAIN_S, _rerun, runtime, session, key, every, beside)
        return
    _asked.discard((session, key))
    if session_info is None:
        return
    app, wanted = session_info.session, beside()
    page = None if wanted.page is None else _page_of_path(app, wanted.page)
    if page is not None:
        _begin(app, page_script_hash=page)
        return
    with suppress(StreamlitAPIException):  # this page has no such fragment
        (fragment, *_) = app._fragment_storage.resolve_target([key])
        if page_has_answered(app._pages_manager):
            shown = shown_page(app._pages_manager) or app._client_state.page_script_hash
            _begin(app, page_script_hash=shown, fragment_id_queue=[fragment, *_drawn(app, wanted.parts)])
        else:
            _tick(runtime, session, fragment, every)


def _page_of_path(app: AppSession, path: str) -> str | None:
    pages = app._pages_manager.get_pages()
    return next((page_hash for page_hash, page in pages.items() if page.get("url_pathname") == path), None)


def _drawn(app: AppSession, parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        with suppress(StreamlitAPIException):
            yield from app._fragment_storage.resolve_target([part])


def _begin(app: AppSession, *, page_script_hash: str, fragment_id_queue: Sequence[str] = ()) -> None:
    last = app._client_state
    data = RerunData(
        query_string=last.query_string if fragment_id_queue else "",
        page_script_hash=page_script_hash,
        fragment_id_queue=list(fragment_id_queue),
        is_auto_rerun=bool(fragment_id_queue),
        context_info=last.context_info if last.HasField("context_info") else None,
    )
    if app._scriptrunner is None or not app._scriptrunner.request_rerun(data):
        app._create_scriptrunner(data)


def stop_timer(key: str) -> None:
    """Once the fragment of that key has been drawn without a timer: end the one that it had.

    Streamlit ends the timers of fragments that are no longer drawn; one that is drawn again without keeps its own.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None:
        message = ForwardMsg()
        message.stop_auto_rerun.fragment_ids.extend(context.fragment_storage.resolve_target([key]))
        context.enqueue(message)


def _tick(runtime: Runtime, session: str, fragment: str, every: float) -> None:
    """In the server's loop. Waits for the end of a run: one of the whole page may be about to drop the fragment."""
    session_info = runtime._session_mgr.get_active_session_info(session)
    if session_info is None:
        return
    if session_info.session._state is AppSessionState.APP_IS_RUNNING:
        runtime._get_async_objs().eventloop.call_later(TICK_S, _tick, runtime, session, fragment, every)
    else:
        again = partial(_set_timer, runtime, session, fragment, every)
        at_next_tick(session_info.session._pages_manager, fragment, again, quiet_s=_QUIET * every)
        _set_timer(runtime, session, fragment, TICK_S)


def _set_timer(runtime: Runtime, session: str, fragment: str, interval: float) -> None:
    session_info = runtime._session_mgr.get_active_session_info(session)
    if session_info is not None and session_info.session.has_fragment(fragment):
        message = ForwardMsg()
        message.auto_rerun.fragment_id, message.auto_rerun.interval = fragment, interval
        session_info.session._enqueue_forward_msg(message)
