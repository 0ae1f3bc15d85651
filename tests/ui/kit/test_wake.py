"""A fragment run from outside: once, only when nothing runs, and only while the fragment is there."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from streamlit.errors import StreamlitAPIException
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSessionState

from playground.ui.kit.streamlit_mends import _note_tick
from playground.ui.kit.wake import _LOOK_AGAIN_S, TICK_S, Beside, _ask, _tick, waker


class Loop:
    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def call_later(self, delay: float, call: Callable[..., None], *args: object) -> None:
        assert _LOOK_AGAIN_S <= delay < 2 * TICK_S
        self.later.append(lambda: call(*args))


class Session:
    def __init__(self) -> None:
        self._state = AppSessionState.APP_NOT_RUNNING
        self.fragments, self.sent = {"look"}, list[ForwardMsg]()
        self._fragment_storage, self._pages_manager = self, SimpleNamespace(_shown_page_answered=True)

    def resolve_target(self, keys: list[str]) -> list[str]:
        if keys not in (["look"], ["bars"]):
            raise StreamlitAPIException("no such fragment")
        return keys

    def has_fragment(self, fragment: str) -> bool:
        return fragment in self.fragments

    def ticked(self, fragment: str) -> None:
        """The browser's timer of that part has."""
        _note_tick(cast("Any", self._pages_manager), fragment)

    def _enqueue_forward_msg(self, message: ForwardMsg) -> None:
        self.sent.append(message)


class Runtime:
    """The parts of Streamlit's that are used."""

    def __init__(self) -> None:
        self.session, self.loop = Session(), Loop()
        self._session_mgr = SimpleNamespace(get_active_session_info=self._session_info)

    def _session_info(self, session: str) -> object:
        return SimpleNamespace(session=self.session) if session == "me" else None

    def _get_async_objs(self) -> object:
        return SimpleNamespace(eventloop=self.loop)

    def tick(self, session: str = "me", fragment: str = "look") -> None:
        _tick(cast("Any", self), session, fragment, 5.0)


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


def test_the_browser_is_told_to_tick_soon(runtime: Runtime) -> None:
    runtime.tick()
    (message,) = runtime.session.sent
    assert message.auto_rerun.fragment_id == "look" and message.auto_rerun.interval == pytest.approx(TICK_S)


def test_once_it_has_ticked_the_timer_has_its_own_interval_again(runtime: Runtime) -> None:
    """And not before: two messages that come in one breath would be no tick at all."""
    runtime.tick()
    runtime.session.ticked("another")
    assert [message.auto_rerun.interval for message in runtime.session.sent] == pytest.approx([TICK_S])
    assert not runtime.loop.later
    for _ in range(2):
        runtime.session.ticked("look")
        assert [message.auto_rerun.interval for message in runtime.session.sent] == pytest.approx([TICK_S, 5.0])
    runtime.tick()
    runtime.session.fragments.clear()
    runtime.session.ticked("look")  # another run has drawn the result
    assert len(runtime.session.sent) == 3


def test_a_run_under_way_is_waited_for(runtime: Runtime) -> None:
    runtime.session._state = AppSessionState.APP_IS_RUNNING
    runtime.tick()
    assert not runtime.session.sent and len(runtime.loop.later) == 1
    runtime.session._state = AppSessionState.APP_NOT_RUNNING
    runtime.loop.later.pop()()
    assert len(runtime.session.sent) == 1 and not runtime.loop.later


def test_nobody_ticks_for_a_part_that_is_gone_or_a_tab_that_closed(runtime: Runtime) -> None:
    runtime.tick(fragment="gone")
    runtime.tick(session="left")
    assert not runtime.session.sent


def test_without_a_server_nothing_happens() -> None:
    waker("look", lambda: 5.0)()


# -- a fragment run by the server --------------------------------------------------------------------------------------


