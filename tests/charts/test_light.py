"""The light charts' data: where plotly itself would draw each point, on odd data too, and nothing but text in it."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from playground.charts.light import light_payload
from playground.charts.scale_bars import plain_figure, stacked_figure, stacked_legend
from playground.charts.scale_lines import lines_figure
from tests.charts.test_scale_charts import HOSTILE, LINES, PLAIN, STACKED

FIGURES: dict[str, go.Figure] = {
    **{f"lines, {name}": lines_figure(data) for name, data in LINES.items()},
    **{f"stacked, {name}": stacked_figure(data) for name, data in STACKED.items()},
    **{f"plain, {name}": plain_figure(data) for name, data in PLAIN.items()},
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_becomes_plain_json_with_finite_places(name: str) -> None:
    found = light_payload(FIGURES[name])
    again = json.loads(json.dumps(found, allow_nan=False))
    assert again == found
    for axis in ("x", "y"):
        assert all(-0.01 <= place <= 1.01 for place, _ in found[axis]["ticks"])
        assert len({text for _, text in found[axis]["ticks"]}) == len(found[axis]["ticks"])


@pytest.mark.parametrize("name", ["ordinary", "linear", "reversed range", "gaps"])
def test_curves_lie_where_their_axes_say(name: str) -> None:
    data, figure = LINES[name], lines_figure(LINES[name])
    found = light_payload(figure)
    for axis in ("x", "y"):
        low, high = figure.layout[f"{axis}axis"].range
        log = figure.layout[f"{axis}axis"].type == "log"
        for series, line in zip(data.series, found["lines"], strict=True):
            places = np.array([np.nan if place is None else place for place in line[axis]])
            values = np.log10(getattr(series, axis)) if log else getattr(series, axis)
            inside = (places > -49) & (places < 49)
            assert np.allclose(places[inside], ((values - low) / (high - low))[inside], atol=1e-5)
            assert np.isnan(places).tolist() == np.isnan(getattr(series, axis)).tolist()


def test_stacked_bars_stand_on_each_other() -> None:
    found = light_payload(stacked_figure(STACKED["ordinary"]))
    now = [bar for bar in found["bars"] if bar["said"][0] == "Now"]
    assert now[0]["x"][0] == 0 and now[1]["x"][0] == pytest.approx(now[0]["x"][1])
    limit = found["rules"][0]["x"][0]
    assert now[1]["x"][1] / limit == pytest.approx(24 / 72, rel=1e-3)
    assert {bar["y"][0] for bar in now} == {now[0]["y"][0]}  # one row
    names = [name for name, _ in stacked_legend(STACKED["ordinary"])]
    assert names == ["weights", "key-value cache"]


def test_bars_on_a_logarithmic_axis_begin_at_its_edge() -> None:
    found = light_payload(plain_figure(PLAIN["log with zero"]))
    assert [bar["x"][0] for bar in found["bars"]] == [0.0, 0.0]
    assert found["bars"][0]["x"][1] <= 0 < found["bars"][1]["x"][1] <= 1


@pytest.mark.parametrize("name", [name for name in FIGURES if "hostile" in name])
def test_a_hostile_label_is_the_text_it_was(name: str) -> None:
    assert HOSTILE in _texts(light_payload(FIGURES[name]))


def test_ticks_raise_their_powers() -> None:
    found = light_payload(lines_figure(LINES["huge"]))
    assert any(text.startswith(("10²", "10³")) for _, text in found["x"]["ticks"])
    assert "<sup>" not in json.dumps(found)


def _texts(part: object) -> list[str]:
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list):
        return [text for each in part for text in _texts(each)]
    return [part] if isinstance(part, str) else []
