"""Showing and following without a browser: the leader's page is told, those who follow open it, who moves leaves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.engine.api import Attention
from playground.engine.fake.engine import FakeEngine
from playground.room.hub.room import Room
from playground.state.generate import GenerateState
from playground.state.sampling import SamplingState
from playground.state.setup import Setup
from playground.store.records import StoreError
from playground.store.rooms import MemberRecord, RoomTable
from playground.ui.kit import session
from playground.ui.kit.wake import Beside
from playground.ui.workspace import room as woken_by
from tests.ui.following.conftest import Tab, Tabs


def test_who_follows_sees_prompt_settings_page_tab_and_text(room: Room, tab: Tabs) -> None:
    leader = tab("lena", prompt="the cat", temperature="0.5", view="pipeline")
    ada = tab("ada")  # comes late
    assert ada.app.state(Setup) == leader.app.state(Setup)
    assert (
        ada.app.state(Setup).settings.temperature == 0.5 and ada.app.at.session_state["sampling_section"] == "Pipeline"
    )
    leader.app.at.slider(key="w_temperature").set_value(1.3)
    leader.run(), ada.run()
    assert ada.app.state(Setup).settings.temperature == 1.3
    leader.go("generate")
    ada.run()
    assert ada.page == "Generate" and ada.app.state(GenerateState) == leader.app.state(GenerateState)


def test_a_move_while_a_follower_s_page_opens_is_not_lost(
    room: Room, tab: Tabs, wakes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tab("lena", prompt="the cat")
    moved = iter([True])

    def move() -> None:
        if next(moved, False):
            room.show("lena", "/sampling?prompt=the+cat&temperature=0.5")

    wakes.clear()
    monkeypatch.setattr("playground.ui.frame.let_go_of_unnamed", move)
    ada = tab("ada")  # set up as the leader's page was, and not listening yet
    assert ada.app.state(Setup).settings.temperature == 1.0 and "ada" in wakes
    wakes.clear()
    ada.run()
    assert ada.app.state(Setup).settings.temperature == 0.5 and not wakes


def test_a_move_is_one_run_the_parts_of_the_open_page_or_the_whole_of_another(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: dict[str, Callable[[], Beside]] = {}
    monkeypatch.setattr(
        woken_by, "rerunner", lambda _key, _every, beside: runs.update({Tab.who: beside}) or (lambda: None)
    )
    leader, ada = tab("lena", prompt="the cat"), tab("ada")
    assert runs["ada"]() == Beside()  # it is where the leader is
    leader.app.at.slider(key="w_temperature").set_value(1.3)
    leader.run()
    assert {"pictures", "controls"} <= set(runs["ada"]().parts) and runs["lena"]() == Beside()
    leader.go("scale_laws")
    assert runs["ada"]() == Beside(page="scale_laws")
    room.follow("ada", False)
    assert runs["ada"]() == Beside()
    room.follow("ada", True)
    ada.go("scale_laws")
    leader.go("sampling")
    assert runs["ada"]() == Beside(page="")


def test_who_was_away_as_the_leader_moved_is_told_of_the_next_move(
    room: Room, tab: Tabs, wakes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tab("lena", prompt="the cat")
    ada = tab("ada")
    here = [False]
    monkeypatch.setattr(woken_by, "is_alive", lambda _tab: here[0])
    for temperature, woken in (("0.5", False), ("0.6", False), ("0.7", True)):
        wakes.clear()
        room.show("lena", f"/sampling?temperature={temperature}")
        assert ("ada" in wakes) is woken
        if temperature == "0.6":
            here[0] = True
            ada.run()  # the connection is there again


def test_on_a_page_that_the_engine_cannot_feed_a_follower_is_told_so_and_comes_along_to_the_next(
    room: Room, tab: Tabs, engine: FakeEngine
) -> None:
    engine._facets = engine.facets - {Attention}
    leader, ada = tab("lena", prompt="the cat"), tab("ada")
    leader.go("attention"), ada.run()
    assert ada.page == "Attention" and set(ada.app.errors) == set(leader.app.errors) and ada.app.errors
    member = room.member("ada")
    assert member is not None and member.following and ada.app.at.button(key="leave_leader")
    leader.go("sampling"), ada.run()
    assert ada.page == "Sampling" and ada.app.bars["rows"] and not ada.app.errors


def test_what_the_leader_puts_back_to_its_default_goes_back_for_all(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena", temperature="0.5", rows="30", view="pipeline"), tab("ada")
    assert ada.app.state(SamplingState).rows == 30
    leader.app.put(SamplingState())
    leader.app.at.slider(key="w_temperature").set_value(1.0)
    leader.app.at.session_state["sampling_section"] = "Bars"
    leader.run(), ada.run()
    assert ada.app.state(SamplingState).rows == SamplingState().rows
    assert ada.app.state(Setup).settings.temperature == 1.0 and ada.app.at.session_state["sampling_section"] == "Bars"


def test_who_moves_something_looks_for_herself_until_she_asks_to_follow(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena"), tab("ada")
    ada.app.at.slider(key="w_temperature").set_value(0.3)
    ada.run()
    member = room.member("ada")
    assert member is not None and not member.following
    leader.go("glossary")
    ada.run()
    assert ada.page == "Sampling" and ada.app.at.button(key="follow_leader").label == "Follow the leader"
    ada.app.at.button(key="follow_leader").click()
    ada.run()
    assert ada.page == "Glossary"
    ada.app.at.button(key="leave_leader").click()
    leader.go("sampling")
    ada.run()
    assert ada.page == "Glossary"


def test_a_value_that_a_slow_browser_sends_back_is_no_move(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that ticks before the browser has heard of the leader's move sends what its widgets showed before."""
    leader, ada = tab("lena", temperature="0.5"), tab("ada")
    leader.app.at.slider(key="w_temperature").set_value(1.3)
    leader.run(), ada.run()
    ada.app.at.slider(key="w_temperature").set_value(0.5)
    ada.run()
    assert _follows(room, "ada") and ada.app.state(Setup).settings.temperature == 1.3
    monkeypatch.setattr(session, "ECHO_S", 0.0)  # later it is her own
    leader.app.at.slider(key="w_temperature").set_value(1.4)
    leader.run(), ada.run()
    ada.app.at.slider(key="w_temperature").set_value(1.3)
    ada.run()
    assert not _follows(room, "ada") and ada.app.state(Setup).settings.temperature == 1.3


