"""One client floods a shared server: it is refused with 429 and a sentence, and another visitor goes on."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from benchmarks.room import Reader
from tests.e2e.conftest import PATIENCE_S, run_apart, serve

pytestmark = pytest.mark.e2e
TABS, SPARE, MOVES = 2, 2, 8
ATTEMPTS = 70  # more than a visitor may connect in a minute


def test_a_client_that_floods_is_refused_and_another_goes_on(tmp_path: Path) -> None:
    with serve(PLAYGROUND_SHARED="1", PLAYGROUND_LIMITS=f"tabs={TABS}", PLAYGROUND_DATA=str(tmp_path)) as address:
        cookie = urllib.request.urlopen(address).headers["Set-Cookie"].split(";")[0]
        moves, answers = run_apart(flooded(address, cookie))
        pages = Counter(status_of(address, cookie) for _ in range(30))
    assert answers["open"] == TABS + SPARE and answers["429"] == ATTEMPTS - TABS - SPARE
    assert set(pages) == {200}, "who is refused connections can still load a page"
    assert moves == MOVES


async def flooded(address: str, cookie: str) -> tuple[int, Counter[str]]:
    """Moves of another's slider that were answered beside the flood, and what the flood's connections were answered."""
    victim = await Reader.open(address, urlencode({"prompt": "The capital of France is"}))
    await victim.painted(finished=True)
    answers, held, moves = Counter[str](), list[ClientConnection](), 0
    for _ in range(ATTEMPTS):
        try:
            held.append(await knock(address, cookie))
            answers["open"] += 1
        except InvalidStatus as refused:
            assert b"This shared server takes at most" in refused.response.body
            answers[str(refused.response.status_code)] += 1
        if moves < MOVES and answers["429"]:
            await victim.move()
            moves += 1
    for socket in held:
        await socket.close()
    await victim.close()
    return moves, answers


async def knock(address: str, cookie: str) -> ClientConnection:
    stream = address.replace("http", "ws", 1) + "/_stcore/stream"
    return await connect(
        stream,
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"cookie": cookie},
        max_size=None,
        open_timeout=PATIENCE_S,
        ping_interval=None,
    )


def status_of(address: str, cookie: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers={"cookie": cookie})) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
