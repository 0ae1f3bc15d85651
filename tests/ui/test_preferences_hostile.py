"""Votes from which little or nothing can be learnt, and strangers' files, on every tab of the page Preferences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from playground.engine.api import Hidden, Weights
from playground.engine.fake.engine import FakeEngine
from playground.preferences.ballots import Answer, Ballot, Verdict, Winner
from playground.preferences.kept import BallotStore
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.ui.preferences_page.vote import VoteView
from tests.ui.conftest import Opened
from tests.ui.test_preferences_page import SHORT, TABS, open_page, recorded

Open = Callable[..., Opened]


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def said(app: Opened) -> str:
    return app.texts().replace("\\", "")


def kept(verdicts: list[Verdict], ballot: Ballot = SHORT) -> str:
    return BallotStore(LOCAL).add("hostile", ballot, verdicts)


def of(voter: str, winner: Winner, count: int = 48) -> list[Verdict]:
    return [Verdict(voter, *pair, "first", winner) for pair in SHORT.pairs[:count]]


# -- files -------------------------------------------------------------------------------------------------------------


def pairs(count: int) -> bytes:
    return b"".join(b'{"prompt": "p%d", "chosen": "good", "rejected": "bad"}\n' % n for n in range(count))


def message(role: str, content: str = "x") -> dict[str, str]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b'{"prompt": "p", "chosen": "", "rejected": "b"}', "line 1 has an empty chosen; fill it in"),
        (b'{"prompt": "p", "response": ""}', "line 1 has an empty response; fill it in"),
        (pairs(10_000), "at most 4,000 can be voted on: give a part of them"),
        (pairs(20_001), "more than 20,000 rows; give a part of them"),
        (
            json.dumps({"prompt": [message("assistant"), message("user")], "chosen": "a", "rejected": "b"}).encode(),
            "its roles out of order (assistant, user)",
        ),
        (
            json.dumps({"prompt": "p", "chosen": [message("assistant"), message("user")], "rejected": "b"}).encode(),
            "its roles out of order (assistant, user)",
        ),
        (
            json.dumps({"prompt": [message("user"), message("assistant")], "response": "b"}).encode(),
            "prompt does not end with a user's message",
        ),
    ],
)
def test_a_file_that_cannot_be_voted_on_is_refused_in_a_sentence(open_app: Open, given: bytes, words: str) -> None:
    app = open_page(open_app).hold(preferences_bring_in=True)
    app.at.file_uploader(key="preferences_file").upload("votes.jsonl", given, "text/plain")
    app.run()
    (error,) = app.errors
    assert words in error.replace("\\", "") and "\n" not in error and not BallotStore(LOCAL).ballots()


def test_votes_on_one_pair_twice_and_texts_against_themselves_are_said(open_app: Open) -> None:
    app = open_page(open_app).hold(preferences_bring_in=True)
    given = b"prompt,left,right,winner\np,a,b,left\np,b,a,left\np,a,a,left\n"
    app.at.file_uploader(key="preferences_file").upload("votes.csv", given, "text/plain")
    shown_text = said(app.run())
    assert not app.errors and "1 votes are on a pair that the same voter had judged" in shown_text
    assert "1 rows compare a text with itself" in shown_text


# -- votes -------------------------------------------------------------------------------------------------------------


def test_votes_that_contradict_each_other_wholly_teach_nothing_and_every_tab_says_so(open_app: Open) -> None:
    ballot = kept([*of("ann", "first"), *of("bob", "second")])
    app = open_page(open_app, "Reward model", ballot=ballot)
    assert not app.errors and "The votes contradict each other wholly" in said(app)
    app = open_page(open_app, "DPO", ballot=ballot)
    assert not app.errors and "48 pairs are there in both directions: all of them, so nothing can be learnt" in said(
        app
    )
    app = open_page(open_app, "Strengths", ballot=ballot)
    assert not app.errors
    app.put(VoteView("said"))
    app.hold(teach_preferences_section="Vote")
    assert not app.errors and "2 voters, 48 pairs that two or more judged" in said(app)
    app = open_page(open_app, "Whose preference?", ballot=ballot)
    assert not app.errors
    app = open_page(open_app, "Best-of-N under it", ballot=ballot, runs=f'["{recorded()}"]')
    (error,) = app.errors
    assert "The votes contradict each other wholly, so the reward chooses nothing" in error


def test_one_voter_has_nobody_to_agree_with(open_app: Open) -> None:
    app = open_page(open_app, ballot=kept(of("ann", "first")))
    app.put(VoteView("said"))
    shown_text = said(app.run())
    assert (
        not app.errors
        and "1 voter so far, and no pair that two of them have judged: vote under another name" in shown_text
    )


@pytest.mark.parametrize("tab", TABS)
def test_ties_alone_are_one_sentence_on_every_tab(open_app: Open, tab: str) -> None:
    app = open_page(open_app, tab, ballot=kept(of("ann", "tie")))
    shown_text = said(app)
    words = {
        "Vote": "48 votes in all",
        "Strengths": "All votes are ties",
        "Reward model": "All votes are ties: nothing says which answer is better",
        "Best-of-N under it": "All votes are ties: nothing says which answer is better",
        "DPO": "No vote has a winner yet, and pairs are taught",
        "Whose preference?": "carry no two groups",
    }
    assert words[tab] in shown_text and len(app.errors) <= 1


def test_votes_on_one_pair_leave_nothing_to_hold_out(open_app: Open) -> None:
    votes = [Verdict(f"voter {n}", *SHORT.pairs[0], "first", "first") for n in range(6)]
    app = open_page(open_app, "Reward model", ballot=kept(votes))
    assert not app.errors and "There is nothing to hold out: all votes are on one pair" in said(app)
    assert "takes at least eight votes on four prompts" in said(app)
    app = open_page(open_app, "DPO", ballot=kept(votes))
    shown_text = said(app)
    assert app.at.button(key="preferences_dpo_start").label == "Train on 1 pairs"
    assert "5 votes say what another voter said of the same pair: it is taught once." in shown_text
    app = open_page(open_app, "Best-of-N under it", ballot=kept(votes), runs=f'["{recorded()}"]')
    (error,) = app.errors
    assert "All votes are on one pair, so they have no second half" in error


def test_empty_answers_and_more_pairs_than_can_be_taught(open_app: Open) -> None:
    empty = Ballot((*(Answer("p", text) for text in ("", "a", "b")),))
    votes = [Verdict("ann", *pair, "first", "second") for pair in empty.pairs]
    app = open_page(open_app, "DPO", ballot=kept(votes, empty))
    assert not app.errors and "2 votes are on an empty answer and are left out" in said(app)
    many = Ballot(tuple(Answer("p", f"answer {n}") for n in range(70)))
    votes = [Verdict("ann", *pair, "first", "first") for pair in many.pairs]
    app = open_page(open_app, "DPO", ballot=kept(votes, many))
    (error,) = app.errors
    words = "There are 2,415 pairs; at most 2,000 can be taught at once: bring in a file with a part of them."
    assert words == error.replace("\\", "")


@pytest.mark.parametrize(("tab", "lacks"), [("DPO", Weights), ("Reward model", Hidden)])
def test_a_model_without_gradients_says_who_has_them(open_app: Open, tab: str, lacks: type) -> None:
    ballot = BallotStore(LOCAL).add("brief", SHORT, synthetic_verdicts(SHORT, VOTERS["brief"], 20))
    app = open_app({"ballot": ballot}, opener=lambda choice, progress: FakeEngine(lacks=frozenset({lacks})), run=False)
    app.at.switch_page("../../pages/teach_preferences.py")
    app.hold(teach_preferences_section=tab)
    (error,) = app.errors
    assert "come from models that transformers runs in this process" in error.replace(" and that", "")
    assert not [button for button in app.at.button if str(button.key).endswith("_start")]
