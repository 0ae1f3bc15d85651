"""From votes to a reward to best-of-N, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from playground.engine.fake.engine import fake_info
from playground.generation.document import origin_of
from playground.preferences.ballots import Answer, Ballot
from playground.preferences.heads import HeadStore
from playground.preferences.kept import BallotStore
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.store.records import LOCAL
from playground.testtime.request import BestOfNRequest
from playground.testtime.stored_runs import RunCost, RunStore
from tests.e2e.conftest import OpenPage, until
from tests.testtime.making import candidate

PROMPTS = ("How are you?", "What is tea?", "Why sleep?", "Name a tree.", "Is it late?", "Tell me more.")


@pytest.fixture
def database(app_data: Path) -> Iterator[Database]:
    """That of the server."""
    app_database = Database(sqlite_url(app_data))
    yield app_database
    app_database.close()


def test_votes_become_a_reward_and_a_rule_of_best_of_n(
    open_page: OpenPage, app_url: str, app_data: Path, database: Database
) -> None:
    ballots, heads = BallotStore(LOCAL, database), HeadStore(LOCAL, database)
    ballot = Ballot(tuple(Answer(prompt, f"{'word ' * size}end.") for prompt in PROMPTS for size in (1, 4, 9)))
    kept = ballots.add("browser", ballot, synthetic_verdicts(ballot, VOTERS["brief"], 14))
    store = RunStore(app_data)
    run = store.start(BestOfNRequest(PROMPTS[0], n=12), origin_of(fake_info()))
    store.add(run, [candidate(index=n, text="word " * (1 + n % 6) + f"{n}.") for n in range(12)])
    store.finish(run, "finished", RunCost())
    store.close()

    page = open_page(f"{app_url}/teach_preferences?ballot={kept}&runs=%5B%22{run}%22%5D", width=1280, height=900)
    expect(page.locator(".judgePair .prompt")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("0")
    until(lambda: len(ballots.load(kept).verdicts), lambda count: count == 16)

    page.get_by_role("tab", name="Reward model").click()
    expect(page.get_by_text("Held out, the head agrees with")).to_be_visible()
    page.get_by_role("button", name="Use it in Best-of-N").click()
    until(lambda: [head.votes for head in heads.heads()], lambda votes: votes == [15])

    page.get_by_role("tab", name="Best-of-N under it").click()
    expect(page.get_by_text("What is chosen", exact=True)).to_be_visible()
    expect(page.get_by_text("The reward here is fitted to")).to_be_visible()
