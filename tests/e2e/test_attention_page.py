"""The Attention page in a real browser on the bundled model: hover, click, keyboard, link, and its files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SHORT_MS, OpenPage, box, hover_until, point_until, sent_bytes, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

PROMPT = "Mr Durrant met Mrs Potter. Mr Durrant <b>"
VIEW = ".attention"


def open_at(app_url: str, open_page: OpenPage, **fields: str) -> Page:
    page = open_page(f"{app_url}/attention?{urlencode({'prompt': PROMPT} | fields)}")
    expect(page.locator(".attention .frame, .map .tile").first).to_be_visible()
    settled(page)
    return page


def pixels(page: Page) -> int:
    """Something that differs between two pictures: the sum over the first heatmap's canvas."""
    pixel_sum = page.locator(".heat canvas.base").first.evaluate(
        """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .reduce((sum, value, at) => (sum + value * (1 + at % 9973)) % 1e12, 0)"""
    )
    return int(pixel_sum)


def cell_place(page: Page, query: int, key: int) -> tuple[float, float]:
    """Where on the screen a cell of the first heatmap is."""
    frame = page.locator(".frame").first
    frame.scroll_into_view_if_needed()
    place = box(frame)
    size, left, top = (float(frame.get_attribute(f"data-{name}") or 0) for name in ("cell", "left", "top"))
    return place["x"] + left + (key + 0.5) * size, place["y"] + top + (query + 0.5) * size


def point_at_cell(page: Page, query: int, key: int, check: Callable[[], object]) -> None:
    """Move the pointer to a cell until it is seen to be there."""

    def point() -> None:
        page.mouse.move(0, 0)
        page.mouse.move(*cell_place(page, query, key))

    point_until(point, check)


def painted_anew(page: Page, before: int) -> None:
    until(lambda: pixels(page), lambda now: now != before)


def test_a_deep_link_shows_all_heads_the_text_and_a_head_and_hover_tells_of_them(
    app_url: str, open_page: OpenPage
) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    expect(page.locator(".map .tile")).to_have_count(270)
    expect(page.locator(".heat .title").first).to_have_text("Layer 18, head 6")
    expect(page.get_by_text("to the first token, the sink")).to_be_visible()
    expect(page.locator(".text").first).to_contain_text("<b")  # hostile text is text
    expect(page.locator(".text b")).to_have_count(0)
    expect(page.locator(".map .board")).to_have_attribute(
        "aria-label", re.compile("30 layers by 9 heads.*%", re.DOTALL)
    )
    heat = re.compile("^Layer 18, head 6: attention of.*Strongest:", re.DOTALL)
    expect(page.locator(".frame").first).to_have_attribute("aria-label", heat)
    _hover_previews_a_head_and_reads_a_cell(page)


def _hover_previews_a_head_and_reads_a_cell(page: Page) -> None:
    card, title = page.locator(".map .card"), page.locator(".heat .title").first
    hover_until(page.get_by_role("button", name=re.compile("^Layer 3, head 2,")), card, "Layer 3, head 2")
    expect(card.locator("canvas")).to_be_visible()
    expect(title).to_have_text("Layer 18, head 6")  # a preview locks nothing
    status, tip = page.locator(".attention .status"), page.locator(".tip").first
    cell = re.compile(r"query 5 .* → key 1 .*: [\d.e-]+%")
    point_at_cell(page, 5, 1, lambda: expect(status).to_have_text(cell, timeout=SHORT_MS))
    expect(tip).to_be_visible()
    page.get_by_role("slider", name="Head").press("ArrowLeft")  # another picture comes while the pointer is on a cell
    expect(title).to_have_text("Layer 18, head 5")
    expect(status).to_have_text(cell)
    point_at_cell(page, 2, 5, lambda: expect(tip).to_be_hidden(timeout=SHORT_MS))  # above the diagonal: nothing there


