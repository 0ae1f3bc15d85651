"""The choice that pictures follow at once: its script alone in a real browser, with Python's part played by the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.ui.components.assets import script

pytestmark = pytest.mark.e2e

SCRIPT = script("live_choice.js").replace("export default function", "window.draw = function")
SET_UP = """
() => {
  window.sent = []
  window.events = []
  window.addEventListener("playground-chosen", (event) =>
    window.events.push([event.detail, window.playgroundChosen[event.detail]]))
}
"""
DRAW = """
([value, serial]) => window.draw({
  data: { label: "Colours", help: "What they mean.", name: "colours", values: ["a", "b", "c"], labels: ["A", "B", "C"],
    value, serial },
  parentElement: document.body, setTriggerValue: (_name, choice) => window.sent.push(choice),
})
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    opened.set_content(f'<div class="liveChoice"></div><script type="module">{SCRIPT}</script>')
    opened.wait_for_function("() => Boolean(window.draw)")
    opened.evaluate(SET_UP)
    yield opened
    opened.close()


def python_says(page: Page, value: str, heard: int) -> None:
    page.evaluate(DRAW, [value, heard])


def has_chosen(page: Page, name: str) -> None:
    radio = page.get_by_role("radio", checked=True)
    expect(radio).to_have_text([name])
    expect(radio).to_have_attribute("tabindex", "0")


def test_a_press_is_told_to_the_pictures_and_then_to_python(page: Page) -> None:
    python_says(page, "b", 0)
    has_chosen(page, "B")
    assert page.evaluate("window.events") == [["colours", "b"]]
    page.get_by_role("radio", name="C").click()
    assert page.evaluate("[window.events.at(-1), window.sent]") == [["colours", "c"], [{"value": "c", "serial": 1}]]
    page.get_by_role("radio", name="C").click()
    assert len(page.evaluate("window.sent")) == 1, "what is chosen already is no news"


def test_what_python_says_before_it_has_heard_of_the_last_press_changes_nothing(page: Page) -> None:
    python_says(page, "a", 0)
    page.get_by_role("radio", name="B").click()
    page.get_by_role("radio", name="C").click()
    for value, heard in (("a", 0), ("b", 1)):
        python_says(page, value, heard)
        has_chosen(page, "C")
    python_says(page, "c", 2)
    has_chosen(page, "C")
    assert len(page.evaluate("window.events")) == 3
    python_says(page, "a", 2)  # an experiment or a link: Python has heard of everything, and wants another one
    has_chosen(page, "A")
    assert page.evaluate("window.events.at(-1)") == ["colours", "a"]


def test_arrow_keys_choose_and_the_help_is_a_key_away(page: Page) -> None:
    python_says(page, "a", 0)
    page.get_by_role("radio", name="A").focus()
    for key, expected in (("ArrowLeft", "C"), ("ArrowRight", "A"), ("ArrowDown", "B"), ("End", "C"), ("Home", "A")):
        page.keyboard.press(key)
        has_chosen(page, expected)
        expect(page.get_by_role("radio", name=expected)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Help for Colours")).to_be_focused()
    expect(page.get_by_role("tooltip")).to_have_text("What they mean.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()
