"""Where the page Preferences has its answers from, who puts voters in groups, and what becomes of a reward."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import AutoModelForSequenceClassification

from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.models.reward import load_reward_model
from playground.preferences.ballots import Answer, Ballot
from playground.preferences.heads import HeadStore
from playground.preferences.kept import BallotStore, KeptBallot
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.room.questions.better import TextVote
from playground.state.preferences import PreferencesState
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.testtime.request import BestOfNRequest
from playground.testtime.stored_runs import RunCost, RunStore
from playground.tuning.panel import Panel
from playground.tuning.plan import read_plan
from playground.tuning.runs import TuningStore, kept_texts
from playground.ui import runtime
from playground.ui.preferences_page import bring_in
from tests.testtime.making import candidate
from tests.training.tiny_student import save_tiny
from tests.ui.conftest import Opened
from tests.ui.test_preferences_page import SHORT, open_page, voted

Open = Callable[..., Opened]
real_opener = runtime._open_engine


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def only_ballot() -> KeptBallot:
    (summary,) = BallotStore(LOCAL).ballots()
    return BallotStore(LOCAL).load(summary.id)


def recorded(model: str, texts: list[str], reference: str = "") -> str:
    store = RunStore(visitor=LOCAL)
    request = BestOfNRequest("How do I sleep?", n=len(texts), reference=reference)
    run = store.start(request, replace(origin_of(fake_info()), name=model))
    store.add(run, [candidate(index=place, text=text) for place, text in enumerate(texts)])
    store.finish(run, "finished", RunCost())
    store.close()
    return run


# -- answers -----------------------------------------------------------------------------------------------------------


def test_runs_of_two_models_on_one_prompt_become_one_ballot(open_app: Open) -> None:
    wanted = {recorded("small", ["rest", "read"]), recorded("large", ["rest a while", "read"])}
    app = open_page(open_app).hold(preferences_bring_in=True)
    (box,) = [box for box in app.at.multiselect if box.key == "preferences_runs"]
    for label in list(box.options):
        box.select(label)
    app.run()
    app.at.button(key="preferences_take_runs").click()
    app.run()
    kept = only_ballot()
    assert not app.errors and len(wanted) == 2 and set(kept.ballot.names) == {"small", "large"}
    assert len(kept.ballot.questions) == 1 and len(kept.ballot.answers) == 4
    assert len(kept.ballot.pairs) == 5, "the same text of both models is no pair"


def test_a_tunings_texts_come_with_its_judges_votes(open_app: Open) -> None:
    fields = {
        "examples": [{"prompt": f"p{n}"} for n in range(4)],
        "settings": {"cold": {"temperature": 0.1}, "hot": {"temperature": 3}},
        "samples": 1,
        "max_new_tokens": 4,
    }
    plan, store = read_plan(fields, lambda file: ()), TuningStore()
    tuning = store.start(plan, origin_of(fake_info()), "my plan")
    writer = store.take_up(tuning)
    assert writer is not None
    finish(kept_texts(FakeEngine(), plan, writer, written={}))
    writer = store.take_up(tuning)
    assert writer is not None
    writer.add([replace(text, text=f"text {place}") for place, text in store.load(tuning).texts.items()])
    writer.end("finished", "")
    panel = Panel(tuning, LOCAL)
    panel.admit("anna", "Anna", "anna")
    for question in panel.turn("anna", 12).questions:
        panel.vote("anna", question, "left")
    app = open_page(open_app).hold(preferences_bring_in=True)
    (box,) = [box for box in app.at.selectbox if box.key == "preferences_tuning"]
    box.set_value(box.options[0])
    app.run()
    app.at.button(key="preferences_take_tuning").click()
    app.run()
    kept = only_ballot()
    assert not app.errors and {"cold", "hot"} <= set(kept.ballot.names) and len(kept.ballot.questions) == 4
    assert kept.verdicts and {verdict.voter for verdict in kept.verdicts} == {"Anna"}


def test_what_the_room_voted_on_comes_with_numbered_people_whom_the_leader_puts_in_groups(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes = [
        TextVote("p", "Answer 1", "Answer 2", "short", "a long one", "left" if n < 2 else "right", f"id{n}", "series")
        for n in range(4)
    ]
    monkeypatch.setattr(bring_in, "the_room", lambda: SimpleNamespace())
    monkeypatch.setattr(bring_in, "leads", lambda: True)
    monkeypatch.setattr(bring_in, "question_hub", lambda room: SimpleNamespace(rounds=lambda: ()))
    monkeypatch.setattr(bring_in, "votes_of", lambda rounds: tuple(votes))
    app = open_page(open_app).hold(preferences_bring_in=True)
    app.at.button(key="preferences_take_room").click()
    app.run()
    people = [f"participant {n}" for n in range(1, 5)]
    assert not app.errors and [verdict.voter for verdict in only_ballot().verdicts] == people
    app.held.clear()
    app.hold(teach_preferences_section="Whose preference?", preferences_tags=True)
    assert "room" in app.texts() and "participant 4" in app.texts()
    app.at.button(key="preferences_set_group").click()
    app.run()
    assert any("Nobody is chosen" in error for error in app.errors)
    for group, chosen in (("old", people[:2]), ("young", people[2:])):
        app.at.multiselect(key="preferences_group_voters").set_value(chosen)
        app.at.text_input(key="preferences_group_tag").set_value(f"  {group} ")
        app.at.button(key="preferences_set_group").click()
        app.run()
    assert [verdict.group for verdict in only_ballot().verdicts] == ["old", "old", "young", "young"]
    assert "**old** · participant 1, participant 2" in app.texts()
    (error,) = app.errors
    assert "All votes are on one pair, so nothing can be held out" in error and app.at.get("plotly_chart")


def test_groups_that_were_set_stand_side_by_side(open_app: Open) -> None:
    votes = [
        replace(vote, group="")
        for name in ("brief", "thorough")
        for vote in synthetic_verdicts(SHORT, VOTERS[name], 40)
    ]
    kept = BallotStore(LOCAL).add("two", SHORT, votes)
    app = open_page(open_app, "Whose preference?", ballot=kept).hold(preferences_tags=True)
    assert "carry no two groups" in app.texts()
    for name in ("brief", "thorough"):
        app.at.multiselect(key="preferences_group_voters").set_value([name])
        app.at.text_input(key="preferences_group_tag").set_value(f"the <b>{name}</b>")
        app.at.button(key="preferences_set_group").click()
        app.run()
    assert (
        not app.errors
        and "One reward of everybody" in app.texts()
        and "<b>brief" not in app.texts().replace("\\<b>", "")
    )


# -- the reward --------------------------------------------------------------------------------------------------------


def test_a_reward_is_saved_as_a_folder_that_classifies(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_MODEL", str(save_tiny(tmp_path / "tiny")))
    ballot = Ballot(tuple(Answer(f"the {p}?", "the cat sat " * (1 + n) + f"{p}.") for p in range(6) for n in range(3)))
    kept = BallotStore(LOCAL).add("brief ones", ballot, synthetic_verdicts(ballot, VOTERS["brief"], 18))
    app = open_app({"ballot": kept}, opener=real_opener, run=False)
    app.at.switch_page("../../pages/teach_preferences.py")
    app.hold(teach_preferences_section="Reward model")
    app.at.button(key="preferences_save_head").click()
    app.run()
    (folder,) = [code.value.removeprefix("reward:") for code in app.at.code if code.value.startswith("reward:")]
    assert not app.errors and AutoModelForSequenceClassification.from_pretrained(folder).config.num_labels == 1
    (head,) = HeadStore(LOCAL).heads()
    model = load_reward_model(folder)
    long, short = ballot.answers[2], ballot.answers[0]
    best, worst = model.scores("the 0?", [short.text, long.text])
    assert best > worst and folder.endswith(head.id), "the voter prefers the brief one, and so does the model"


@pytest.mark.parametrize(("judge", "words"), [("similarity", "Rule: "), ("length", "Rule: ")])
def test_a_rule_or_a_reference_is_the_second_judgement(open_app: Open, judge: str, words: str) -> None:
    texts = [" ".join(["sleep"] * (1 + n % 12)) + f" {n}." for n in range(24)]
    run = recorded("small", texts, reference="sleep sleep sleep")
    ballot = voted()
    app = open_page(open_app, "Best-of-N under it", ballot=ballot, runs=f'["{run}"]')
    app.put(PreferencesState(ballot, runs=(run,), judge=judge))
    app.run()
    assert not app.errors and "What is chosen" in app.texts() and len(app.at.get("plotly_chart")) == 2
    (box,) = [box for box in app.at.selectbox if str(box.key).endswith("PreferencesState.judge")]
    assert any(str(option).startswith(words) for option in box.options)


def test_a_group_is_of_one_ballot_and_changes_no_vote(open_app: Open) -> None:
    def votes(ballot: str) -> list[tuple[object, ...]]:
        verdicts = BallotStore(LOCAL).load(ballot).verdicts
        return [(vote.first, vote.second, vote.winner, vote.at, vote.seconds) for vote in verdicts]

    first, second = voted(), voted("thorough")
    before = votes(first)
    app = open_page(open_app, "Whose preference?", ballot=first).hold(preferences_tags=True)
    app.at.multiselect(key="preferences_group_voters").set_value(["brief"])
    app.at.text_input(key="preferences_group_tag").set_value("mine")
    app.at.button(key="preferences_set_group").click()
    app.run()
    groups = [{verdict.group for verdict in BallotStore(LOCAL).load(one).verdicts} for one in (first, second)]
    assert groups == [{"mine"}, {"thorough"}] and votes(first) == before
