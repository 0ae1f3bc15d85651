"""The Sampling page in a real browser, on the real model: what only a browser can show."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from playground.charts.numbers import percent
from tests.e2e.conftest import ROOT, OpenPage, bars_ready, box, hover_until, settled, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]
HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1"> **b** [l](javascript:1) $x$ :red[c]'


def rows(page: Page) -> Locator:
    """The bars, the row of all others included."""
    return page.locator(".chart .row")


def labels_of(elements: Locator) -> list[str]:
    """What a screen reader says of each."""
    labels: list[str] = elements.evaluate_all("nodes => nodes.map(node => node.getAttribute('aria-label'))")
    return labels


def row_texts(page: Page) -> list[str]:
    """Each row as a screen reader has it: token, id, rank, raw and final probability."""
    return labels_of(rows(page))


def all_texts(page: Page) -> list[str]:
    """Those of the rows and of the strip's tokens."""
    return row_texts(page) + labels_of(page.locator(".tokens .token"))


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name=name, exact=True).get_by_role("slider")


def opened(open_page: OpenPage, url: str, query: dict[str, str] | None = None, **options: object) -> Page:
    page = open_page(f"{url}/?{urlencode(query)}" if query else url, **options)
    bars_ready(page)
    return page


# -- the live bars -----------------------------------------------------------------------------------------------------


