"""The page Preferences through Streamlit's own test double."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pages import PAGES
from playground.engine.api import Hidden
from playground.engine.fake.engine import FakeEngine, fake_info
from playground.generation.document import origin_of
from playground.preferences.ballots import Answer, Ballot, Verdict
from playground.preferences.heads import HeadStore
from playground.preferences.kept import BallotStore
from playground.preferences.ready import ready_ballot
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.sampling.settings import NEUTRAL
from playground.state.best_of_n import BestOfNState
from playground.state.preferences import PreferencesState
from playground.state.sampling import Pins
from playground.state.setup import Setup
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.testtime.request import BestOfNRequest
from playground.testtime.stored_runs import RunCost, RunStore
from playground.training import runs
from playground.training.pairs import Pair
from playground.training.runs import TrainingStore
from playground.training.settings import TrainSettings
from playground.training.steps import PreferenceNumbers, TrainStep
from playground.ui.generate_page.session import PendingAction, _Sessions
from playground.ui.preferences_page import bar, over_making
from playground.ui.preferences_page.dpo import DpoDraft
from playground.ui.preferences_page.experiments import EXPERIMENTS, Voters
from playground.ui.preferences_page.session import Voter
from playground.ui.preferences_page.vote import VoteView
from tests.testtime.making import candidate
from tests.ui.conftest import Opened

TABS = [section.title for section in PAGES["teach_preferences"].sections.values()]


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def open_page(open_app: Callable[..., Opened], tab: str = "", **query: str) -> Opened:
    app = open_app(query, run=False)
    app.at.switch_page("../../pages/teach_preferences.py")
    return app.hold(teach_preferences_section=tab or TABS[0])


def test_it_opens_on_a_pair_that_hides_who_wrote_what_and_a_vote_keeps_the_ballot(
    open_app: Callable[..., Opened],
) -> None:
    app = open_page(open_app)
    shown = app.component("preferences_pair_Ready answer_me")
    assert len(shown["pairs"]) == 4 and set(shown["pairs"][0]) == {"id", "prompt", "system", "left", "right"}
    assert "T 0.3" not in str(shown) and not BallotStore(LOCAL).ballots() and not app.errors


def test_a_ranking_is_shown_as_its_pairs_and_taken(open_app: Callable[..., Opened]) -> None:
    ballot = Ballot(tuple(Answer("p", text) for text in "abc"))
    kept = BallotStore(LOCAL).add("three", ballot)
    app = open_page(open_app, ballot=kept)
    app.put(VoteView("rank"))
    app.run()
    controls = [each for each in app.at.button_group if str(each.key).startswith("preferences_rank")]
    for control, rank in zip(controls, "123", strict=True):
        control.set_value(rank)
    app.run()
    assert "A > B > C gives A > B, A > C, B > C" in app.texts()
    app.at.button(key="preferences_take_ranking").click()
    app.run()
    said = BallotStore(LOCAL).load(kept).verdicts
    assert len(said) == 3 and not app.errors and "judged every pair" in app.texts()


def test_scores_and_votes_stand_side_by_side(open_app: Callable[..., Opened]) -> None:
    app = open_page(open_app)
    app.put(VoteView("score"))
    app.run()
    app.at.button(key="preferences_score_6").click()
    app.run()
    (summary,) = BallotStore(LOCAL).ballots()
    assert [each.score for each in BallotStore(LOCAL).load(summary.id).ratings] == [6]
    assert "1 scored by" in app.texts()


def test_strengths_and_agreement_of_two_synthetic_groups(open_app: Callable[..., Opened]) -> None:
    ballot = ready_ballot()
    said = [v for name in ("brief", "thorough") for v in synthetic_verdicts(ballot, VOTERS[name], 120)]
    kept = BallotStore(LOCAL).add("two groups", ballot, said)
    app = open_page(open_app, "Strengths", ballot=kept)
    assert "orders of them Elo puts" in app.texts() and not app.errors
    app.put(VoteView("said"))
    app.hold(teach_preferences_section="Vote")
    assert "Krippendorff" in app.texts() and r"\$3" in app.texts() and not app.errors


def test_strengths_without_votes_offer_voters_that_do_not_exist(open_app: Callable[..., Opened]) -> None:
    app = open_page(open_app, "Strengths")
    app.at.button(key="preferences_synthetic_brief").click()
    app.run()
    (summary,) = BallotStore(LOCAL).ballots()
    assert summary.votes == 150 and not app.errors and "orders of them Elo puts" in app.texts()


def test_hostile_answers_and_a_ballot_that_is_gone(open_app: Callable[..., Opened]) -> None:
    hostile = "<script>alert(1)</script> $x$ [a](javascript:b) **b** :red[c]"
    ballot = Ballot((Answer(hostile, hostile, hostile), Answer(hostile, "other", "=1+1")))
    kept = BallotStore(LOCAL).add(hostile, ballot, [Verdict(hostile, 0, 1, "first", "first", hostile)])
    for tab in TABS[:2]:
        app = open_page(open_app, tab, ballot=kept)
        assert not app.at.exception and "<script>" not in str(app.at.get("html"))
    BallotStore(LOCAL).delete(kept)
    app = open_page(open_app, ballot=kept)
    assert app.errors and all("deleted" in error for error in app.errors)


def test_two_voters_of_one_tab_have_their_own_pairs(open_app: Callable[..., Opened]) -> None:
    app = open_page(open_app)
    app.put(Voter("ann", "x"))
    app.run()
    assert app.component("preferences_pair_Ready answer_ann")["pairs"]


SHORT = Ballot(tuple(Answer(f"p{p}", "word " * (1 + 2 * n) + f"{p}.") for p in range(8) for n in range(4)))


def voted(name: str = "brief", count: int = 40) -> str:
    return BallotStore(LOCAL).add(name, SHORT, synthetic_verdicts(SHORT, VOTERS[name], count))


def test_a_reward_is_fitted_examined_and_put_among_the_rules_of_best_of_n(open_app: Callable[..., Opened]) -> None:
    app = open_page(open_app, "Reward model", ballot=voted())
    shown_text = app.texts()
    assert (
        "Held out, the head agrees with" in shown_text
        and "Always preferring the shorter answer" in shown_text
        and not app.errors
    )
    app.at.button(key="preferences_keep_head").click()
    app.run()
    (head,) = HeadStore(LOCAL).heads()
    assert app.at.session_state["playground_states"][BestOfNState].rules[-1] == f"reward-head:{head.id}"
    assert head.votes == 40 and head.weights.shape == (32,)
    calls = len(app.engine.calls)
    app.at.number_input(key="PreferencesState.penalty").set_value(5.0)
    app.run()
    assert len(app.engine.calls) == calls and not app.errors  # another penalty runs no model


def test_a_reward_of_ties_alone_is_one_sentence(open_app: Callable[..., Opened]) -> None:
    ties = [Verdict("me", *pair, "first", "tie") for pair in SHORT.pairs[:9]]
    app = open_page(open_app, "Reward model", ballot=BallotStore(LOCAL).add("ties", SHORT, ties))
    assert ["All votes are ties" in error for error in app.errors] == [True]


def test_a_reward_needs_hidden_states(open_app: Callable[..., Opened]) -> None:
    app = open_app(
        {"ballot": voted()}, opener=lambda choice, progress: FakeEngine(lacks=frozenset({Hidden})), run=False
    )
    app.at.switch_page("../../pages/teach_preferences.py")
    app.hold(teach_preferences_section="Reward model")
    assert len(app.errors) == 1 and "Hidden states" in app.errors[0]


def recorded(count: int = 24) -> str:
    """A run of Best-of-N in this visitor's store: answers of growing length, the longest of them one word again and again."""
    store = RunStore(visitor=LOCAL)
    request = BestOfNRequest("How do I get better sleep?", chat=True, n=count)
    run = store.start(request, origin_of(fake_info()))
    store.add(run, [candidate(index=n, text=" ".join(["sleep"] * (1 + n % 12)) + f" {n}.") for n in range(count)])
    store.finish(run, "finished", RunCost())
    store.close()
    return run


