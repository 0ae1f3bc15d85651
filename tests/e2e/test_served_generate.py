"""The Generate page on llama.cpp's own server, in a real browser: its text, what it tells, a branch, Stop, Compare."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, hover_until, serve
from tests.e2e.test_generate_page import PROMPT, STOP, link, written
from tests.engine.remote.llama_server import llama_server

pytestmark = [pytest.mark.e2e, pytest.mark.model]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with llama_server(2) as address:
        yield address


@pytest.fixture(scope="module")
def served_url(base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(PLAYGROUND_MODEL=base, PLAYGROUND_DATA=str(tmp_path_factory.mktemp("data"))) as url:
        yield url


def own_answer(base: str, count: int) -> str:
    """What the server itself answers greedily, without any code of ours."""
    body = {"prompt": PROMPT, "n_predict": count, "temperature": 0, "ignore_eos": True}
    url = base.removesuffix("/v1") + "/completion"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        text: str = json.loads(response.read())["content"]
    return text


def test_a_greedy_text_on_the_page_is_the_servers_own(base: str, served_url: str, open_page: OpenPage) -> None:
    page = open_page(link(served_url, temperature="0", new="12"))
    shown = "".join(written(page, 12)).replace("␣", " ").replace("↵", "\n")
    assert shown == own_answer(base, 12)
    card = page.locator(".card").first
    hover_until(page.locator(".token.step").nth(2), card, "the engine drew it; it tells no random number")
    expect(card).not_to_contain_text("u =")
    expect(page.get_by_text("This engine samples by itself")).to_be_visible()


def test_a_branch_from_a_told_token_and_the_way_to_sampling(served_url: str, open_page: OpenPage) -> None:
    page = open_page(link(served_url, temperature="0"))
    first = written(page)
    page.locator(".token.step").nth(2).click()
    expect(page.get_by_text("Token 3:")).to_be_visible()  # the least expected token's bars were open before
    bars = page.locator(".rows .row:not(.rest)")
    expect(bars.nth(1)).to_be_visible()
    name = bars.nth(1).locator(".label").inner_text()
    bars.nth(1).click()
    expect(page.get_by_text("2 texts from this prompt")).to_be_visible()
    expect(page.locator(".token.step").nth(2)).to_have_text(name)
    assert written(page)[:3] == [*first[:2], name]
    page.locator(".token.step").nth(1).click()
    page.get_by_role("button", name="Open in Sampling").click()
    expect(page.get_by_role("heading", name="Sampling")).to_be_visible()


def test_stop_keeps_the_text_and_settings_are_compared(served_url: str, open_page: OpenPage) -> None:
    page = open_page(link(served_url, new="900"))
    expect(page.locator(".token.step").nth(1)).to_be_visible()
    page.locator(STOP).click()
    expect(page.get_by_text("stopped before it was finished")).to_be_visible()
    expect(page.locator(".token.step").first).to_be_visible()
    page = open_page(link(served_url))
    written(page)
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("button", name="Compare with greedy").click()
    expect(page.get_by_text("12 new tokens")).to_be_visible()
    expect(page.get_by_text("each text by a request of its own")).to_be_visible()
