"""Strangers' texts on every tab of Tune: prompts, references, tags, names, measures, nicknames and what a model wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.sampling.settings import SamplerSettings
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.tuning.panel import Panel
from playground.tuning.plan import Plan, read_plan
from playground.tuning.preset import PresetStore
from playground.tuning.runs import TuningStore, kept_texts
from playground.ui.tune_page.judge import JudgeView
from playground.ui.tune_page.result_state import ResultsState
from playground.ui.tune_page.session import Draft
from tests.ui.conftest import Opened
from tests.ui.test_tune_page import TABS

EVIL = "![i](http://e.vil/) :red[x] <b>h</b> $x$ \u202egnp\x07 `c` [l](http://e.vil/) |"
MEASURE = f"regex:{'!'}[i](http://e.vil/)|:red[x]"


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def hostile_plan() -> Plan:
    fields = {
        "examples": [
            {"prompt": f"{EVIL} {n}", "reference": EVIL, "checks": [MEASURE], "tags": [EVIL[:50]]} for n in range(6)
        ],
        "settings": {EVIL[:55]: {"temperature": 3}, "#" + EVIL[:50]: {"temperature": 0.5}},
        "samples": 2,
        "max_new_tokens": 4,
        "measures": [MEASURE, "chrf", "tokens"],
        "require": {MEASURE: 0.5},
    }
    return read_plan(fields, lambda file: ())


@pytest.fixture
def tuning() -> str:
    """A finished one with votes; its texts are hostile too."""
    plan, store = hostile_plan(), TuningStore()
    tuning = store.start(plan, replace(origin_of(fake_info()), name=EVIL), EVIL)
    writer = store.take_up(tuning)
    assert writer is not None
    finish(kept_texts(FakeEngine(), plan, writer, written={}))
    writer = store.take_up(tuning)
    assert writer is not None
    writer.add([replace(text, text=f"{EVIL} {place}") for place, text in store.load(tuning).texts.items()])
    writer.end("finished", EVIL)
    panel = Panel(tuning, LOCAL)
    panel.admit("anna", EVIL[:30], "anna")
    for question in panel.turn("anna", 12).questions:
        panel.vote("anna", question, "left")
    PresetStore(LOCAL).persist(EVIL[:40], SamplerSettings(top_k=3), EVIL)
    return tuning


def markdown_of(app: Opened) -> Iterator[str]:
    """Everything that a browser reads as Markdown."""
    for kind in ("markdown", "caption", "info", "warning", "error", "success"):
        yield from (str(each.value) for each in getattr(app.at, kind))
    for kind in ("button", "selectbox", "multiselect", "number_input", "text_input", "text_area", "toggle", "slider"):
        for each in getattr(app.at, kind):
            hidden = getattr(each.proto, "label_visibility", None)
            if hidden is None or hidden.value == 0:
                yield each.label
            yield getattr(each, "help", None) or ""
    for kind in ("expander", "progress", "button_group", "popover", "metric"):
        for each in app.at.get(kind):
            proto = each.proto
            yield from (str(getattr(proto, name, "")) for name in ("label", "text", "help"))
            yield from (str(option.content) for option in getattr(proto, "options", ()))


OPEN: dict[str, list[str]] = {
    "Results": ["differences", "front", "slices", "texts"],
    "Judge": ["Judge", "What the votes say", "Judges by link", "A model as judge"],
}


@pytest.mark.parametrize(("tab", "view"), [(tab, view) for tab in TABS for view in OPEN.get(tab, [""])])
def test_nothing_of_a_stranger_is_markdown(open_app: Callable[..., Opened], tuning: str, tab: str, view: str) -> None:
    app = open_app({"tuning": tuning}, run=False)
    plan = hostile_plan()
    (present, _own), *others = plan.settings.items()
    app.put(
        Draft(
            examples=plan.examples,
            present_name=present,
            others=dict(others),
            measures=tuple(measure.name for measure in plan.measures),
            require=plan.require,
            purpose=EVIL,
            chat=False,
            max_new_tokens=5,
        )
    )
    app.put(JudgeView(view if tab == "Judge" else "Judge"))
    app.put(ResultsState(view=view if tab == "Results" else "differences"))
    app.at.switch_page("../../pages/tune.py")
    app.held |= dict.fromkeys(
        ("tune_files", "tune_measured", "tune_bars", "tune_kept", "tune_presets", "tune_widgets_1", "tune_checks"), True
    )
    app.hold(tune_section=tab)
    for said in markdown_of(app):
        assert "](http" not in said and ":red[" not in said and "<b>" not in said and "`c`" not in said, said