def test_choosing_by_the_reward_is_held_against_a_second_judgement(open_app: Callable[..., Opened]) -> None:
    run = recorded()
    link = {"ballot": voted(), "runs": f'["{run}"]'}
    app = open_page(open_app, "Best-of-N under it", **link)
    shown_text = app.texts()
    assert not app.errors and "What is chosen" in shown_text and "head of the other half" in shown_text
    assert len(app.at.get("plotly_chart")) == 2 and "rank 1 by the reward" in shown_text
    calls = len(app.engine.calls)
    app.put(PreferencesState(link["ballot"], runs=(run,), judge="voter: brief", flaw="words", weight=3.0))
    app.run()
    assert not app.errors and "What is chosen" in app.texts() and len(app.engine.calls) == calls  # runs no model
    app.put(PreferencesState(link["ballot"], runs=(run,), judge="math"))
    app.run()
    assert ["cannot judge these answers" in error for error in app.errors] == [True]


def test_a_run_with_too_few_candidates_and_none_at_all(open_app: Callable[..., Opened]) -> None:
    ballot = voted()
    app = open_page(open_app, "Best-of-N under it", ballot=ballot)
    assert not app.errors and "have 1,536 answers made" in app.texts()
    app = open_page(open_app, "Best-of-N under it", ballot=ballot, runs=f'["{recorded(4)}"]')
    assert ["8 drawn candidates" in error for error in app.errors] == [True]


