"""The Room page and its gate through Streamlit's own test double; each visitor is a browser of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st

from playground.room.hub.room import Room
from playground.room.limits import SHARED_VARIABLE, Limits, present_limits, set_limits
from playground.room.present import ROOM_VARIABLE
from playground.room.questions.types import Guess, Guessed
from playground.server.visitor import COOKIE
from playground.store.place import DATA_VARIABLE
from playground.store.records import StoreError
from playground.store.rooms import RoomTable
from playground.ui.room_page import wall
from playground.ui.room_page.asking import question_hub
from playground.ui.visitor import visitor_cookies
from playground.ui.workspace.room import the_room
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setenv(ROOM_VARIABLE, "http://room.example:8501")
    opened_room = the_room()
    assert opened_room is not None
    return opened_room


@pytest.fixture
def visit(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Opened]:
    """Open an address as a visitor. The double has one browser at a time: the last that was named."""

    def opened(visitor: str, page: str = "room", **query: str) -> Opened:
        monkeypatch.setattr(type(st.context), "cookies", {COOKIE: visitor_cookies().make(visitor)})
        app = open_app(query, run=False)
        app.at.switch_page(f"../../pages/{page}.py")
        app.at.run()
        assert not app.at.exception
        return app

    return opened


def join(app: Opened, nickname: str = "", code: str = "") -> Opened:
    if code:
        app.at.text_input(key="join_code").set_value(code)
    app.at.text_input(key="join_nickname").set_value(nickname)
    next(button for button in app.at.button if button.label == "Join").click()
    app.at.run()
    assert not app.at.exception
    return app


def said(app: Opened) -> list[str]:
    """What was refused, without the escapes of Markdown."""
    return [error.replace("\\", "") for error in app.errors]


def lead(room: Room, visitor: str = "lena") -> None:
    room.lead(visitor, room.leader_ticket(room.secret))


def test_who_has_not_joined_sees_no_page_but_the_joining_form(room: Room, visit: Callable[..., Opened]) -> None:
    app = visit("anna", "sampling")
    assert [title.value for title in app.at.title] == ["Join the room"] and not app.at.sidebar.markdown
    join(app, code="CCCCCC")
    assert said(app) == ["This is not the code of the room: read it again on the wall."]
    join(app, "Anna", room.view().code.lower())
    assert room.nickname_of("anna") == "Anna"
    assert not app.errors and [title.value for title in app.at.title] == ["Room"]
    assert visit("bert", "room").at.title[0].value == "Join the room"


def test_the_link_brings_the_code_and_another_nickname_is_offered(room: Room, visit: Callable[..., Opened]) -> None:
    room.join("anna", room.view().code, "Anna")
    app = visit("bert", join=room.view().code)
    assert [each.key for each in app.at.text_input] == ["join_nickname"]
    join(app, "ANNA")
    assert said(app) == ["Somebody here is called ANNA already: take ANNA 2, or another one."]
    join(app, "<i>*Anna*</i>")
    assert room.nickname_of("bert") == "<i>*Anna*</i>"
    assert "\\<i\\>\\*Anna" in app.texts() or "&lt;i" in app.texts(), app.texts()


def test_an_old_link_lets_the_code_be_typed(room: Room, visit: Callable[..., Opened]) -> None:
    app = join(visit("anna", join="CCCCCC"))
    assert app.errors and [each.key for each in app.at.text_input] == ["join_code", "join_nickname"]
    join(app, code=room.view().code)
    assert room.member("anna") is not None


def test_the_leaders_link_shows_the_wall_and_works_once(room: Room, visit: Callable[..., Opened]) -> None:
    ticket = room.leader_ticket(room.secret)
    app = visit("lena", lead=ticket)
    assert room.is_leader("lena")
    wall = " ".join(html.proto.body for html in app.at.get("html"))
    code = room.view().code
    assert f"{code[:3]} {code[3:]}" in wall and "http://room.example:8501" in wall and "svg+xml" in wall
    assert room.secret not in wall
    stranger = visit("mallory", lead=ticket)
    assert said(stranger) == ["This way in was used already, or is old: open the leader's link in the terminal again."]
    assert room.is_leader("lena")


def test_nicknames_on_the_wall_are_text(room: Room, visit: Callable[..., Opened]) -> None:
    lead(room)
    room.join("mallory", room.view().code, "<img src=x>")
    wall = " ".join(html.proto.body for html in visit("lena").at.get("html"))
    assert "&lt;img src=x&gt;" in wall and "<img src=x" not in wall


def test_many_names_are_smaller_and_more_than_sixty_are_counted(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(st, "html", drawn.append)
    for number in range(80):
        if number in (12, 13):
            wall.draw_wall(room.view())
        room.join(f"visitor {number}", room.view().code)
    wall.draw_wall(room.view())
    assert ['class="room-names"' in each for each in drawn] == [True, False, False]
    assert ["many" in each for each in drawn] == [False, True, True]
    assert "and 20 more" in drawn[2]


def test_who_loses_the_wand_is_told(room: Room, visit: Callable[..., Opened]) -> None:
    lead(room)
    app = visit("lena")
    lead(room, "max")
    app.at.run()
    assert "leads the room now" in app.at.toast[0].value
    assert "You are" in app.texts()
    app.at.run()
    assert not app.at.toast


def test_the_leader_removes_a_place_and_changes_the_code(room: Room, visit: Callable[..., Opened]) -> None:
    lead(room)
    old = room.view().code
    room.join("mallory", old, "ugly")
    hub = question_hub(room)
    asked = hub.ask("lena", Guess("It is"))
    hub.answer("mallory", asked.id, Guessed(" ugly"))
    app = visit("lena")
    app.at.button(key="room_remove").click().run()
    app.at.button(key="room_new_code").click().run()
    assert room.member("mallory") is None and room.view().code != old
    assert not hub.answered()


def test_a_store_that_is_away_is_one_sentence(
    visit: Callable[..., Opened], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "file" / "data"))
    monkeypatch.setenv(ROOM_VARIABLE, "1")
    app = visit("anna", "sampling")
    assert len(app.errors) == 1 and "annot be kept" in app.errors[0] and not app.at.sidebar.markdown


def test_a_place_that_cannot_be_given_up_is_said(
    room: Room, visit: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: object) -> None:
        raise StoreError("The disk is full.")

    lead(room)
    room.join("anna", room.view().code, "Anna")
    monkeypatch.setattr(RoomTable, "remove_member", away)
    app = visit("anna")
    next(button for button in app.at.button if button.label == "Leave the room").click()
    app.at.run()
    assert said(app) == ["The disk is full."] and room.member("anna") is not None
    assert "Nobody leads once you have left" in visit("lena").texts(), "what a leader gives up is said before"


def test_the_leader_sets_what_a_visitor_may_ask_for(
    room: Room, visit: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SHARED_VARIABLE, "1")
    lead(room)
    app = visit("lena")
    app.at.number_input(key="room_limit_rows").set_value(5)
    next(button for button in app.at.button if button.label == "Set").click()
    app.at.run()
    try:
        assert present_limits() == Limits(rows=5)
    finally:
        set_limits(None)
    room.join("anna", room.view().code)
    assert not visit("anna").at.number_input


def test_who_leads_may_have_a_name_too(room: Room, visit: Callable[..., Opened]) -> None:
    lead(room)
    app = visit("lena")
    for name in ("Leader", "Lena"):
        app.at.text_input(key="room_nickname").set_value(name)
        next(button for button in app.at.button if button.label == "Change").click()
        app.at.run()
        assert not app.errors and room.nickname_of("lena") == name


def test_without_a_room_the_page_says_how_to_open_one(open_app: Open) -> None:
    app = open_app(run=False)
    app.at.switch_page("../../pages/room.py")
    assert "python -m playground room" in app.run().texts()
