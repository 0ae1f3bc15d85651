"""From demonstrations, typed or pasted, to an adapter that is pinned on Sampling; a training stopped, left, taken up again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import until

OpenPage = Callable[..., Page]
ROWS = "\n".join(
    json.dumps({"prompt": f"What is {thing}?", "completion": f"Arr! {thing.capitalize()} be fine."})
    for thing in ("rain", "bread", "tea", "gold", "snow", "a cat")
)


def taught(page: Page, app_url: str, epochs: str, rate: str = "") -> None:
    """Paste six pairs, and press Train for so many epochs, at another learning rate where one is given."""
    page.goto(f"{app_url}/teach_examples?view=demonstrations")
    expect(page.get_by_text("40 demonstrations")).to_be_visible()
    page.get_by_role("button", name="Paste").click()
    field = page.get_by_role("textbox", name="Demonstrations")
    field.fill(ROWS)
    field.press("Control+Enter")
    page.get_by_role("button", name="Take these 6 instead").click()
    expect(page.get_by_text("6 demonstrations")).to_be_visible()
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


def step_number(shown: Locator) -> int:
    """Of the progress as it stands."""
    match = re.match(r"Step (\d+) of", shown.inner_text())
    assert match is not None
    return int(match[1])
