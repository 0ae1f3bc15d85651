"""The Generate page in a real browser on the bundled model: it streams, stops, branches, compares and comes back."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from tests.e2e.conftest import PATIENCE_S, OpenPage, hover_until, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

STOP = ".st-key-generate_stop button >> visible=true"  # one with a hint is there twice, for fingers and for mice
PROMPT = "The capital of France is"
SHORT = {"prompt": PROMPT, "new": "6", "ignore_eos": "1", "temperature": "0.8"}


# All of a component's drawings wait for its script until the text has ended, and the first one is let go of last.
FIRST_COMES_LAST = """
const createURL = URL.createObjectURL
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
window.waitsFor = async (parentElement, visited) => {
  const first = !visited.has(parentElement)
  visited.add(parentElement)
  while (!document.body.textContent.includes("Ended:")) await wait(20)
  await wait(first ? 1000 : 200)
  return first
}
URL.createObjectURL = (blob) => blob.type !== "text/javascript" ? createURL.call(URL, blob) : createURL.call(URL, new Blob([`
  const visited = new WeakSet()
  export default async (call) => {
    const first = await window.waitsFor(call.parentElement, visited)
    const { default: draw } = await import("${createURL.call(URL, blob)}")
    if (first) window.cameLast = true
    return draw(call)
  }
`], { type: "text/javascript" }))
"""


def link(app_url: str, **fields: str) -> str:
    return f"{app_url}/generate?{urlencode(SHORT | fields)}"


def steps(page: Page) -> list[str]:
    """The generated tokens on screen."""
    return page.locator(".token.step").all_text_contents()


def written(page: Page, count: int = 6) -> list[str]:
    """Wait for a finished text of so many tokens."""
    expect(page.locator(".token.step")).to_have_count(count)
    expect(page.get_by_text("Ended:")).to_be_visible()
    expect(page.locator(STOP)).to_have_count(0)
    settled(page)
    return steps(page)


def test_a_text_streams_and_stop_frees_the_model_for_others(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, new="4000"))
    stop = page.locator(STOP)
    expect(stop).to_be_visible()
    expect(page.locator(".token.step").nth(1)).to_be_visible()
    shown_steps = page.locator(".token.step").count()
    expect(page.locator(".token.step").nth(shown_steps + 2)).to_be_visible()
    expect(page.get_by_text(re.compile(r"Writing: \d+ of at most 4,?000 tokens, [\d.]+ tokens/s"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("stopped before it was finished")).to_be_visible()
    until(lambda: len(steps(page)), lambda count: count >= shown_steps)
    other = open_page(link(app_url, new="3"))
    written(other, 3)  # the model is free


def test_a_page_with_a_finished_text_asks_for_nothing_more(app_url: str, open_page: OpenPage) -> None:
    """Its timer ended with the text: otherwise every open tab costs two runs a second for ever."""
    page = open_page("about:blank")
    with page.expect_websocket() as opened:
        page.goto(link(app_url))
    written(page)
    deadline = time.monotonic() + PATIENCE_S
    with pytest.raises(TimeoutError):  # once the prompt is rated too
        while time.monotonic() < deadline:
            opened.value.wait_for_event("framesent", timeout=2_500)


def test_the_newest_drawing_of_a_text_stays_whichever_comes_last(app_url: str, open_page: OpenPage) -> None:
    """Drawings that come while a component's script loads wait for it together, and are let go of in any order."""
    page = open_page("about:blank")
    page.add_init_script(FIRST_COMES_LAST)
    page.goto(link(app_url, new="12"))
    expect(page.get_by_text("Ended:")).to_be_visible()
    page.wait_for_function("() => window.cameLast")
    settled(page)
    expect(page.locator(".token.step")).to_have_count(12)


