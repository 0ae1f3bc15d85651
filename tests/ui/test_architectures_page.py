"""The page Architectures through Streamlit's own test double, on the engine with known numbers."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable
from typing import Any

import pytest

from playground.architectures import learning
from playground.architectures.families import FAMILIES
from playground.architectures.race import RaceProgress, RaceRow, read_contexts
from playground.architectures.ready import ready_race, ready_results
from playground.architectures.request import LearnRequest
from playground.architectures.tasks import TASKS
from playground.cli import build_parser
from playground.cli.arch import learn_request
from playground.engine.api import CancelToken
from playground.engine.serving.loading import ModelChoice
from playground.state.architectures import ArchitecturesState
from playground.state.link_fields import link_of, read_link
from playground.ui import runtime
from playground.ui.architectures_page import growth_job, learn_job
from playground.ui.architectures_page.experiments import EXPERIMENTS
from tests.architectures.test_learning import run as run_alone
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


def open_page(open_app: Open, section: str = "What grows with the text", **fields: str) -> Opened:
    app = open_app(fields, run=False)
    app.at.switch_page("../../pages/architectures.py")
    return app.hold(architectures_section=section)


def figures(app: Opened) -> list[Any]:
    return list(app.at.get("plotly_chart"))


def finish(app: Opened, kind: type[Any]) -> Opened:
    """Wait for the job of the page session of this kind, and draw what came of it."""
    own = app.state(kind)
    if own.job is not None:
        own.job.ticket.wait(60)
    return app.run()


def test_what_was_measured_before_is_there_with_its_date_and_then_the_readers_own(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth_job, "LONG_CONTEXTS", (32, 64))
    app = open_page(open_app, families='["transformer", "gru"]')
    ready = ready_race()
    assert not app.errors and len(figures(app)) == 1
    assert f"measured on {ready.date}" in app.texts() and "python -m benchmarks.learned race" in app.texts()
    assert "bytes equal the formula's at 10 of 10 points" in app.texts()  # five contexts of two families
    app.at.button(key="arch_measure").click()
    app = finish(app.run(), growth_job.Race)
    assert not app.errors
    assert "bytes equal the formula's at 4 of 4 points" in app.texts() and ready.date not in app.texts()
    assert "**Transformer** grows with the power of the context" in app.texts() and "state 1.0" in app.texts()
    rows = app.state(growth_job.Race).rows
    app = app.hold(**{"ArchitecturesState.shows": "prefill"})
    assert app.state(growth_job.Race).rows == rows  # another picture measures nothing


def test_nothing_chosen_and_a_wrong_config_are_a_sentence_each(open_app: Open) -> None:
    app = open_page(open_app, families="[]")
    app.at.button(key="arch_measure").click()
    assert any("Nothing is chosen" in error for error in app.run().errors)
    for data, said in (
        (b"\xff", "not UTF-8"),
        (b"[]", "object"),
        (b'{"model_type": "llama", "hidden_size": 0}', "hidden_size"),
    ):
        with pytest.raises(Exception, match=said):
            growth_job.take_config(data)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_shows_ready_results_with_their_date(open_app: Open, task: str) -> None:
    app = open_page(open_app, "What fits through a bottleneck", task=task)
    assert not app.errors
    assert (
        ready_results().date in app.texts()
        and "Published" in app.texts()
        and "python -m benchmarks.learned" in app.texts()
    )
    assert len(figures(app)) == (2 if TASKS[task].two_parts else 1)


def test_the_ready_race_is_of_every_family() -> None:
    rows = ready_race().rows
    assert {row.config for row in rows} == {family.label for family in FAMILIES.values()}
    for row in rows:
        assert row.state_bytes is not None and row.state_bytes + (row.cache_bytes or 0) == row.predicted_bytes


def test_a_training_comes_live_and_takes_the_place_of_the_ready_ones(open_app: Open) -> None:
    app = open_page(
        open_app,
        "What fits through a bottleneck",
        task="copy",
        width="8",
        updates="20",
        seeds="1",
        size="4",
        models='["rnn"]',
    )
    app.at.button(key="arch_train").click()
    app = finish(app.run(), learn_job.Trainings)
    assert not app.errors and "Trained here, in this session" in app.texts()
    (learnt,) = app.state(learn_job.Trainings).learnt.values()
    assert (learnt.request.width, learnt.request.size, learnt.steps[-1].step) == (8, 4, 20)


def test_what_cannot_be_trained_is_said(open_app: Open) -> None:
    app = open_page(open_app, "What fits through a bottleneck", width="12", task="copy")
    app.at.button(key="arch_train").click()
    assert any("multiple of 8" in error for error in app.run().errors)


SMALL = {"task": "copy", "width": "8", "steps": "20", "size": "4", "models": '["rnn"]'}
FITS = "What fits through a bottleneck"


class Gate:
    """Work that goes on as soon as the test says so; ``reached`` when it waits."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.reached.set()
        assert self.opened.wait(60)