def test_click_and_arrow_keys_lock_a_head_everywhere(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    before = pixels(page)
    page.get_by_role("button", name=re.compile("^Layer 3, head 2,")).click()
    expect(page.locator(".heat .title")).to_have_text("Layer 3, head 2")
    painted_anew(page, before)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".heat .title")).to_have_text("Layer 4, head 2")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".heat .title")).to_have_text("Layer 4, head 3")
    locked = page.locator(".map .tile[aria-pressed=true]")
    expect(locked).to_have_count(1)
    expect(locked).to_have_attribute("aria-label", re.compile("^Layer 4, head 3,"))
    expect(page.get_by_role("slider", name="Layer")).to_have_value("4")
    page.get_by_role("slider", name="Head").press("ArrowLeft")
    expect(page.locator(".heat .title")).to_have_text("Layer 4, head 2")
    expect(locked).to_have_attribute("aria-label", re.compile("^Layer 4, head 2,"))  # without being sent anew
    expect(page).to_have_url(re.compile("heads=4.2"))


def test_the_text_by_mouse_and_keyboard(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    tokens = page.locator(".text .token")
    status = page.locator(".attention .status")
    hover_until(tokens.nth(3), status, re.compile("^3 .* attends to .*%.*; attended by .*%"))
    expect(tokens.nth(0)).to_have_attribute("style", re.compile(r"background: rgb\(\d+, ?\d+, ?\d+\)"))
    tokens.nth(4).focus()
    page.keyboard.press("ArrowRight")
    expect(status).to_have_text(re.compile("^5 "))
    expect(tokens.nth(5)).to_be_focused()
    page.keyboard.press("Enter")
    expect(tokens.nth(5)).to_have_class(re.compile("picked"))
    expect(page).to_have_url(re.compile("query=5"))
    frame = page.locator(".frame").first
    frame.focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(status).to_have_text(re.compile(r"query 1 .* → key 1 "))


@pytest.mark.parametrize(
    ("heads", "name"), [("18.all.mean", "^Layer 18, mean weight"), ("all.mean", "^All layers and heads, mean weight")]
)
def test_the_text_shows_a_layers_mean_and_that_of_all(app_url: str, open_page: OpenPage, heads: str, name: str) -> None:
    page = open_at(app_url, open_page, heads=heads)
    expect(page.locator(".heat .title")).to_have_text(re.compile(name, re.IGNORECASE))
    tokens, status = page.locator(".text .token"), page.locator(".attention .status")
    hover_until(tokens.nth(3), status, re.compile("^3 .* attends to .*%.*; attended by .*%"))
    grounds = "nodes => nodes.map(node => node.style.background)"
    until(lambda: tokens.evaluate_all(grounds), lambda colours: colours[0] != colours[2])


# Chooses a scale as a press does, and counts the paints that are done before anything else can happen.
PRESS = """
name => {
  const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter((root) => root)
  const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)])
  const painted = () => all('.attention, .map').map((node) => Number(node.dataset.painted))
  const before = painted()
  all('[role=radio]').find((radio) => radio.textContent === name).click()
  return painted().map((count, at) => count - before[at])
}
"""


def test_another_colour_scale_repaints_all_pictures_before_the_server_hears_of_it(
    app_url: str, open_page: OpenPage
) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    scales = page.get_by_role("radiogroup", name="Colours")
    expect(scales.get_by_role("radio", name="linear")).to_be_checked()
    before, legend = pixels(page), page.locator(".map .legend")
    sent = sent_bytes(page, lambda: _press_and_wait(page, "log"))
    assert sent < 10_000, "no weight is sent again"
    painted_anew(page, before)
    expect(legend).to_contain_text("0.01% or less")
    scales.get_by_role("radio", name="log").focus()
    page.keyboard.press("ArrowRight")  # round to the first one
    expect(scales.get_by_role("radio", name="linear")).to_be_focused()
    until(lambda: pixels(page), lambda now: now == before)
    for _ in range(5):  # faster than the server answers: what it says of an old press changes nothing
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("colours=log"))
    settled(page)
    expect(scales.get_by_role("radio", name="log")).to_be_checked()
    expect(legend).to_contain_text("0.01% or less")
    page.get_by_role("slider", name="Head").press("ArrowLeft")  # new data, the same colours
    expect(page.locator(".heat .title")).to_have_text("Layer 18, head 5")
    expect(page.locator(".attention .legend")).to_contain_text("log scale")
    page.get_by_role("link", name="Glossary").click()
    expect(page.get_by_role("heading", name="Glossary")).to_be_visible()
    page.get_by_role("link", name="Attention").click()
    expect(page.locator(".attention .legend")).to_contain_text("log scale")
    page.get_by_role("button", name="What “it” looks at").click()
    expect(scales.get_by_role("radio", name="stretched")).to_be_checked()
    expect(page.locator(".attention .legend")).to_contain_text("the largest shown")


