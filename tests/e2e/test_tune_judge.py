"""Judging in a real browser: keys that wait for nobody, a vote taken back, and who comes by a link sees pairs alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page, expect

from playground.engine.fake.engine import FakeEngine
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.store.records import LOCAL
from playground.tuning.panel import Panel
from playground.tuning.runs import TuningStore, kept_texts
from tests.e2e.conftest import OpenPage, box, until
from tests.tuning.test_runs import begun, plan_of

PROMPTS = [{"prompt": f"<b>{word}</b>"} for word in ("lamp", "chair", "map", "radio", "spoon", "coat", "pot", "bell")]


@pytest.fixture
def panel(app_data: Path) -> Iterator[Panel]:
    """The judges of a tuning that is written to the end, in the folder that the server uses."""
    database = Database(sqlite_url(app_data))
    plan, store = plan_of(examples=PROMPTS), TuningStore(LOCAL, database)
    writer = begun(store, plan)
    list(kept_texts(FakeEngine(), plan, writer, written={}))
    yield Panel(writer.tuning, LOCAL, database=database)
    database.close()


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def stored(panel: Panel, wanted: Callable[[Counter[str]], object]) -> None:
    """Until the server has stored such verdicts."""

    def verdicts() -> Counter[str]:
        return Counter(each.verdict for each in panel.judgements() if each.verdict != "same")

    until(verdicts, wanted)


def test_keys_judge_and_a_link_shows_pairs_alone(open_page: OpenPage, app_url: str, panel: Panel) -> None:
    owner = open_page(f"{app_url}/tune?tuning={panel.tuning}&view=judge", width=1280, height=720)
    prompt = owner.locator(".judgePair .prompt")
    expect(prompt).to_contain_text("<b>")  # text, no markup; the model is loaded first
    press(owner, "120b")
    stored(panel, lambda counts: counts == {"left": 1, "right": 1, "tie": 1, "both_bad": 1})
    expect(owner.get_by_text("Yours: 4").or_(owner.get_by_text("4 votes"))).to_be_visible()
    taken_back = prompt.inner_text()
    press(owner, "1")
    stored(panel, lambda counts: counts["left"] == 2)
    press(owner, "u")
    stored(panel, lambda counts: counts["left"] == 1)
    expect(prompt).to_have_text(taken_back)

    owner.get_by_role("radio", name="What the votes say").or_(
        owner.get_by_role("button", name="What the votes say")
    ).first.click()
    expect(owner.get_by_text("4 votes")).to_be_visible()
    judge = open_page(f"{app_url}/?judge={panel.new_link()}", width=390, height=780)
    judge.get_by_role("textbox", name="Nickname").fill("Änne")
    judge.get_by_role("button", name="Begin").click()
    first, second = judge.get_by_role("region", name="Answer 1"), judge.get_by_role("region", name="Answer 2")
    expect(first).to_be_visible()
    until(lambda: (box(first), box(second)), lambda two: one_above_the_other(*two))
    expect(judge.get_by_test_id("stSidebar")).to_have_count(0)
    judge.get_by_role("button", name="Both are bad").click()
    stored(panel, lambda counts: counts["both_bad"] == 2)
    expect(owner.get_by_text("5 votes")).to_be_visible()  # without a touch
    panel.revoke_link()
    press(judge, "1")
    expect(judge.get_by_text("not valid any more")).to_be_visible()
    stored(panel, lambda counts: counts["left"] == 1)


def one_above_the_other(above: FloatRect, below: FloatRect) -> bool:
    return below["y"] > above["y"] + above["height"] and above["x"] == below["x"]