def test_answers_are_made_for_it_and_chosen_from(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(over_making, "MADE", 8)
    monkeypatch.setattr(over_making, "RUNS", 3)
    app = open_page(open_app, "Best-of-N under it", ballot=voted())
    app.at.button(key="preferences_make").click()
    app.run()
    ticket = app.at.session_state["playground_states"][over_making.Making].ticket
    assert ticket is None or ticket.wait(60)
    app.run()
    app.run()
    assert "What is chosen" in app.texts() and not app.errors
    runs = RunStore(visitor=LOCAL).runs()
    assert [run.finished for run in runs] == [8, 8, 8] and {run.prompt for run in runs} == {"p0", "p1", "p2"}
    assert set(app.state(PreferencesState).runs) == {run.id for run in runs}


def test_a_file_of_votes_is_taken_and_given_away_again(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(open_app).hold(preferences_bring_in=True)
    lines = [f'{{"prompt": "p{n}", "chosen": "good {n}", "rejected": "bad {n}"}}' for n in range(3)]
    app.at.file_uploader(key="preferences_file").upload("pairs.jsonl", "\n".join(lines).encode(), "text/plain")
    app.run()
    app.at.button(key="preferences_take_file").click()
    app.run()
    (summary,) = BallotStore(LOCAL).ballots()
    assert not app.errors and summary.votes == 3
    given: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(bar, "file_button", lambda label, name, data, about: given.setdefault(name, data))
    app.hold(take_away=True)
    pairs = [json.loads(line) for line in given["preferences.jsonl"]().splitlines()]
    assert [pair["chosen"][-1]["content"] for pair in pairs] == ["good 0", "good 1", "good 2"]
    assert given["votes.csv"]().count("\n") >= 3 and "left,right,winner" in given["votes.csv"]()


def test_what_generate_has_written_becomes_pairs_of_settings(open_app: Callable[..., Opened]) -> None:
    app = open_app({"prompt": "hello"}, run=False)
    app.at.switch_page("../../pages/generate.py")
    app.put(Pins(A=NEUTRAL.replace(temperature=1.7), B=NEUTRAL))
    app.hold(generate_section="Compare")
    app.put(PendingAction("compare"))
    app.run()
    works = app.state(_Sessions).values()
    while any(work.busy for work in works) or not works:
        app.run()
    app.held.clear()
    app.at.switch_page("../../pages/teach_preferences.py")
    app.hold(preferences_bring_in=True)
    app.at.button(key="preferences_take_written").click()
    app.run()
    (summary,) = BallotStore(LOCAL).ballots()
    answers = BallotStore(LOCAL).load(summary.id).ballot.answers
    assert not app.errors and {answer.prompt for answer in answers} == {"hello"}
    assert {answer.name[-1] for answer in answers} == {"A", "B"} and all(answer.text for answer in answers)
    assert len(app.component(f"preferences_pair_{summary.id[:12]}_me")["pairs"]) >= 1


def test_groups_that_disagree_stand_side_by_side(open_app: Callable[..., Opened]) -> None:
    said = [v for name in ("brief", "thorough") for v in synthetic_verdicts(SHORT, VOTERS[name], 40)]
    app = open_page(open_app, "Whose preference?", ballot=BallotStore(LOCAL).add("two", SHORT, said))
    assert not app.errors and "One reward of everybody" in app.texts()
    rows = app.at.dataframe[0].value.to_dict("records")
    assert [row["learnt"] for row in rows] == ["brief", "thorough", "everybody"]
    app = open_page(open_app, "Whose preference?", ballot=voted())
    assert not app.errors and "carry no two groups" in app.texts()


@pytest.mark.parametrize("tab", ["Strengths", "Reward model", "Best-of-N under it", "DPO", "Whose preference?"])
def test_before_the_first_vote_every_tab_teaches_and_offers_voters(open_app: Callable[..., Opened], tab: str) -> None:
    app = open_page(open_app, tab)
    assert not app.errors and len(app.at.info) == 1 and app.at.get("image")
    app.at.button(key="preferences_synthetic_brief").click()
    app.run()
    (ballot,) = BallotStore(LOCAL).ballots()
    assert not app.errors and len(BallotStore(LOCAL).load(ballot.id).verdicts) > 20


def test_dpo_offers_the_decided_votes_and_shows_a_kept_trainings_curves(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    ties = [replace(vote, winner="tie") for vote in synthetic_verdicts(SHORT, VOTERS["brief"], 4)]
    app = open_page(open_app, "DPO", ballot=BallotStore(LOCAL).add("ties", SHORT, ties))
    assert ["No vote has a winner yet" in error for error in app.errors] == [True]
    app = open_page(open_app, "DPO", ballot=voted(count=30))
    assert not app.errors and app.at.button(key="preferences_dpo_start").label == "Train on 30 pairs"
    app.at.number_input(key="preferences_dpo_beta").set_value(0.3)
    app.run()
    assert app.at.session_state["playground_states"][DpoDraft].settings.beta == 0.3
    pairs = [Pair("p", f"a{n}", "b") for n in range(8)]
    store = TrainingStore(LOCAL)
    store.start(pairs, TrainSettings.of("dpo"), origin_of(fake_info()), "kept one")
    numbers = [
        PreferenceNumbers(-0.1 * n, -0.3 * n, 0.2 * n, 0.75, -40.0 - n, -42.0 - 3 * n, 0.01 * n) for n in range(3)
    ]
    steps = tuple(
        TrainStep(n, 2, 0.0, 0.6, None, 1e-4, 1.0, 10, 0.1, heldout_preference=each) for n, each in enumerate(numbers)
    )
    monkeypatch.setattr(runs, "read_curve", lambda folder: steps)
    app = open_page(open_app, "DPO", ballot=voted(count=30))
    assert not app.errors and "both fell" in app.texts() and "nats an answer" in app.texts()
    assert app.at.selectbox(key="preferences_dpo_kept").value


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_sets_its_scene(open_app: Callable[..., Opened], name: str) -> None:
    app = open_page(open_app)
    app.at.button(key=f"try_teach_preferences_{name}").click()
    app.run()
    each = EXPERIMENTS[name]
    app.hold(teach_preferences_section=PAGES["teach_preferences"].sections[each.section].title)
    assert not app.errors and each.label in app.texts()
    (summary,) = BallotStore(LOCAL).ballots()
    (voters,) = each.puts
    assert isinstance(voters, Voters) and summary.votes == 150 * len(voters.names)
    assert app.state(PreferencesState) == PreferencesState(ballot=summary.id, **each.state)


def test_its_link_keeps_the_prompt_of_all_pages_and_its_own_question_apart(open_app: Callable[..., Opened]) -> None:
    app = open_app({"prompt": "hello", "question": "3", "ballot": voted()}, run=False)
    app.at.switch_page("../../pages/teach_preferences.py")
    app.hold(take_away=True)
    assert not app.errors
    app.put(replace(app.state(PreferencesState), question=2))
    app.put(Setup(prompt="hi there"))
    app.run()
    link = next(code.value for code in app.at.code if "ballot=" in code.value)
    assert "question=2" in link and "prompt=hi+there" in link
