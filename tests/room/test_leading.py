"""The leader's link: right once a ticket, wrong refused, guessed refused for a while; the secret is in no address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.room.hub.opening import open_room
from playground.room.hub.room import Room
from playground.room.leading import leading_routes
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.store.rooms import RoomTable


@pytest.fixture
def room(tmp_path: Path) -> Room:
    table = RoomTable(Database(sqlite_url(tmp_path)))
    return Room(table, open_room(table), server_secret="s" * 32)


def client(room: Room | None) -> TestClient:
    return TestClient(Starlette(routes=leading_routes(lambda: room)), follow_redirects=False)


def test_the_secret_is_changed_for_a_ticket_that_leads_once(room: Room) -> None:
    answer = client(room).get(f"/lead/{room.secret}")
    place = urlsplit(str(answer.next_request.url if answer.next_request else ""))
    assert answer.status_code == 303 and place.path == "/room" and room.secret not in str(place)
    assert answer.headers["cache-control"] == "no-store" and answer.headers["content-type"].startswith("text/html")
    (ticket,) = parse_qs(place.query)["lead"]
    assert room.lead("lena", ticket).leader


def test_what_is_guessed_is_refused_and_soon_not_even_looked_at(room: Room) -> None:
    guess = client(room)
    answers = [guess.get(f"/lead/{'x' * 22}") for _ in range(60)]
    assert {answer.status_code for answer in answers} == {403, 429} and answers[0].status_code == 403
    assert answers[0].text.count(".") == 1 and room.secret not in answers[0].text
    assert guess.get(f"/lead/{room.secret}").status_code == 429


def test_without_a_room_there_is_nothing() -> None:
    assert client(None).get("/lead/x").status_code == 404