def _follows(room: Room, visitor_name: str) -> bool:
    member = room.member(visitor_name)
    return member is not None and member.following


def test_a_store_that_is_away_is_said_and_pages_go_on(room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_table: RoomTable, _member: MemberRecord) -> None:
        raise StoreError("Nothing can be stored in '/secret/data': make room on the disk.")

    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    tab("lena")
    ada = tab("ada")
    monkeypatch.setattr(RoomTable, "put_member", away)
    ada.app.at.button(key="leave_leader").click()
    ada.run()
    (said,) = [toast.value for toast in ada.app.at.toast]
    assert "make room on the disk" in said and "secret" not in said
    monkeypatch.setattr(session, "ECHO_S", 0.0)
    ada.app.at.slider(key="w_temperature").set_value(0.3)
    ada.run()
    assert "make room on the disk" in ada.app.at.toast[0].value
    assert _follows(room, "ada") and ada.app.state(Setup).settings.temperature == 0.3


def test_the_leader_calls_back_who_looks_for_herself(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena"), tab("ada")
    ada.app.at.button(key="leave_leader").click()
    ada.run(), leader.run()
    leader.app.at.button(key="call_back").click()
    leader.run(), ada.run()
    back = ada.app.at.button(key="follow_leader")
    assert back.label == "The leader calls: follow" and ada.page == "Sampling"
    back.click()
    ada.run(), leader.run()
    assert "call_back" not in [button.key for button in leader.app.at.button]


def test_another_page_by_the_sidebar_is_a_move_too(room: Room, tab: Tabs) -> None:
    tab("lena")
    ada, bo = tab("ada"), tab("bo")
    ada.go("scale_laws")
    members = [room.member("ada"), room.member("bo")]
    assert [one is not None and one.following for one in members] == [False, True] and bo.page == "Sampling"


def test_a_leader_who_is_gone_leaves_the_page_standing(room: Room, tab: Tabs) -> None:
    tab("lena", prompt="still here")
    room.leave("lena")
    assert tab("ada").app.state(Setup).prompt == "still here"


def test_who_has_not_joined_shows_nothing(room: Room, tab: Tabs) -> None:
    stranger = Tab(tab("lena", prompt="shown").app, "stranger")
    stranger.go("glossary")
    shown = room.view().shown
    assert shown is not None and "prompt=shown" in shown.link and stranger.page == "Join the room"


def test_a_second_tab_of_the_leaders_takes_nothing_back(room: Room, tab: Tabs) -> None:
    first, second = tab("lena", prompt="one"), tab("lena", prompt="two")
    first.run()
    shown = room.view().shown
    assert shown is not None and "prompt=two" in shown.link and second.page == "Sampling"
