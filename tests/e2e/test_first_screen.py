"""At 1280 × 720 the first thing that one sees is the picture: how much of the first screen is picture, on every page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from pages import PAGES
from tests.e2e.conftest import OpenPage, box, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]
# Pages of words: a list of terms, and a sentence on how a room is opened.
OF_WORDS = {"glossary", "room"}
TABS = {
    "data_languages": ("premiums", "costs", "knows", "middle"),
    "teach_preferences": ("strengths", "reward", "over", "dpo", "groups"),
}
ADDRESSES = [name for name in PAGES if name not in OF_WORDS]
ADDRESSES += [f"{name}?view={tab}" for name, tabs in TABS.items() for tab in tabs]
SCROLLED = {"best_of_n"}  # a candidate has more figures than fit: tests/charts/test_candidates_table.py holds which do
LEAST = 0.5  # of the place where pictures stand, from the window's upper edge to its lower one
LEAST_OF_ALL = 0.5  # of all that is not the sidebar: the heading and what is set are in it

# What is drawn: charts and their keys, strips of tokens (as far as their lines go), tables, drawings, a pair to judge. No
# sentences, no buttons but those of a pair. Boxes lie in one another: points are counted, each once.
SHARES = r"""() => {
  const DRAWN = `[data-testid=stPlotlyChart], [data-testid=stImage] img, [data-testid=stDataFrame], [data-testid=stTable],
    [data-testid=stMarkdown] table, .chart, .light, .legend, .strip, .judgePair, .table, .lens, .attention, .map, .removed`
  const seen = (node) => node && node.getBoundingClientRect().width > 0
  const sidebar = document.querySelector('[data-testid=stSidebar]').getBoundingClientRect()
  const own = [...document.querySelectorAll('.st-key-tab_pictures')].find(seen)
  const place = own ?? document.querySelector('.st-key-page_pictures')
  const column = place.getBoundingClientRect()
  const boxes = []
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) walk(node.shadowRoot)
      if (!node.matches(DRAWN) || !seen(node)) continue
      const { left, right, top, bottom } = node.getBoundingClientRect()
      const tokens = node.matches('.strip') ? [...node.querySelectorAll('.token')] : []
      const end = tokens.length ? tokens.at(-1).getBoundingClientRect().bottom + 8 : bottom
      boxes.push({ left, right, top, bottom: Math.min(bottom, end) })
    }
  }
  walk(document.querySelector('[data-testid=stMain]'))
  const STEP = 4
  const share = (from, to) => {
    let drawn = 0, all = 0
    for (let y = STEP / 2; y < innerHeight; y += STEP) {
      for (let x = from + STEP / 2; x < to; x += STEP) {
        all += 1
        if (boxes.some((one) => x > one.left && x < one.right && y > one.top && y < one.bottom)) drawn += 1
      }
    }
    return drawn / all
  }
  return [share(column.left, column.right), share(sidebar.right, innerWidth)]
}"""
# Pixels by which tables are wider than their places.
CUT = """() => [...document.querySelectorAll('[data-testid=stMain] .dvn-scroller')]
  .map((one) => one.scrollWidth - one.clientWidth)"""
STOPS = ".st-key-generate_stop, .st-key-bon_stop, [class*='st-key-pending_'], [class*='st-key-stop_']"


def shares(page: Page) -> tuple[float, float]:
    """Of the pictures' place on the first screen, and of all beside the sidebar, what is drawn."""
    of_place, of_all = page.evaluate(SHARES)
    return of_place, of_all


@pytest.mark.parametrize("address", ADDRESSES)
def test_half_of_the_first_screen_is_picture(open_page: OpenPage, app_url: str, address: str) -> None:
    page = open_page(f"{app_url}/{address}", width=1280, height=720)
    expect(page.locator(".st-key-page_body")).to_be_visible()
    settled(page)
    expect(page.locator(STOPS)).to_have_count(0)
    until(lambda: shares(page), lambda of: of[0] >= LEAST and of[1] >= LEAST_OF_ALL)
    until(lambda: box(page.locator(".st-key-page_pictures"))["y"], lambda top: top <= 90)
    if address not in SCROLLED:
        until(lambda: page.evaluate(CUT), lambda widths: all(width <= 1 for width in widths))  # no column past the edge


@pytest.mark.parametrize("address", ["teach_examples", "data_languages"])
def test_a_tabs_controls_stand_below_the_sheets_handle_on_a_phone(
    open_page: OpenPage, app_url: str, address: str
) -> None:
    page = open_page(f"{app_url}/{address}", width=390, height=844)
    sheet = page.locator(".st-key-tab_controls")
    expect(sheet).to_be_visible()
    handle = box(sheet)["y"] + 44
    for control in sheet.locator("> *").all():
        place = box(control)
        assert place["y"] >= handle and place["x"] >= 0 and place["x"] + place["width"] <= 390


def test_what_counts_in_the_loss_stands_on_the_first_screen(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/teach_examples", width=1280, height=720)
    page.get_by_role("button", name="Which tokens teach").click()
    taught = page.locator(".st-key-teach_mask .token.step")  # what is not underlined is of the prompt
    until(
        lambda: [box(token)["y"] + box(token)["height"] for token in taught.all()],
        lambda ends: ends and max(ends) <= 720,
    )
