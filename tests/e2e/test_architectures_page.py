"""The page Architectures in a real browser: a race of two small families, a text under the keyboard, and the page on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, box, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]


def test_families_are_raced_and_a_text_is_read(app_url: str, open_page: OpenPage) -> None:
    page = open_page(f"{app_url}/architectures?families=%5B%22gru%22%2C%22transformer%22%5D&longest=512")
    expect(page.get_by_text("Ready results, measured on")).to_be_visible()
    page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.get_by_text(re.compile(r"equal the formula's at 6 of 6 points"))).to_be_visible()
    page.get_by_role("tab", name="How each one remembers").click()
    text = page.get_by_role("textbox", name="Letters a to p among points")
    expect(text).to_be_visible()
    text.fill("..c..a")
    text.press("Enter")
    expect(page.get_by_text("To be written: ca")).to_be_visible()
    settled(page)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    picture, controls = page.locator(".js-plotly-plot").first, page.locator(".st-key-tab_controls")
    until(
        lambda: box(picture)["y"] < 422 <= box(controls)["y"], bool
    )  # the picture first, the controls in the lower half
