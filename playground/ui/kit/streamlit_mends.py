"""Mends of Streamlit's runtime, without which a busy server leaves a reader with a white page.

**Parts of a left page.** The browser asks for a run of a part (a timer's tick, a click) with the page that it shows at that
moment. While the server opens another page, such a request may come late. Streamlit would run the part under the page it names:
the browser takes that for a change of page, throws the new page away, and what is drawn into the emptied page ends its script.
Here a part of a page that was left is not run, and joins the run of a whole page without changing which page.

**Messages that were not sent yet.** When a part is to be drawn anew, Streamlit takes back what it drew before and is still in
the queue. A part within that part stays in the queue, then without the block that it stands in: the browser's script ends at it.
Here all is sent, in the order in which it was drawn. (Both seen in 1.67, in the frames of followers.)

**A run behind another.** A run that has ended sends its last messages through the server's loop. Streamlit forgets them where
a tick is served there first, since a new thread takes the old one's place: the picture that was waited for never comes. Here
the new thread begins when the old one's messages are through.

**A part behind a page.** The browser notes which page it shows a moment after the messages that open it. Messages of a part's
run that arrive in the same breath are taken for a change of page once more, and find an emptied one. What the browser asks for
cannot come so early; who runs a part from the server asks ``page_has_answered`` first.

**A click within a tick.** The browser sends a click once its present task is done, and keeps it among its widgets until then. A
timer that is due in between sends it along: one click counts twice. (Seen in 1.67, two tokens accepted on a busy machine.) Here
a tick brings no clicks; the click's own message is right behind it.

**A click in a part that is being drawn anew.** A run that is cut short forgets the parts within its part that it had not come to;
the browser shows them still. Streamlit drops what is asked of them meanwhile: a click without effect. (Seen in 1.67, on a busy
machine.) Here it runs the whole page, where it is the page that is shown.

**A server's loop behind its runs.** A run says some sixty things, which the loop sends one by one. Where thirty runs follow each
other without a pause, the loop falls behind, and reads a moved slider's message late. Here a turn ends when what it said is sent.

**The theme in each run's first message.** Streamlit gathers it from all of its settings, six times a run: a tenth of what thirty
readers' runs cost the server. Here it is gathered once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime import app_session, get_instance
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunner, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequests,
    ScriptRequestType,
    _has_active_trigger_value,
)
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

from playground.ui.kit.run_turns import LEASE_S, TURNS, Urgency

_request, _run = ScriptRequests._request_rerun_locked, ScriptRunner._run_script
_handle_requests = ScriptRunner._maybe_handle_execution_control_request
_create, _clear = AppSession._create_scriptrunner, ForwardMsgQueue.clear
_set_page, _ask = ScriptRunContext.set_mpa_v2_page, AppSession.request_rerun
_populate_theme = app_session._populate_theme_msg
_themes: dict[str, CustomThemeConfig] = {}  # by section of the settings
_ON_ITS_WAY_S = 0.005
_CALL = (
    "_playground_call"  # of a session's ScriptRequests: what its script, which waits, is to be told of the next one by
)
# Of a session's PagesManager: the page that its last navigation told the browser, and whether the browser has named it since.
_SHOWN, _ANSWERED = "_shown_page", "_shown_page_answered"
# By part: what is to be done at the next tick and how long no other is served then; and until when (monotonic seconds).
_AT_TICK, _QUIET_UNTIL = "_at_next_tick", "_quiet_until"


def mend_streamlit() -> None:
    """From now on, in this process. Calling it again changes nothing."""
    ScriptRequests._request_rerun_locked = _request_rerun  # type: ignore[method-assign]
    ScriptRunner._run_script = _run_script  # type: ignore[method-assign]
    ScriptRunner._maybe_handle_execution_control_request = _give_way  # type: ignore[method-assign]
    AppSession._create_scriptrunner = _create_scriptrunner  # type: ignore[method-assign]
    ForwardMsgQueue.clear = _clear_queue  # type: ignore[method-assign]
    ScriptRunContext.set_mpa_v2_page = _set_mpa_v2_page  # type: ignore[method-assign]
    AppSession.request_rerun = _request_from_browser  # type: ignore[method-assign]
    app_session._populate_theme_msg = _populate_known_theme


def _populate_known_theme(msg: CustomThemeConfig, section: str = "theme") -> None:
    if section not in _themes:
        theme = CustomThemeConfig()
        _populate_theme(theme, section)
        _themes[section] = theme
    if _themes[section].ListFields():
        msg.MergeFrom(_themes[section])


def shown_page(pages: PagesManager) -> str:
    """The page that the browser has been told, by its hash; "" before the first. What Streamlit calls the current page is the
    start page at the begin of a run, and what a run that is being stopped still sets."""
    return str(getattr(pages, _SHOWN, ""))


def _set_mpa_v2_page(self: ScriptRunContext, page_script_hash: str) -> None:
    _set_page(self, page_script_hash)
    if self.script_requests is not None and self.script_requests._state is ScriptRequestType.STOP:
        return
    if shown_page(self.pages_manager) != page_script_hash:
        setattr(self.pages_manager, _SHOWN, page_script_hash)
        setattr(self.pages_manager, _ANSWERED, False)


def page_has_answered(pages: PagesManager) -> bool:
    """Whether the browser has asked for something on the page that is shown, and so has it on the screen."""
    return bool(getattr(pages, _ANSWERED, False))


def at_next_tick(pages: PagesManager, fragment: str, call: Callable[[], None], *, quiet_s: float) -> None:
    """In the server's loop: call that once the browser's timer of that part ticks, before the tick is served; those that tick
    within ``quiet_s`` after it left before the browser heard that the one awaited was here."""
    pages.__dict__.setdefault(_AT_TICK, {})[fragment] = call, quiet_s


def _note_tick(pages: PagesManager, fragment: str) -> bool:
    """Whether the tick is to be served."""
    awaited = pages.__dict__.get(_AT_TICK, {}).pop(fragment, None)
    quiet = pages.__dict__.setdefault(_QUIET_UNTIL, {})
    if awaited is None:
        return bool(time.monotonic() >= quiet.get(fragment, 0.0))
    call, quiet_s = awaited
    quiet[fragment] = time.monotonic() + quiet_s
    call()
    return True


def _request_from_browser(self: AppSession, client_state: ClientState | None) -> None:
    if client_state is not None and client_state.page_script_hash == shown_page(self._pages_manager):
        setattr(self._pages_manager, _ANSWERED, True)
        if (
            client_state.fragment_id
            and not client_state.is_auto_rerun
            and not self.has_fragment(client_state.fragment_id)
        ):
            client_state.fragment_id = ""
    if client_state is not None and client_state.is_auto_rerun:
        if not _note_tick(self._pages_manager, client_state.fragment_id):
            return
        _drop_clicks(client_state.widget_states)
    _ask(self, client_state)


def _drop_clicks(states: WidgetStates) -> None:
    kept = [state for state in states.widgets if not _has_active_trigger_value(state)]
    if len(kept) < len(states.widgets):
        states.CopyFrom(WidgetStates(widgets=kept))


def _request_rerun(self: ScriptRequests, new_data: RerunData) -> bool:
    waiting = self._rerun_data
    if self._state is ScriptRequestType.RERUN and _parts(new_data) and not _parts(waiting):
        new_data = replace(
            new_data,
            page_script_hash=waiting.page_script_hash,
            page_name=waiting.page_name,
            query_string=waiting.query_string,
        )
    call: Callable[[], None] | None = getattr(self, _CALL, None)
    if call is not None and not new_data.is_auto_rerun:
        call()
    return _request(self, new_data)


@contextmanager
def called_away(call: Callable[[], None]) -> Iterator[None]:
    """Within it, in a script that waits: ``call`` once its own reader asks for a run, which begins when this one has ended."""
    context = get_script_run_ctx(suppress_warning=True)
    requests = None if context is None else context.script_requests
    if requests is None:
        yield
        return
    setattr(requests, _CALL, call)
    try:
        yield
    finally:
        setattr(requests, _CALL, None)


def _run_script(self: ScriptRunner, rerun_data: RerunData) -> None:
    if not _of_a_left_page(rerun_data, self._pages_manager):
        urgency = urgency_of(rerun_data)
        with TURNS.turn(urgency):
            _run(self, rerun_data)
            if urgency is not Urgency.MOVED:
                _let_the_loop_catch_up()


def _let_the_loop_catch_up() -> None:
    """At the end of a turn: what the run has said is sent, and a slider's message read, before the next one begins."""
    with suppress(RuntimeError):  # no server, or one that ends
        loop, through = get_instance()._get_async_objs().eventloop, threading.Event()
        loop.call_soon_threadsafe(loop.call_soon, through.set)  # behind the tasks that the messages have woken
        through.wait(LEASE_S)


