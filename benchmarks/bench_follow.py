"""Thirty who follow a leader: from the leader's move to the last follower's picture.

Measured at the server's own socket (see ``room.py``). The clock starts with the leader's message. The pages are set to the
same model, whose rows are remembered, as they are for all once the leader has looked.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from contextlib import suppress
from unittest.mock import patch

from benchmarks.browser import median, percentile, server
from benchmarks.room import BARS, Reader, close_room
from playground.room.present import ROOM_VARIABLE, make_room
from playground.server.visitor import COOKIE, SECRET_VARIABLE, VisitorCookies, new_visitor

FOLLOWERS, MOVES = 30, 20
PAUSE_S = 1.5  # between two moves: a leader speaks
SECRET = "benchmarks are no secret, but have one that is long enough"
PICTURES = {"sampling": BARS, "scale_laws": "scale_surface_chart"}


def run() -> dict[str, float]:
    """The figures of one room on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PLAYGROUND_DATA": folder, ROOM_VARIABLE: "1", SECRET_VARIABLE: SECRET}
        with patch.dict(os.environ, environment):
            leader, followers = _take_places()
            with server("app.py") as url:
                return asyncio.run(_figures(url, leader, followers))


def _take_places() -> tuple[str, list[str]]:
    """The cookies of a leader and of who has joined, in the store before the server looks."""
    room, cookies = make_room(), VisitorCookies(SECRET)
    names = [new_visitor() for _ in range(FOLLOWERS + 1)]
    room.lead(names[0], room.leader_ticket(room.secret))
    for name in names[1:]:
        room.join(name, room.view().code)
    cookie_headers = [f"{COOKIE}={cookies.make(name)}" for name in names]
    return cookie_headers[0], cookie_headers[1:]


async def _figures(url: str, leader_cookie: str, cookies: list[str]) -> dict[str, float]:
    leader = await Reader.open(url, "temperature=0.8", cookie=leader_cookie)
    await leader.painted(finished=True)
    followers = [await Reader.open(url, cookie=cookie) for cookie in cookies]
    for follower in followers:
        await follower.painted(finished=True)
    try:
        sliders = [await _slider(leader, followers) for _ in range(MOVES)]
        pages = [await _page(leader, followers, ("scale_laws", "sampling")[turn % 2]) for turn in range(MOVES // 2)]
    finally:
        with suppress(Exception):
            await close_room([leader, *followers])
    last = [spent for spent, _, _ in sliders]
    return {
        "slider, leader's own picture, median ms": median([own for _, own, _ in sliders]),
        "slider, last follower's picture, median ms": median(last),
        "slider, last follower's picture, 95th percentile ms": percentile(last, 0.95),
        "another page, last follower's picture, 95th percentile ms": percentile([spent for spent, _, _ in pages], 0.95),
        "runs of the page a follower and move, most": max(runs for _, _, runs in (*sliders, *pages)),
    }


async def _slider(leader: Reader, followers: list[Reader]) -> tuple[float, float, float]:
    await asyncio.sleep(PAUSE_S)
    before = [follower.showing() for follower in followers]
    runs, start = [each.page_runs for each in followers], time.perf_counter()
    waiting = [asyncio.create_task(each.showing_other(old)) for each, old in zip(followers, before, strict=True)]
    own = await leader.move()
    await asyncio.gather(*waiting)
    spent = (time.perf_counter() - start) * 1000
    await asyncio.sleep(0.5)  # a run too many would come now
    return spent, own, max(each.page_runs - old for each, old in zip(followers, runs, strict=True))


async def _page(leader: Reader, followers: list[Reader], page: str) -> tuple[float, float, float]:
    await asyncio.sleep(PAUSE_S)
    runs, start = [each.page_runs for each in followers], time.perf_counter()
    for follower in followers:
        follower.forget()
    await leader.go(page)
    await asyncio.gather(*(each.showing_other(None, PICTURES[page]) for each in (leader, *followers)))
    spent = (time.perf_counter() - start) * 1000
    await asyncio.sleep(0.5)
    return spent, spent, max(each.page_runs - old for each, old in zip(followers, runs, strict=True))
