"""The Best-of-N page through Streamlit's own test double, on an engine with known numbers."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st

from playground.charts.candidates_table import candidate_table
from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.types import FloatArray
from playground.inspection.speed import Pass, workload_of
from playground.inspection.timing import CacheSize, LengthTiming, Timing, timing_of
from playground.server.visitor import COOKIE
from playground.state.best_of_n import DEFAULT_RULES, BestOfNState, request_of
from playground.state.setup import Setup
from playground.store.place import DATA_VARIABLE
from playground.testtime import beam, generate
from playground.testtime.bakeoff import BakeoffState
from playground.testtime.cost import CostModel, time_draw
from playground.testtime.generate import generate_candidates
from playground.testtime.race import RaceResult
from playground.testtime.request import candidate_request
from playground.testtime.stored_runs import RunStore
from playground.ui.best_of_n_page import cost_section
from playground.ui.best_of_n_page.experiments import EXPERIMENTS
from playground.ui.best_of_n_page.export import command
from playground.ui.best_of_n_page.sections import SECTIONS
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession, PendingAction
from playground.ui.visitor import visitor_cookies
from playground.ui.workspace import speed
from tests.ui.conftest import Opened

Open = Callable[..., Opened]
SHORT = {"new": "6", "n": "5"}


def ending(ids: tuple[int, ...]) -> FloatArray:
    """The fake's own numbers with an end now and then."""
    row = np.array(default_logits(ids))
    row[EOS_ID] = 3.5
    return row


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    speed.timings().clear()  # a server's, for all its readers
    return tmp_path


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(ending)


def session_of(app: Opened) -> ModelSession:
    return app.state(BestOfNSession).models["fake"]


def settled(app: Opened) -> Opened:
    """Look in as the browser's timer would, until the work under way is done."""
    deadline = time.monotonic() + 60
    while True:
        begun = "fake" in app.state(BestOfNSession).models
        if begun and not app.state(PendingAction).what and not session_of(app).busy:
            return app.run()
        assert time.monotonic() < deadline, "the work was not finished"
        if begun and (job := session_of(app).job) is not None:
            job.ticket.wait(20)
        app.run()


def open_page(open_app: Open, query: dict[str, str] | None = None, **options: Any) -> Opened:
    app = open_app(SHORT | (query or {}), run=False, **options)
    app.at.switch_page("../../pages/best_of_n.py")
    return app.run()


def press(app: Opened, key: str) -> Opened:
    app.at.button(key=key).click()
    return settled(app.run())


def section(app: Opened, name: str) -> Opened:
    return app.hold(best_of_n_section=name)


# -- candidates --------------------------------------------------------------------------------------------------------


def test_the_page_answers_at_once_what_the_engine_answers_alone(open_app: Open) -> None:
    app = settled(open_page(open_app))
    assert not app.errors
    own = session_of(app)
    assert own.run.request is not None and own.run.request.n == 5 and own.run.request.reference == "Paris"
    fresh = FakeEngine(ending)
    steps = generate_candidates(fresh, candidate_request(own.run.request, fresh.codec))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            expected = end.value.candidates
            break
    assert [one.ids for one in own.run.ordered] == [one.ids for one in expected]
    frame = app.at.dataframe[0].value
    assert list(frame["#"]) == [1, 2, 3, 4, 5]
    assert list(frame["average"]) == pytest.approx([one.avg_logprob for one in expected])
    assert set(frame["ended"]) <= {"eos", "length"} and "mentions" in frame.columns
    strip = app.component("bon_strip")["tokens"]
    assert len(strip) == expected[0].n_tokens and "log-probability" in strip[0]["label"]
    assert "Diversity" in app.texts() and "tokens/s" in app.texts()


def test_another_rule_or_reference_runs_no_model(open_app: Open) -> None:
    app = settled(open_page(open_app))
    before = len(app.engine.calls)
    app.at.multiselect(key="BestOfNState.rules").set_value(["sum-logprob", "length:1-3w"])
    app.run()
    assert "length:1-3w" in app.at.dataframe[0].value.columns
    app.at.text_input(key="BestOfNState.reference").set_value("42")
    app.run()
    for name in ("Rankings", "Voting", "Curves"):
        section(app, name)
        assert not app.errors, (name, app.errors)
    assert len(app.engine.calls) == before


