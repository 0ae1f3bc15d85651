"""Every plotly figure, validated in full, on ordinary data and at the edges."""

from __future__ import annotations

import importlib
import json
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
import plotly.io as pio
import pytest

import playground.charts
from playground.charts.compare import NOW, CompareData, compare_description, compare_figure, shown_tokens
from playground.charts.curves_bands import BandCurve as Curve
from playground.charts.curves_bands import BandsData as Curves
from playground.charts.curves_bands import bands_figure as curves_figure
from playground.charts.draw import (
    CumulativeData,
    HistogramData,
    cumulative_description,
    cumulative_figure,
    histogram_description,
    histogram_figure,
)
from playground.charts.draw_bands import BandsData as TokenBands
from playground.charts.draw_bands import bands_figure as token_bands_figure
from playground.charts.figure import enlarged, escaped, make_figure
from playground.charts.palette import PINS
from playground.charts.pipeline import PipelineData, pipeline_description, pipeline_figure
from playground.charts.preferences_agreement import AgreementData as VotesData
from playground.charts.preferences_agreement import agreement_figure as votes_figure
from playground.charts.scale_treemap import TreemapData, treemap_figure

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


def named_colours(figure: go.Figure) -> set[str]:
    """Of text that lies on the page's own ground."""
    layout = figure.layout.to_plotly_json()
    fonts = [each.get("font", {}) for each in layout.get("annotations", ())]
    fonts += [part.get("tickfont", {}) for name, part in layout.items() if "axis" in name]
    return {font["color"] for font in fonts if "color" in font}


@pytest.mark.parametrize(
    "figure",
    [
        cumulative_figure(cumulative_data(LABELS["ordinary"], some(3))),
        pipeline_figure(pipeline_data(LABELS["ordinary"], some(3))),
        votes_figure(VotesData(0.8)),
        token_bands_figure(TokenBands(("a",), np.array([[0.0, 0.1]]), np.array([[0.5, 0.6]]), 0.2, 0)),
        curves_figure(Curves("N", "s", (Curve("a", np.array([1.0]), np.array([1.0])),), marks=(("N = 1", 1.0),))),
    ],
)
def test_text_on_a_picture_has_the_themes_colour(figure: go.Figure) -> None:
    """A mark needs 3:1, text 4.5:1, and no one colour has that on the light and on the dark ground."""
    assert named_colours(figure) == set()


@pytest.mark.parametrize(
    "figure",
    [
        cumulative_figure(CumulativeData(("a",), np.array([0.96]), 0.04, 0.2, 0)),
        pipeline_figure(pipeline_data(LABELS["ordinary"], some(3))),
        treemap_figure(TreemapData("m", (("large", 1000, 1000), ("small", 1, 1)))),
    ],
)
def test_a_name_that_does_not_fit_is_left_out_and_not_shrunk(figure: go.Figure) -> None:
    """At 390 pixels "all others" was two pixels high."""
    assert figure.layout.uniformtext.mode == "hide" and figure.layout.uniformtext.minsize >= 10


def test_an_unvalidated_figure_carries_the_same_parts() -> None:
    figure = make_figure([{"type": "bar", "x": [1], "y": [2]}], {"height": 100})
    assert go.Figure(figure.to_dict()).layout.height == 100


@pytest.mark.parametrize("make", [lambda: pipeline_figure(pipeline_data(LABELS["ordinary"], some(3)))])
def test_a_figure_for_larger_type_is_the_same_figure_larger(make: Callable[[], go.Figure]) -> None:
    usual, large = make(), enlarged(make(), 2.0)
    go.Figure(large.to_plotly_json())  # valid
    assert enlarged(usual, 1.0) is usual
    assert large.layout.height == 2 * usual.layout.height and large.layout.margin.l == 2 * usual.layout.margin.l
    assert large.layout.font.size == 24 and large.layout.xaxis.tickfont.size >= 24
    for one, other in zip(usual.data, large.data, strict=True):
        for part in ("x", "y", "z", "width"):
            assert str(one.to_plotly_json().get(part)) == str(other.to_plotly_json().get(part))


def test_a_figure_waits_for_a_table_of_another_reader_that_is_just_importing_pandas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plotly looks pandas up among the loaded modules, where it stands from the start of its import on."""
    make_figure([], {})  # what plotly itself imports is there
    gate = tmp_path / "gate.py"
    gate.write_text("import threading\nentered, opened = threading.Event(), threading.Event()\n")
    stub = tmp_path / "pandas.py"
    stub.write_text(
        "import gate\ngate.entered.set()\ngate.opened.wait(10)\nSeries = Index = DataFrame = type('Stub', (), {})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    importing = threading.Thread(target=importlib.import_module, args=("pandas",))
    importing.start()
    opener = threading.Timer(0.2, importlib.import_module("gate").opened.set)
    assert importlib.import_module("gate").entered.wait(10)
    opener.start()
    try:
        assert len(make_figure([{"type": "bar", "x": [1], "y": ["a"]}], {}).data) == 1
    finally:
        importing.join()
        opener.join()
        sys.modules.pop("gate", None)


def test_every_figure_is_made_in_one_place() -> None:
    """``go.Bar`` and the like validate: slow, and beside another reader's import of pandas they fail."""
    figure_calls = re.compile(r"\bgo\.[A-Z]\w*\(|\.update_layout\(|\.add_trace\(")
    folder = Path(playground.charts.__file__).parent
    drawing_files = {
        path.name for path in folder.parent.rglob("*.py") if figure_calls.search(path.read_text(encoding="utf-8"))
    }
    assert drawing_files == {"figure.py"}
