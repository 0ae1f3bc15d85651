"""Languages and Domains in a real browser: strips, heatmap, a language in words, bits per byte and the strip of surprise."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage, hover_until, settled

pytestmark = [pytest.mark.e2e, pytest.mark.model]


def test_a_sentence_its_premiums_and_a_domain(app_url: str, open_page: OpenPage) -> None:
    page = open_page(f"{app_url}/data_languages?text=Hello+%E1%80%80")
    strips = page.locator(".strip .tokens")
    expect(strips).to_have_count(12)  # from cold: the vocabularies are read, and then the page is drawn by itself
    first = strips.first.locator(".token")
    expect(first).to_have_text(["Hello", "␣<0xE1>", "<0x80>", "<0x80>"])
    hover_until(first.nth(1), page.locator(".strip .card").first, "a part of a character")
    expect(page.get_by_text("SmolLM2 (bundled model)").first).to_be_visible()
    page.get_by_role("tab", name="The same text in many languages").click()
    expect(page.get_by_text(re.compile(r"takes 21\.8× the tokens of English"))).to_be_visible()
    expect(page.locator(".st-key-premium_heat .heatmaplayer, .st-key-premium_heat image").first).to_be_visible()
    page.get_by_role("radio", name="Sorted bars").or_(page.get_by_role("button", name="Sorted bars")).first.click()
    expect(page.locator(".st-key-premium_bars [role=img]")).to_have_attribute("aria-label", re.compile("Shan"))
    settled(page)
    wide = "document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth"
    assert int(page.evaluate(wide)) <= 0
    page.goto(f"{app_url}/data_domains?domain=chat")
    strip = page.locator(".st-key-domain_strip .token")
    expect(strip.nth(5)).to_be_visible()
    expect(page.get_by_text(re.compile(r"Chat: 1\.79\d bits a byte"))).to_be_visible()
    page.get_by_role("button", name="Teach it on Examples").click()
    expect(page).to_have_url(re.compile("/teach_examples"))
    expect(page.get_by_role("heading", name="Examples", exact=True)).to_be_visible()
    expect(page.get_by_role("tab", name="Demonstrations")).to_have_attribute("aria-selected", "true")
