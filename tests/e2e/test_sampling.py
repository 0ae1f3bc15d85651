"""The Sampling page in a real browser, on the real model: what only a browser can show."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.charts.numbers import percent
from tests.e2e.conftest import ROOT, OpenPage, bars_ready, serve, settled

pytestmark = [pytest.mark.e2e, pytest.mark.model]
HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1"> **b** [l](javascript:1) $x$ :red[c]'


def rows(page: Page) -> Locator:
    """The bars, the row of all others included."""
    return page.locator(".chart .row")


def labels_of(found: Locator) -> list[str]:
    """What a screen reader says of each."""
    labels: list[str] = found.evaluate_all("nodes => nodes.map(node => node.getAttribute('aria-label'))")
    return labels


def row_texts(page: Page) -> list[str]:
    """Each row as a screen reader has it: token, id, rank, raw and final probability."""
    return labels_of(rows(page))


def strip_texts(page: Page) -> list[str]:
    return labels_of(page.locator(".tokens .token"))


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name, exact=True).get_by_role("slider")


def opened(open_page: OpenPage, url: str, query: dict[str, str] | None = None, **options: object) -> Page:
    page = open_page(f"{url}/?{urlencode(query)}" if query else url, **options)
    bars_ready(page)
    return page


# -- the live bars -----------------------------------------------------------------------------------------------------


def test_a_slider_moved_by_keyboard_changes_the_bars_and_the_address(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    before = row_texts(page)
    assert before[0].startswith("␣Paris") and "raw 77.25%" in before[0]
    slider(page, "Top-p").focus()
    for _ in range(50):
        page.keyboard.press("ArrowLeft")
    expect(rows(page).nth(1)).to_have_attribute("aria-label", re.compile("removed by Top-p"))
    expect(rows(page).first).to_have_attribute("aria-label", re.compile(r"final 100\.00%"))
    settled(page)
    assert [text.split(", final")[0] for text in row_texts(page)][:1] == [before[0].split(", final")[0]]
    expect(page).to_have_url(re.compile(r"top_p=0\.5"))


def test_a_sampler_that_is_on_has_a_bold_name_and_stands_in_the_line_about_the_chain(
    open_page: OpenPage, app_url: str
) -> None:
    page = opened(open_page, app_url)
    bold = page.get_by_test_id("stMain").locator("strong")
    line = page.get_by_text("Applied in this order")
    expect(line).to_contain_text("nothing: the raw distribution")
    slider(page, "Top-k").press("ArrowRight")
    expect(bold.filter(has_text="Top-k")).to_have_count(1)
    expect(line).to_have_text("Applied in this order: Top-k.")
    slider(page, "Top-k").press("ArrowLeft")
    expect(bold.filter(has_text="Top-k")).to_have_count(0)
    expect(line).to_contain_text("nothing: the raw distribution")
    page.get_by_text("More samplers").click()
    slider(page, "XTC probability").press("ArrowRight")
    expect(bold.filter(has_text="XTC probability")).to_have_count(1)
    expect(line).to_have_text("Applied in this order: XTC.")


def test_the_removed_keep_their_outline_and_the_cut_off_is_drawn(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, {"top_k": "3"})
    expect(page.locator(".chart .row.removed")).to_have_count(13)  # 12 of 15, and all the others
    expect(page.locator(".cutText")).to_have_text("cut-off: 3 kept above")
    above, below = rows(page).nth(2).bounding_box(), rows(page).nth(3).bounding_box()
    line = page.locator(".cutText").bounding_box()
    assert above and below and line and above["y"] < line["y"] < below["y"]
    outline = page.locator(".chart .row.removed .fill.raw").first.evaluate(
        "bar => getComputedStyle(bar).backgroundColor"
    )
    assert outline == "rgba(0, 0, 0, 0)"


def test_hover_shows_id_and_log_probability(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    rows(page).first.hover()
    card = page.locator(".chart .card")
    expect(card).to_be_visible()
    expect(card).to_contain_text(re.compile(r"id \d+, rank 1"))
    expect(card).to_contain_text("log-probability -0.258")


# -- picking and stepping ----------------------------------------------------------------------------------------------


def test_a_click_on_a_bar_accepts_its_token(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    expect(page.locator(".tokens .token")).to_have_count(5)
    rows(page).nth(2).click()
    expect(page.locator(".tokens .token.step")).to_have_count(1)
    expect(page.locator(".tokens .token")).to_have_count(6)
    page.get_by_test_id("stButton").filter(has_text="undo").get_by_role("button").click()
    expect(page.locator(".tokens .token.ghost")).to_have_count(1)


def test_keyboard_alone_walks_the_bars_and_accepts(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    page.get_by_role("button", name="Rows and scale").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED_CLASS).startswith("row"):
            break
    assert page.evaluate(FOCUSED_CLASS).startswith("row"), "Tab does not reach the bars"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    wanted = page.evaluate(FOCUSED_LABEL)
    assert wanted == row_texts(page)[1]
    page.keyboard.press("Enter")
    step = page.locator(".tokens .token.step")
    expect(step).to_have_count(1)
    expect(step).to_have_text(wanted.split(",")[0].removesuffix(" (drawn)"))


def test_the_strips_arrow_keys_walk_its_tokens(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    tokens = page.locator(".tokens .token")
    tokens.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(2)).to_be_focused()
    expect(page.locator(".strip .card")).to_contain_text("raw probability")
    page.keyboard.press("End")
    expect(tokens.nth(4)).to_be_focused()
    page.keyboard.press("Home")
    expect(tokens.first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(tokens.first).to_be_focused()


DEEPEST = (
    "let e = document.activeElement; while (e.shadowRoot && e.shadowRoot.activeElement) e = e.shadowRoot.activeElement;"
)
FOCUSED_CLASS = f"() => {{ {DEEPEST} return e.className || '' }}"
FOCUSED_LABEL = f"() => {{ {DEEPEST} return e.getAttribute('aria-label') || '' }}"


def test_the_pages_own_command_line_runs_as_it_stands(open_page: OpenPage, app_url: str) -> None:
    page = opened(
        open_page, app_url, {"prompt": "It's <b>", "steps": "28.504", "top_k": "7", "frequency_penalty": "0.5"}
    )
    drawn = next(text for text in row_texts(page) if "(drawn)" in text)
    page.get_by_role("button", name="Take away").click()
    page.get_by_text("This playground's command line").last.click()
    code = page.get_by_test_id("stCode").filter(has_text="python -m playground next")
    expect(code).to_be_visible()
    words = shlex.split(code.inner_text())
    done = subprocess.run([sys.executable, *words[1:], "--json"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    first = next(row for row in told["candidates"] if row["id"] == told["draw"]["id"])
    assert f"id {first['id']}," in drawn and f"final {percent(first['prob'])}" in drawn


# -- links and sessions ------------------------------------------------------------------------------------------------


def test_a_link_reproduces_the_page_in_another_browser(open_page: OpenPage, app_url: str) -> None:
    query = {"prompt": "မြန်မာ 😀 & the", "top_p": "0.8", "temperature": "1.3", "order": "llama.cpp", "seed": "5"}
    first = opened(open_page, app_url, query)
    for count in (1, 2):
        first.get_by_role("button", name=re.compile("Accept")).first.click()
        expect(first.locator(".tokens .token.step")).to_have_count(count)
        settled(first)
    expect(first).to_have_url(re.compile(r"steps=\d+\.\d+&at=2"))
    first.get_by_role("button", name="Take away").click()
    link = first.get_by_test_id("stCode").first.inner_text().strip()
    assert link.startswith(app_url)
    expect(first.get_by_test_id("stPopoverBody").last).to_contain_text("top_p")
    second = open_page(link)
    bars_ready(second)
    expect(second.locator(".tokens .token.step")).to_have_count(2)
    assert row_texts(second) == row_texts(first)
    assert strip_texts(second) == strip_texts(first)
    expect(second.get_by_label("Prompt", exact=True)).to_have_value(query["prompt"])
    expect(slider(second, "Temperature")).to_have_value("1.3")
    expect(second.get_by_label("Seed", exact=True)).to_have_value("5")


def test_two_sessions_do_not_disturb_each_other(open_page: OpenPage, app_url: str) -> None:
    one = open_page(f"{app_url}/?{urlencode({'prompt': 'The capital of France is', 'top_k': '3'})}")
    two = open_page(f"{app_url}/?{urlencode({'prompt': 'Two plus two makes', 'top_p': '0.5'})}")
    for page in (one, two):
        bars_ready(page)
    one.get_by_role("button", name=re.compile("Accept")).first.click()
    slider(two, "Temperature").focus()
    two.keyboard.press("ArrowRight")
    expect(one.locator(".tokens .token.step")).to_have_count(1)
    expect(two).to_have_url(re.compile("temperature=1.05"))
    expect(two.locator(".tokens .token.step")).to_have_count(0)
    expect(one.get_by_label("Prompt", exact=True)).to_have_value("The capital of France is")
    expect(two.get_by_label("Prompt", exact=True)).to_have_value("Two plus two makes")
    expect(slider(one, "Temperature")).to_have_value("1")
    expect(two.locator(".cutText")).to_be_visible()


# -- hostile text ------------------------------------------------------------------------------------------------------

CREATED = """() => {
  const found = []
  const walk = (root) => {
    for (const e of root.querySelectorAll('*')) {
      if (e.tagName === 'IMG' && (e.getAttribute('src') || '') === 'x') found.push(e.outerHTML)
      if (e.tagName === 'SCRIPT' && e.textContent.includes('hacked')) found.push(e.outerHTML)
      if (e.tagName === 'A' && (e.getAttribute('href') || '').startsWith('javascript:')) found.push(e.outerHTML)
      if (e.shadowRoot) walk(e.shadowRoot)
    }
  }
  walk(document)
  return found
}"""


def test_hostile_text_is_inert_everywhere(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, {"prompt": HOSTILE, "top_p": "0.9"})
    shown = "".join(page.locator(".tokens .token").all_inner_texts())
    assert "<script>window.hacked=1</script>" in shown
    for section in ("Pipeline", "Compare", "Why this token?", "Any word", "Proof"):
        page.get_by_role("tab", name=section).click()
        expect(page.get_by_role("tab", name=section)).to_have_attribute("aria-selected", "true")
        settled(page)
        if section == "Any word":
            page.get_by_role("textbox", name="Any word").fill(HOSTILE[:90])
            page.keyboard.press("Enter")
            expect(page.get_by_role("tabpanel").get_by_text("hacked").first).to_be_visible()
        assert page.evaluate(CREATED) == [], section
        assert page.evaluate("window.hacked") is None, section
    page.locator(".tokens .token").first.hover()
    page.get_by_role("button", name="Take away").click()
    expect(page.get_by_test_id("stCode").first).to_be_visible()
    assert page.evaluate(CREATED) == [] and page.evaluate("window.hacked") is None


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two opaque ``rgb(r, g, b)`` colours."""

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return float(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# -- looks -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_follows_the_theme(open_page: OpenPage, app_url: str, width: int, dark: bool) -> None:
    page = opened(open_page, app_url, {"top_p": "0.9"}, width=width, dark=dark)
    ground = page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
    assert ground == ("rgb(17, 19, 24)" if dark else "rgb(255, 255, 255)")
    ink = rows(page).first.evaluate("e => getComputedStyle(e).color")
    assert ink == ("rgb(236, 237, 241)" if dark else "rgb(16, 18, 24)")
    button = page.get_by_role("button", name="Accept the drawn token")
    for what, over in ((button, None), (page.locator("[role=radio][aria-checked=true]").first, ground)):
        colour, own = what.evaluate("e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]")
        assert contrast(colour, over or own) >= 4.5, what
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    controls, picture = slider(page, "Temperature").bounding_box(), rows(page).first.bounding_box()
    assert controls and picture
    if width < 700:
        assert picture["y"] + picture["height"] < 600, "the picture comes first"
        sheet = page.locator(".st-key-page_controls")
        closed = sheet.bounding_box()
        slider(page, "Temperature").focus()
        opened_sheet = sheet.bounding_box()
        height = page.evaluate("innerHeight")
        assert closed and opened_sheet and closed["height"] < 80 < opened_sheet["height"] <= height / 2 + 1
        assert picture["x"] >= 0 and picture["x"] + picture["width"] <= width
        clipped = page.locator(".chart .row .text").evaluate_all(
            "(texts, width) => texts.filter(t => t.getBoundingClientRect().right > width).map(t => t.textContent)",
            width,
        )
        assert clipped == []
    else:
        row = page.locator(".st-key-row_temperature").bounding_box()
        assert row and controls["x"] < picture["x"] and row["x"] + row["width"] < picture["x"]


def test_the_first_ten_bars_stand_above_the_fold(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    page.set_viewport_size({"width": 1280, "height": 720})
    head = page.locator(".st-key-page_head").bounding_box()
    assert head and head["y"] + head["height"] <= 56
    tenth = rows(page).nth(9).bounding_box()
    assert tenth and tenth["y"] + tenth["height"] <= 720
    page.get_by_role("button", name="Why order matters").click()
    expect(page.get_by_text("Pins A, B, C have")).to_be_in_viewport()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_in_viewport(ratio=0.8)
    for name in ("Temperature", "Top-k", "Top-p", "Min-p", "Typical-p"):
        row = page.locator('[class*="st-key-row_"]').filter(has_text=name).first.bounding_box()
        assert row and row["height"] <= 40, name


def test_no_tab_writes_an_error_to_the_console(open_page: OpenPage, app_url: str) -> None:
    page = open_page("about:blank")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{app_url}/?{urlencode({'temperature': '0.8', 'top_p': '0.9'})}")
    bars_ready(page)
    for section in ("Pipeline", "Compare", "Why this token?", "Any word", "Proof", "Bars"):
        page.get_by_role("tab", name=section).click()
        expect(page.get_by_role("tab", name=section)).to_have_attribute("aria-selected", "true")
        settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert said == []


# -- fresh servers -----------------------------------------------------------------------------------------------------


def in_frame(page: Page, title: str) -> None:
    """The whole frame: the page's title, every page in the sidebar, the model card."""
    from pages import PAGES

    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible(timeout=60_000)
    sidebar = page.get_by_test_id("stSidebar")
    for entry in PAGES.values():
        expect(sidebar.get_by_role("link", name=re.compile(f"{re.escape(entry.title)}$"))).to_have_count(1)
    expect(sidebar.locator(".st-key-model_card")).to_be_visible()


def test_the_first_request_to_a_fresh_server_may_be_the_glossary(open_page: OpenPage) -> None:
    with serve() as url:
        page = open_page(f"{url}/glossary")
        in_frame(page, "Glossary")
        page.close()


def test_the_first_request_to_a_fresh_server_may_be_a_link_with_settings(open_page: OpenPage) -> None:
    """And the first visit shows what it is doing until the bars are there, where no earlier start has kept them."""
    prompt = f"Two plus two makes {time.time_ns()}"
    with serve() as url:
        page = open_page(f"{url}/sampling?{urlencode({'top_p': '0.9', 'prompt': prompt})}")
        expect(page.get_by_role("progressbar").first).to_be_visible(timeout=60_000)
        in_frame(page, "Sampling")
        bars_ready(page)
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(slider(page, "Top-p")).to_have_value("0.9")
        expect(page.get_by_label("Prompt", exact=True)).to_have_value(prompt)
        card = page.get_by_test_id("stSidebar").locator(".st-key-model_card")
        expect(card).to_contain_text("SmolLM2")
        expect(card).to_contain_text("135 M parameters")
        page.close()


def test_a_long_read_can_be_stopped_and_makes_way_for_newer_input(app_url: str, open_page: OpenPage) -> None:
    page = open_page(app_url)
    bars_ready(page)
    prompt = page.get_by_label("Prompt", exact=True)
    main = page.get_by_test_id("stMain")
    prompt.fill("word and then " * 2_400)
    prompt.press("Control+Enter")
    main.get_by_role("button", name="Stop").click()
    expect(main.get_by_text("Stopped: the model is free")).to_be_visible()
    main.get_by_role("button", name="Run again").click()
    expect(main.get_by_text("The model reads", exact=False)).to_be_visible()
    prompt.fill("The capital of France is")
    prompt.press("Control+Enter")
    expect(main.get_by_text("5 of 8,192")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Paris", exact=False).first).to_be_visible()


def test_a_model_that_a_link_names_beside_is_asked_for_compared_and_let_go(open_page: OpenPage, app_url: str) -> None:
    query = {"prompt": "The capital of France is", "beside": '["@bfloat16"]', "view": "compare"}
    page = open_page(f"{app_url}/?{urlencode(query)}")
    asked = page.get_by_text("the model in use in bfloat16 is not loaded here")
    expect(asked).to_be_visible(timeout=120_000)
    expect(asked).to_contain_text("GB")
    page.get_by_role("button", name="Load", exact=True).click()
    sentence = page.get_by_text("KL(now ‖ X) = 0.0007 nats")
    expect(sentence).to_be_visible(timeout=120_000)
    expect(sentence).to_contain_text("Paris")
    picture = page.get_by_test_id("stPlotlyChart").filter(visible=True)
    expect(picture).to_have_count(1)  # the one of before is gone
    expect(picture).to_contain_text("Model X")
    slider(page, "Temperature").press("ArrowRight")
    expect(page.get_by_text("Applied in this order: Temperature")).to_be_visible()
    expect(sentence).to_be_visible()
    page.get_by_role("button", name="✕ X").click()
    expect(page.get_by_text("Nothing is pinned yet")).to_be_visible()
