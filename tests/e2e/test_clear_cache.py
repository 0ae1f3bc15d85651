"""Any client may send the message that clears Streamlit's caches. Sessions without their browsers, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.room import Reader, close_room, open_room
from tests.e2e.conftest import run_apart, serve

pytestmark = [pytest.mark.e2e, pytest.mark.model]


def test_a_client_that_clears_the_caches_loads_no_model_and_disturbs_nobody(tmp_path: Path) -> None:
    openings = tmp_path / "openings"
    with serve("tests/e2e/counting_app.py", PLAYGROUND_OPENINGS=str(openings)) as url:
        run_apart(_clear_and_go_on(url))
        assert len(openings.read_text(encoding="utf-8").splitlines()) == 1


async def _clear_and_go_on(url: str) -> None:
    """One clears, three times over; the other's slider, another prompt and a newcomer's bars are answered each time."""
    other, clearing = await open_room(url, 2)
    newcomers: list[Reader] = []
    for turn in range(3):
        await clearing.send(BackMsg(clear_cache=True))
        await clearing.send(BackMsg(app_heartbeat=True))
        await clearing.acknowledged()  # the messages of a session are handled in turn: the caches are cleared
        await other.move()
        await other.read(f"The {turn + 2} largest rivers of the world are")
        newcomers += await open_room(url, 1)
    await clearing.move()  # its own session's state was cleared too: it goes on from the widgets its tab sends
    await close_room([other, clearing, *newcomers])
