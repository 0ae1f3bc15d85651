"""The page "Inside the model" in a real browser on the bundled model: mouse, keyboard, link, files, both schemes."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, hover_until, sent_bytes, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

PROMPT = "The Eiffel Tower is in the city of"


def link(app_url: str, **fields: str) -> str:
    return f"{app_url}/inside?{urlencode({'prompt': PROMPT} | fields)}"


def lens_ready(page: Page) -> None:
    expect(page.locator(".lensCell").first).to_be_visible()
    expect(page.locator(".choice")).to_have_count(10)
    settled(page)


def says(page: Page, *words: str) -> None:
    """What a screen reader says of the focused cell has these words."""
    focused = page.locator(".lensCell:focus")
    expect(focused).to_have_attribute(
        "aria-label", re.compile("".join(f"(?=.*{re.escape(word)})" for word in words), re.DOTALL)
    )


def fits(page: Page) -> None:
    """Nothing makes the page wider than the window."""
    wide = "document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth"
    until(lambda: int(page.evaluate(wide)), lambda pixels: pixels <= 0)


def test_the_lens_by_mouse_by_keyboard_and_in_another_colour(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url))
    lens_ready(page)
    cells = page.locator(".lensCell")
    columns = page.locator(".lensHead:not(.lensCorner)").count()
    expect(cells).to_have_count(31 * columns)
    expect(page.locator(".lensSide")).to_have_count(31)
    answer = cells.nth(columns - 1)  # the last depth stands on top
    expect(answer).to_have_text("␣Paris")
    expect(answer).to_have_class(re.compile("picked"))
    grid = page.get_by_role("grid")
    expect(grid).to_have_attribute("aria-label", re.compile(r"likeliest token is ␣Paris with \d+\.\d\d%"))
    low = cells.nth(20 * columns + columns - 1)
    card = page.locator(".lens .card")
    hover_until(low, card, "layer 10, after ␣of")
    expect(card).to_contain_text(re.compile(r"entropy \d+\.\d{3} nats, KL to the answer \d+\.\d{3} nats"))
    low.click()
    expect(page.get_by_text(re.compile(r"Layer 10, after"))).to_be_visible()
    expect(low).to_have_class(re.compile("picked"))
    expect(page.locator(".choice.chosen")).to_have_count(0)  # ␣Paris is followed and far from this cell's top ten
    expect(page.get_by_role("figure", name=re.compile("␣Paris: rank"))).to_be_visible()
    page.locator(".choice").nth(1).click()
    expect(page.locator(".choice.chosen")).to_have_count(1)
    expect(page.get_by_role("figure", name=re.compile("Rank through the depths.*␣Paris"))).to_be_visible()
    page.get_by_label("Follow any token").fill(" London")
    page.keyboard.press("Enter")
    expect(page.get_by_role("figure", name=re.compile("␣London: rank"))).to_be_visible()
    answer.click()
    expect(answer).to_have_class(re.compile("picked"))
    _by_keyboard(page)
    _another_colour(page)


def _by_keyboard(page: Page) -> None:
    """The cells with arrow keys alone."""
    page.locator(".lensCell[tabindex='0']").focus()
    says(page, "layer 30 (answer), after ␣of", "␣Paris", "nats")
    for key, expected in (
        ("ArrowDown", "layer 29"),
        ("Home", "position 0"),
        ("PageDown", "embedding"),
        ("ArrowUp", "layer 1,"),
    ):
        page.keyboard.press(key)
        says(page, expected)
    page.keyboard.press("ArrowRight")
    says(page, "position 1")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"Layer 1, after"))).to_be_visible()
    says(page, "position 1")  # the focus stays where it was


def _another_colour(page: Page) -> None:
    """It repaints the same buttons at once, and sends no cell again."""
    cell = page.locator(".lensCell").first
    before = cell.evaluate("one => { one.dataset.kept = 'yes'; return one.style.background }")
    page.get_by_role("radio", name="Probability").focus()

    def to_the_last_colour() -> None:
        page.keyboard.press("End")
        assert cell.evaluate("one => one.style.background") != before, "before the server has answered"
        expect(page).to_have_url(re.compile("colour=divergence"))
        settled(page)

    assert sent_bytes(page, to_the_last_colour) < 10_000
    expect(page.get_by_text("how far a depth is from the model's answer")).to_be_visible()
    assert cell.get_attribute("data-kept") == "yes", "cells are repainted, not made anew"
    page.get_by_role("button", name="See the answer appear").click()
    expect(page.get_by_role("radio", name="Probability")).to_be_checked()
    expect(page.get_by_text("the probability a depth gives its own top token")).to_be_visible()


def test_the_grid_is_taken_away_as_a_picture(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, colour="entropy"))
    lens_ready(page)
    page.get_by_role("button", name="Take away").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="PNG of the grid").click()
    assert saved.value.suggested_filename == "lens.png"
    data = saved.value.path().read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    columns = page.locator(".lensHead:not(.lensCorner)").count()
    assert 60 * columns < wide < 200 * columns + 400 and 31 * 20 < high < 31 * 20 + 120, "all depths, all tokens"
    assert len(data) > 10_000, "not a blank sheet"


def test_anatomy_and_what_a_pass_costs_here(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, show="anatomy"))
    expect(page.get_by_text("134,515,008 parameters: the same")).to_be_visible()
    expect(page.locator(".js-plotly-plot .treemaplayer")).to_be_visible()
    page.get_by_role("tab", name="Prefill and decode").click()
    expect(page.get_by_text("equal at every length")).to_be_visible()
    settled(page)
    page.get_by_text("Roofline", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("Roofline of this machine.*FLOPs a byte"))).to_be_visible(
        timeout=60_000
    )
    page.get_by_role("button", name=re.compile("Up to 1,024")).click()
    expect(page.locator(".st-key-stop_timing button")).to_be_visible()
    expect(page.locator("[data-testid=stProgress]")).to_contain_text("Passes are timed")
    page.keyboard.press("Escape")
    expect(page.get_by_text("Stopped: the model is free")).to_be_visible()
    expect(page.get_by_text("equal at every length")).to_be_visible()  # what was measured before stays


def test_the_link_and_the_files(app_url: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(link(app_url, depth="28", position="8", colour="entropy"))
    lens_ready(page)
    expect(page).to_have_url(re.compile("depth=28.*position=8|position=8.*depth=28"))
    expect(page.locator(".lensCell.picked")).to_have_attribute("aria-label", re.compile("layer 28.*position 8"))
    page.get_by_role("button", name="Take away").click()
    for name in ("CSV", "HTML"):
        with page.expect_download() as saved:
            page.get_by_role("button", name=name, exact=True).click()
        saved.value.save_as(tmp_path / saved.value.suggested_filename)
    with (tmp_path / "lens.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = [row for row in rows if row["depth"] == "30" and row["position"] == "8" and row["rank"] == "1"]
    assert [row["text"] for row in best] == ["␣Paris"]
    again = open_page(f"file://{tmp_path / 'lens.html'}")
    expect(again.locator("td").nth(8)).to_have_text("␣Paris")
    expect(again.get_by_role("heading", name=re.compile("Logit lens of SmolLM2"))).to_be_visible()


def test_hostile_text_is_text_and_a_narrow_dark_page_fits(app_url: str, open_page: OpenPage) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\"> `|` **$x$** </script>"
    page = open_page(link(app_url, prompt=hostile), width=390, height=844, dark=True)
    lens_ready(page)
    expect(page.locator(".lens img, .choices img")).to_have_count(0)
    assert page.title() != "taken"
    fits(page)  # only the grid scrolls sideways
    scroller = page.locator(".lensScroll")
    at_the_end = "one => one.scrollWidth > one.clientWidth && one.scrollLeft > 0"
    until(lambda: scroller.evaluate(at_the_end), bool)  # the end is in view
    page.locator(".lensCell[tabindex='0']").focus()
    page.keyboard.press("Home")
    until(lambda: float(scroller.evaluate("one => one.scrollLeft")), lambda left: left < 5)  # so is what has the focus
    page.get_by_role("tab", name="Anatomy").click()
    expect(page.get_by_text("keeps of what it has read")).to_be_visible()
    settled(page)
    fits(page)