def test_a_rule_that_cannot_be_made_is_told_and_the_others_stay(open_app: Open) -> None:
    app = settled(open_page(open_app))
    app.at.multiselect(key="BestOfNState.rules").set_value(["avg-logprob", "regex:(", "nonsense"])
    app.run()
    said = " ".join(app.errors)
    assert "regex" in said and "nonsense" in said
    assert app.state(BestOfNState).rules == ("avg-logprob",)


@pytest.mark.parametrize("n", [0, -3, 10_000])
def test_a_bad_n_is_one_sentence_and_what_is_there_stays(open_app: Open, n: int) -> None:
    """In a link it is told; the field itself does not take it."""
    app = settled(open_page(open_app, {"n": str(n)}))
    assert any("from 1 to 256" in error for error in app.errors)
    assert app.state(BestOfNState).n == 8
    before = [one.ids for one in session_of(app).run.ordered]
    app.at.number_input(key="BestOfNState.n").set_value(n)
    app = press(app.run(), "bon_run")
    assert app.state(BestOfNState).n == 8
    assert [one.ids for one in session_of(app).run.ordered] == before


def test_a_run_that_does_not_fit_is_split_and_it_is_said(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "usable_bytes", lambda info: 100_000)
    app = settled(open_page(open_app))
    plan = session_of(app).run.plan
    assert plan is not None and len(plan.batches) > 1
    assert "memory for all at once is not free: an estimated" in app.texts() and len(session_of(app).run.ordered) == 5


class Gate:
    """Lets the engine take some steps and then holds it until it is opened."""

    def __init__(self, steps: int) -> None:
        self.allowed = threading.Semaphore(steps)
        self.open = threading.Event()

    def __call__(self) -> None:
        while not self.open.is_set() and not self.allowed.acquire(timeout=0.01):
            pass


@pytest.fixture
def gate() -> Iterator[Gate]:
    closed_gate = Gate(28)
    yield closed_gate
    closed_gate.open.set()


def test_stop_keeps_what_finished_and_go_on_makes_the_rest(open_app: Open, gate: Gate) -> None:
    held = FakeEngine(ending, before_step=gate)
    app = open_page(open_app, {"n": "8", "new": "40"}, opener=lambda choice, progress: held)
    deadline = time.monotonic() + 30
    while not session_of(app).run.candidates:
        assert time.monotonic() < deadline
        app.run()
    assert "finished" in " ".join(str(bar.proto.text) for bar in app.at.get("progress"))
    app.at.button(key="bon_stop").click()
    app.run()
    gate.open.set()
    app = settled(app)
    own = session_of(app)
    kept = {index: one.ids for index, one in own.run.candidates.items()}
    assert 0 < len(kept) < 8 and "finished candidates stay" in app.texts()
    assert held.batches[-1].closed
    app = press(app, "bon_resume")
    assert len(session_of(app).run.candidates) == 8
    assert all(session_of(app).run.candidates[index].ids == ids for index, ids in kept.items())


# -- recorded runs --------------------------------------------------------------------------------------------------------


def test_runs_are_kept_reopened_compared_and_deleted(open_app: Open, _own_data: Path) -> None:
    app = settled(open_page(open_app))
    first = [one.ids for one in session_of(app).run.ordered]
    app.at.number_input(key="w_seed").set_value(9)
    app = press(app.run(), "bon_run")
    assert [one.ids for one in session_of(app).run.ordered] != first
    store = RunStore(_own_data)
    newer, older = store.runs()
    app.hold(bon_kept=True)
    app.at.button(key=f"bon_open_{older.id}").click()
    app.run()
    assert [one.ids for one in session_of(app).run.ordered] == first
    assert app.state(Setup).seed == 0, "the controls stand where they stood"
    app.at.button(key=f"bon_compare_{newer.id}").click()
    section(app.run(), "Rankings")
    assert any("best there" in frame.value.columns for frame in app.at.dataframe)
    section(app, "Candidates")
    app.at.button(key=f"bon_delete_{newer.id}").click()
    app.run()
    assert [summary.id for summary in store.runs()] == [older.id]
    store.close()


