"""A part of a left page changes nothing; what a part drew reaches the browser in its order."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext

from playground.ui.kit import streamlit_mends


@pytest.fixture(autouse=True)
def mended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For one test: what is set here is what ``undo`` puts back."""
    for owner, name in (
        (ScriptRequests, "_request_rerun_locked"),
        (ScriptRunner, "_run_script"),
        (ScriptRunner, "_maybe_handle_execution_control_request"),
        (AppSession, "_create_scriptrunner"),
        (AppSession, "request_rerun"),
        (app_session, "_populate_theme_msg"),
        (ForwardMsgQueue, "clear"),
        (ScriptRunContext, "set_mpa_v2_page"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    streamlit_mends.mend_streamlit()
    yield


def tick(page: str) -> RerunData:
    return RerunData(page_script_hash=page, query_string=f"of={page}", fragment_id="part", is_auto_rerun=True)


def test_a_tick_joins_the_run_of_the_page_that_waits() -> None:
    requests = ScriptRequests()
    requests.request_rerun(RerunData(page_script_hash="new", query_string="of=new"))
    requests.request_rerun(tick("old"))
    run = requests.on_scriptrunner_ready().rerun_data
    assert (run.page_script_hash, run.query_string, run.fragment_id_queue) == ("new", "of=new", [])


@pytest.mark.parametrize(("page", "runs"), [("old", 0), ("shown", 1)])
def test_a_part_of_a_left_page_is_not_run(page: str, runs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[object] = []
    monkeypatch.setattr(streamlit_mends, "_run", lambda _self, data: ran.append(data))
    monkeypatch.setattr(streamlit_mends, "_create", lambda _self, data: ran.append(data))
    monkeypatch.setattr(streamlit_mends, "_set_page", lambda _self, _hash: None)
    pages: Any = SimpleNamespace()
    for hash_, requests in (("shown", ScriptRequests()), ("of a run that ends", stopped())):
        context: Any = SimpleNamespace(pages_manager=pages, script_requests=requests)
        ScriptRunContext.set_mpa_v2_page(context, hash_)
    owner: Any = SimpleNamespace(_pages_manager=pages, _scriptrunner=None)
    ScriptRunner._run_script(owner, RerunData(page_script_hash=page, fragment_id_queue=["part"]))
    AppSession._create_scriptrunner(owner, tick(page))
    assert len(ran) == 2 * runs
    ScriptRunner._run_script(owner, RerunData(page_script_hash=page))  # a whole page may be any
    assert len(ran) == 2 * runs + 1


def test_a_thread_begins_when_the_messages_of_the_ended_one_are_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit takes messages of the session's present thread alone."""
    begun: list[RerunData] = []
    later: list[tuple[Any, ...]] = []
    monkeypatch.setattr(streamlit_mends, "_create", lambda _self, data: begun.append(data))
    ended: Any = SimpleNamespace(request_rerun=lambda _data: False)
    loop = SimpleNamespace(call_later=lambda _delay, *call: later.append(call))
    session: Any = SimpleNamespace(_pages_manager=SimpleNamespace(), _scriptrunner=ended, _event_loop=loop, _state=None)
    for _ in range(2):
        AppSession._create_scriptrunner(session, tick("a"))
    call, *values = later.pop()
    call(*values)
    assert not begun and len(later) == 2  # the old one's are not through
    session._scriptrunner = None
    call, *values = later.pop()
    call(*values)
    assert len(begun) == 1
    session._scriptrunner = SimpleNamespace(request_rerun=lambda _data: True)
    call, *values = later.pop()
    call(*values)
    assert len(begun) == 1 and not later  # the new one has taken it


def test_a_page_has_answered_once_the_browser_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamlit_mends, "_set_page", lambda _self, _hash: None)
    monkeypatch.setattr(streamlit_mends, "_ask", lambda _self, _state: None)
    pages: Any = SimpleNamespace()
    context: Any = SimpleNamespace(pages_manager=pages, script_requests=ScriptRequests())
    browser: Any = SimpleNamespace(_pages_manager=pages)
    answered = []
    for shown, named in (("a", ""), ("a", "a"), ("b", "a"), ("b", "b"), ("b", "b")):
        ScriptRunContext.set_mpa_v2_page(context, shown)
        AppSession.request_rerun(browser, ClientState(page_script_hash=named))
        answered.append(streamlit_mends.page_has_answered(pages))
    assert answered == [False, True, False, True, True]


@pytest.mark.parametrize(("tick", "sent"), [(True, ["slider"]), (False, ["slider", "button", "bars"])])
def test_a_click_that_a_tick_brings_along_counts_once(
    tick: bool, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own message is right behind."""
    asked: list[ClientState] = []
    monkeypatch.setattr(streamlit_mends, "_ask", lambda _self, state: asked.append(state))
    states = [
        WidgetState(id="slider", int_value=3),
        WidgetState(id="button", trigger_value=True),
        WidgetState(id="bars", json_trigger_value='[{"event": "picked"}]'),
    ]
    browser: Any = SimpleNamespace(_pages_manager=SimpleNamespace(), has_fragment=bool)
    ticked: list[str] = []
    streamlit_mends.at_next_tick(browser._pages_manager, "part", lambda: ticked.append("part"), quiet_s=0.2)
    message = ClientState(is_auto_rerun=tick, fragment_id="part", widget_states=WidgetStates(widgets=states))
    AppSession.request_rerun(browser, message)
    assert ticked == ["part"] * tick
    assert [state.id for state in asked[0].widget_states.widgets] == sent
    assert asked[0].widget_states.widgets[0].int_value == 3


def test_of_the_ticks_of_one_wake_the_first_is_served_and_of_another_wake_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thirty browsers that tick on before they hear that one tick was enough would keep the server from ever telling them."""
    now, asked = [100.0], list[ClientState]()
    monkeypatch.setattr(streamlit_mends, "_ask", lambda _self, state: asked.append(state))
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    browser: Any = SimpleNamespace(_pages_manager=SimpleNamespace(), has_fragment=bool)
    served = []
    for passed, woken in ((0.0, False), (0.05, True), (0.05, False), (0.05, False), (0.05, True), (0.25, False)):
        now[0] += passed
        if woken:
            streamlit_mends.at_next_tick(browser._pages_manager, "part", lambda: None, quiet_s=0.2)
        before = len(asked)
        AppSession.request_rerun(browser, ClientState(is_auto_rerun=True, fragment_id="part"))
        served.append(len(asked) > before)
    assert served == [True, True, False, False, True, True]


@pytest.mark.parametrize(
    ("page", "part", "tick", "asked"),
    [
        ("shown", "there", False, "there"),
        ("shown", "forgotten", False, ""),
        ("shown", "forgotten", True, "forgotten"),
        ("left", "forgotten", False, "forgotten"),
    ],
)
def test_a_click_in_a_part_that_is_forgotten_runs_the_whole_page(
    page: str, part: str, tick: bool, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays as it is Streamlit drops: a tick, and what was meant for a page that was left."""
    monkeypatch.setattr(streamlit_mends, "_set_page", lambda _self, _hash: None)
    heard: list[ClientState] = []
    monkeypatch.setattr(streamlit_mends, "_ask", lambda _self, state: heard.append(state))
    pages: Any = SimpleNamespace()
    context: Any = SimpleNamespace(pages_manager=pages, script_requests=ScriptRequests())
    ScriptRunContext.set_mpa_v2_page(context, "shown")
    browser: Any = SimpleNamespace(_pages_manager=pages, has_fragment=lambda name: name == "there")
    AppSession.request_rerun(browser, ClientState(page_script_hash=page, fragment_id=part, is_auto_rerun=tick))
    assert heard[0].fragment_id == asked


def test_the_theme_is_gathered_once_and_is_the_one_that_streamlit_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered: list[str] = []

    def populate(msg: CustomThemeConfig, section: str) -> None:
        gathered.append(section)
        if section != "theme.sidebar":
            msg.primary_color = section

    monkeypatch.setattr(streamlit_mends, "_populate_theme", populate)
    monkeypatch.setattr(streamlit_mends, "_themes", {})
    for _ in range(2):
        message = CustomThemeConfig()
        app_session._populate_theme_msg(message)
        app_session._populate_theme_msg(message.dark, "theme.dark")
        app_session._populate_theme_msg(message.sidebar, "theme.sidebar")
        assert (message.primary_color, message.dark.primary_color) == ("theme", "theme.dark")
        assert message.HasField("dark") and not message.HasField("sidebar")
    assert gathered == ["theme", "theme.dark", "theme.sidebar"]


def stopped() -> ScriptRequests:
    requests = ScriptRequests()
    requests.request_stop()
    return requests


def block(path: list[int], part: str) -> ForwardMsg:
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = part
    message.delta.add_block.allow_empty = True
    return message


def test_no_message_comes_before_the_block_that_it_stands_in() -> None:
    queue = ForwardMsgQueue()
    queue.enqueue(block([0, 0], "outer"))  # the whole page drew both
    queue.enqueue(block([0, 0, 0], "inner"))
    for part, paths in {"inner": [[0, 0, 0]], "outer": [[0, 0], [0, 0, 0]]}.items():
        queue.clear(retain_lifecycle_msgs=True, fragment_ids_this_run=[part])
        for path in paths:
            queue.enqueue(block(path, part))
    blocks = [[0]]
    for message in queue.flush():
        place = list(message.metadata.delta_path)
        assert place[:-1] in blocks
        blocks.append(place)


def test_a_run_of_the_whole_page_takes_back_what_was_not_sent() -> None:
    queue = ForwardMsgQueue()
    queue.enqueue(block([0, 0], "part"))
    queue.clear(retain_lifecycle_msgs=True)
    assert queue.is_empty()


def test_a_script_that_waits_is_told_what_its_reader_asks_and_of_no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    requests, calls = ScriptRequests(), list[str]()
    context = SimpleNamespace(script_requests=requests)
    monkeypatch.setattr(streamlit_mends, "get_script_run_ctx", lambda **_how: context)
    with pytest.raises(RuntimeError), streamlit_mends.called_away(lambda: calls.append("asked")):
        requests.request_rerun(tick("a"))
        assert not calls
        requests.request_rerun(RerunData(fragment_id="part"))
        assert calls == ["asked"]
        raise RuntimeError
    requests.request_rerun(RerunData(fragment_id="part"))
    assert calls == ["asked"]
