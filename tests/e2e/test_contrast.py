"""What is written on a page can be read on its ground: text, links, code, keys on buttons, names and numbers on pictures."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, bars_ready, settled, until

POOR = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


def readable(page: Page) -> None:
    """Every text in view; that some were judged shows that the script still finds them."""
    until(lambda: page.evaluate(POOR), lambda texts: texts["judged"] > 20 and texts["poor"] == [], patience_s=30)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_captions_keys_and_numbers_on_pictures_can_be_read(open_page: OpenPage, app_url: str, dark: bool) -> None:
    page = open_page(f"{app_url}/sampling?{urlencode({'top_p': 0.9})}", dark=dark)
    bars_ready(page)
    for name in ("Pipeline", "Why this token?"):
        page.get_by_role("tab", name=name).click()
        expect(page.get_by_role("tabpanel", name=name).locator(".main-svg text").first).to_be_visible()
        settled(page)
        readable(page)
    page.goto(f"{app_url}/attention?show=heads")
    page.get_by_role("tab", name="What heads do").click()
    expect(page.get_by_role("link", name="Olsson et al. 2022")).to_be_visible()
    settled(page)
    readable(page)