def test_on_a_shared_server_runs_are_seen_by_their_visitor_alone(
    open_app: Open, _own_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    monkeypatch.setenv("PLAYGROUND_LIMITS", "runs=1")

    def recorded(name: str) -> Opened:
        monkeypatch.setattr(type(st.context), "cookies", {COOKIE: visitor_cookies().make(name)})
        return settled(open_page(open_app)).hold(bon_kept=True)

    def listed(app: Opened) -> list[str]:
        keys = [str(button.key) for button in app.at.button]
        return [key for key in keys if key.startswith("bon_open_")]

    first = recorded("one")
    (own,) = listed(first)
    assert str(_own_data) not in first.texts() and "for you alone" in first.texts()
    second = recorded("another")
    assert len(listed(second)) == 1 and listed(second) != [own]
    second.at.number_input(key="w_seed").set_value(9)
    second = press(second.run(), "bon_run")
    assert len(listed(second)) == 1 and "records at most 1 runs of a visitor" in " ".join(second.errors)
    monkeypatch.delenv("PLAYGROUND_SHARED")
    assert listed(recorded("one")) not in ([own], listed(second)), "the machine's own are others"


def test_a_folder_that_cannot_be_written_is_told_and_the_page_works(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "file"))
    app = settled(open_page(open_app))
    assert len(session_of(app).run.candidates) == 5
    assert any("Runs cannot be kept" in error for error in app.errors)


# -- the other sections --------------------------------------------------------------------------------------------------


def test_rankings_and_votes_say_who_wins(open_app: Open) -> None:
    app = section(settled(open_page(open_app, {"rules": '["avg-logprob","sum-logprob","length:1-9w"]'})), "Rankings")
    own = session_of(app)
    winners = app.at.dataframe[0].value
    best = max(own.run.ordered, key=lambda one: one.avg_logprob).index + 1
    assert winners.loc[winners["rule"] == "Average log-probability", "#"].iloc[0] == best
    assert "Kendall" in app.texts()
    app.hold(bon_combine=True)
    assert "wins" in app.texts()
    section(app, "Voting")
    assert "wins with" in app.texts() or "A tie" in app.texts()
    app.at.selectbox(key="bon_vote_by").set_value("avg-logprob")
    app.run()
    assert not app.errors


def test_beams_join_the_same_table_and_samples_stay(open_app: Open) -> None:
    app = section(settled(open_page(open_app)), "Beams")
    samples = {one.index: one.ids for one in session_of(app).run.ordered}
    app = press(app, "bon_beams")
    own = session_of(app)
    assert {one.index: one.ids for one in own.run.ordered if one.beam_score is None} == samples
    beams = [one for one in own.run.ordered if one.beam_score is not None]
    assert len(beams) == 4 and [one.index for one in beams] == [5, 6, 7, 8]
    assert "likelier as a whole" in app.texts()
    assert own.run.request is not None
    assert len(candidate_table(own.run.scored(own.run.request)).rows) == 9


