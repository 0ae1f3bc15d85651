"""The whole way of a newcomer: prompts pasted, what settings allow, a plan run, its results, a preset in a file; on one page."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from playground.sampling.settings import NEUTRAL
from playground.tuning.preset import read_preset
from tests.e2e.conftest import OpenPage, until

TABLE = (
    "Question\tIdeal\tRules\n"
    "Which city is the capital of France? Answer in one word.\tParis\tregex:(?i)paris\n"
    "How many legs does a cat have? Answer with a digit.\tFour\tregex:(?i)4|four\n"
    "What colour is clear sky at noon? One word.\tBlue\tregex:(?i)blue\n"
)


def test_from_pasted_prompts_to_an_exported_preset_without_leaving_the_page(
    open_page: OpenPage, app_url: str, tmp_path: Path
) -> None:
    page = open_page(f"{app_url}/tune")
    expect(page.get_by_text("4 examples")).to_be_visible()

    page.get_by_role("button", name="Type or paste").click()
    pasted = page.get_by_role("textbox", name="Prompts")
    pasted.fill(TABLE)
    pasted.press("Control+Enter")
    page.get_by_role("combobox", name="Checks").click()
    page.get_by_role("option", name="rules").click()
    page.get_by_role("button", name="Take these 3 instead").click()
    expect(page.get_by_text("3 examples")).to_be_visible()
    expect(page.get_by_text("3 with a reference · 3 with checks")).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="See what settings allow").click()
    table = page.locator("table.reach")
    expect(table).to_be_visible()
    before = until(table.inner_text, str.strip)
    knob = page.get_by_role("slider", name="Min-p")
    for _step in range(10):
        knob.press("ArrowRight")
    expect(table).not_to_have_text(before)
    expect(page.get_by_role("toolbar", name="Reference 1 under present")).to_be_visible()

    page.get_by_role("button", name="Plan a comparison").click()
    page.get_by_role("button", name="Add a setting").click()
    for label, value in (("Samples a prompt", "1"), ("Tokens at most", "6")):
        field = page.get_by_role("spinbutton", name=label)
        field.fill(value)
        field.press("Enter")
    expect(page.get_by_text("9 texts")).to_be_visible()
    page.get_by_role("button", name="Run the plan").click()
    expect(page.get_by_text("9 of 9 texts")).to_be_visible()
    page.get_by_role("button", name="See results").click()
    expect(page.get_by_text("An interval says where the mean")).to_be_visible()

    page.get_by_role("tab", name="Decision").click()
    expect(page.get_by_role("button", name="Keep as a preset")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Preset as JSON").click()
    file = tmp_path / "preset.json"
    saved.value.save_as(file)
    name, settings, why = read_preset(file.read_text(encoding="utf-8"))
    assert name and why and settings in (NEUTRAL, NEUTRAL.replace(temperature=0.7)), "one of the two that were compared"
    expect(page).to_have_url(re.compile(f"^{re.escape(app_url)}/tune"))  # no page was left