def urgency_of(data: RerunData) -> Urgency:
    """Whether a run shows what a moved widget does, is another one of parts, or of the whole page."""
    if not _parts(data):
        return Urgency.PAGE
    states = data.widget_states
    if data.is_auto_rerun or states is None or any(map(_has_active_trigger_value, states.widgets)):
        return Urgency.PART
    return Urgency.MOVED


def _give_way(self: ScriptRunner) -> None:
    TURNS.give_way()
    _handle_requests(self)


def _create_scriptrunner(self: AppSession, initial_rerun_data: RerunData) -> None:
    if _of_a_left_page(initial_rerun_data, self._pages_manager):
        return
    if self._scriptrunner is None:
        _create(self, initial_rerun_data)
    else:  # it has ended, and what it drew is on its way here
        self._event_loop.call_later(_ON_ITS_WAY_S, _create_later, self, initial_rerun_data)


def _create_later(session: AppSession, data: RerunData) -> None:
    if session._state is AppSessionState.SHUTDOWN_REQUESTED:
        return
    if session._scriptrunner is None or not session._scriptrunner.request_rerun(data):
        _create_scriptrunner(session, data)


def _clear_queue(
    self: ForwardMsgQueue, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None
) -> None:
    if retain_lifecycle_msgs and fragment_ids_this_run is not None:
        self._delta_index_map = {}  # what the new run draws takes no place of the run before
    else:
        _clear(self, retain_lifecycle_msgs, fragment_ids_this_run)


def _of_a_left_page(data: RerunData, pages: PagesManager) -> bool:
    shown = shown_page(pages)
    return bool(_parts(data) and data.page_script_hash and shown) and data.page_script_hash != shown


def _parts(data: RerunData) -> list[str]:
    return [data.fragment_id] if data.fragment_id else data.fragment_id_queue
