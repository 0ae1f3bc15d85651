"""The Plan pages in a real browser: deep links, sliders, workings, narrow and dark screens, hostile configs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.e2e.conftest import SHORT_MS, OpenPage, box, point_until, serve, settled, until

pytestmark = pytest.mark.e2e

PAGES = {
    "scale_model": "Model and memory",
    "scale_training": "Training",
    "scale_laws": "Scaling laws",
    "scale_serving": "Serving",
    "scale_data": "Data and limits",
}
LIGHT = re.compile(r"^rgb\((1[5-9]\d|2\d\d), (1[5-9]\d|2\d\d), (1[5-9]\d|2\d\d)\)$")
PICTURE = ".light svg, .js-plotly-plot .main-svg"
# The page itself may never scroll sideways, whatever scrolls inside of it.
OVERFLOW = """() => {
  const main = document.querySelector('[data-testid=stMain]')
  return main.scrollWidth - main.clientWidth
}"""


def opened(open_page: OpenPage, url: str, page: str, query: dict[str, str] | None = None, **how: Any) -> Page:
    tab = open_page(f"{url}/{page}" + (f"?{urlencode(query)}" if query else ""), **how)
    expect(tab.get_by_role("heading", name=PAGES[page], exact=True)).to_be_visible()
    expect(tab.locator(".table .line").first).to_be_visible()
    settled(tab)
    return tab


def fits(page: Page) -> None:
    until(lambda: int(page.evaluate(OVERFLOW)), lambda pixels: pixels == 0)


def left_of(one: Locator, other: Locator) -> None:
    until(lambda: (box(one), box(other)), lambda two: two[0]["x"] + two[0]["width"] <= two[1]["x"])


def on_screen(shown: Locator, width: int) -> None:
    """Neither side is cut off."""
    until(lambda: box(shown), lambda place: place["x"] >= 0 and place["x"] + place["width"] <= width)


def line(page: Page, name: str) -> Locator:
    """The table's line of one number, in the page's first table."""
    return page.locator(".table").first.locator(".line").filter(has=page.locator(f".name:text-is('{name}')"))


def test_the_first_visit_of_a_fresh_server_may_be_a_deep_link(open_page: OpenPage) -> None:
    with serve("playground/ui/entry.py") as url:  # without app.py's lifespan, which asks for the model at the start
        page = opened(open_page, url, "scale_laws", {"law": "besiroglu", "budget": "5.76e23"})
        expect(page.get_by_test_id("stSidebarNav").get_by_text("Sampling")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(line(page, "Optimal parameters")).to_contain_text("72")
        expect(page.get_by_text("not loaded: this page needs none")).to_be_visible()  # and nobody loads it meanwhile
        expect(page).to_have_url(re.compile("law=besiroglu"))


def walk(open_page: OpenPage, url: str, **how: Any) -> Iterator[Page]:
    """All Plan pages by their links, one after the other in one browser, each when it is painted."""
    page = None
    for name, title in PAGES.items():
        if page is None:
            page = opened(open_page, url, name, **how)
        else:
            page.goto(f"{url}/{name}")
            expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
            expect(page.locator(".table .line").first).to_be_visible()
            settled(page)
        expect(page.locator(PICTURE).first).to_be_visible()
        yield page


def test_each_page_has_the_frame_its_numbers_and_a_picture(open_page: OpenPage, app_url: str) -> None:
    for page in walk(open_page, app_url):
        expect(page.get_by_text("Take away")).to_be_visible()
        expect(page.get_by_text("Try this")).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        control, table = page.get_by_text("As in the notes").first, page.locator(".table").first
        left_of(control, table)
        fits(page)


def test_each_page_is_usable_on_a_dark_phone(open_page: OpenPage, app_url: str) -> None:
    for page in walk(open_page, app_url, width=390, height=844, dark=True):
        fits(page)
        on_screen(page.locator(PICTURE).first, 390)
        expect(page.locator(".table .name").first).to_have_css("color", LIGHT)
        if "/scale_serving" in page.url:
            _all_choices_are_in_view(page)
        if "/scale_data" in page.url:
            _no_label_leaves_the_screen(page)


def _all_choices_are_in_view(page: Page) -> None:
    page.get_by_role("tab", name="Batch and context", exact=True).click()
    last = page.get_by_role("radio", name="s per query")
    on_screen(last, 390 - 16)
    on_screen(page.get_by_role("radio", name="tokens/s"), 390 - 16)


def _no_label_leaves_the_screen(page: Page) -> None:
    page.get_by_role("tab", name="Electricity", exact=True).click()
    label = page.locator(".light text", has_text="all the world's electricity")
    on_screen(label, 390)


def test_a_slider_changes_the_numbers_and_the_address(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_training")
    expect(line(page, "Training time")).to_contain_text("20.6 days")
    page.get_by_role("slider", name="MFU").focus()
    page.keyboard.press("ArrowLeft")
    expect(line(page, "Training time")).to_contain_text("21.2 days")
    expect(page).to_have_url(re.compile(r"mfu=0\.39"))


def test_a_chart_is_repainted_in_place_and_read_by_keyboard_and_pointer(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_serving")
    chart = page.locator(".light")
    curve, mark = chart.locator(".curve"), chart.locator("path.mark").last
    width = box(chart.locator("svg"))["width"]
    wide, before = curve.get_attribute("d"), mark.get_attribute("d")
    chart.evaluate("node => { node.kept = true }")
    page.get_by_role("slider", name="Batch (sequences)").focus()
    page.keyboard.press("ArrowRight")
    expect(mark).not_to_have_attribute("d", str(before))
    assert chart.evaluate("node => node.kept")
    expect(chart).to_have_attribute("aria-label", re.compile("roof: "))
    expect(page.locator(".below")).to_have_text("Reading the prompt is bound by compute, writing by memory.")
    chart.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".card")).to_contain_text("FLOP/s: ")
    said = chart.locator(".card").inner_text()
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".card")).not_to_have_text(said)
    page.keyboard.press("Escape")
    expect(chart.locator(".card")).to_be_hidden()

    def point() -> None:
        there = box(mark)
        page.mouse.move(0, 0)
        page.mouse.move(there["x"] + 4, there["y"] + 4)

    card = chart.locator(".card")
    point_until(point, lambda: expect(card).to_contain_text("FLOPs per byte: ", timeout=SHORT_MS))
    page.set_viewport_size({"width": 800, "height": 900})
    expect(curve).not_to_have_attribute("d", str(wide))
    until(lambda: box(chart.locator("svg"))["width"], lambda narrow: narrow < width)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 720)])
def test_the_lifetimes_picture_stands_above_its_table(
    open_page: OpenPage, app_url: str, width: int, height: int
) -> None:
    page = opened(open_page, app_url, "scale_laws", {"try": "lifetime"}, width=width, height=height)
    picture, said = page.locator(".light"), page.locator(".below")
    expect(said).to_have_text(
        "13.6B parameters trained on 2.84 times the tokens reach the loss of 30.0B for 28% fewer FLOPs in all."
    )
    expect(picture).to_be_in_viewport(ratio=0.9)
    table = page.get_by_text("Size for the least FLOPs", exact=False)
    assert box(picture)["y"] < box(said)["y"] < box(table)["y"]


def test_tabs_are_walked_and_opened_by_keyboard_and_keep_open(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_laws", {"view": "lifetime"}, width=390, height=844)
    expect(page.get_by_role("tab")).to_have_count(7)
    expect(page.get_by_role("tab", selected=True)).to_have_text("Lifetime")
    expect(page.get_by_role("tab", selected=True)).to_be_in_viewport(ratio=1)
    page.get_by_role("tab").first.focus()
    for name in ("Equal compute", "All laws", "Over-training", "Returns", "Lifetime"):
        before = page.url
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name=name, exact=True)).to_be_focused()
        expect(page).not_to_have_url(before)  # a tab opens as it is walked over: the answer to one key before the next
        settled(page)
    page.get_by_role("tab", name="Lifetime", exact=True).press("Enter")
    expect(page.get_by_text("The more a model will be used, the smaller it should be")).to_be_visible()
    expect(page.get_by_role("tab", selected=True)).to_have_text("Lifetime")
    page.get_by_role("slider", name="Loss before (nats)").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("before=3.45"))
    expect(page.get_by_role("tab", selected=True)).to_have_text("Lifetime")
    page.get_by_role("button", name="Four laws, four answers").click()
    expect(page.get_by_role("tab", selected=True)).to_have_text("All laws")
    expect(page.locator(".below")).to_contain_text("the laws ask for")


def test_a_number_opens_its_formula_and_stays_open(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_model")
    row = line(page, "Key-value cache")
    row.focus()
    page.keyboard.press("Enter")
    how = page.locator(".table details[open] .how").first
    expect(how).to_contain_text("kv · T · B")
    expect(how).to_contain_text("131072 · 8192 · 8")
    page.get_by_role("slider", name="Batch (sequences)").focus()
    page.keyboard.press("ArrowRight")
    expect(how).to_contain_text("131072 · 8192 · 16")


def test_scenarios_stand_side_by_side_under_their_letters(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_model")
    page.get_by_role("button", name="Four times the cache").click()
    expect(page.locator(".table .head").first).to_have_text("NowA")
    expect(line(page, "Key-value cache")).to_contain_text("137.44 GB (128.00 GiB)34.36 GB (32.00 GiB)")


def test_the_link_in_the_take_away_reproduces_the_page(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_serving", {"config": "Mixtral-8x7B", "gpus": "2", "samples": "4"})
    before = until(line(page, "Throughput").inner_text, str.strip)
    page.get_by_text("Take away").click()
    link = page.get_by_test_id("stCode").first.inner_text().strip()
    assert link.startswith(app_url) and "samples=4" in link
    again = open_page(link)
    expect(line(again, "Throughput")).to_have_text(re.compile(re.escape(before.split("\n")[-1])))


def test_a_hostile_config_is_text_and_nothing_else(open_page: OpenPage, app_url: str) -> None:
    page = opened(open_page, app_url, "scale_model")
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.get_by_text("Own config.json").click()
    evil = json.dumps({"model_type": "<img src=x onerror=alert(1)>", "auto_map": {"AutoConfig": "evil--x.Y"}})
    page.get_by_role("textbox", name="Paste it").fill(evil)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("stAlert").first).to_contain_text("<img src=x onerror=alert(1)>")
    expect(line(page, "Parameters")).to_contain_text("8,030,261,248")
    assert dialogs == []
