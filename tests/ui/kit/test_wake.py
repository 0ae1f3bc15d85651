"""A fragment's timer told to tick from outside: once, only when nothing runs, and only while the fragment is there."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSessionState

from playground.ui.kit.wake import TICK_S, _tick, waker


class Loop:
    def __init__(self) -> None:
        self.later: list[Callable[[], None]] = []

    def call_later(self, delay: float, call: Callable[..., None], *args: object) -> None:
        assert TICK_S <= delay < 2 * TICK_S
        self.later.append(lambda: call(*args))


class Session:
    def __init__(self) -> None:
        self._state = AppSessionState.APP_NOT_RUNNING
        self.fragments, self.sent = {"look"}, list[ForwardMsg]()

    def has_fragment(self, fragment: str) -> bool:
        return fragment in self.fragments

    def _enqueue_forward_msg(self, message: ForwardMsg) -> None:
        self.sent.append(message)


class Runtime:
    """The parts of Streamlit's that are used."""

    def __init__(self) -> None:
        self.session, self.loop = Session(), Loop()
        self._session_mgr = SimpleNamespace(get_active_session_info=self._found)

    def _found(self, session: str) -> object:
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


def test_after_one_tick_the_timer_has_its_own_interval_again(runtime: Runtime) -> None:
    runtime.tick()
    runtime.loop.later.pop()()
    assert [message.auto_rerun.interval for message in runtime.session.sent] == pytest.approx([TICK_S, 5.0])
    runtime.tick()
    runtime.session.fragments.clear()
    runtime.loop.later.pop()()  # the tick has drawn the result
    assert len(runtime.session.sent) == 3


def test_a_run_under_way_is_waited_for(runtime: Runtime) -> None:
    runtime.session._state = AppSessionState.APP_IS_RUNNING
    runtime.tick()
    assert not runtime.session.sent and len(runtime.loop.later) == 1
    runtime.session._state = AppSessionState.APP_NOT_RUNNING
    runtime.loop.later.pop()()
    assert len(runtime.session.sent) == 1 and len(runtime.loop.later) == 1


def test_nobody_ticks_for_a_part_that_is_gone_or_a_tab_that_closed(runtime: Runtime) -> None:
    runtime.tick(fragment="gone")
    runtime.tick(session="left")
    assert not runtime.session.sent


def test_without_a_server_nothing_happens() -> None:
    waker("look", 5.0)()
