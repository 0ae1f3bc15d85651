"""Other models beside the one in use on the Sampling page: asked for, loaded, compared, carried by the link, let go of."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import entropy
from streamlit.testing.v1 import AppTest

from playground.cli import main
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.serving.loading import ModelChoice
from playground.errors import ModelNotFound, ModelTooLarge
from playground.models.naming import ComparedModel
from playground.state.setup import Setup
from playground.ui import runtime
from tests.ui.conftest import Opened
from tests.ui.openings import Openings

Open = Callable[..., Opened]
HALF = ComparedModel(dtype="bfloat16")


@pytest.fixture
def openings() -> Iterator[Openings]:
    opener = Openings()
    yield opener
    opener.gate.set()


def pinned(open_app: Open, openings: Openings, *beside: ComparedModel, **fields: Any) -> Opened:
    """The section Compare with these models beside, agreed to."""
    app = open_app(opener=openings).section("Compare")
    app.put(Setup(prompt="hello", beside=beside, **fields))
    app.run()
    for letter in "XYZ"[: len(beside)]:
        if any(button.key == f"load_{letter}" for button in app.at.button):
            app.at.button(key=f"load_{letter}").click()
            app.run()
    return app


def table(app: Opened) -> pd.DataFrame:
    return next(frame.value for frame in app.at.dataframe if "total variation" in frame.value.columns)


def test_a_model_beside_is_asked_for_with_what_it_needs_before_it_is_loaded(open_app: Open, openings: Openings) -> None:
    app = open_app({"prompt": "hello", "compared": '["@bfloat16"]'}, opener=openings).section("Compare")
    said = app.texts()
    assert (
        "the model in use in bfloat16 is not loaded here. It needs about" in said and "GB (" in said and "free" in said
    )
    assert list(openings.engines) == [ModelChoice()]
    app.at.button(key="load_X").click()
    app.run()
    assert list(openings.engines) == [ModelChoice(), ModelChoice(None, None, "bfloat16")]
    assert list(table(app)["format"]) == ["float32", "bfloat16"]


def test_the_distances_are_scipys_and_taken_before_the_samplers(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, HALF, settings=Setup().settings.replace(top_k=2, temperature=0.5))
    ids = FakeEngine().codec.encode("hello")
    p, q = (softmax(row.astype(float)) for row in (default_logits(ids), np.round(default_logits(ids), 1)))
    shown = table(app).iloc[1]
    assert (shown["KL(now ‖ it)"], shown["KL(it ‖ now)"]) == (f"{entropy(p, q):.4f}", f"{entropy(q, p):.4f}")
    said = app.texts().replace("\\", "")
    assert f"KL(now ‖ X) = {entropy(p, q):.4f} nats" in said and "Largest differences" in said
    assert not openings.engines[ModelChoice()].closed


def test_moving_a_slider_asks_no_model_again(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, HALF)
    calls = [len(engine.calls) for engine in openings.engines.values()]
    app.at.slider(key="w_top_k").set_value(5)
    app.run()
    assert [len(engine.calls) for engine in openings.engines.values()] == calls == [calls[0], 1]


def test_another_vocabulary_is_compared_by_text(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, ComparedModel("other/vocabulary"), steps=(104, 105), position=2)
    shown = table(app).iloc[1]
    assert shown["KL(now ‖ it)"] == "other vocabulary" and shown["total variation"] == "0%"
    assert "have no token in the other" in app.texts()


def test_a_row_told_in_part_is_compared_within_bounds(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, ComparedModel("served/top"))
    shown = table(app).iloc[1]
    assert shown["KL(now ‖ it)"].startswith("≥ ") and " to " in shown["total variation"]
    assert "before the samplers, as far as they are told" in app.texts()


def test_chat_beside_raw_takes_no_other_model(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, ComparedModel(chat=True))
    assert list(openings.engines) == [ModelChoice()] and len(table(app)) == 2
    assert float(table(app).iloc[1]["KL(now ‖ it)"]) > 0


def test_the_link_and_the_command_carry_it(
    open_app: Open, openings: Openings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = pinned(open_app, openings, HALF).hold(take_away=True, export_engine="playground")
    assert "compared=%5B%22%40bfloat16%22%5D" in app.at.code[0].value
    line = shlex.split(app.at.code[1].value)
    assert line[-1] == "--compare-model=@bfloat16"
    opened = {None: openings.engines[ModelChoice()], "bfloat16": openings.engines[ModelChoice(None, None, "bfloat16")]}
    monkeypatch.setattr("playground.engine.factory.make_engine", lambda *given: opened[given[2]])
    capsys.readouterr()
    assert main([*line[3:], "--json"]) == 0
    (compared,) = json.loads(capsys.readouterr().out)["compared"]
    assert f"{compared['kl']['low']:.4f}" == table(app).iloc[1]["KL(now ‖ it)"]


@pytest.mark.parametrize("value", ["x", "[1]", '["a","b","c","d"]', '["@bf16@fp32"]', "[" * 5000])
def test_a_link_that_names_no_models_is_told(open_app: Open, value: str) -> None:
    app = open_app({"prompt": "hello", "compared": value})
    assert len(app.errors) == 1 and "The link's value was left out" in app.errors[0].replace("\\", "")


def test_a_dropped_model_is_let_go_of(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, HALF)
    app.at.button(key="unpin_X").click()
    app.run()
    assert "Nothing is pinned" in app.texts()
    assert runtime.model_pool().release_unused() == 1
    assert openings.engines[ModelChoice(None, None, "bfloat16")].closed


def test_an_experiment_without_it_lets_it_go(open_app: Open, openings: Openings) -> None:
    app = pinned(open_app, openings, HALF)
    app.at.button(key="try_sampling_order").click()
    app.run()
    assert app.state(Setup).beside == () and runtime.model_pool().release_unused() == 1


def test_what_does_not_fit_is_said_with_both_numbers_and_can_be_tried_again(open_app: Open, openings: Openings) -> None:
    openings.problem = ModelTooLarge("'x' needs about 2.0 GB and cpu has 1.0 GB free: choose a smaller model.", 2, 1)
    app = pinned(open_app, openings, HALF)
    assert len(app.errors) == 1 and "needs about 2" in app.errors[0] and app.at.get("plotly_chart")
    tries = len(openings.engines)
    app.run()
    assert len(openings.engines) == tries, "a failed load is not started again by every move"
    openings.problem = None
    app.at.button(key="again_X").click()
    app.run()
    assert not app.errors and len(table(app)) == 2


def test_a_model_that_does_not_exist_leaves_the_page_as_it_was(open_app: Open, openings: Openings) -> None:
    openings.problem = ModelNotFound("There is no model called 'x': give another.")
    app = pinned(open_app, openings, HALF, ComparedModel(chat=True))
    assert len(app.errors) == 1 and list(table(app)[""]) == ["Now", "Y"]


class TestWhileItLoads:
    @pytest.fixture
    def patience_s(self) -> float:
        return 0.05

    def test_a_model_that_is_dropped_meanwhile_is_not_loaded(self, open_app: Open, openings: Openings) -> None:
        app = open_app(opener=openings).section("Compare")
        openings.gate.clear()
        app.put(Setup(prompt="hello", beside=(HALF,)))
        app.run()
        app.at.button(key="load_X").click()
        app.run()
        pool, half = runtime.model_pool(), ModelChoice(None, None, "bfloat16")
        assert half in pool.asked_for()
        app.put(Setup(prompt="hello"))
        app.run()
        assert half not in pool.asked_for()
        openings.gate.set()


def choose(app: Opened, text: str) -> Opened:
    app.hold(pin_model=True)
    app.at.session_state["pinned_model"] = text
    app.run()
    app.at.button(key="pin_model_go").click()
    return app.run()


def test_the_control_pins_and_loads_at_once(open_app: Open, openings: Openings) -> None:
    app = choose(open_app({"prompt": "hello"}, opener=openings).section("Compare"), "@bfloat16")
    assert app.state(Setup).beside == (HALF,) and len(table(app)) == 2


def test_the_control_offers_formats_readings_and_the_catalogue(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_SERVERS", "http://box:8080/v1")
    app = open_app().section("Compare").hold(pin_model=True)
    (chooser,) = [each for each in app.at.selectbox if each.key == "pinned_model"]
    offered = list(chooser.options)
    assert "the model in use in bfloat16" in offered and "the model in use in float32" not in offered
    assert "the model in use, in its chat template" in offered
    assert "http://box:8080/v1" in offered and any(name.startswith("gpt2,") for name in offered)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@float32", "That is the model in use"),
        ("@raw", "That is the model in use"),
        ("@raw@chat", "says the reading twice"),
    ],
)
def test_what_cannot_be_pinned_is_said(text: str, said: str) -> None:
    def script(text: str) -> None:
        import streamlit as st

        from playground.ui.kit import session
        from playground.ui.workspace.beside_pin import pin_model
        from playground.ui.workspace.setup import setup

        pin_model(text)
        st.text(f"{setup().beside} {session.problems()}")

    (shown,) = AppTest.from_function(script, args=(text,)).run().text
    assert shown.value.startswith("()") and said in shown.value
