"""DPO and a LoRA reward model from the page Preferences to their end: a tiny random model, with nothing of it replaced."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.engine.serving.ticket import Ticket
from playground.errors import ModelTooLarge
from playground.models.reward import load_reward_model
from playground.preferences.ballots import Answer, Ballot, Verdict
from playground.preferences.kept import BallotStore
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.state.preferences import PreferencesState
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.training import running
from playground.training.loop import Training
from playground.training.runs import TrainingStore
from playground.training.steps import PreferenceNumbers, TrainStep
from playground.ui import runtime
from playground.ui.kit.job_view import JobView
from playground.ui.preferences_page import dpo, equal_kl, lora_reward, pair_training
from playground.ui.preferences_page.dpo import DpoDraft
from playground.ui.preferences_page.equal_kl import EqualKlLook
from playground.ui.preferences_page.pair_training import PairKind, PairTraining, PairTrainings
from tests.training.tiny_student import save_tiny, settings_of
from tests.ui.conftest import Opened

BALLOT = Ballot(tuple(Answer(f"the {p}?", "the cat sat " * (1 + n) + f"{p}.") for p in range(6) for n in range(3)))
WAITS_S = 120


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
def page(open_app: Callable[..., Opened], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Open on a ballot of 18 votes, with the tiny model itself."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_MODEL", str(tiny))
    kept = BallotStore(LOCAL).add("brief ones", BALLOT, synthetic_verdicts(BALLOT, VOTERS["brief"], 18))
    app = open_app({"ballot": kept, "prompt": "the 1?"}, opener=runtime_opener, run=False)
    app.at.switch_page("../../pages/teach_preferences.py")
    return app


runtime_opener = runtime._open_engine


def ended(app: Opened, kind: PairKind) -> Opened:
    """Wait for the training of a kind, and run until the page has taken its end over."""
    ticket = app.state(PairTrainings).of[kind].ticket
    assert ticket is not None and ticket.wait(WAITS_S)
    while app.state(PairTrainings).of[kind].busy:
        app.run()
    return app.run()


def test_dpo_is_trained_looked_at_and_held_against_best_of_n(page: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_kl, "EACH", 8)
    monkeypatch.setattr(equal_kl, "NEW_TOKENS", 6)
    page.put(DpoDraft(settings_of("dpo", epochs=1)))
    page.hold(teach_preferences_section="DPO")
    page.at.button(key="preferences_dpo_start").click()
    page = ended(page.run(), "dpo")
    (kept,) = TrainingStore(LOCAL).trainings()
    assert kept.status == "finished" and kept.kind == "dpo" and kept.has_adapter and not page.errors
    shown_text = page.texts().replace("\\", "")
    best = [step for step in page.state(PairTrainings).of["dpo"].steps if step.best][-1]
    assert f"At step {best.step}, which is kept, on 4 held-out pairs" in shown_text and "KL to the start" in shown_text
    assert best.heldout != best.loss and f"; loss {best.heldout:.3f} nats" in shown_text
    assert len(page.at.get("plotly_chart")) == 4
    page.at.toggle(key="preferences_dpo_looks").set_value(True)
    page.run()
    assert not page.errors and "The first token of the answer" in page.texts()
    page.at.toggle(key="preferences_dpo_looks").set_value(False)
    page.put(EqualKlLook(kept.id))
    page.run()
    shown_text = page.texts().replace("\\", "")
    assert (
        not page.errors
        and "best-of-N with that KL, N ≈ 1." in shown_text
        and "48 answers of each to 6 prompts" in shown_text
    )
    assert len(page.at.get("plotly_chart")) == 5


def test_the_sentence_is_on_what_is_kept_and_while_it_goes_on_of_the_last_step() -> None:
    steps = [trained_to(0, 0.693, 0.5), trained_to(2, 0.4, 0.9, best=True), trained_to(4, 0.6, 0.6)]
    own = PairTraining(steps=steps)
    sentence = dpo._sentence(own, held_out=True)
    assert (
        sentence.startswith("At step 2, which is kept, on ") and "in 90%" in sentence and "loss 0.400 nats" in sentence
    )
    own.job = JobView(Ticket("s", "train"))
    sentence = dpo._sentence(own, held_out=True)
    assert sentence.startswith("At step 4, on ") and "in 60%" in sentence and "loss 0.600 nats" in sentence


def trained_to(step: int, heldout: float, accuracy: float, *, best: bool = False) -> TrainStep:
    numbers = PreferenceNumbers(0.1, 0.0, 0.1, accuracy)
    return TrainStep(step, 4, 0.0, 0.5, heldout, 1e-3, 1.0, 10, 0.1, best, heldout_preference=numbers)


def test_a_model_that_cannot_be_taught_is_refused_before_and_a_refused_start_is_not_kept(
    page: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_args: object) -> None:
        raise ModelTooLarge("It needs more than there is.", 2, 1)

    page.hold(teach_preferences_section="DPO")
    with monkeypatch.context() as patched:
        patched.setattr(running, "open_student", too_large)
        page.at.button(key="preferences_dpo_start").click()
        page.run()
        while page.state(PairTrainings).of["dpo"].busy:
            page.run()
        page.run()
    assert page.errors == [r"It needs more than there is\."] and not TrainingStore(LOCAL).trainings()
    assert not page.at.button(key="preferences_dpo_start").disabled
    monkeypatch.setattr(pair_training, "why_not_taught", lambda info: "It has quantised weights: choose another.")
    page.run()
    button, why = page.at.button(key="preferences_dpo_start"), r"It has quantised weights\: choose another\."
    assert button.disabled and button.help == why and why in page.texts()
    page.hold(teach_preferences_section="Reward model", preferences_lora_box=True)
    assert page.at.button(key="preferences_lora_start").disabled


def test_pairs_longer_than_the_context_are_left_out_and_said(page: Opened) -> None:
    long = (Answer("the 9?", "a b " * 180), Answer("the 9?", "mat"))
    ballot = Ballot((*BALLOT.answers, *long))
    votes = synthetic_verdicts(BALLOT, VOTERS["brief"], 18)
    votes = (*votes, Verdict("ann", len(BALLOT.answers), len(BALLOT.answers) + 1, "first", "second"))
    kept = BallotStore(LOCAL).add("one too long", ballot, votes)
    page.run()
    page.put(PreferencesState(ballot=kept))
    page.put(DpoDraft(settings_of("dpo", epochs=1, heldout_share=0.0)))
    page.hold(teach_preferences_section="DPO")
    assert page.at.button(key="preferences_dpo_start").label == "Train on 19 pairs"
    page.at.button(key="preferences_dpo_start").click()
    page = ended(page.run(), "dpo")
    shown_text = page.texts().replace("\\", "")
    assert not page.errors and "1 of 19 pairs have more than 256 tokens and were left out." in shown_text
    assert "No row is held out" in shown_text and "too few are there to hold some out" in shown_text
    page.hold(teach_preferences_section="Reward model")
    (error,) = page.errors
    assert "The answer 'a b a b" in error.replace("\\", "") and "cannot be read" in error, error


def test_one_is_paused_gone_on_with_ended_and_deleted(page: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Training.run

    def held(training: Training) -> Iterator[TrainStep | None]:
        """Three steps each time it runs; then it waits for whoever ends it."""
        steps = 0
        for step in whole(training):
            steps += step is not None
            yield step
            while steps >= 3:
                time.sleep(0.01)
                yield None

    monkeypatch.setattr(Training, "run", held)
    page.put(DpoDraft(settings_of("dpo", epochs=20)))
    page.hold(teach_preferences_section="DPO")
    page.at.button(key="preferences_dpo_start").click()
    page = page.run()
    for button, status in (("pause", "paused"), ("stop", "stopped")):
        while len(page.state(PairTrainings).of["dpo"].steps) < 3:
            page.run()
        page.at.button(key=f"preferences_dpo_{button}").click()
        page.run()
        while TrainingStore(LOCAL).trainings()[0].status == "running":
            time.sleep(0.05)
        page.run()
        (kept,) = TrainingStore(LOCAL).trainings()
        assert kept.status == status and 0 < kept.done < kept.steps and kept.has_adapter and not page.errors
        if status == "paused":
            line = next(text for text in page.texts().splitlines() if text.startswith("**brief ones**"))
            assert "· paused ·" in line, line
            page.at.button(key="preferences_dpo_resume").click()
            page = page.run()
    assert "· ended early ·" in page.texts()
    page.at.button(key="preferences_dpo_delete").click()
    page = page.run()
    assert not TrainingStore(LOCAL).trainings() and not page.errors and "ended early" not in page.texts()


def test_its_charts_are_drawn_at_most_once_a_second(page: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that draws four charts four times a second takes a quarter of a core from the training."""
    asked: list[float] = []
    for module in (dpo, lora_reward):
        monkeypatch.setattr(module, "watch", lambda *given, every=0.25, **how: asked.append(every))
    page.hold(teach_preferences_section="DPO")
    page.hold(teach_preferences_section="Reward model", preferences_lora_box=True)
    assert len(asked) >= 2 and min(asked) >= 1


def test_a_lora_reward_model_is_trained_and_is_a_rule(page: Opened) -> None:
    page.hold(teach_preferences_section="Reward model", preferences_lora_box=True)
    page.at.button(key="preferences_lora_start").click()
    page = ended(page.run(), "reward")
    (kept,) = TrainingStore(LOCAL).trainings()
    folder = TrainingStore(LOCAL).load(kept.id).folder
    assert kept.status == "finished" and folder is not None and not page.errors
    best = [step for step in page.state(PairTrainings).of["reward"].steps if step.best][-1]
    assert best.heldout_preference is not None
    agrees = f"{best.heldout_preference.accuracy:.0%} of 3 held-out pairs"
    assert f"At step {best.step}, which is kept, it agrees with {agrees}" in page.texts()
    assert page.at.code[0].value == f"reward:{folder}"
    assert len(load_reward_model(str(folder)).scores("the 1?", ["the cat sat", "mat"])) == 2
