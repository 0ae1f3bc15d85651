"""Every plotly figure, validated in full, on ordinary data and at the edges."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from playground.charts.compare import NOW, CompareData, compare_description, compare_figure, shown_tokens
from playground.charts.draw import (
    CumulativeData,
    HistogramData,
    cumulative_description,
    cumulative_figure,
    histogram_description,
    histogram_figure,
)
from playground.charts.figure import escaped, make_figure
from playground.charts.palette import PINS
from playground.charts.pipeline import PipelineData, pipeline_description, pipeline_figure

HOSTILE = "<b onclick=x>&lt;</b><a href='javascript:1'>"
LABELS = {
    "ordinary": ("␣Paris", "␣London", "␣the"),
    "one token": ("␣Paris",),
    "empty label": ("", "␣a", "␣b"),
    "hostile": (HOSTILE, "%{y}", "$x^2$"),
    "the same twice": ("␣a", "␣a", "␣a"),
    "scripts": ("မင်", "😀", "ال"),
}


def some(count: int) -> npt.NDArray[np.float64]:
    weights = np.arange(count, 0, -1, dtype=np.float64)
    return weights / float(weights.sum() * 1.25)


def peaked(count: int) -> npt.NDArray[np.float64]:
    return np.eye(1, count, dtype=np.float64).ravel()


SHAPES: dict[str, Callable[[int], np.ndarray]] = {"spread": some, "all but one removed": peaked}


def compare_data(labels: tuple[str, ...], row: np.ndarray) -> CompareData:
    names = (NOW, *PINS)
    return CompareData(names, labels, np.stack([row] * len(names)).astype(np.float32))


def pipeline_data(labels: tuple[str, ...], row: np.ndarray) -> PipelineData:
    columns = np.stack([row, row], axis=1).astype(np.float32)
    return PipelineData(("Raw", "Top-p"), labels, columns, 1 - columns.sum(axis=0), ("49,152 kept", "1 kept"))


def cumulative_data(labels: tuple[str, ...], row: np.ndarray) -> CumulativeData:
    return CumulativeData(labels, row, float(max(0.0, 1 - row.sum())), 0.999, len(labels))


def histogram_data(labels: tuple[str, ...], row: np.ndarray) -> HistogramData:
    return HistogramData(labels, (row * 1000).astype(np.int64), row * 1000, 1000)


FIGURES: dict[str, tuple[Callable[[Any], go.Figure], Callable[..., object], Callable[[Any], str]]] = {
    "compare": (compare_figure, compare_data, compare_description),
    "pipeline": (pipeline_figure, pipeline_data, pipeline_description),
    "cumulative": (cumulative_figure, cumulative_data, cumulative_description),
    "histogram": (histogram_figure, histogram_data, histogram_description),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("name", FIGURES)
def test_the_figure_is_valid_and_described(name: str, labels: str, shape: str) -> None:
    make, of, describe = FIGURES[name]
    data = of(LABELS[labels], SHAPES[shape](len(LABELS[labels])))
    figure = make(data)
    checked = go.Figure(figure.to_dict(), skip_invalid=False)
    assert len(checked.data) == len(figure.data) > 0
    text = pio.to_json(figure, validate=True)
    assert "NaN" not in text and "Infinity" not in text
    assert describe(data).endswith(".")


@pytest.mark.parametrize("name", FIGURES)
def test_a_token_is_never_read_as_markup(name: str) -> None:
    """Plotly reads a little HTML wherever it writes text: no bare tag but our own bold and line break."""
    make, of, _ = FIGURES[name]
    text = json.dumps(make(of(LABELS["hostile"], some(3))).to_dict(), default=lambda array: array.tolist())
    bare = text.replace("<b>", "").replace("</b>", "").replace("<br>", "").replace("<extra></extra>", "")
    assert "<" not in bare
    assert escaped(HOSTILE) in text.replace("\\u", "")


def test_one_bar_a_setting_and_no_bar_for_a_removed_token() -> None:
    figure = compare_figure(CompareData((NOW, "A"), ("x", "y"), np.array([[0.75, 0.25], [1.0, 0.0]], dtype=np.float32)))
    assert [trace.name for trace in figure.data] == ["Now", "Pin A"]
    assert list(figure.data[1].text) == ["A 100.00%", ""]
    assert figure.data[1].marker.color == PINS["A"]
    centres = {tuple(np.round(trace.y, 3)) for trace in figure.data}
    assert len(centres) == 2, "bars of two settings lie on each other"


@pytest.mark.parametrize("settings", [1, 2, 3, 4, 5])
def test_compared_bars_are_thick_enough_for_their_text(settings: int) -> None:
    """At four settings over ten tokens nobody could read one."""
    tokens = shown_tokens(settings)
    names = (NOW, "A", "B", "C", "D")[:settings]
    even = np.full((settings, tokens), 1 / tokens, dtype=np.float32)
    figure = compare_figure(CompareData(names, tuple(map(str, range(tokens))), even))
    plot = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b - 30  # the axis' own text
    assert tokens >= 5 and plot / tokens * figure.data[0].width >= 9


def test_the_axis_of_compared_settings_names_no_share_above_all() -> None:
    sure = compare_figure(CompareData((NOW,), ("x",), np.array([[1.0]], dtype=np.float32)))
    assert max(sure.layout.xaxis.tickvals) == 1 < sure.layout.xaxis.range[1], (
        "room for the last bar's text, without a tick"
    )
    assert (
        compare_figure(CompareData((NOW,), ("x",), np.array([[0.3]], dtype=np.float32))).layout.xaxis.tickvals is None
    )


def test_the_columns_of_the_pipeline_reach_one() -> None:
    figure = pipeline_figure(pipeline_data(LABELS["ordinary"], some(3)))
    np.testing.assert_allclose(np.sum([trace.y for trace in figure.data], axis=0), 1.0, atol=1e-6)


def test_the_line_of_u_falls_into_the_marked_band() -> None:
    data = CumulativeData(("a", "b", "c"), np.array([0.5, 0.3, 0.2]), 0.0, 0.6, 1)
    figure = cumulative_figure(data)
    assert figure.layout.shapes[0].x0 == 0.6
    assert [trace.marker.line.width for trace in figure.data] == [0.7, 4, 0.7]
    ends = np.cumsum([trace.x[0] for trace in figure.data])
    assert int(np.searchsorted(ends, data.u, side="right")) == data.chosen
    said = cumulative_description(data)
    assert "band of b" in said and "a 50.00%, b 30.00%, c 20.00%, all others together 0%" in said


def test_the_histograms_band_is_two_binomial_deviations() -> None:
    data = HistogramData(("a", "b"), np.array([240, 760]), np.array([250.0, 750.0]), 1000)
    error = histogram_figure(data).data[1].error_y.array
    np.testing.assert_allclose(error, 2 * np.sqrt(1000 * np.array([0.25, 0.75]) * np.array([0.75, 0.25])))

    said = histogram_description(data)
    assert said.startswith("1,000 draws") and "a 240 drawn, 250 expected; b 760 drawn, 750 expected." in said


def test_a_comparisons_description_has_each_settings_numbers() -> None:
    data = CompareData((NOW, "A"), ("a", "b"), np.array([[0.75, 0.25], [0.125, 0.0]], np.float32))
    assert "now: a 75.00%, b 25.00%; A: a 12.50%, b 0%." in compare_description(data)


def test_a_pipelines_description_has_each_stages_numbers() -> None:
    columns = np.array([[0.5, 0.8], [0.125, 0.2]], np.float32)
    data = PipelineData(("Raw", "Top-p"), ("a", "b"), columns, 1 - columns.sum(axis=0), ("49,152 kept", "2 kept"))
    assert "Raw: a 50.00%, 49,152 kept; Top-p: a 80.00%, 2 kept." in pipeline_description(data)


def test_an_unvalidated_figure_carries_the_same_parts() -> None:
    figure = make_figure([{"type": "bar", "x": [1], "y": [2]}], {"height": 100})
    assert go.Figure(figure.to_dict()).layout.height == 100
