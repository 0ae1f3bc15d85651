"""Rooms and members in the database: they come back as they went in, and nicknames go with their room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.store.connection import Database
from playground.store.records import StoreError
from playground.store.rooms import MemberRecord, RoomRecord, RoomTable

OPEN = RoomRecord("r" * 32, "CDF347", 5.0)
ANNA = MemberRecord(OPEN.id, "anna", "Änna", "änna", True, 6.0)


@pytest.fixture
def table(store_url: str) -> Iterator[RoomTable]:
    """On SQLite and on PostgreSQL."""
    database = Database(store_url)
    yield RoomTable(database)
    database.close()


def test_a_room_comes_back_as_it_went_in(table: RoomTable, store_url: str) -> None:
    assert table.open_room() is None
    table.add(OPEN)
    table.change(OPEN.id, leader="lena", link="/?prompt=é", moves=3, lesson="steps: []", step=2)
    table.put_member(replace(ANNA, visitor="bert", nickname="Bert", key="bert", joined=7.0))
    table.put_member(replace(ANNA, nickname="old", key="old"))
    table.put_member(ANNA)
    again = Database(store_url)  # as the next process finds it
    reopened = RoomTable(again)
    assert reopened.open_room() == replace(OPEN, leader="lena", link="/?prompt=é", moves=3, lesson="steps: []", step=2)
    assert [member.nickname for member in reopened.members(OPEN.id)] == ["Änna", "Bert"]
    assert reopened.members(OPEN.id)[0] == ANNA
    again.close()
    table.remove_member(OPEN.id, "bert")
    table.remove_member(OPEN.id, "nobody")
    assert table.members(OPEN.id) == (ANNA,)


def test_two_members_of_a_room_have_two_nicknames(table: RoomTable) -> None:
    table.add(OPEN)
    table.put_member(ANNA)
    with pytest.raises(StoreError):
        table.put_member(replace(ANNA, visitor="bert"))


def test_a_closed_room_keeps_nobodys_nickname(table: RoomTable) -> None:
    table.add(OPEN)
    table.put_member(ANNA)
    table.close_all(9.0)
    assert table.open_room() is None and table.members(OPEN.id) == ()
    table.add(replace(OPEN, id="n" * 32, opened=10.0))
    room = table.open_room()
    assert room is not None and room.id == "n" * 32