def test_a_slider_moved_by_keyboard_changes_the_bars_and_the_address(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    expect(rows(page).first).to_have_attribute("aria-label", re.compile("^␣Paris.*raw 77.25%", re.DOTALL))
    before = row_texts(page)
    slider(page, "Top-p").focus()
    for _ in range(50):
        page.keyboard.press("ArrowLeft")
    expect(rows(page).nth(1)).to_have_attribute("aria-label", re.compile("removed by Top-p"))
    expect(rows(page).first).to_have_attribute("aria-label", re.compile(r"final 100\.00%"))
    expect(rows(page).first).to_have_attribute("aria-label", re.compile("^" + re.escape(before[0].split(", final")[0])))
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
    one_below_the_other = (rows(page).nth(2), page.locator(".cutText"), rows(page).nth(3))
    until(lambda: [box(each)["y"] for each in one_below_the_other], lambda tops: tops == sorted(set(tops)))
    outlined = page.locator(".chart .row.removed .fill.raw").first
    expect(outlined).to_have_css("background-color", "rgba(0, 0, 0, 0)")


# -- picking and stepping ----------------------------------------------------------------------------------------------


def test_hover_tells_of_a_bar_and_a_click_accepts_its_token(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    card = page.locator(".chart .card")
    hover_until(rows(page).first, card, re.compile(r"id \d+, rank 1"))
    expect(card).to_be_visible()
    expect(card).to_contain_text("log-probability -0.258")
    expect(page.locator(".tokens .token")).to_have_count(5)
    rows(page).nth(2).click()
    expect(page.locator(".tokens .token.step")).to_have_count(1)
    expect(page.locator(".tokens .token")).to_have_count(6)
    page.get_by_test_id("stButton").filter(has_text="undo").get_by_role("button").click()
    expect(page.locator(".tokens .token.ghost")).to_have_count(1)


def test_keyboard_alone_walks_the_strip_and_the_bars_and_accepts(open_page: OpenPage, app_url: str) -> None:
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
    page.get_by_role("button", name="Rows and scale").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.locator(".chart .row:focus").count():  # the browser's own doing: there with the key's answer
            break
    expect(rows(page).first).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(rows(page).nth(1)).to_be_focused()
    wanted = row_texts(page)[1]
    page.keyboard.press("Enter")
    step = page.locator(".tokens .token.step")
    expect(step).to_have_count(1)
    expect(step).to_have_text(wanted.split(",")[0].removesuffix(" (drawn)"))


def test_the_pages_own_command_line_runs_as_it_stands(open_page: OpenPage, app_url: str) -> None:
    page = opened(
        open_page, app_url, {"prompt": "It's <b>", "steps": "28.504", "top_k": "7", "frequency_penalty": "0.5"}
    )
    expect(rows(page).filter(has_text="▶")).to_have_count(1)
    drawn = next(text for text in row_texts(page) if "(drawn)" in text)
    page.get_by_role("button", name="Take away").click()
    page.get_by_text("This playground's command line").last.click()
    code = page.get_by_test_id("stCode").filter(has_text="python -m playground next")
    expect(code).to_be_visible()
    words = shlex.split(until(code.inner_text, lambda text: "--" in text))
    done = subprocess.run([sys.executable, *words[1:], "--json"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    first = next(row for row in report["candidates"] if row["id"] == report["draw"]["id"])
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
    until(lambda: (all_texts(second), all_texts(first)), lambda both: both[0] == both[1])
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
  const hostile = []
  const walk = (root) => {
    for (const e of root.querySelectorAll('*')) {
      if (e.tagName === 'IMG' && (e.getAttribute('src') || '') === 'x') hostile.push(e.outerHTML)
      if (e.tagName === 'SCRIPT' && e.textContent.includes('hacked')) hostile.push(e.outerHTML)
      if (e.tagName === 'A' && (e.getAttribute('href') || '').startsWith('javascript:')) hostile.push(e.outerHTML)
      if (e.shadowRoot) walk(e.shadowRoot)
    }
  }
  walk(document)
  return hostile
}"""


def test_hostile_text_is_inert_everywhere(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, {"prompt": HOSTILE, "top_p": "0.9"})
    until(
        lambda: "".join(page.locator(".tokens .token").all_inner_texts()),
        lambda shown: "<script>window.hacked=1</script>" in shown,
    )
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


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_follows_the_theme(open_page: OpenPage, app_url: str, width: int) -> None:
    page = opened(open_page, app_url, {"top_p": "0.9"}, width=width)
    _in_colours(page, "rgb(255, 255, 255)", "rgb(16, 18, 24)")
    page.emulate_media(color_scheme="dark")
    _in_colours(page, "rgb(17, 19, 24)", "rgb(236, 237, 241)")
    until(lambda: page.evaluate("document.documentElement.scrollWidth <= innerWidth"), bool)  # it scrolls down alone
    picture = rows(page).first
    if width < 700:
        until(lambda: bottom(picture), lambda y: y < 600)  # the picture comes first
        sheet, height = page.locator(".st-key-page_controls"), page.evaluate("innerHeight")
        until(lambda: box(sheet)["height"], lambda closed: closed < 80)
        slider(page, "Temperature").focus()
        until(lambda: box(sheet)["height"], lambda opened: 80 < opened <= height / 2 + 1)
        until(lambda: (box(picture)["x"], right(picture)), lambda sides: sides[0] >= 0 and sides[1] <= width)
        clipped = "(texts, w) => texts.filter(t => t.getBoundingClientRect().right > w).map(t => t.textContent)"
        until(lambda: page.locator(".chart .row .text").evaluate_all(clipped, width), lambda cut_off: cut_off == [])
    else:
        row = page.locator(".st-key-row_temperature")
        until(lambda: (right(row), box(picture)["x"]), lambda sides: sides[0] < sides[1])
        assert box(slider(page, "Temperature"))["x"] < box(picture)["x"]


def readable(written: Locator, ground: str | None) -> None:
    """On the ground of its own, where none is given."""
    colours = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    until(lambda: written.evaluate(colours), lambda pair: contrast(pair[0], ground or pair[1]) >= 4.5)


def bottom(shown: Locator) -> float:
    rectangle = box(shown)
    return rectangle["y"] + rectangle["height"]


def is_low(row: Locator) -> None:
    until(lambda: box(row)["height"], lambda height: height <= 40)


def right(shown: Locator) -> float:
    rectangle = box(shown)
    return rectangle["x"] + rectangle["width"]


FADED = """() => Promise.allSettled(
  document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""


def _in_colours(page: Page, ground: str, ink: str) -> None:
    """The page's ground and the bars' ink, and that what is written on buttons can be read."""
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", ground)
    expect(rows(page).first).to_have_css("color", ink)
    page.evaluate(FADED)
    button = page.get_by_role("button", name="Accept the drawn token")
    for what, over in ((button, None), (page.locator("[role=radio][aria-checked=true]").first, ground)):
        readable(what, over)


def test_the_first_ten_bars_stand_above_the_fold(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url)
    page.set_viewport_size({"width": 1280, "height": 720})
    until(lambda: bottom(page.locator(".st-key-page_head")), lambda y: y <= 56)
    until(lambda: bottom(rows(page).nth(9)), lambda y: y <= 720)
    page.get_by_role("button", name="Why order matters").click()
    expect(page.get_by_text("Pins A, B, C have")).to_be_in_viewport()
    expect(page.get_by_test_id("stPlotlyChart")).to_be_in_viewport(ratio=0.8)
    for name in ("Temperature", "Top-k", "Top-p", "Min-p", "Typical-p"):
        is_low(page.locator('[class*="st-key-row_"]').filter(has_text=name).first)


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


SEND_LATE = """const soon = window.setTimeout
window.setTimeout = (act, ms, ...rest) => soon(act, ms === 0 && window.sendsLate ? 500 : ms, ...rest)"""


def kind_of(frame: str | bytes) -> str | None:
    """What a message from the server is."""
    kind: str | None = ForwardMsg.FromString(frame if isinstance(frame, bytes) else frame.encode()).WhichOneof("type")
    return kind


def test_the_last_of_two_quick_clicks_opens_its_tab(open_page: OpenPage, app_url: str) -> None:
    """The first one's run comes while the second one is on its way: Streamlit alone goes back to the first one's tab."""
    page = open_page("about:blank")
    held: list[str | bytes] = []
    sockets: list[WebSocketRoute] = []

    def between(browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        browser.on_message(server.send)
        server.on_message(lambda message: held.append(message) if held else browser.send(message))
        sockets.append(browser)

    page.route_web_socket(re.compile("/_stcore/stream"), between)
    page.add_init_script(SEND_LATE)
    page.goto(app_url)
    bars_ready(page)
    held.append(b"")  # from here on
    page.get_by_role("tab", name="Compare").click()
    until(
        lambda: (page.title(), [kind_of(each) for each in held])[1],
        lambda kinds: "script_finished" in kinds,
    )
    page.evaluate("window.sendsLate = true")
    page.get_by_role("tab", name="Proof").click()
    answers, held[:] = held[1:], []
    for each in answers:
        sockets[-1].send(each)
    page.evaluate("window.sendsLate = false")
    expect(page.get_by_role("tabpanel", name="Proof")).to_contain_text("Nothing to prove")
    settled(page)
    expect(page.get_by_role("tab", name="Proof")).to_have_attribute("aria-selected", "true")


# -- the model's time --------------------------------------------------------------------------------------------------


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
    expect(main.get_by_text("5 of 8,192")).to_be_visible()
    expect(page.get_by_role("button", name="Paris", exact=False).first).to_be_visible()


def test_a_model_that_a_link_names_beside_is_asked_for_compared_and_let_go(open_page: OpenPage, app_url: str) -> None:
    query = {"prompt": "The capital of France is", "compared": '["@bfloat16"]', "view": "compare"}
    page = open_page(f"{app_url}/?{urlencode(query)}")
    asked = page.get_by_text("the model in use in bfloat16 is not loaded here")
    expect(asked).to_be_visible()
    expect(asked).to_contain_text("GB")
    page.get_by_role("button", name="Load", exact=True).click()
    sentence = page.get_by_text(
        re.compile(r"KL\(now ‖ X\) = 0\.00\d\d nats")
    )  # 0.0006 to 0.0010, as the processor rounds
    expect(sentence).to_be_visible()
    expect(sentence).to_contain_text("Paris")
    picture = page.get_by_test_id("stPlotlyChart")
    expect(picture).to_have_count(1)  # the one of before is gone
    expect(picture).to_contain_text("Model X")
    slider(page, "Temperature").press("ArrowRight")
    expect(page.get_by_text("Applied in this order: Temperature")).to_be_visible()
    expect(sentence).to_be_visible()
    page.get_by_role("button", name="✕ X").click()
    expect(page.get_by_text("Nothing is pinned yet")).to_be_visible()
