"""What settings allow: the page's figures are the chain's own along each reference, and moving a slider runs no model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from playground.engine.fake.engine import FakeEngine
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup
from playground.state.tune import TuneState
from playground.tuning.examples import Example
from playground.tuning.following import follow_reference
from playground.tuning.reach_axes import AXES, grid_around
from playground.ui.tune_page.reach import Looked
from playground.ui.tune_page.reach_rows import HELD, HeldByAll, HeldRows
from playground.ui.tune_page.session import Draft
from tests.ui.conftest import Opened
from tests.ui.test_tune_page import TABS

Open = Callable[..., Opened]
EXAMPLES = (Example("ab", reference="cdefg"), Example("no reference"), Example("hello", reference=" <b>you"))
PRESENT, WARM = SamplerSettings(temperature=0.5, top_p=0.2), SamplerSettings(repetition_penalty=1.3, typical_p=0.9)


@pytest.fixture(autouse=True)
def _nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.tune_page.reach_rows.HELD", HeldByAll(HELD.most_bytes))


def open_reach(open_app: Open, examples: tuple[Example, ...] = EXAMPLES, **query: str) -> Opened:
    app = open_app({"temperature": "0.5", "top_p": "0.2", **query}, run=False)
    app.at.switch_page("../../pages/tune.py")
    app.put(Draft(examples=examples, others={"warm": WARM}, chat=False))
    return app.hold(tune_section=TABS[1])


def table(app: Opened) -> list[dict[str, object]]:
    (dataframe,) = [frame.value for frame in app.at.dataframe if "next" in frame.value.columns]
    return [dict(row) for _number, row in dataframe.iterrows()]


def html(app: Opened) -> str:
    return "\n".join(each.proto.body for each in app.at.get("html"))


def test_the_table_has_what_the_chain_says_along_every_reference(open_app: Open, engine: FakeEngine) -> None:
    app = open_reach(open_app)
    assert not app.errors and app.state(Setup).settings == PRESENT
    for row, settings in zip(table(app), (PRESENT, WARM), strict=True):
        reaches = [follow_reference(engine, each, settings, chat=False)[1] for each in EXAMPLES if each.reference]
        kept = np.concatenate([reach.kept for reach in reaches])
        assert row["kept"] == pytest.approx(kept.mean() * 100)
        assert row["written"] == f"{sum(reach.kept.all() for reach in reaches)} of 2"
        assert row["choices"] == pytest.approx(np.concatenate([reach.choices for reach in reaches]).mean(), rel=1e-2)
        first = next(reach.first_forbidden for reach in reaches if reach.first_forbidden is not None)
        assert f"token {first.position + 1} of example" in str(row["stopped"])


def test_a_slider_redraws_the_map_without_the_model_and_an_example_without_reference_has_its_first_token(
    open_app: Open, engine: FakeEngine
) -> None:
    app = open_reach(open_app)
    before, asked = html(app), len(engine.calls)
    app.at.slider(key="tune_third_min_p").set_value(0.3)
    app.run()
    assert html(app) != before and len(engine.calls) == asked
    assert app.state(TuneState).moved == 0.3
    assert 'class="own"' in html(app) and "Temperature upwards, Top-p across" in html(app)
    app = open_reach(open_app, (Example("no reference"),))
    assert "only what settings leave of an answer" in app.texts() and not app.errors
    assert "kept" not in table(app)[0] and 'class="own"' in html(app)


def test_forbidden_tokens_are_marked_and_one_is_seen_under_every_setting(open_app: Open, engine: FakeEngine) -> None:
    app = open_reach(open_app)
    _prompt, reach = follow_reference(engine, EXAMPLES[2], PRESENT, chat=False)
    place = int(np.argmin(reach.kept))
    app.put(Looked(example=2, token=place))
    app.run()
    tokens = app.component("tune_reach_strip")["tokens"]
    assert [("forbidden" in token["kind"]) for token in tokens] == (~reach.kept).tolist() and not reach.kept[place]
    (dataframe,) = [frame.value for frame in app.at.dataframe if "probability" in frame.value.columns]
    assert dict(zip(dataframe["name"], dataframe["by"], strict=True))["present"] == "Top-p"


def test_a_link_brings_the_maps_axes_and_a_cell_becomes_a_setting(open_app: Open) -> None:
    app = open_reach(open_app, x="top_k", y="min_p", map="probability", z="temperature", zat="0.7")
    assert "Min-p upwards, Top-k across" in html(app) and app.at.slider(key="tune_third_temperature").value == 0.7
    app.hold(tune_take_cell=True)
    app.at.selectbox(key="tune_cell_across_top_k_off").set_value("40")
    app.run()
    app.at.button(key="tune_add_cell").click()
    app.run()
    assert list(app.state(Draft).others.values())[-1] == PRESENT.replace(temperature=0.7, top_k=40)


def test_a_link_that_makes_no_sense_still_draws_and_another_slider_begins_at_the_setting(open_app: Open) -> None:
    app = open_reach(open_app, x="temperature", y="temperature", z="temperature", zat="999")
    assert not app.errors and 'class="own"' in html(app)
    app = open_reach(open_app, zat="0.3")
    assert app.at.slider(key="tune_third_min_p").value == 0.3
    app.at.selectbox(key="tune_moves").set_value("top_k")
    app.run()
    assert app.at.slider(key="tune_third_top_k").value == 0 and app.state(TuneState).moved is None


@pytest.mark.parametrize("name", AXES)
def test_a_grid_has_the_settings_own_cell(name: str) -> None:
    own = SamplerSettings(temperature=0.73, top_p=0.87, typical_p=0.5, repetition_penalty=1.1)
    other = "top_p" if name != "top_p" else "temperature"
    grid = grid_around(own, other, name, {})
    row, column = grid.own
    assert len(grid.settings) == 100 and grid.left_out == ("Typical-p",)
    assert grid.settings[row * 10 + column] == own.replace(typical_p=1.0)


def test_rows_are_held_for_all_within_a_bound_and_asked_for_anew_when_they_were_dropped() -> None:
    class Held:
        def __init__(self, size: int) -> None:
            self.rows_bytes = size

    held = HeldByAll(100)
    for key, size in (("a", 60), ("b", 30), ("c", 50)):
        held.put(key, HeldRows(Held(size)))  # type: ignore[arg-type]
    assert held.get("a") == (None, 1) and held.get("b")[0] is not None and held.get("c")[1] == 0
    held.put("huge", HeldRows(Held(1_000)))  # type: ignore[arg-type]
    assert held.get("huge")[0] is not None and held.get("b") == (None, 1)