class Runner:
    """Takes a request while it runs."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def request_rerun(self, data: Any) -> bool:  # noqa: ANN401 - Streamlit's
        self.asked.append(data)
        return True


def test_a_wake_is_one_run_and_no_timer(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser's timer would tick on until it hears that it is enough: of thirty, 600 times a second."""
    session, runner = cast("Any", runtime.session), Runner()
    session._client_state, session._scriptrunner = ClientState(page_script_hash="page"), runner
    loop = SimpleNamespace(call_soon_threadsafe=lambda call, *rest: call(*rest))
    server = cast("Any", runtime)
    monkeypatch.setattr(server, "_get_async_objs", lambda: SimpleNamespace(eventloop=loop))
    monkeypatch.setattr("playground.ui.kit.wake.get_instance", lambda: server)
    monkeypatch.setattr("playground.ui.kit.wake.get_script_run_ctx", lambda **_: SimpleNamespace(session_id="me"))
    wake = waker("look", lambda: 5.0)
    wake()
    assert not runtime.session.sent and [data.fragment_id_queue for data in runner.asked] == [["look"]]
    session._pages_manager._shown_page_answered = False  # a page that the browser may not have yet
    wake()
    assert [message.auto_rerun.interval for message in runtime.session.sent] == pytest.approx([TICK_S])
    assert len(runner.asked) == 1


def test_a_timer_goes_on_at_the_pace_of_the_moment_of_its_wake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page drawn while few were here, whose work ends in a crowd."""
    intervals, pace = list[object](), [0.6]
    loop = SimpleNamespace(call_soon_threadsafe=lambda *call: intervals.append(call[-1]))
    server = SimpleNamespace(_get_async_objs=lambda: SimpleNamespace(eventloop=loop))
    monkeypatch.setattr("playground.ui.kit.wake.get_instance", lambda: server)
    wake = waker("look", lambda: pace[0])
    pace[0] = 4.5
    wake()
    assert intervals == [4.5]


def test_a_fragment_is_run_once_for_many_calls_and_with_no_widgets_values(runtime: Runtime) -> None:
    session, runner = cast("Any", runtime.session), Runner()
    session._client_state, session._scriptrunner = ClientState(query_string="a=1", page_script_hash="page"), runner
    session._client_state.widget_states.widgets.add(id="w_prompt", string_value="old")
    session._state = AppSessionState.APP_IS_RUNNING
    for _ in range(3):
        _ask(cast("Any", runtime), "me", "look", 20.0)
    assert not runner.asked and len(runtime.loop.later) == 1
    session._state = AppSessionState.APP_NOT_RUNNING
    runtime.loop.later.pop()()
    (data,) = runner.asked
    assert (data.fragment_id_queue, data.query_string, data.page_script_hash) == (["look"], "a=1", "page")
    assert data.widget_states is None  # older than what a script has set: they would be taken for the reader's
    _ask(cast("Any", runtime), "me", "gone", 20.0)
    _ask(cast("Any", runtime), "left", "look", 20.0)
    assert len(runner.asked) == 1


@pytest.mark.parametrize("answered", [True, False])
def test_one_run_draws_what_is_beside_the_fragment_and_another_page_needs_no_answer(
    runtime: Runtime, answered: bool
) -> None:
    session, runner = cast("Any", runtime.session), Runner()
    session._client_state, session._scriptrunner = ClientState(query_string="a=1", page_script_hash="page"), runner
    session._pages_manager = SimpleNamespace(
        _shown_page_answered=answered, get_pages=lambda: {"page": {"url_pathname": ""}, "other": {"url_pathname": "b"}}
    )
    for beside in (Beside(("bars", "not drawn")), Beside(page="b"), Beside(page="of another version")):
        _ask(cast("Any", runtime), "me", "look", 20.0, lambda beside=beside: beside)  # type: ignore[misc]
    asked = [(data.page_script_hash, data.query_string, data.fragment_id_queue) for data in runner.asked]
    other: tuple[str, str, list[str]] = ("other", "", [])
    assert asked == ([("page", "a=1", ["look", "bars"]), other, ("page", "a=1", ["look"])] if answered else [other])


def test_a_page_that_the_browser_has_not_answered_for_is_asked_to_tick(runtime: Runtime) -> None:
    """A run right behind the messages that open a page draws into an emptied one."""
    session, runner = cast("Any", runtime.session), Runner()
    session._client_state, session._scriptrunner = ClientState(), runner
    session._pages_manager._shown_page_answered = False
    _ask(cast("Any", runtime), "me", "look", 20.0)
    assert not runner.asked and [each.auto_rerun.fragment_id for each in session.sent] == ["look"]
    session.ticked("look")
    assert session.sent[-1].auto_rerun.interval == 20.0