def test_a_training_that_is_stopped_keeps_what_was_trained_to_its_end(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, real = Gate(), learning.learn

    def held(request: LearnRequest) -> Any:  # noqa: ANN401 - the generator that learn gives
        if request.seed == 1:
            gate.wait()
        return real(request)

    monkeypatch.setattr(learning, "learn", held)
    app = open_page(open_app, FITS, **SMALL, seeds="2")
    app.at.button(key="arch_train").click()
    app.run()
    assert gate.reached.wait(60)  # the first seed is trained, the second begins
    app.run().at.button(key="arch_train_stop").click()
    app.run_once()  # the run of the click has the buttons right already
    gate.opened.set()
    own = app.state(learn_job.Trainings)
    assert not app.errors and not own.busy and [each.seed for each in own.learnt] == [0]
    assert "Stopped: what was trained to its end stays" in app.texts() and "Trained here" in app.texts()
    with pytest.raises(KeyError):
        app.at.button(key="arch_train_stop")
    app.at.button(key="arch_train").click()  # goes on with what is missing
    app = finish(app.run(), learn_job.Trainings)
    assert [each.seed for each in app.state(learn_job.Trainings).learnt] == [0, 1] and "Stopped" not in app.texts()


def test_a_race_that_is_stopped_keeps_what_was_measured(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()

    def race(*_racers: object, cancel: CancelToken) -> Any:  # noqa: ANN401 - a generator
        yield RaceProgress(0.5, "GRU: a text of 64 tokens", RaceRow("GRU", 64, 5_120, 1.0, 5_120, 0, 0.1, 0.1))
        gate.wait()
        cancel.check()

    monkeypatch.setattr(growth_job, "race", race)
    app = open_page(open_app, families='["gru"]')
    app.at.button(key="arch_measure").click()
    app.run()
    assert gate.reached.wait(60)
    app.run().at.button(key="arch_measure_stop").click()
    app.run_once()
    gate.opened.set()
    assert not app.errors and not app.state(growth_job.Race).busy
    with pytest.raises(KeyError):
        app.at.button(key="arch_measure_stop")
    assert "Stopped: what was measured before stays" in app.texts() and "at 1 of 1 points" in app.texts()


def test_two_readers_train_at_once_in_turns_and_each_is_told(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a third who has the model, each says how many are ahead; then both end with what they get alone."""
    gate, who = Gate(), ["ada"]
    monkeypatch.setattr(learn_job, "session_id", lambda: who[0])
    one = open_page(open_app, FITS, **SMALL, seeds="1")
    other = open_page(open_app, FITS, **SMALL, seeds="1", rate="0.002")
    worker = runtime.model_pool().keep_ready(ModelChoice()).worker
    assert worker is not None
    third = worker.submit("third", "work", lambda engine, cancel: gate.wait())
    assert gate.reached.wait(60)
    for who[0], app in (("ada", one), ("grace", other)):
        app.at.button(key="arch_train").click()
        app.run()
    progress = [str(app.at.get("progress")[0].proto.text) for app in (one, other)]
    gate.opened.set()
    third.result(60)
    assert progress == ["0 of 1 trained · waits for its turn, 1 ahead", "0 of 1 trained · waits for its turn, 2 ahead"]
    for app in (one, other):
        (learnt,) = finish(app, learn_job.Trainings).state(learn_job.Trainings).learnt.values()
        alone = run_alone(learnt.request)
        assert not app.errors and (learnt.steps, learnt.accuracies) == (alone.steps, alone.accuracies)


@pytest.mark.parametrize("layer", ["attention", "gru", "s4", "mamba", "rwkv"])
def test_the_readers_text_is_read_by_each_layer(open_app: Open, layer: str) -> None:
    app = open_page(open_app, "How each one remembers", layer=layer, symbols="..a.b")
    assert not app.errors and "To be written: `ab`" in app.texts() and figures(app)
    assert ("the same after every token" in app.texts()) == (layer != "attention")
    assert ("One scan, two ways" in app.texts()) == (layer == "s4")


def test_a_text_of_other_letters_is_refused_and_the_last_one_stays(open_app: Open) -> None:
    app = open_page(open_app, "How each one remembers", symbols="xyz!")
    assert (
        any("neither" in error for error in app.errors)
        and app.state(ArchitecturesState).text == ArchitecturesState().text
    )


def test_the_tree_has_its_facts(open_app: Open) -> None:
    app = open_page(open_app, "Family tree")
    assert not app.errors and len(app.at.dataframe) == 2 and "2312.00752" in str(app.at.dataframe[0].value)


def test_the_link_brings_everything_back() -> None:
    state = ArchitecturesState(
        families=("gru",), longest=8192, task="mqar", models=("h3",), seeds=3, text="a..b", layer="s4"
    )
    assert read_link(ArchitecturesState, link_of(state)).state == state
    for wrong in (
        {"longest": "0"},
        {"families": '["x"]'},
        {"task": "x"},
        {"seeds": "99"},
        {"symbols": "é"},
        {"rate": "nan"},
    ):
        assert read_link(ArchitecturesState, wrong).problems


def test_what_the_experiment_says_of_short_texts_is_the_ready_races_arithmetic() -> None:
    """It said that lines cross which do not: every fixed state is the smaller one from the picture's first point on."""
    rows = ready_race().rows
    per_token = next((row.cache_bytes or 0) / row.context for row in rows if row.config == "Transformer")
    fixed = {row.config: row.state_bytes or 0 for row in rows if not row.cache_bytes}
    assert max(fixed, key=fixed.__getitem__) == "Mamba-2" and round(fixed["Mamba-2"] / per_token, -1) == 120
    assert max(fixed.values()) < per_token * min(row.context for row in rows)
    assert "some 120 tokens" in EXPERIMENTS["memory"].look


def commands_of(app: Opened) -> list[str]:
    return [line for element in app.at.code for line in element.value.splitlines() if line.startswith("python -m")]


def test_take_away_gives_a_command_a_training_that_asks_for_the_same(open_app: Open) -> None:
    fields = {"models": '["mamba", "h3"]', "width": "16", "size": "4", "rate": "0.01", "seeds": "2"}
    app = open_page(open_app, "What fits through a bottleneck", task="mqar", **fields).hold(take_away=True)
    lines = commands_of(app)
    asked = [learn_request(build_parser("arch").parse_args(shlex.split(line)[3:])) for line in lines]
    assert not app.errors and asked == list(learn_job.wanted_requests(app.state(ArchitecturesState)))
    assert len(asked) == 4 and {request.width for request in asked} == {16}
    usual = open_page(open_app, "What fits through a bottleneck", task="copy", seeds="1").hold(take_away=True)
    assert commands_of(usual)[0] == "python -m playground arch learn --task copy --model rnn --seed 0"


def test_take_away_gives_the_command_of_the_race_that_measure_starts(open_app: Open) -> None:
    app = open_page(open_app, families='["gru", "mamba-2"]', longest="512").hold(take_away=True)
    (line,) = commands_of(app)
    args = build_parser("arch").parse_args(shlex.split(line)[3:])
    assert args.config == ["gru", "mamba-2"] and read_contexts(args.contexts) == (128, 256, 512)
    nothing = open_page(open_app, families="[]").hold(take_away=True)
    assert not nothing.errors and not commands_of(nothing) and "measured on this page only" in nothing.texts()
