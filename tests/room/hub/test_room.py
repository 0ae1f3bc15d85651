"""A room: places, the wand, what is shown; told to who listens, and there again after the process was killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.errors import BadInput, LimitReached
from playground.room.hub import room as hub
from playground.room.hub.opening import open_room
from playground.room.hub.room import Room
from playground.room.people import NicknameTaken
from playground.room.present import ROOM_VARIABLE, make_room, present_room
from playground.store.connection import Database
from playground.store.place import DATA_VARIABLE, sqlite_url
from playground.store.rooms import RoomTable

SECRET = "s" * 32


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    room_database = Database(sqlite_url(tmp_path))
    yield room_database
    room_database.close()


@pytest.fixture
def start(database: Database) -> Callable[..., Room]:
    """A process that starts on this store."""

    def started(*, new: bool = False, connected: set[str] | None = None) -> Room:
        table = RoomTable(database)
        is_connected = (lambda tab: tab in connected) if connected is not None else (lambda _tab: True)
        return Room(table, open_room(table, new=new), server_secret=SECRET, is_connected=is_connected)

    return started


def lead(room: Room, visitor: str = "lena") -> None:
    room.lead(visitor, room.leader_ticket(room.secret))


def code(room: Room) -> str:
    return room.view().code


def test_joining_takes_the_code_of_this_room(start: Callable[..., Room]) -> None:
    old = code(start())
    room = start(new=True)
    assert code(room) != old
    for wrong in ("", "CDF347" if code(room) != "CDF347" else "CDF346", old):
        with pytest.raises(BadInput, match="not the code of the room"):
            room.join("anna", wrong, "Anna")
    assert room.member("anna") is None and not room.may_answer("anna")
    member = room.join("anna", code(room).lower(), " Anna  B ")
    assert (member.nickname, member.leader, member.following) == ("Anna B", False, True)
    assert room.may_answer("anna") and room.nickname_of("anna") == "Anna B" and room.nickname_of("bert") == ""


def test_guessing_ends_in_waiting_even_for_the_right_code(start: Callable[..., Room]) -> None:
    room = start()
    with pytest.raises(LimitReached):
        for _ in range(30):
            with pytest.raises(BadInput):
                room.join("mallory", "CCCCCC", address="a")
    with pytest.raises(LimitReached):
        room.join("mallory", code(room), address="a")
    assert room.join("anna", code(room), address="a").nickname


def test_a_client_that_floods_is_told_to_wait(start: Callable[..., Room]) -> None:
    room = start()
    room.join("mallory", code(room))
    with pytest.raises(LimitReached, match="Too many changes"):
        for number in range(1_000):
            room.rename("mallory", f"m{number}")
            room.leave("mallory")
            room.join("mallory", code(room))
    room.join("anna", code(room))


def test_a_nickname_is_one_persons(start: Callable[..., Room]) -> None:
    room = start()
    room.join("anna", code(room), "Anna")
    with pytest.raises(NicknameTaken) as refused:
        room.join("bert", code(room), "ＡＮＮＡ")
    assert room.member("bert") is None
    room.join("bert", code(room), refused.value.suggestion)
    assert room.rename("anna", "anna").nickname == "anna", "one's own may be written anew"
    room.leave("anna")
    assert room.join("carl", code(room), "Anna").nickname == "Anna"
    with pytest.raises(BadInput, match="Join the room first"):
        room.rename("anna", "x")


def test_joining_again_keeps_the_place(start: Callable[..., Room]) -> None:
    room = start()
    first = room.join("anna", code(room), "Anna")
    room.follow("anna", False)
    again = room.join("anna", code(room))
    assert (again.nickname, again.joined, again.following) == ("Anna", first.joined, False)


def test_all_is_there_after_the_server_was_killed(start: Callable[..., Room]) -> None:
    room = start()
    lead(room)
    room.join("anna", code(room), "Anna")
    room.follow("anna", False)
    room.show("lena", "/attention?prompt=a%20b")
    room.put_lesson("lena", "steps: []")
    room.go("lena", 2)
    before, after = room.view(), start()
    view = after.view()
    assert (view.code, view.leader, view.shown, view.lesson, view.step) == (
        before.code,
        "lena",
        before.shown,
        "steps: []",
        2,
    )
    assert [(m.visitor, m.nickname, m.following) for m in view.members] == [
        ("lena", "Leader", True),
        ("anna", "Anna", False),
    ]
    assert after.secret == room.secret, "the leader's link holds"


def test_one_visitor_holds_the_wand(start: Callable[..., Room]) -> None:
    room = start()
    ticket = room.leader_ticket(room.secret)
    room.lead("lena", ticket)
    with pytest.raises(BadInput, match="used already"):
        room.lead("mallory", ticket)
    with pytest.raises(BadInput, match="not the leader's link"):
        room.leader_ticket("x" * 22)
    leaders: list[str] = []
    room.subscribe(lambda: leaders.append(room.view().leader))
    lead(room, "max")
    assert leaders == ["max"] and not room.is_leader("lena") and room.may_answer("lena")
    assert [member.nickname for member in room.view().members] == ["Leader", "Leader 2"]
    for forbidden in (
        lambda: room.show("lena", "/"),
        lambda: room.put_lesson("lena", ""),
        lambda: room.go("lena", 1),
        lambda: room.remove("lena", "max"),
        lambda: room.change_code("lena"),
        lambda: room.show("", "/"),
    ):
        with pytest.raises(BadInput, match="Only the leader"):
            forbidden()
    lead(room)  # the first comes back
    room.show("lena", "/")
    room.leave("lena")
    assert room.view().leader == ""


def test_who_looks_for_themselves_is_called_back_and_not_moved(start: Callable[..., Room]) -> None:
    room = start()
    lead(room)
    for visitor in ("ada", "bert"):
        room.join(visitor, code(room))
    room.follow("ada", False)
    with pytest.raises(BadInput, match="Only the leader"):
        room.call_back("ada")
    room.call_back("lena")
    assert [(member.called, member.following) for member in room.view().joined] == [(True, False), (False, True)]
    room.follow("ada", True)
    room.follow("ada", False)
    assert not room.view().joined[0].called


def test_a_slow_first_page_still_leads_and_an_old_one_does_not(start: Callable[..., Room], database: Database) -> None:
    now = [1_000.0]
    room = Room(RoomTable(database), start()._record, server_secret=SECRET, steady=lambda: now[0])
    slow, old = room.leader_ticket(room.secret), room.leader_ticket(room.secret)
    now[0] += 300
    room.lead("lena", slow)
    now[0] += 301
    with pytest.raises(BadInput, match="is old"):
        room.lead("max", old)


def test_the_time_at_a_step_counts_from_when_the_leader_went_there(
    start: Callable[..., Room], database: Database
) -> None:
    now = [1_000.0]
    room = Room(RoomTable(database), start()._record, server_secret=SECRET, steady=lambda: now[0])
    lead(room)
    room.put_lesson("lena", "a lesson")
    assert room.view().step_s is None
    room.go("lena", 2)
    now[0] += 42
    assert (room.view().step, room.view().step_s) == (2, 42)
    room.put_lesson("lena", "the same, changed", 3)
    assert (room.view().step, room.view().step_s) == (3, 42)
    room.put_lesson("lena", "another")
    assert (room.view().step, room.view().step_s) == (0, None)


def test_what_is_shown_is_a_page_of_this_app(start: Callable[..., Room]) -> None:
    room = start()
    lead(room)
    for link in ("", "http://evil.example/", "//evil.example/", "javascript:x", "/\n", "/" + "a" * 100_000):
        with pytest.raises(BadInput, match="Only a page of this playground"):
            room.show("lena", link)
    assert room.view().shown is None
    versions = []
    for link in ("/", "/?temperature=0.5", "/?temperature=0.5", "/attention"):
        room.show("lena", link)
        shown = room.view().shown
        assert shown is not None and shown.link == link
        versions.append(shown.version)
    assert versions == [1, 2, 2, 3]


def test_who_listens_is_told_of_what_concerns_them_after_the_lock_is_free(start: Callable[..., Room]) -> None:
    room, calls = start(), list[str]()

    def other_thread_looks() -> None:
        looking = threading.Thread(target=room.view)
        looking.start()
        looking.join(5)
        calls.append("blocked" if looking.is_alive() else "show")

    end = room.subscribe(other_thread_looks)
    room.subscribe(lambda: calls.append("people"), people=True)
    lead(room)
    calls.clear()
    room.join("anna", code(room))
    room.follow("anna", False)
    assert calls == ["people", "people"]
    calls.clear()
    room.show("lena", "/")
    room.go("lena", 1)
    assert sorted(calls) == ["people", "people", "show", "show"]
    end()
    room.show("lena", "/attention")
    assert calls.count("show") == 2


def test_here_is_who_has_a_tab_that_is_connected(start: Callable[..., Room]) -> None:
    connected = {"tab 1", "tab 2"}
    room = start(connected=connected)
    lead(room)
    room.join("anna", code(room))
    room.note_tab("anna", "tab 1")
    room.note_tab("lena", "tab 9")
    room.note_tab("stranger", "tab 2")
    assert room.view().followers == 1 and [m.here for m in room.view().members] == [False, True]
    version = room.view().version
    room.note_tab("anna", "tab 1")
    assert room.view().version == version
    connected.remove("tab 1")
    assert room.view().followers == room.view().here == 0 and len(room.view().joined) == 1
    room.note_tab("anna", "tab 2")
    assert room.view().followers == 1 and room.view().version > version


def test_a_place_can_be_taken_away_and_the_code_changed(start: Callable[..., Room]) -> None:
    room = start()
    lead(room)
    old = code(room)
    room.join("mallory", old, "ugly")
    room.remove("lena", "mallory")
    new = room.change_code("lena")
    assert room.member("mallory") is None and code(room) == code(start()) == new
    with pytest.raises(BadInput):
        room.join("mallory", old)


def test_a_room_is_full_at_some_point(start: Callable[..., Room], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MOST_MEMBERS", 2)
    room = start()
    room.join("anna", code(room))
    room.join("bert", code(room))
    with pytest.raises(LimitReached):
        room.join("carl", code(room))
    room.join("bert", code(room), "Bert")
    lead(room)


def test_many_joins_at_once_give_different_nicknames(start: Callable[..., Room]) -> None:
    room = start()
    threads = [threading.Thread(target=room.join, args=(f"v{n}", code(room))) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({member.nickname for member in room.view().members}) == 40


def test_a_server_has_a_room_where_it_was_started_with_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    for off in ("", "0", "no"):
        monkeypatch.setenv(ROOM_VARIABLE, off)
        assert present_room() is None
    new_room = make_room()
    monkeypatch.setenv(ROOM_VARIABLE, "1")
    room = present_room()
    assert room is not None and room is present_room() and (room.id, room.secret) == (new_room.id, new_room.secret)
    assert make_room(new=True).id != room.id
