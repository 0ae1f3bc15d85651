"""One server with one model: its first visit, which is a link, and a client that clears Streamlit's caches, as any client may."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.room import Reader, close_room, open_room
from tests.e2e.conftest import OpenPage, bars_ready, in_frame, run_apart, serve

pytestmark = [pytest.mark.e2e, pytest.mark.model]


def test_a_first_visit_shows_what_it_waits_for_and_cleared_caches_load_no_model(
    open_page: OpenPage, tmp_path: Path
) -> None:
    openings, gate = tmp_path / "openings", tmp_path / "gate"
    with serve("tests/e2e/counting_app.py", PLAYGROUND_OPENINGS=str(openings), PLAYGROUND_GATE=str(gate)) as url:
        page = open_page(f"{url}/sampling?{urlencode({'top_p': '0.9', 'prompt': 'Two plus two makes'})}")
        expect(page.get_by_role("progressbar").first).to_be_visible()
        in_frame(page, "Sampling")
        gate.touch()
        bars_ready(page)
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(page.get_by_role("group", name="Top-p", exact=True).get_by_role("slider")).to_have_value("0.9")
        expect(page.get_by_label("Prompt", exact=True)).to_have_value("Two plus two makes")
        card = page.get_by_test_id("stSidebar").locator(".st-key-model_card")
        expect(card).to_contain_text("SmolLM2")
        expect(card).to_contain_text("135 M parameters")
        page.close()
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