def _press_and_wait(page: Page, name: str) -> None:
    assert page.evaluate(PRESS, name) == [1, 1]
    expect(page).to_have_url(re.compile(f"colours={name}"))
    settled(page)


def test_a_link_brings_everything_back_in_another_browser(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="2.0+1.max", beside="5.all.mean", colours="log", hide_first="1", query="4")
    expect(page.locator(".heat")).to_have_count(2)
    expect(page.get_by_text("hidden here, and the rest of each row renormalised")).to_be_visible()
    expect(page).to_have_url(re.compile("beside=5.all.mean"))
    settled(page)
    fields = parse_qs(urlsplit(page.url).query)
    other = open_page(page.url)
    expect(other.locator(".heat")).to_have_count(2)
    settled(other)
    until(lambda: parse_qs(urlsplit(other.url).query), lambda others: others == fields)
    expect(other.locator(".heat .title")).to_have_text(page.locator(".heat .title").all_inner_texts())
    until(lambda: (pixels(other), pixels(page)), lambda both: both[0] == both[1])
    expect(other.locator(".text .token").nth(4)).to_have_class(re.compile("picked"))
    expect(other.locator(".attention .legend")).to_contain_text("0.01% or less")


def test_a_click_on_the_map_of_scores_opens_that_head(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, view="doing")
    highest = page.get_by_text("Highest: layer 18, head 6")
    expect(highest.first).to_be_visible()
    page.get_by_role("button", name=re.compile("^Layer 18, head 6, Induction")).click()
    expect(page.locator(".heat .title")).to_have_text("Layer 18, head 6")
    expect(page.get_by_role("tab", name="Heads", exact=True)).to_have_attribute("aria-selected", "true")


def test_png_npz_and_html_are_taken_away(app_url: str, open_page: OpenPage, tmp_path: Path) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    page.get_by_role("button", name="Take away").click()
    png = page.get_by_role("button", name="PNG of the heatmaps")
    expect(png).to_be_visible()
    with page.expect_download() as saved:
        png.click()
    data = saved.value.path().read_bytes()
    assert saved.value.suggested_filename == "attention.png" and data[:8] == b"\x89PNG\r\n\x1a\n"
    wide, high = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert 300 < wide < 1000 and 300 < high < 1000 and len(data) > 5_000, "title, heatmap, names and scale"
    with page.expect_download() as saved:
        page.get_by_role("button", name="NPZ").click()
    with np.load(io.BytesIO(saved.value.path().read_bytes())) as file:
        assert file["attention"].shape[:2] == (30, 9)
    with page.expect_download() as saved:
        page.get_by_role("button", name="HTML", exact=True).click()
    target = tmp_path / "attention.html"
    saved.value.save_as(target)
    offline = open_page(target.as_uri())
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    expect(offline.locator(".heat .title")).to_have_text("Layer 18, head 6")
    offline.get_by_role("button", name=re.compile("^Layer 3, head 2,")).click()
    expect(offline.locator(".heat .title")).to_have_text("Layer 3, head 2")
    status, cell = offline.locator(".attention .status"), re.compile(r"query 5 .* → key 1 .*: (under 0\.1|[\d.]+)%")
    point_at_cell(offline, 5, 1, lambda: expect(status).to_have_text(cell, timeout=SHORT_MS))
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
