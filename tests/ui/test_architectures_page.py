"""The page Architectures through Streamlit's own test double, on the engine with known numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.architectures.ready import ready_results
from playground.architectures.tasks import TASKS
from playground.state.architectures import ArchitecturesState
from playground.state.link_fields import link_of, read_link
from playground.ui.architectures_page import growth_job, learn_job
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


def test_formulas_are_there_before_anything_is_measured_and_then_the_tensors(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth_job, "LONG_CONTEXTS", (32, 64))
    app = open_page(open_app, families='["transformer", "gru"]')
    assert not app.errors and len(figures(app)) == 1 and "nothing is measured yet" in app.texts()
    app.at.button(key="arch_measure").click()
    app = finish(app.run(), growth_job.Race)
    assert not app.errors
    assert "bytes equal the formula's at 4 of 4 points" in app.texts()
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


def test_a_training_comes_live_and_takes_the_place_of_the_ready_ones(open_app: Open) -> None:
    app = open_page(
        open_app,
        "What fits through a bottleneck",
        task="copy",
        width="8",
        steps="20",
        seeds="1",
        size="4",
        models='["rnn"]',
    )
    app.at.button(key="arch_train").click()
    app = finish(app.run(), learn_job.Trainings)
    assert not app.errors and "Trained here, in this session" in app.texts()
    (learnt,) = app.state(learn_job.Trainings).learnt.values()
    assert (learnt.request.width, learnt.request.size, learnt.steps[-1].step) == (8, 4, 20)


def test_what_cannot_be_trained_is_said_and_what_is_stopped_stays(open_app: Open) -> None:
    app = open_page(open_app, "What fits through a bottleneck", width="12", task="copy")
    app.at.button(key="arch_train").click()
    assert any("multiple of 8" in error for error in app.run().errors)


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
