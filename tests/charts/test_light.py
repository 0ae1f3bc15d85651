"""The light charts' data: every point where its axis says, on odd data too, and nothing but text in it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from playground.charts.light import LightChart, light_payload
from playground.charts.scale_bars import plain_chart, stacked_chart
from playground.charts.scale_lines import Axis, LinesData, Mark, Series, lines_chart
from playground.scaling.quantity import parse_number
from tests.charts.test_scale_charts import HOSTILE, LINES, PLAIN, STACKED

CHARTS: dict[str, LightChart] = {
    **{f"lines, {name}": lines_chart(data) for name, data in LINES.items()},
    **{f"stacked, {name}": stacked_chart(data) for name, data in STACKED.items()},
    **{f"plain, {name}": plain_chart(data) for name, data in PLAIN.items()},
}


@pytest.mark.parametrize("name", CHARTS)
def test_every_chart_becomes_plain_json_with_finite_places(name: str) -> None:
    payload = light_payload(CHARTS[name])
    again = json.loads(json.dumps(payload, allow_nan=False))
    assert again == json.loads(json.dumps(dataclasses.asdict(CHARTS[name])))
    for axis in ("x", "y"):
        assert all(-0.01 <= place <= 1.01 for place, _ in payload[axis]["ticks"])
        assert len({text for _, text in payload[axis]["ticks"]}) == len(payload[axis]["ticks"])


@pytest.mark.parametrize("name", ["ordinary", "linear", "reversed range", "gaps"])
@pytest.mark.parametrize("side", ["x", "y"])
def test_curves_and_ticks_lie_where_their_axes_say(name: str, side: str) -> None:
    """Two ticks of known value make the scale; every finite point must lie on it, a decade being as wide as the next."""
    data, chart = LINES[name], lines_chart(LINES[name])
    axis: Axis = getattr(data, side)
    ticks = [(place, _value_of(text, axis)) for place, text in getattr(chart, side).ticks]
    (first, low), (last, high) = ticks[0], ticks[-1]
    for series, line in zip(data.series, chart.lines, strict=True):
        values = np.log10(getattr(series, side)) if axis.log else getattr(series, side)
        expected = first + (values - low) / (high - low) * (last - first)
        places = np.array([np.nan if place is None else place for place in getattr(line, side)])
        assert np.isnan(places).tolist() == np.isnan(values).tolist()
        inside = np.abs(places) < 49
        assert np.allclose(places[inside], expected[inside], atol=2e-4)


def _value_of(text: str, axis: Axis) -> float:
    """What a tick says, in the axis' own units."""
    value = parse_number(text.removeprefix(axis.prefix).removesuffix(axis.suffix), "tick", above_minimum=False)
    return float(np.log10(value)) if axis.log else value


def test_stacked_bars_stand_on_each_other() -> None:
    chart = stacked_chart(STACKED["ordinary"])
    first, second = (bar for bar in chart.bars if bar.said[0] == "Now")
    assert first.x[0] == 0 and second.x[0] == first.x[1] and first.y == second.y
    assert second.x[1] / chart.rules[0].x[0] == pytest.approx(24 / 72, rel=1e-3)
    assert [name for name, _ in chart.legend] == ["weights", "key-value cache"]


def test_bars_on_a_logarithmic_axis_begin_at_its_edge() -> None:
    zero, five = plain_chart(PLAIN["log with zero"]).bars
    assert zero.x[0] == five.x[0] == 0.0
    assert zero.x[1] <= 0 < five.x[1] <= 1


def test_marks_on_the_edge_are_drawn_whole() -> None:
    line = Series("predicted", np.array([16.0, 1024.0]), np.array([1.0, 64.0]))
    data = LinesData(Axis("tokens"), Axis("seconds"), (line,), (Mark("first", 16, 1), Mark("last", 1024, 64)))
    first, last = lines_chart(data).marks
    assert 0.01 < first.x < last.x < 0.99 and 0.01 < first.y < last.y < 0.99


@pytest.mark.parametrize("name", [name for name in CHARTS if "hostile" in name])
def test_a_hostile_label_is_the_text_it_was(name: str) -> None:
    assert HOSTILE in _texts(light_payload(CHARTS[name]))


def test_ticks_raise_their_powers() -> None:
    assert any(text.startswith(("10²", "10³")) for _, text in lines_chart(LINES["huge"]).x.ticks)


def _texts(part: object) -> list[str]:
    if isinstance(part, dict):
        part = list(part.values())
    if isinstance(part, list | tuple):
        return [text for each in part for text in _texts(each)]
    return [part] if isinstance(part, str) else []
