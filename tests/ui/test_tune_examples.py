"""The Examples tab: ready, pasted and uploaded prompts, the table's edits, and how examples stand with the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from playground.engine.fake.engine import FakeEngine
from playground.store.place import DATA_VARIABLE
from playground.testtime.types import ScorerSpec
from playground.tuning.examples import Example, built_in
from playground.ui.tune_page.bring_in import PASTE
from playground.ui.tune_page.example_table import ExampleTable
from playground.ui.tune_page.session import Draft
from tests.ui.conftest import Opened
from tests.ui.test_tune_page import open_tune

Open = Callable[..., Opened]


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def pressed(app: Opened, key: str) -> Opened:
    app.at.button(key=key).click()
    return app.run()


def pasted(app: Opened, text: str) -> Opened:
    app.hold(tune_typing=True)
    app.at.text_area(key=PASTE).set_value(text)
    return app.run()


def examples(app: Opened) -> tuple[Example, ...]:
    return app.state(Draft).examples


def standing(app: Opened) -> list[str]:
    """What the table says of each example."""
    (said,) = [list(frame.value["said"]) for frame in app.at.dataframe if "said" in frame.value.columns]
    return said


def test_the_page_opens_with_ready_examples_whose_references_pass_and_takes_others(open_app: Open) -> None:
    app = open_tune(open_app)
    assert "**4 examples** · 4 with a reference · 4 with checks" in app.texts() and not app.errors
    assert all(text.startswith("passes all") for text in standing(app))
    app = pressed(app.hold(tune_ready=True), "tune_ready_all")
    assert examples(app) == built_in()
    app = pressed(app, "tune_back")
    assert len(examples(app)) == 4


def test_pasted_prompts_are_read_before_they_are_taken(open_app: Open) -> None:
    app = pasted(open_tune(open_app), "What is rain?\nAnd snow?\n")
    assert "2 prompts" in app.texts() and len(examples(app)) == 4
    app = pressed(app, "tune_take_paste")
    assert examples(app) == (Example("What is rain?"), Example("And snow?"))
    assert app.at.text_area(key=PASTE).value == ""
    app = pressed(pasted(app, "Third"), "tune_add_paste")
    assert [each.prompt for each in examples(app)] == ["What is rain?", "And snow?", "Third"]


def test_too_many_are_refused_in_a_sentence_and_nothing_typed_is_lost(open_app: Open) -> None:
    app = open_tune(open_app)
    many = "\n".join(f"prompt {number}" for number in range(198))
    app = pasted(app, many)
    app = pressed(app, "tune_add_paste")
    assert any("Together they are 202 examples" in error for error in app.errors) and len(examples(app)) == 4
    assert app.at.text_area(key=PASTE).value == many
    app = pasted(app, "a\n" * 10_000)
    assert len(app.errors) == 1 and app.errors[0].startswith("It has 10,000 prompts and at most 200 are compared")


def test_a_pasted_table_is_mapped_on_screen(open_app: Open) -> None:
    app = pasted(open_tune(open_app), "Question\tIdeal\tRules\nSay <b>hi</b>\thi\tlength:1-9c; regex:h\nBye\t\t\n")
    boxes = {str(box.key).split("_")[3]: box for box in app.at.selectbox if "tune_column_paste" in str(box.key)}
    assert {name: box.value for name, box in boxes.items()} == {
        "prompt": "question",
        "system": "none",
        "reference": "ideal",
        "checks": "none",
        "tags": "none",
    }
    boxes["checks"].set_value("rules")
    app.run()
    assert "Say \\<b\\>hi" in app.texts()
    app = pressed(app, "tune_take_paste")
    checks = (ScorerSpec("length", "1-9c"), ScorerSpec("regex", "h"))
    assert examples(app) == (Example("Say <b>hi</b>", reference="hi", checks=checks), Example("Bye"))


@pytest.mark.parametrize("text", ["prompt,prompt\na,b", '{"prompt": "a", "checks": ["nothing"]}', "[1]", "prompt,x\n"])
def test_a_table_that_cannot_be_used_is_one_sentence(open_app: Open, text: str) -> None:
    app = pasted(open_tune(open_app), text)
    (error,) = app.errors
    assert error.startswith("The file of examples cannot be used") and len(examples(app)) == 4
    assert app.at.text_area(key=PASTE).value == text


def test_what_keeps_an_example_from_being_run_stands_beside_it(open_app: Open) -> None:
    app = open_app(opener=lambda choice, progress: FakeEngine(context_length=150), run=False)
    app.at.switch_page("../../pages/tune.py")
    bad = Example("y", reference="no", checks=(ScorerSpec("json"), ScorerSpec("length", "1-9c")))
    app.put(Draft(examples=(Example("x" * 100), Example("x" * 400), Example("y", "be brief"), bad), chat=False))
    app.run()
    said = standing(app)
    assert "tokens are left for an answer of 64" in said[0]
    assert "reads at most 150" in said[1]
    assert "switch Chat on" in said[2]
    assert said[3].startswith("✗ fails json")
    assert "The reference of example 4 would fail" in app.texts()


def test_edits_become_the_draft_and_stay_when_the_tab_is_left() -> None:
    """Streamlit's double cannot type into a data editor: its state is given by hand."""

    def script() -> None:
        import streamlit as st

        from playground.ui.kit import session
        from playground.ui.tune_page import example_table
        from playground.ui.tune_page.example_table import ExampleTable

        own = example_table.example_table()
        key = f"tune_examples_{own.version}"
        edits = st.session_state.get("edits")
        if edits:
            st.session_state[key] = st.session_state.pop("edits")
            example_table._edited()
            del st.session_state[key]
        example_table.show_example_table()
        st.session_state["rows"] = session.get(ExampleTable).rows

    app = AppTest.from_function(script).run()
    before = app.session_state["rows"]
    app.session_state["edits"] = {"edited_rows": {1: {"prompt": "new"}}, "added_rows": [{"checks": ["x"]}]}
    app.run()
    assert not app.exception and "Row 5 is left out" in app.warning[0].value
    states = app.session_state["playground_states"]
    assert [each.prompt for each in states[Draft].examples] == [
        before[0].prompt,
        "new",
        before[2].prompt,
        before[3].prompt,
    ]
    own = states[ExampleTable]
    assert own.base == own.rows and len(own.rows) == 5, "the editor that begins anew has what was typed"
    app.run()
    assert states[ExampleTable].version == own.version


def test_what_stood_in_the_table_is_offered_at_the_next_visit(open_app: Open) -> None:
    app = pressed(pasted(open_tune(open_app), "Kept?\nYes."), "tune_take_paste")
    assert not [button for button in app.at.button if button.key == "tune_kept_rows"]
    later = open_tune(open_app)
    assert len(examples(later)) == 4
    later = pressed(later, "tune_kept_rows")
    assert examples(later) == (Example("Kept?"), Example("Yes."))
