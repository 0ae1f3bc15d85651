"""A room in this process: a leader, and two who have joined, each with a browser of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from playground.room.hub.room import Room
from playground.room.present import present_room
from playground.ui import visitor
from playground.ui.workspace import room as woken_by
from tests.ui.conftest import Opened

OpenApp = Callable[..., Opened]


class Tab:
    """One browser of the room: whose it is stands before each of its runs."""

    who = ""

    def __init__(self, app: Opened, name: str) -> None:
        self.app, self.name = app, name

    def run(self) -> Opened:
        Tab.who = self.name
        return self.app.run()

    def go(self, page: str) -> Opened:
        self.app.at.switch_page(f"../../pages/{page}.py")
        return self.run()

    @property
    def page(self) -> str:
        return str(self.app.at.title[0].value)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Room:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_ROOM", "1")
    monkeypatch.setattr(visitor, "session_id", lambda: Tab.who)  # a tab without a cookie is named by its session
    opened_room = present_room()
    assert opened_room is not None
    opened_room.lead("lena", opened_room.leader_ticket(opened_room.secret))
    for name in ("ada", "bo"):
        opened_room.join(name, opened_room.view().code, name)
    return opened_room


@pytest.fixture
def tab(room: Room, open_app: OpenApp) -> Callable[..., Tab]:
    def tab(name: str, **query: str) -> Tab:
        opened = Tab(open_app(query, run=False), name)
        opened.run()
        return opened

    return tab


Tabs = Callable[..., Tab]


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was woken, by name, in order."""
    woken: list[str] = []
    monkeypatch.setattr(woken_by, "rerunner", lambda _key, _every, _beside: partial(woken.append, Tab.who))
    return woken