def test_beams_that_do_not_fit_are_one_sentence_and_what_is_there_stays(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = section(settled(open_page(open_app)), "Beams")
    before = [one.ids for one in session_of(app).run.ordered]
    monkeypatch.setattr(beam, "usable_bytes", lambda info: 50_000)
    app = press(app, "bon_beams")
    assert any("4 beams need about" in error and "may be used" in error for error in app.errors)
    assert [one.ids for one in session_of(app).run.ordered] == before


def test_a_race_and_a_retry_stand_side_by_side(open_app: Open) -> None:
    app = section(settled(open_page(open_app, {"verifier": "length:1-500w", "n": "4"})), "First valid")
    app = press(press(app, "bon_race"), "bon_retry")
    race: RaceResult = session_of(app).results["race"][0]
    retry: RaceResult = session_of(app).results["retry"][0]
    assert race.winner is not None and retry.winner is not None and retry.retried and not race.retried
    table = next(frame.value for frame in app.at.dataframe if "retry" in frame.value.columns).set_index("")
    assert list(table.loc["tokens spent"]) == [str(race.tokens_spent), str(retry.tokens_spent)]
    assert "From the candidates that are there" in app.texts()


def test_a_verifier_without_its_reference_is_refused(open_app: Open) -> None:
    app = section(settled(open_page(open_app, {"verifier": "exact", "ref": " "})), "First valid")
    app = press(app, "bon_race")
    assert any("needs a reference" in error for error in app.errors)


def test_curves_come_from_the_one_run(open_app: Open) -> None:
    app = section(settled(open_page(open_app, {"rules": '["avg-logprob","regex:[aeiou]"]', "n": "9"})), "Curves")
    assert not app.errors
    assert "Coverage is pass@k" in app.texts() and "rough curves" in app.texts()
    assert len(app.at.get("plotly_chart")) == 5


def test_curves_are_drawn_from_samples_and_never_from_beams(open_app: Open) -> None:
    """A beam is the same at every search: pass@k of draws that may hold it would be wrong."""
    app = section(settled(open_page(open_app, {"rules": '["avg-logprob","regex:[aeiou]"]', "n": "9"})), "Curves")
    before = session_of(app).results["curves"][1]
    app = section(press(section(app, "Beams"), "bon_beams"), "Curves")
    assert len(session_of(app).run.ordered) == 13 and not app.errors
    after = session_of(app).results["curves"][1]
    assert after.coverage == before.coverage and len(after.coverage.ns) > 1


def measured(engine: FakeEngine, noise: float) -> Timing:
    """Passes at rates that are known, each disturbed by up to a factor of ``noise``."""
    work, rng = workload_of(engine.info, engine.weights()), np.random.default_rng(0)

    def one(tokens: int, context: int, rows: int = 1) -> Pass:
        flops, traffic = work.flops(tokens, context, rows), work.traffic(tokens, context, rows)
        return Pass(tokens, context, flops, traffic, (flops / 2e9 + traffic / 1e9) * noise ** rng.uniform(-1, 1), rows)

    lengths = [LengthTiming(one(n, 0), one(1, n + 2), CacheSize(n, None, None)) for n in (16, 64, 128, 256)]
    return timing_of(engine.info, work, lengths, [one(1, 18, rows) for rows in (4, 16, 32)])


def test_a_measurement_of_any_page_is_taken_and_on_a_busy_machine_called_rough(open_app: Open) -> None:
    app = section(settled(open_page(open_app)), "What it costs")
    for noise, rough in ((1.0, False), (30.0, True)):
        timing = measured(app.engine, noise)
        model = CostModel(
            timing.speed, time_draw(VOCAB, request_of(app.state(BestOfNState), app.state(Setup)).settings)
        )
        speed.timings()[app.engine.info.revision] = (timing, 0.0)
        app.run()
        assert any("take all of this as rough" in warning.value for warning in app.at.warning) == rough
        assert f"**{model.step_ms(32, 18):.1f} ms** for 32 rows" in app.texts()


def test_the_cost_is_measured_fitted_and_recommends(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_section, "QUICK", (8, 16))
    app = section(settled(open_page(open_app)), "What it costs")
    assert "Measure first" in app.texts()
    app = press(app, "bon_measure")
    assert "a step takes" in app.texts() and "Checked against the present run" in app.texts()
    app.at.number_input(key="bon_latency").set_value(3600.0)
    app.run()
    assert "N = 256" in app.texts()
    app.at.number_input(key="bon_latency").set_value(-1.0)
    app.run()
    assert any("latency" in error for error in app.errors)


def test_a_bake_off_runs_pauses_and_goes_on(open_app: Open, _own_data: Path) -> None:
    app = section(settled(open_page(open_app, {"n": "2", "new": "4"})), "Bake-off")
    app.at.number_input(key="bon_count").set_value(3)
    app.at.number_input(key="bon_bake_new").set_value(4)
    app = press(app.run(), "bon_bakeoff")
    state: BakeoffState = session_of(app).results["bakeoff"]
    assert state.status == "finished" and state.done == 3 and state.plan.max_new_tokens == 4
    assert "After 3 problems" in app.texts() and "By difficulty" in app.texts()
    session_of(app).results["bakeoff"] = dataclasses.replace(state, outcomes=state.outcomes[:1], status="running")
    app.run()
    assert "Paused: 1 of 3" in app.texts()
    app = press(app, "bon_bakeoff_on")
    again: BakeoffState = session_of(app).results["bakeoff"]
    assert again.done == 3 and [o.correct for o in again.outcomes] == [o.correct for o in state.outcomes]
    app.at.button(key="bon_bakeoff_forget").click()
    app = settled(app.run())
    assert "bakeoff" not in session_of(app).results


def test_too_many_problems_are_refused(open_app: Open) -> None:
    app = section(settled(open_page(open_app)), "Bake-off")
    app.at.number_input(key="bon_bake_new").set_value(0)
    app = press(app.run(), "bon_bakeoff")
    assert any("New tokens at most" in error for error in app.errors)
    app.at.number_input(key="bon_count").set_value(0)
    app = press(app.run(), "bon_bakeoff")
    assert any("Problems at most" in error for error in app.errors)


# -- experiments, link, take away ------------------------------------------------------------------------------------


def test_every_experiment_sets_up_a_run_that_can_start() -> None:
    for name, experiment in EXPERIMENTS.items():
        request = request_of(BestOfNState(**experiment.state), Setup(**experiment.setup or {}))
        assert request.n <= 16 and experiment.section in SECTIONS, name


def test_an_experiment_runs_at_its_section(open_app: Open) -> None:
    app = settled(open_page(open_app))
    app.at.button(key="try_best_of_n_vote").click()
    app = settled(app.run())
    request = session_of(app).run.request
    assert request is not None and request.n == 16
    assert "A vote on arithmetic" in app.texts()


def test_the_command_is_one_the_command_line_takes() -> None:
    from playground.cli import build_parser  # the parser itself says

    words = command(Setup(prompt="a b", seed=3), BestOfNState(n=4, stop_strings=("\n",), reference="it's"))
    import shlex

    parsed = build_parser("best-of-n").parse_args(shlex.split(words)[3:])
    assert parsed.n == "4" and parsed.reference == "it's" and parsed.stop == ["\n"]
    assert parsed.scorer == list(DEFAULT_RULES)


def test_the_command_reproduces_a_mixed_run_with_beams() -> None:
    """Read back by the command line, it asks for exactly what the page asks for."""
    import shlex

    from playground.cli import build_parser
    from playground.cli.best_of_n_request import read_request

    setup = Setup(prompt="a b", chat=True, system="never sent", seed=3)
    chosen = BestOfNState(
        n=6,
        temperatures="0.3, 0.75 1.1",
        systems=("be brief", "it's --long"),
        ignore_eos=True,
        beams=6,
        beam_groups=3,
        diversity_penalty=0.7,
        length_penalty=0.5,
        answer_pattern="number",
    )
    for beams in (False, True):
        words = shlex.split(command(setup, chosen, beams=beams))
        read = read_request(build_parser("best-of-n").parse_args(words[3:]))
        asked = request_of(chosen, setup, beams=beams)
        assert read.ways() == asked.ways() and len(read.ways()) == 6
        ours, theirs = ((one.n, one.seed, one.ignore_eos, one.beams, one.answer_pattern) for one in (read, asked))
        assert ours == theirs
        assert not beams or read.beam_settings() == asked.beam_settings()
    raw = shlex.split(command(Setup(prompt="a"), chosen))
    assert not any(word.startswith("--system") for word in raw), "raw text has no system prompt"


def test_take_away_offers_link_command_code_and_files(open_app: Open) -> None:
    app = settled(open_page(open_app)).hold(take_away=True)
    texts = [element.value for element in app.at.code]
    assert any("best_of_n" in text or "n=5" in text for text in texts) and any("best-of-n" in text for text in texts)
    assert "num_return_sequences=5" in app.texts()
    assert {"save_candidates.csv", "save_candidates.jsonl", "save_candidates.html"} <= {
        button.key for button in app.at.get("download_button")
    }
