"""The tab Decision: the paragraph, a preset that is kept and used, and what a server made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from playground.engine.api import CancelToken, Echo, NextTokens, Stream
from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.models.info import ModelInfo, ServerFacts
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.tuning.panel import Panel
from playground.tuning.plan import read_plan
from playground.tuning.preset import PresetStore
from playground.tuning.runs import TuningStore, kept_texts
from playground.ui.tune_page.session import Draft
from tests.ui.conftest import Opened
from tests.ui.test_tune_page import open_tune

COLD = SamplerSettings(temperature=0.2)


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def tuning_of(measure: str) -> str:
    """A finished tuning: eight prompts, warm against cold."""
    fields = {
        "examples": [{"prompt": "ab" * n + "c"} for n in range(8)],
        "settings": {"today": {"temperature": 3}, "cold": COLD.to_mapping()},
        "max_new_tokens": 8,
        "measures": [measure, "tokens"],
    }
    plan = read_plan(fields, lambda file: ())
    store = TuningStore()
    tuning = store.start(plan, origin_of(fake_info()), "Mine <b>")
    writer = store.take_up(tuning)
    assert writer is not None
    finish(kept_texts(FakeEngine(), plan, writer, written={}))
    return tuning


def test_the_decision_is_said_and_its_preset_kept_and_used(open_app: Callable[..., Opened]) -> None:
    tuning = tuning_of("logprob")
    panel = Panel(tuning, LOCAL)
    panel.vote("anna", panel.turn("anna", 1).questions[0], "left")
    app = open_tune(open_app, "Decision", tuning=tuning)
    assert "By blind comparisons\\: 1 vote; " in app.texts()
    assert "Keep 'today'" in app.texts() and "so it decides nothing" in app.texts()
    app.at.selectbox(key="preset_setting").set_value("cold")
    app.run()
    app.at.text_input(key="preset_name").set_value("Cold one")
    app.run()
    app.at.button(key="preset_keep").click()
    app.run()
    (kept,) = PresetStore().presets()
    assert (kept.name, kept.settings) == ("Cold one", COLD) and "Keep 'today'" in kept.why
    assert "Kept as Cold one" in "\n".join(str(each.value) for each in app.at.success)
    app.held.pop("tune_section")
    app.hold(tune_section="Plan", tune_presets=True)
    app.at.button(key="tune_kept_preset_Cold one").click()
    app.run()
    assert app.state(Draft).others["Cold one"] == COLD
    app.hold(tune_section="Decision", tune_presets=False)
    app.at.button(key="preset_use").click()
    app.run()
    assert app.state(Setup).settings == COLD
    app.at.text_input(key="preset_name").set_value("")
    app.run()
    assert app.at.text_input(key="preset_name").value == "cold"  # an empty name is the setting's own


def test_nothing_run_leads_to_the_plan(open_app: Callable[..., Opened]) -> None:
    app = open_tune(open_app, "Decision")
    assert [button.label for button in app.at.button if button.key == "tune_to_Plan"]


class Echoing(ServedFakeEngine):
    """A server that drops top-k."""

    @property
    def info(self) -> ModelInfo:
        return replace(super().info, server=ServerFacts("llama.cpp", "b1", ("m",), 2, None, True))

    @property
    def facets(self) -> frozenset[type]:
        return frozenset({NextTokens, Stream, Echo})

    def settings_used(self, fields: Mapping[str, object], *, cancel: CancelToken | None = None) -> Mapping[str, object]:
        return {name: value for name, value in fields.items() if name != "top_k"}


def test_what_the_server_dropped_is_named(open_app: Callable[..., Opened]) -> None:
    tuning = tuning_of("distinct-2")
    app = open_app({"tuning": tuning}, opener=lambda choice, progress: Echoing(), run=False)
    app.at.switch_page("../../pages/tune.py")
    app.hold(tune_section="Decision")
    app.at.button(key="preset_prove").click()
    app.run()
    assert app.errors == ["Dropped or changed by the server: top\\_k."]
