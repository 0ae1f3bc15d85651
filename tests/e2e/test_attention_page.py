"""The Attention page in a real browser on the bundled model: hover, click, keyboard, link, and its files."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, sent_bytes, settled

pytestmark = [pytest.mark.e2e, pytest.mark.model]

PROMPT = "Mr Durrant met Mrs Potter. Mr Durrant <b>"
VIEW = ".attention"


def open_at(app_url: str, open_page: OpenPage, **fields: str) -> Page:
    page = open_page(f"{app_url}/attention?{urlencode({'prompt': PROMPT} | fields)}")
    expect(page.locator(".attention .frame, .map .tile").first).to_be_visible(timeout=120_000)
    settled(page)
    return page


def title(page: Page) -> str:
    return page.locator(".heat .title").first.inner_text()


def pixels(page: Page) -> int:
    """Something that differs between two pictures: the sum over the first heatmap's canvas."""
    found = page.locator(".heat canvas.base").first.evaluate(
        """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data
        .reduce((sum, value, at) => (sum + value * (1 + at % 9973)) % 1e12, 0)"""
    )
    return int(found)


def cell_place(page: Page, query: int, key: int) -> tuple[float, float]:
    """Where on the screen a cell of the first heatmap is."""
    frame = page.locator(".frame").first
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    size, left, top = (float(frame.get_attribute(f"data-{name}") or 0) for name in ("cell", "left", "top"))
    return box["x"] + left + (key + 0.5) * size, box["y"] + top + (query + 0.5) * size


def test_a_deep_link_shows_all_heads_the_text_and_a_head(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    expect(page.locator(".map .tile")).to_have_count(270)
    assert title(page) == "Layer 18, head 6"
    expect(page.get_by_text("to the first token, the sink")).to_be_visible()
    tokens = page.locator(".text .token")
    assert "<b" in "".join(tokens.all_inner_texts()), "hostile text is text"
    assert page.locator(".text b").count() == 0
    label = page.locator(".map .board").get_attribute("aria-label") or ""
    assert "30 layers by 9 heads" in label and "%" in label
    heat = page.locator(".frame").first.get_attribute("aria-label") or ""
    assert heat.startswith("Layer 18, head 6: attention of") and "Strongest:" in heat


def test_hover_previews_a_head_and_reads_a_cell(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    page.get_by_role("button", name=re.compile("^Layer 3, head 2,")).hover()
    card = page.locator(".map .card")
    expect(card).to_contain_text("Layer 3, head 2")
    expect(card.locator("canvas")).to_be_visible()
    assert title(page) == "Layer 18, head 6", "a preview locks nothing"
    page.mouse.move(*cell_place(page, 5, 1))
    status = page.locator(".attention .status")
    expect(status).to_have_text(re.compile(r"query 5 .* → key 1 .*: [\d.e-]+%"))
    expect(page.locator(".tip").first).to_be_visible()
    page.mouse.move(*cell_place(page, 2, 5))  # above the diagonal: nothing there
    expect(page.locator(".tip").first).to_be_hidden()


def test_click_and_arrow_keys_lock_a_head_everywhere(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    before = pixels(page)
    page.get_by_role("button", name=re.compile("^Layer 3, head 2,")).click()
    expect(page.locator(".heat .title")).to_have_text("Layer 3, head 2")
    assert pixels(page) != before
    page.keyboard.press("ArrowRight")
    expect(page.locator(".heat .title")).to_have_text("Layer 4, head 2")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".heat .title")).to_have_text("Layer 4, head 3")
    locked = page.locator(".map .tile[aria-pressed=true]")
    expect(locked).to_have_count(1)
    assert (locked.get_attribute("aria-label") or "").startswith("Layer 4, head 3,")
    expect(page.get_by_role("slider", name="Layer")).to_have_value("4")
    page.get_by_role("slider", name="Head").press("ArrowLeft")
    expect(page.locator(".heat .title")).to_have_text("Layer 4, head 2")
    expect(locked).to_have_attribute("aria-label", re.compile("^Layer 4, head 2,"))  # without being sent anew
    expect(page).to_have_url(re.compile("heads=4.2"))


def test_the_text_by_mouse_and_keyboard(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, heads="18.6")
    tokens = page.locator(".text .token")
    status = page.locator(".attention .status")
    tokens.nth(3).hover()
    expect(status).to_have_text(re.compile("^3 .* attends to .*%.*; attended by .*%"))
    ground = tokens.nth(0).evaluate("node => node.style.background")
    tokens.nth(4).focus()
    page.keyboard.press("ArrowRight")
    expect(status).to_have_text(re.compile("^5 "))
    expect(tokens.nth(5)).to_be_focused()
    page.keyboard.press("Enter")
    expect(tokens.nth(5)).to_have_class(re.compile("picked"))
    expect(page).to_have_url(re.compile("query=5"))
    assert re.fullmatch(r"rgb\(\d+, ?\d+, ?\d+\)", ground), ground
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
    tokens.nth(3).hover()
    expect(status).to_have_text(re.compile("^3 .* attends to .*%.*; attended by .*%"))
    grounds = [tokens.nth(at).evaluate("node => node.style.background") for at in (0, 2)]
    assert grounds[0] != grounds[1]


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
    assert pixels(page) != before
    expect(legend).to_contain_text("0.01% or less")
    scales.get_by_role("radio", name="log").focus()
    page.keyboard.press("ArrowRight")  # round to the first one
    expect(scales.get_by_role("radio", name="linear")).to_be_focused()
    assert pixels(page) == before
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
    expect(page.locator(".attention .legend")).to_contain_text("log scale", timeout=60_000)
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
    fields = parse_qs(urlsplit(page.url).query)
    other = open_page(page.url)
    expect(other.locator(".heat")).to_have_count(2, timeout=60_000)
    settled(other)
    assert parse_qs(urlsplit(other.url).query) == fields
    assert other.locator(".heat .title").all_inner_texts() == page.locator(".heat .title").all_inner_texts()
    assert pixels(other) == pixels(page)
    expect(other.locator(".text .token").nth(4)).to_have_class(re.compile("picked"))
    assert "0.01% or less" in other.locator(".attention .legend").inner_text()


def test_a_click_on_the_map_of_scores_opens_that_head(app_url: str, open_page: OpenPage) -> None:
    page = open_at(app_url, open_page, view="doing")
    told = page.get_by_text("Highest: layer 18, head 6")
    expect(told.first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name=re.compile("^Layer 18, head 6, Induction")).click()
    expect(page.locator(".heat .title")).to_have_text("Layer 18, head 6", timeout=30_000)
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
    offline.mouse.move(*cell_place(offline, 5, 1))
    expect(offline.locator(".attention .status")).to_have_text(
        re.compile(r"query 5 .* → key 1 .*: (under 0\.1|[\d.]+)%")
    )
    assert not [url for url in asked if not url.startswith(("file:", "data:", "blob:"))]
