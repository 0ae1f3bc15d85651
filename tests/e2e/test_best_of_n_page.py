"""The Best-of-N page in a real browser on the bundled model: a run, its cancel, its reopening, its sections."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from playground.charts.table import WIDTH
from tests.e2e.conftest import OpenPage, box, hover_until, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

SHORT = {"prompt": "The capital of France is", "n": "4", "new": "5", "ref": "Paris"}


def link(app_url: str, **fields: str) -> str:
    return f"{app_url}/best_of_n?{urlencode(SHORT | fields)}"


def finished(page: Page, count: int = 4) -> None:
    """Wait for a whole run, of which a candidate is open."""
    expect(page.get_by_text(re.compile(rf"^{count} candidates, ")).first).to_be_visible()
    expect(page.locator(".token.step").first).to_be_visible()
    settled(page)


def tokens(page: Page) -> list[str]:
    """Of the opened candidate."""
    return page.locator(".token.step").all_text_contents()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    settled(page)


def test_a_run_is_shown_ranked_voted_on_and_reopened_after_another(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, seed="3"))
    finished(page)
    first = tokens(page)
    table = page.get_by_test_id("stDataFrame").first
    until(
        lambda: box(table)["width"], lambda width: width >= WIDTH
    )  # the columns that matter are made to fit into this
    expect(page.get_by_text("Diversity:")).to_be_visible()
    hover_until(page.locator(".token.step").first, page.locator(".card").first, "log-probability")
    tab(page, "Rankings")
    expect(page.get_by_text("Who wins under which rule")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    tab(page, "Voting")
    expect(page.get_by_text(re.compile("wins with|A tie"))).to_be_visible()
    tab(page, "First valid")
    expect(page.get_by_role("button", name="Race 4")).to_be_enabled()
    tab(page, "Candidates")

    other = open_page(link(app_url, seed="4"))
    finished(other)
    assert tokens(other) != first
    other.get_by_text("Recorded runs", exact=True).click()
    rows = other.locator("[class*='st-key-bon_kept_']")
    expect(rows.first).to_contain_text("shown now")
    expect(rows.nth(1)).to_be_visible()
    kept = rows.count()  # other files' tests may have left runs on this server
    rows.nth(1).get_by_role("button", name="Open").click()
    expect(rows.nth(1)).to_contain_text("shown now")
    expect(other.locator(".token.step")).to_have_text(first)
    expect(other).to_have_url(re.compile("seed=3"))
    rows.nth(1).get_by_role("button", name="Delete").click()
    expect(rows).to_have_count(kept - 1)
    expect(other.locator(".token.step")).to_have_text(first)  # the present run stays on screen


def test_an_experiment_shows_its_result_by_itself(app_url: str, open_page: OpenPage) -> None:
    """Its tab has no table that grows: it looks in on the run all the same."""
    page = open_page(link(app_url))
    finished(page)
    page.get_by_role("button", name="A vote on arithmetic").click()
    expect(page.get_by_role("tab", name="Voting", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_text(re.compile("wins with|A tie")).first).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page).to_have_url(re.compile("view=voting"))


def test_escape_cancels_frees_the_model_and_go_on_finishes(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, n="3", new="2000", ignore_eos="1"))
    expect(page.get_by_text(re.compile(r"of 3 finished, 3 being written"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text(re.compile(r"Stopped: 0 finished candidates stay"))).to_be_visible()
    settled(page)
    other = open_page(link(app_url, n="2", new="2"))
    finished(other, 2)  # the model is free
    page.get_by_label("Maximum new tokens").fill("3")
    page.get_by_label("Maximum new tokens").press("Tab")
    page.get_by_role("button", name="Generate 3 candidates").click()
    finished(page, 3)
    assert len(tokens(page)) <= 3
