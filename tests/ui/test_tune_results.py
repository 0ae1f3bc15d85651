"""The tab Results through Streamlit's own test double: figures of the complete prompts, and honesty where there are none."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.store.place import DATA_VARIABLE
from playground.testtime.types import Candidate
from playground.tuning.plan import Plan, read_plan
from playground.tuning.running import write_texts
from playground.tuning.runs import TuningStore
from playground.ui.kit import session
from playground.ui.tune_page import results_export
from playground.ui.tune_page.result_state import ResultsState
from playground.ui.tune_page.tuning_view import TuningView
from tests.ui.conftest import Opened


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def plan_of(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "examples": [
            {"prompt": "ab *x*", "tags": ["shop"], "checks": ["length:1-400c"]},
            {"prompt": "hello", "tags": ["bank"], "checks": ["json"], "reference": "hello"},
            {"prompt": "third", "checks": ["json", "length:1-400c"]},
        ],
        "settings": {"today": {"temperature": 2}, "cold": {"temperature": 0}},
        "samples": 2,
        "max_new_tokens": 6,
        "measures": ["checks", "chrf"],
    }
    return read_plan(fields | changes, lambda file: ())


def opened(open_app: Callable[..., Opened], plan: Plan, texts: int | None = None, **state: Any) -> Opened:
    """Results of a kept tuning with so many texts, all where None is said."""
    store = TuningStore()
    writer = store.take_up(store.start(plan, origin_of(fake_info()), "Mine"))
    assert writer is not None
    written = finish(write_texts(FakeEngine(), plan)).texts
    candidates: list[Candidate] = sorted(
        (one for arm in written.values() for samples in arm for one in samples), key=lambda one: one.index
    )
    writer.add(candidates[:texts])
    writer.end("finished" if texts is None else "paused")
    app = open_app({"tuning": writer.tuning}, run=False)
    app.put(ResultsState(**state))
    app.at.switch_page("../../pages/tune.py")
    return app.hold(tune_section="Results")


@pytest.mark.parametrize("view", ["differences", "front", "slices", "texts"])
def test_every_setting_every_measure_and_each_look(open_app: Callable[..., Opened], view: str) -> None:
    app = opened(open_app, plan_of(), view=view)
    assert not app.errors
    table = app.at.dataframe[0].value
    assert list(table.columns[:3]) == ["setting", "checks", "chrf"] and len(table) == 3
    assert table["setting"][0] == "today" and table["setting"][2].startswith("control: today again")
    assert "0." in table["checks"][1] and " to " in table["checks"][1]
    assert "Means over 3 prompts × 2 samples" in app.texts()
    if view == "differences":
        assert "Holm's correction for 2 comparisons" in app.texts()
    if view == "slices":
        assert list(app.at.dataframe[1].value.columns) == ["setting", "shop", "bank"]
    if view == "texts":
        app.at.selectbox(key="tune_result_prompt").set_value(0)
        assert r"ab \*x\*" in app.run().texts() and "green-badge[passes] length" in app.texts()


def test_figures_are_of_the_prompts_that_are_complete(open_app: Callable[..., Opened]) -> None:
    app = opened(open_app, plan_of(), 13)
    assert "13 of 18 texts are written" in app.texts() and "Means over 2 prompts × 2 samples" in app.texts()


def test_before_the_first_complete_prompt_there_is_no_figure(open_app: Callable[..., Opened]) -> None:
    app = opened(open_app, plan_of(), 5)
    assert "No prompt has been answered under all settings yet" in app.texts() and not app.at.dataframe


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({"examples": [{"prompt": "only"}]}, {}, "One prompt says nothing of others"),
        ({"examples": [{"prompt": "only"}]}, {}, "no prompt has a check"),
        ({"examples": [{"prompt": "a"}, {"prompt": "b"}]}, {"measures": ("chrf",)}, "no prompt has a reference"),
        ({"settings": {"a": {}, "b": {}}}, {}, "All settings are the same"),
        ({"examples": [{"prompt": "a", "checks": ["json"]}] * 2}, {"measures": ("checks",)}, "is 0 for every text"),
        ({"examples": [{"prompt": "a", "checks": ["length:1-400c"]}] * 2}, {}, "is 1 for every text"),
        ({"samples": 1}, {"measures": ("sameness",)}, "compares samples of one prompt"),
    ],
)
def test_what_cannot_be_told_is_said(
    open_app: Callable[..., Opened], changes: dict[str, Any], state: dict[str, Any], said: str
) -> None:
    app = opened(open_app, plan_of(**changes), **state)
    assert not app.errors and said in app.texts()


def test_a_grid_of_settings_is_a_map(open_app: Callable[..., Opened]) -> None:
    cells = {f"{t}-{p}": {"temperature": t, "top_p": p} for t in (0.5, 1) for p in (0.5, 0.9)}
    app = opened(open_app, plan_of(settings={"today": {"temperature": 2}, **cells}), view="grid")
    assert not app.errors and "the frame is the present setting" in app.texts()
    app = opened(open_app, replace(plan_of(), samples=1), view="grid")
    assert "Holm" in app.texts()  # no grid: the first look instead


def test_figures_and_texts_leave_as_files(monkeypatch: pytest.MonkeyPatch, open_app: Callable[..., Opened]) -> None:
    """As a spreadsheet reads them: a formula is text."""
    plan = plan_of(examples=[{"prompt": "=1+1", "tags": ["shop"]}, {"prompt": "b"}], measures=["tokens"])
    app = opened(open_app, plan, measures=("tokens", "checks"))
    given: dict[str, str | bytes] = {}
    states = app.at.session_state["playground_states"]
    monkeypatch.setattr(session, "_states", lambda: states)
    monkeypatch.setattr(results_export, "view_tuning", lambda: states[TuningView].kept)
    monkeypatch.setattr(results_export, "file_button", lambda label, name, data, about: given.update({name: data()}))
    results_export.results_export()
    texts, figures = (list(csv.DictReader(io.StringIO(str(given[name])))) for name in ("texts.csv", "figures.csv"))
    assert len(texts) == 2 * 3 * 2 and texts[0]["prompt"] == "'=1+1" and texts[0]["tokens"] == "6"
    assert [row["setting"] for row in figures[:3]] == ["today", "cold", "control"]
    assert figures[0]["tokens"] == "6.0" and figures[0]["checks"] == "" and figures[0]["tags"] == "shop"
