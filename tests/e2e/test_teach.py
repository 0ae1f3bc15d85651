"""From demonstrations, typed or pasted, to an adapter that is pinned on Sampling; a training stopped, left, taken up again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import SHORT_MS, box, point_until, settled, until

OpenPage = Callable[..., Page]
ROWS = "\n".join(
    json.dumps({"prompt": f"What is {thing}?", "completion": f"Arr! {thing.capitalize()} be fine."})
    for thing in ("rain", "bread", "tea", "gold", "snow", "a cat")
)


def taught(page: Page, app_url: str, epochs: str, rate: str = "") -> None:
    """Paste six pairs, and press Train for so many epochs, at another learning rate where one is given."""
    page.goto(f"{app_url}/teach_examples?view=demonstrations")
    expect(page.get_by_text("40 demonstrations")).to_be_visible()
    pasted(page, 6)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Train on them").click()
    count = page.get_by_role("spinbutton", name="Epochs")
    count.fill(epochs)
    count.press("Enter")
    if rate:
        page.get_by_text("Advanced").click()
        field = page.get_by_role("spinbutton", name="Learning rate")
        field.fill(rate)
        field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()


def test_demonstrations_become_an_adapter_and_a_pin_on_sampling(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/teach_examples")
    taught(page, app_url, "1")
    expect(page.get_by_text("· whole")).to_be_visible()
    page.get_by_role("button", name="See what moved").click()
    expect(page.get_by_text("From before to after the largest differences are")).to_be_visible()
    strength = page.get_by_role("slider", name="Strength of the adapter")
    strength.press("Home")
    expect(page.get_by_text("before and after give the same first token")).to_be_visible()
    strength.press("End")
    expect(page.get_by_text("From before to after the largest differences are")).to_be_visible()
    expect(page.get_by_text("What was learnt")).to_be_visible()
    page.get_by_role("button", name="Pin on Sampling").click()
    expect(page.get_by_role("heading", name="Sampling")).to_be_visible()
    expect(page.get_by_text("KL(now ‖ X) =")).to_be_visible()


def test_a_training_is_stopped_and_taken_up_again_by_its_link(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/teach_examples")
    taught(page, app_url, "30")
    step = page.get_by_text(re.compile(r"Step [1-9]\d* of 60"))
    expect(step).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    done = step_number(step)
    page.reload()  # the link in the address bar carries the training and its tab
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    until(lambda: step_number(step), lambda number: number == done)
    page.get_by_role("button", name="Go on").click()
    until(lambda: step_number(step), lambda number: number > done)
    page.get_by_role("button", name="End here").click()
    expect(page.get_by_text("· ended early")).to_be_visible()
    expect(page.get_by_role("button", name="See what moved")).to_be_visible()


def test_a_rate_of_ten_is_seen_and_stopped(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/teach_examples")
    taught(page, app_url, "30", rate="10")
    expect(page.get_by_text("the learning rate 10 is too high").first).to_be_visible()
    expect(page.get_by_text("· ended early")).to_be_visible()
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()


def test_what_is_typed_into_the_table_is_what_is_taught(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/teach_examples?view=demonstrations")
    expect(page.get_by_text("40 demonstrations")).to_be_visible()
    settled(page)
    table = page.get_by_test_id("stDataFrame").first
    choose(page, table, "1-0")
    typed_in(page, "Which <b>tea</b>?")
    choice = page.locator(".st-key-teach_mask_controls").get_by_test_id("stSelectbox")
    words = "boxes => boxes.map(each => each.textContent + each.querySelector('input').value).join()"
    until(lambda: str(choice.evaluate_all(words)), lambda shown: "1. Which <b>tea</b>?" in shown)
    choose(page, table, "2-0")
    typed_in(page, " ")
    expect(page.get_by_text("Row 1 is left out: This demonstration has an empty response")).to_be_visible()
    expect(page.get_by_text("39 demonstrations")).to_be_visible()
    choose(page, table, "2-0")
    typed_in(page, "Typed by hand.")
    expect(page.get_by_text("40 demonstrations")).to_be_visible()
    expect(page.get_by_text("Row 1 is left out")).to_have_count(0)
    expect(page.get_by_label(re.compile("Demonstration 1 as the model reads it"))).to_contain_text("hand")
    page.goto(f"{app_url}/teach_examples?view=demonstrations")  # begins anew, with the shipped ones
    expect(cell(table, "2-0")).to_contain_text("Soup")
    page.get_by_role("button", name=re.compile("last visit")).click()
    expect(cell(table, "2-0")).to_have_text("Typed by hand.")
    page.get_by_role("button", name="Train on them").click()
    expect(page.get_by_text("40 demonstrations: ")).to_be_visible()


def test_rows_are_added_and_deleted_and_two_cells_typed_in_a_row(open_page: OpenPage, app_url: str) -> None:
    page = open_page(f"{app_url}/teach_examples?view=demonstrations")
    expect(page.get_by_text("40 demonstrations")).to_be_visible()
    pasted(page, 3)
    page.keyboard.press("Escape")
    table = page.get_by_test_id("stDataFrame").first
    expect(cell(table, "1-0")).to_have_text("What is rain?")
    settled(page)
    choose(page, table, "1-0")
    typed_in(page, "What is hail?", "Tab")
    typed_in(page, "Arr! Hail be hard.")  # while the page is drawn anew
    first = page.get_by_label(re.compile("Demonstration 1 as the model reads it"))
    expect(first).to_contain_text("hard")
    expect(first).to_contain_text("hail")
    settled(page)
    click_row(page, table, 1, MARKER_PX)
    expect(cell(table, "1-1").locator("..")).to_have_attribute("aria-selected", "true")
    page.get_by_test_id("stElementToolbarButton").get_by_label("Delete row(s)").first.click()
    expect(page.get_by_text("2 demonstrations")).to_be_visible()
    table.hover()
    page.get_by_test_id("stElementToolbarButton").get_by_label("Add row").first.click()
    expect(cell(table, "1-2")).to_be_attached()
    settled(page)
    table.hover()
    page.mouse.wheel(0, -1_000)  # a new row is scrolled to
    choose(page, table, "1-2")
    typed_in(page, "What is sleet?", "Tab")
    expect(page.get_by_text("Row 3 is left out")).to_be_visible()
    typed_in(page, "Arr! Sleet be both.")
    expect(page.get_by_text("3 demonstrations")).to_be_visible()
    table.hover()
    page.mouse.wheel(0, -1_000)  # only what is on screen is told
    expect(table.locator("[id^=glide-cell-1-]")).to_have_text(["What is hail?", "What is tea?", "What is sleet?"])
    expect(table.locator("[id^=glide-cell-2-]")).to_have_text(
        ["Arr! Hail be hard.", "Arr! Tea be fine.", "Arr! Sleet be both."]
    )


ROW_PX, FIRST_PX, MARKER_PX = (
    66,
    68,
    16,
)  # a row's height, the middle of the first one, of the column where rows are chosen
ACROSS_PX = {"1": 150, "2": 450}
# As on a busy machine, where what a key left to do comes after the next key.
IN_ONE_BREATH = """(field, keys) => keys.forEach(
  key => field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""


def pasted(page: Page, count: int) -> None:
    """Some of the pairs, in place of those in the table."""
    page.get_by_role("button", name="Paste").click()
    field = page.get_by_role("textbox", name="Demonstrations")
    field.fill("\n".join(ROWS.splitlines()[:count]))
    field.press("Control+Enter")
    page.get_by_role("button", name=f"Take these {count} instead").click()
    expect(page.get_by_text(f"{count} demonstrations")).to_be_visible()


def cell(table: Locator, place: str) -> Locator:
    """Column and row, as the canvas tells them to screen readers."""
    return table.locator(f"#glide-cell-{place}")


def choose(page: Page, table: Locator, place: str) -> None:
    """Click on a cell that is on screen."""
    column, row = place.split("-")
    point_until(
        lambda: click_row(page, table, int(row), ACROSS_PX[column]),
        lambda: expect(cell(table, place)).to_have_attribute("aria-selected", "true", timeout=SHORT_MS),
    )


def click_row(page: Page, table: Locator, row: int, across: float) -> None:
    """So many pixels from the table's left."""
    frame = box(table)
    page.mouse.click(frame["x"] + across, frame["y"] + FIRST_PX + ROW_PX * row)


def typed_in(page: Page, text: str, end: str = "Enter") -> None:
    """Into the cell that is chosen, in place of what stands there; the last key comes right before the one that ends it."""
    page.keyboard.press("Enter")
    editor = page.locator("#portal textarea")
    expect(editor).to_be_focused()
    editor.press("Control+a")
    page.keyboard.type(text)
    expect(editor).to_have_value(text)
    editor.evaluate(IN_ONE_BREATH, [text[-1], end])
    expect(editor).to_have_count(0)


def step_number(shown: Locator) -> int:
    """Of the progress as it stands."""
    match = re.match(r"Step (\d+) of", shown.inner_text())
    assert match is not None
    return int(match[1])