def test_the_strip_with_the_mouse_then_a_branch_then_sampling(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, seed="2"))
    first = written(page)
    token = page.locator(".token.step").nth(2)
    hover_until(token, page.locator(".card").first, re.compile("removed by.*u = |u = .*removed by", re.DOTALL))
    token.click()
    bars = page.locator(".rows .row:not(.rest)")
    expect(bars.first).to_be_visible()
    expect(page.locator(".rows .row.chosen")).to_have_count(1)
    other = page.locator(".rows .row:not(.rest):not(.chosen)").first
    name = other.locator(".label").inner_text()
    assert name != first[2]
    other.click()
    expect(page.get_by_text("2 texts from this prompt")).to_be_visible()
    expect(page.locator(".token.step").nth(2)).to_have_text(name)
    assert written(page)[:3] == [*first[:2], name]
    page.get_by_role("button", name="Back to parent").click()
    expect(page.locator(".token.step").nth(2)).to_have_text(first[2])
    page.locator(".token.step").nth(1).click()
    page.get_by_role("button", name="Open in Sampling").click()
    expect(page.get_by_role("heading", name="Sampling")).to_be_visible()
    chosen = page.locator(".row.chosen .label")
    expect(chosen).to_contain_text(first[1])
    page.get_by_role("link", name="Generate").click()
    expect(page.get_by_text("2 texts from this prompt")).to_be_visible()
    expect(page.locator(".token.step")).to_have_text(first)  # nothing is lost on a page change


def test_the_strip_with_the_keyboard_alone(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, seed="3"))
    written(page)
    page.locator(".strip .token[tabindex='0']").first.focus()
    page.keyboard.press("End")
    focused = page.locator(".strip .token:focus")
    expect(focused).to_have_attribute("aria-label", re.compile("token 6"))
    page.keyboard.press("ArrowLeft")
    # a screen reader hears what the card shows
    expect(focused).to_have_attribute("aria-label", re.compile("token 5(?=.*u = )(?=.*raw )", re.DOTALL))
    expect(page.locator(".card").first).to_contain_text("token 5")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("Token 5"))).to_be_visible()
    row = page.locator(".rows .row:not(.chosen)").first
    row.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 texts from this prompt")).to_be_visible()
    written(page)


def test_settings_compared_part_where_it_is_marked(app_url: str, open_page: OpenPage) -> None:
    page = open_page(link(app_url, seed="1", temperature="1.3"))
    written(page)
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("button", name="Compare with greedy").click()
    expect(page.get_by_text(re.compile("part at token|are the same"))).to_be_visible()
    settled(page)
    expect(page.locator(".strip")).to_have_count(2)
    sides = [page.locator(".strip").nth(side).locator(".token") for side in (0, 1)]
    for side in sides:
        expect(side).to_have_count(6)
    strips = [side.all_text_contents() for side in sides]
    place = next(i for i in range(6) if strips[0][i] != strips[1][i])
    expect(page.locator(".token.parted")).to_have_text(strips[1][place])
    page.get_by_text("Distributions", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_be_visible()


def test_a_text_comes_back_from_its_link_and_from_its_file(app_url: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(link(app_url, seed="6"))
    first = written(page)
    expect(page).to_have_url(re.compile("new=6"))
    expect(page).to_have_url(re.compile("seed=6"))
    again = open_page(page.url)
    written(again)
    expect(again.locator(".token.step")).to_have_text(first)
    page.get_by_role("button", name="Take away").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="JSON", exact=True).click()
    saved.value.save_as(tmp_path / "run.json")
    fresh = open_page(link(app_url, seed="7"))
    assert written(fresh) != first
    fresh.get_by_role("button", name="Take away").click()
    fresh.locator("input[type=file]").set_input_files(tmp_path / "run.json")
    expect(fresh.locator(".token.step")).to_have_text(first)
    (tmp_path / "cut.json").write_bytes((tmp_path / "run.json").read_bytes()[:500])
    fresh.locator("input[type=file]").set_input_files(tmp_path / "cut.json")
    expect(fresh.get_by_text("it was cut off")).to_be_visible()
    expect(fresh.locator(".token.step")).to_have_text(first)


def test_two_sessions_write_at_once_and_a_closed_tab_lets_go(app_url: str, open_page: OpenPage) -> None:
    one, other = (open_page(link(app_url, seed=seed, new="40")) for seed in ("8", "9"))
    for page in (one, other):
        expect(page.locator(".token.step").nth(2)).to_be_visible()
    endless = open_page(link(app_url, new="1500", seed="10"))
    expect(endless.locator(".token.step").first).to_be_visible()
    endless.context.close()
    texts = [written(page, 40) for page in (one, other)]
    assert texts[0] != texts[1]
    last = open_page(link(app_url, seed="11"))
    written(last)
    expect(last.get_by_text("ready")).to_be_visible()
