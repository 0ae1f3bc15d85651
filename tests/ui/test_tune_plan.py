"""The tab Plan through Streamlit's own test double: what it takes stands before the run; it runs, pauses, goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from playground.engine.fake.engine import FakeEngine
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup
from playground.state.tune import TuneState
from playground.store.connection import shared_database
from playground.store.place import DATA_VARIABLE
from playground.store.records import StoreError
from playground.store.tunings import TuningTable
from playground.tuning.examples import Example
from playground.tuning.runs import TuningStore
from playground.ui.tune_page.session import Draft
from playground.ui.tune_page.tuning_view import TuningView
from tests.ui.conftest import Opened

EXAMPLES = (Example("ab", tags=("x",)), Example("hello"))


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def planned(open_app: Callable[..., Opened], **fields: object) -> Opened:
    app = open_app(run=False)
    draft = {"examples": EXAMPLES, "others": {"cool": SamplerSettings(temperature=0.4)}, "max_new_tokens": 6}
    app.put(Draft(**(draft | fields)))  # type: ignore[arg-type]
    app.at.switch_page("../../pages/tune.py")
    return app.hold(tune_section="Plan")


def until(app: Opened, met: Callable[[Opened], bool]) -> Opened:
    for _ in range(100):
        if met(app):
            return app
        time.sleep(0.02)
        app.run()
    raise AssertionError(app.texts())


def finished(app: Opened) -> bool:
    kept = app.state(TuningView).kept
    return kept is not None and kept.summary.status == "finished"


def test_a_plan_is_told_before_it_runs_and_kept_when_it_has(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.ui.workspace.speed._TIMINGS", {})  # other tests measure the same model
    app = planned(open_app)
    assert "**12 texts**: 2 prompts × 2 settings and the control × 2 samples." in app.texts()
    assert "At most 72 tokens" in app.texts() and "How long is not known yet" in app.texts()
    app.at.button(key="tune_start").click()
    until(app.run(), finished)
    assert "12 of 12 texts" in [bar.proto.text for bar in app.at.get("progress")][0]
    (summary,) = TuningStore().tunings()
    assert (summary.written, summary.status, summary.id) == (12, "finished", app.state(TuneState).tuning)
    assert "tune_start" not in [button.key for button in app.at.button]  # the plan has been run as it stands
    app.at.number_input(key="tune_samples").set_value(3)
    assert "**18 texts**" in app.run().texts()


def test_paused_it_goes_on_where_it_was_and_another_model_s_does_not(open_app: Callable[..., Opened]) -> None:
    gate = threading.Event()

    def hold() -> None:
        if len(engine.calls) > 25:
            gate.wait(120)

    engine = FakeEngine(before_step=hold)
    app = open_app(opener=lambda choice, progress: engine, run=False)
    app.put(Draft(examples=EXAMPLES, samples=4, max_new_tokens=6, chat=False))
    app.at.switch_page("../../pages/tune.py")
    app.hold(tune_section="Plan")
    app.at.button(key="tune_start").click()
    app.run()
    app.at.button(key="tune_pause").click()
    app.run_once()
    gate.set()
    until(app, lambda app: not app.state(TuningView).busy)
    kept = app.state(TuningView).kept
    assert kept is not None and kept.summary.status == "paused" and len(kept.texts) < 16
    assert "paused" in app.texts()
    app.at.button(key="tune_resume").click()
    until(app.run(), finished)
    assert TuningStore().load(kept.id).summary.status == "finished"


def test_two_tabs_one_writes_the_other_looks_on(open_app: Callable[..., Opened]) -> None:
    app = planned(open_app)
    app.at.button(key="tune_start").click()
    until(app.run(), finished)
    store, tuning = TuningStore(), app.state(TuneState).tuning
    with shared_database().session() as session:
        session.execute(text("DELETE FROM tuning_texts WHERE place > 6"))
    writer = store.take_up(tuning)
    assert writer is not None
    app.put(TuningView())
    app.run()
    assert "Another tab writes this tuning: 7 of 12 texts" in app.texts()
    assert "tune_resume" not in [button.key for button in app.at.button]
    writer.end("paused", "The server has gone: start it again.")
    app.put(TuningView())
    app.run()
    assert "It paused: The server has gone" in app.texts()
    with shared_database().session() as session:
        session.execute(text("UPDATE tunings SET origin = replace(origin, 'fake-1', 'fake-9')"))
    app.put(TuningView())
    app.run()
    assert "This tuning was begun by Fake model" in app.texts()
    assert "tune_resume" not in [button.key for button in app.at.button]


def test_a_tuning_that_another_tab_deletes_in_mid_run_is_closed_with_a_sentence(
    open_app: Callable[..., Opened],
) -> None:
    def gone() -> None:
        if len(engine.calls) == 25:
            TuningStore().delete(TuningStore().tunings()[0].id)

    engine = FakeEngine(before_step=gone)
    app = open_app(opener=lambda choice, progress: engine, run=False)
    app.put(Draft(examples=EXAMPLES, samples=4, max_new_tokens=6, chat=False))
    app.at.switch_page("../../pages/tune.py")
    app.hold(tune_section="Plan")
    app.at.button(key="tune_start").click()
    until(app.run(), lambda app: app.state(TuningView).kept is None and not app.state(TuningView).busy)
    assert len(app.errors) == 1 and "deleted" in app.errors[0] and "Another tab writes" not in app.texts()
    assert app.state(TuneState).tuning == "" and app.at.button(key="tune_start")


def _full(*_args: object, **_fields: object) -> bool:
    raise StoreError("The disk is full: make room.")


@pytest.mark.parametrize("full", [("add_texts",), ("add_texts", "let_go")])
def test_a_disk_that_fills_in_mid_run_is_said_and_the_run_goes_on_from_there(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch, full: tuple[str, ...]
) -> None:
    """Also where the store cannot even be told that the run has ended: no other tab writes it then."""
    app, written, add = planned(open_app, samples=12, max_new_tokens=2), list[int](), TuningTable.add_texts

    def fills(table: TuningTable, *args: Any, **fields: Any) -> bool:
        written.append(len(args[2]))  # 0: a beat, which a slow machine has more of
        return add(table, *args, **fields) if sum(map(bool, written)) < 2 else _full()

    with monkeypatch.context() as patched:
        for name in full:
            patched.setattr(TuningTable, name, fills if name == "add_texts" else _full)
        app.at.button(key="tune_start").click()
        until(app.run(), lambda app: app.state(TuningView).kept is not None and not app.state(TuningView).busy)
        assert "The disk is full: make room." in "".join(app.errors).replace("\\", "")
        assert "Another tab" not in app.texts()
        kept = app.state(TuningView).kept
        assert kept is not None and 0 < len(kept.texts) < 72 and kept.summary.status == "paused"
    app.at.button(key="tune_resume").click()
    until(app.run(), finished)
    assert TuningStore().tunings()[0].written == 72


def test_a_disk_that_is_full_at_the_start_leaves_no_empty_tuning_and_the_trial_stays(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = planned(open_app, samples=12, max_new_tokens=2)
    app.at.button(key="tune_try").click()
    until(app.run(), lambda app: bool(app.state(TuningView).trial) and not app.state(TuningView).busy)
    tried = dict(app.state(TuningView).trial)
    with monkeypatch.context() as patched:
        patched.setattr(TuningTable, "add_texts", _full)
        app.at.button(key="tune_start").click()
        app.run()
        assert "The disk is full: make room." in "".join(app.errors).replace("\\", "")
    assert TuningStore().tunings() == () and app.state(TuningView).trial == tried
    app.at.button(key="tune_start").click()
    until(app.run(), finished)
    assert TuningStore().tunings()[0].written == 72


def test_an_engine_that_dies_in_mid_run_is_said_and_the_run_goes_on_from_there(
    open_app: Callable[..., Opened],
) -> None:
    dead = [False]

    def step() -> None:
        if len(engine.calls) > 25 and dead[0]:
            raise RuntimeError("CUDA error: device lost")

    engine, dead[0] = FakeEngine(before_step=step), True
    app = open_app(opener=lambda choice, progress: engine, run=False)
    app.put(Draft(examples=EXAMPLES, samples=4, max_new_tokens=6, chat=False))
    app.at.switch_page("../../pages/tune.py")
    app.hold(tune_section="Plan")
    app.at.button(key="tune_start").click()
    until(app.run(), lambda app: app.state(TuningView).kept is not None and not app.state(TuningView).busy)
    (problem,) = app.errors
    assert "device lost" in problem
    dead[0] = False
    app.at.button(key="tune_resume").click()
    until(app.run(), finished)
    assert TuningStore().tunings()[0].written == 16 and not app.errors


def test_settings_are_typed_named_and_taken_from_a_grid(open_app: Callable[..., Opened]) -> None:
    app = planned(open_app, others={})
    assert "Add at least one setting" in app.texts()
    app.at.button(key="tune_add").click()
    app.run()
    assert dict(app.state(Draft).others) == {"T 0.7": SamplerSettings(temperature=0.7)}
    app.at.text_input(key="tune_text_1").set_value("temperature 0.4, top_p 0.9")
    app.run()
    assert list(app.state(Draft).others) == ["T 0.4, top_p 0.9"]
    app.at.text_input(key="tune_name_1").set_value("cool")
    app.run()
    app.at.text_input(key="tune_text_1").set_value("warm")
    app.run()
    assert "cannot be read as settings" in app.errors[0]
    assert dict(app.state(Draft).others) == {"cool": SamplerSettings(temperature=0.4, top_p=0.9)}
    app.at.text_input(key="tune_text_0").set_value("top_k 40")
    app.run()
    assert app.state(Setup).settings == SamplerSettings(top_k=40)
    app.hold(tune_grid=True)
    app.at.text_input(key="tune_grid_values_0").set_value("0.5 1")
    app.at.button(key="tune_grid_take").click()
    app.run()
    assert len(app.state(Draft).others) == 4 and all(own.top_k == 40 for own in app.state(Draft).others.values())


def test_a_guest_s_runs_are_counted_and_each_text_is_within_limits(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    monkeypatch.setenv("PLAYGROUND_LIMITS", "runs=1, new_tokens=5")
    app = planned(open_app)
    app.at.button(key="tune_start").click()
    assert "at most 5 new tokens a text, not 6" in app.run().errors[0]
    app.at.number_input(key="tune_max_new_tokens").set_value(3)
    app.run()
    app.at.button(key="tune_start").click()
    until(app.run(), finished)
    app.at.number_input(key="tune_seed").set_value(3)
    app.run()
    app.at.button(key="tune_start").click()
    assert "records at most 1 runs of a visitor" in app.run().errors[0]
    assert TuningStore().tunings() == ()  # the machine's own: this one is the visitor's


def test_what_is_folded_away(open_app: Callable[..., Opened]) -> None:
    """Files, measures, bars, money and what is kept, each opened once; a kept tuning is opened with its plan, and deleted."""
    app = planned(open_app, purpose="for the shop")
    app.at.button(key="tune_start").click()
    until(app.run(), finished)
    kept = app.state(TuneState).tuning
    app.at.number_input(key="tune_samples").set_value(1)
    app.run()
    app.hold(tune_files=True, tune_measured=True, tune_bars=True, tune_kept=True, tune_money=True, tune_widgets_1=True)
    assert not app.errors and "Whatever no check asks for" in app.texts() and "for the shop" in app.texts()
    app.at.number_input(key="tune_bar_checks").set_value(0.5)
    app.at.number_input(key="tune_value_1_temperature").set_value(0.2)
    app.run()
    assert dict(app.state(Draft).require) == {"checks": 0.5}
    assert app.state(Draft).others["cool"] == SamplerSettings(temperature=0.2)
    app.at.multiselect(key="tune_on_1").set_value(["top_p"])
    app.run()
    assert [name for name, _value in app.state(Draft).others["cool"].changed] == ["top_p"]
    prices = [option for option in app.at.selectbox(key="tune_price").options if option.startswith("openai: ")]
    app.at.selectbox(key="tune_price").set_value(prices[0])
    app.at.number_input(key="tune_hour").set_value(1.0)
    assert "USD at the prices of" in app.run().texts()

    app.at.multiselect(key="tune_measures").set_value([])
    app.run()
    assert "choose at least one measure" in app.errors[0]

    app.put(TuneState())
    app.put(TuningView())
    app.run()
    app.at.button(key=f"tune_open_{kept}").click()
    app.run()
    assert app.state(TuneState).tuning == kept and app.state(Draft).samples == 2 and not app.state(Draft).require
    app.at.button(key=f"tune_delete_{kept}").click()
    assert "Nothing is kept yet" in app.run().texts() and app.state(TuneState).tuning == ""


def test_a_trial_says_how_long_and_is_kept_by_the_run(open_app: Callable[..., Opened]) -> None:
    app = planned(open_app, samples=8, max_new_tokens=20)
    app.at.button(key="tune_try").click()
    app.run()
    until(app, lambda app: not app.state(TuningView).busy)
    assert len(app.state(TuningView).trial) == 16 and "of 16 texts so far 0% ended" in app.texts()
    assert "on this machine, as busy as it is now" in app.texts()
    read = len(app.engine.calls)
    app.at.button(key="tune_start").click()
    until(app.run(), finished)
    assert len(app.engine.calls) - read <= 32 * 20  # not those of the trial again
    assert TuningStore().tunings()[0].written == 48
