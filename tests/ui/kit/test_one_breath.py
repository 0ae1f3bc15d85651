"""What a short run of parts says is sent when it has ended, in its order; a run that only asked for another is not told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.session_manager import SessionClientDisconnectedError

from playground.ui.kit import one_breath


@pytest.fixture(autouse=True)
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For one test: what is set here is what ``undo`` puts back."""
    for name in ("_enqueue_forward_msg", "flush_browser_queue", "on_flushed_messages_sent"):
        monkeypatch.setattr(AppSession, name, getattr(AppSession, name))
    one_breath.hold_breath()
    yield


@dataclass
class Server:
    """A session, the loop's timers and what a client got: at once, or at the next turn of the server's loop."""

    session: AppSession
    got: list[str] = field(default_factory=list)
    timers: list[Callable[[], None]] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)  # of all timers, in seconds
    asked: int = 0  # for a turn of the server's loop
    connected: bool = True

    def say(self, *said: str) -> None:
        for word in said:
            self.session._enqueue_forward_msg(message(word))

    def turn(self) -> list[str]:
        return [word_of(each) for each in self.session.flush_browser_queue()]

    def note_sent(self) -> None:
        self.session.on_flushed_messages_sent()

    def send(self, _session_info: object, msg: ForwardMsg) -> None:
        if not self.connected:
            raise SessionClientDisconnectedError
        self.got.append(word_of(msg))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    session = AppSession.__new__(AppSession)
    server = Server(session)

    def call_later(delay: float, call: Callable[..., None], *given: object) -> object:
        server.lengths.append(delay)
        server.timers.append(lambda: call(*given))
        return SimpleNamespace(cancel=server.timers.clear)

    def ask() -> None:
        server.asked += 1

    own: Any = session
    own.id, own._browser_queue, own._event_loop = "one", ForwardMsgQueue(), SimpleNamespace(call_later=call_later)
    own._message_enqueued_callback, own._settle_pending = ask, False
    own._state = AppSessionState.SHUTDOWN_REQUESTED  # nothing to be closed at its end
    session_info = SimpleNamespace(client=object())

    def disconnect(session_id: str, *, client: object) -> None:
        server.got.append(f"disconnected {session_id} {client is session_info.client}")

    runtime = SimpleNamespace(
        _session_mgr=SimpleNamespace(get_active_session_info=lambda _id: session_info if own.id else None),
        _send_message=server.send,
        disconnect_session=disconnect,
    )
    monkeypatch.setattr(one_breath, "get_instance", lambda: runtime)
    return server


def message(word: str) -> ForwardMsg:
    """By its word; any other is something drawn."""
    msg = ForwardMsg()
    if word in ("parts begin", "page begins"):
        msg.new_session.name = word
        msg.metadata.run.fragment_ids.extend(["part"] if word == "parts begin" else [])
    elif word in ("running", "still"):
        msg.session_status_changed.script_is_running = word == "running"
    elif word in ("ended", "ended for another"):
        early, whole = ForwardMsg.FINISHED_EARLY_FOR_RERUN, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
        msg.script_finished = whole if word == "ended" else early
    else:
        msg.page_info_changed.query_string = word
    return msg


def word_of(msg: ForwardMsg) -> str:
    words = ("parts begin", "page begins", "running", "still", "ended", "ended for another")
    return next((word for word in words if message(word) == msg), msg.page_info_changed.query_string)


RUN = ["parts begin", "running", "a picture", "ended", "still"]


def test_a_run_of_parts_is_sent_when_it_has_ended(server: Server) -> None:
    server.say(*RUN[:-1])
    assert server.got == server.turn() == [], "another session's message makes the loop look here, too"
    server.say(RUN[-1])
    assert server.got == RUN and not server.timers and not server.asked


def test_a_run_that_lasts_is_sent_breath_by_breath(server: Server) -> None:
    server.say(*RUN[:2])
    server.timers.pop()()
    assert server.got == RUN[:2]
    server.say(RUN[2])
    assert server.got == RUN[:2] and not server.asked, "the browser would go over the page for each message"
    server.timers.pop()()
    assert server.got == RUN[:3]
    server.say(*RUN[3:])
    assert server.got == RUN and not server.timers


def test_each_breath_of_a_run_is_twice_as_long_as_the_one_before(server: Server) -> None:
    server.say("parts begin")
    for _breath in range(4):
        server.timers.pop()()
        server.say("a picture")
    assert server.lengths == [0.025, 0.05, 0.1, 0.1, 0.1]


def test_a_run_that_says_nothing_for_a_breath_is_sent_as_it_comes(server: Server) -> None:
    server.say("parts begin")
    server.timers.pop()()
    server.timers.pop()()
    assert not server.timers, "no timer goes on for a run whose end has been told"
    server.say("a picture")
    assert server.asked == 1 and server.turn() == ["a picture"]


def test_a_run_that_asked_for_another_after_a_breath_is_told_to_its_end(server: Server) -> None:
    server.say("parts begin", "running", "a note")
    server.timers.pop()()
    server.say("ended for another", "still", *RUN)
    assert server.got == ["parts begin", "running", "a note", "ended for another", "still", *RUN]


def test_a_run_that_only_asked_for_another_is_not_told_of(server: Server) -> None:
    server.say("parts begin", "running", "ended for another", "still")
    assert not server.got, "the other one follows at once"
    server.say(*RUN)
    assert server.got == RUN


def test_what_a_run_drew_before_it_asked_for_another_is_told(server: Server) -> None:
    first = ["parts begin", "running", "a note", "ended for another", "still"]
    server.say(*first, *RUN)
    assert server.got == first + RUN


def test_a_page_is_sent_as_it_comes(server: Server) -> None:
    server.say("parts begin", "running", "page begins")
    assert server.got == ["parts begin", "running"] and server.turn() == ["page begins"]


def test_what_the_loop_has_in_hand_goes_first(server: Server) -> None:
    server.say("page begins", "running", "a page", "ended", "still")
    in_hand = server.turn()  # it pauses behind each of them
    server.say(*RUN)
    assert not server.got and in_hand[0] == "page begins"
    server.note_sent()
    assert server.turn() == RUN
    server.note_sent()
    server.say(*RUN)
    assert server.got == RUN


def test_a_part_behind_what_waits_is_sent_with_it(server: Server) -> None:
    server.say("a tick", *RUN)
    assert not server.got and server.turn() == ["a tick", *RUN]


def test_a_client_that_is_gone_is_let_go_of(server: Server) -> None:
    server.connected = False
    server.say(*RUN)
    assert server.got == ["disconnected one True"]


def test_a_session_without_a_connection_keeps_what_it_says(server: Server) -> None:
    server.session.id = ""
    server.say(*RUN)
    assert not server.got and server.turn() == RUN


def test_a_session_without_a_connection_holds_its_breath_once(server: Server) -> None:
    server.session.id = ""
    server.say(*RUN[:3])
    server.timers.pop()()
    assert not server.timers and server.turn() == RUN[:3]
