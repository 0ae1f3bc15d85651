"""Every chart of the Plan pages: valid for plotly in full, true to its data, safe against hostile labels, on odd data too."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts.palette import FINAL, PINS, RAW, contrast
from playground.charts.point_names import NamedPoint, name_box, overlap, place_names
from playground.charts.scale_bars import (
    BarsOf,
    PlainBar,
    StackedData,
    plain_chart,
    plain_description,
    stacked_chart,
    stacked_description,
)
from playground.charts.scale_lines import (
    NOW,
    Axis,
    LinesData,
    Mark,
    Series,
    lines_chart,
    lines_description,
    log_ticks,
    tick_text,
)
from playground.charts.scale_surface import (
    NAMED_WIDTHS,
    PLOT_HEIGHT,
    SurfaceData,
    named_points,
    surface_description,
    surface_figure,
)
from playground.charts.scale_treemap import TreemapData, treemap_description, treemap_figure
from playground.scaling.curves import loss_surface
from playground.scaling.laws import LAWS, PUBLISHED_MODELS

HOSTILE = "<script>alert(1)</script>"


def validated(figure: go.Figure) -> go.Figure:
    """The same figure through plotly's full validation, which raises on any unknown or ill-typed part."""
    return go.Figure(figure.to_plotly_json())


def lines(**changes: Any) -> LinesData:
    x = np.geomspace(1, 1e6, 9)
    plain = LinesData(
        Axis("context in tokens"),
        Axis("memory in GB"),
        (Series("mine, grouped", x, x * 2, NOW), Series("other", x, x * 3), Series("pinned", x, x * 5, "B")),
        (Mark("here", 10.0, 20.0, strong=True),),
        (("limit", 80.0),),
        (("now", 100.0),),
    )
    return dataclasses.replace(plain, **changes)


X = np.array([1.0, 2.0])
LINES = {
    "ordinary": lines(),
    "linear": lines(x=Axis("share", log=False), y=Axis("loss", log=False, suffix="%", prefix="~")),
    "nothing": lines(series=(), marks=(), levels=(), cuts=()),
    "one point": lines(series=(Series("a", np.array([1.0]), np.array([1.0]), NOW),), marks=(), levels=(), cuts=()),
    "gaps": lines(series=(Series("a", X, np.array([np.nan, 3.0])), Series("b", X, np.array([np.nan, np.nan]), NOW))),
    "flat": lines(series=(Series("a", X, np.array([5.0, 5.0])),), marks=(), levels=(), cuts=()),
    "huge": lines(series=(Series("a", np.array([1e20, 1e40]), np.array([1e-30, 1e41])),), marks=(), levels=(), cuts=()),
    "zero on a log axis": lines(series=(Series("a", X, np.array([0.0, 3.0])),), marks=(), levels=(), cuts=()),
    "reversed range": lines(x=Axis("loss", log=False, range=(3.4, 2.4))),
    "hostile": lines(series=(Series(HOSTILE, X, X),), marks=(Mark(HOSTILE, 1.0, 1.0),), levels=((HOSTILE, 1.0),)),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_are_drawn_and_described(name: str) -> None:
    chart = lines_chart(LINES[name])
    assert len(chart.lines) == len(LINES[name].series)
    assert lines_description(LINES[name], "Subject").startswith("Subject")


def test_a_few_bars_are_high_and_many_keep_their_rows() -> None:
    heights = [
        plain_chart(BarsOf(tuple(PlainBar(f"{n}", 1.0, "1") for n in range(count)), "days")).height
        for count in (1, 2, 3, 6)
    ]
    assert heights == [200, 310, 309, 354]
    assert plain_chart(BarsOf((PlainBar("a", 1.0, "1"),), "days"), 20).height == 110, (
        "who says how high a row is gets that"
    )


def test_lines_keep_their_numbers_and_colours() -> None:
    data = lines()
    chart = lines_chart(data)
    assert chart.lines[0].values[0] == ("1", "2") and chart.lines[0].values[-1] == ("1M", "2M")
    assert [line.colour for line in chart.lines] == [FINAL, RAW, PINS["B"]]
    assert "20 at 10" in lines_description(data, "Memory")


def test_values_beyond_float32_stay_finite() -> None:
    (line,) = lines_chart(LINES["huge"]).lines
    assert None not in line.x and line.values[1] == ("10⁴⁰", "10⁴¹")


def test_end_labels_do_not_cover_each_other() -> None:
    x = np.array([1.0, 10.0])
    crowd = tuple(Series(f"s{index}", x, np.array([1.0, 100 + index])) for index in range(6))
    chart = lines_chart(lines(series=crowd, marks=(), levels=(), cuts=()))
    heights = sorted(note.y for note in chart.notes)
    assert min(np.diff(heights)) * (chart.height - 64) > 11  # pixels, the size of the text
    assert max(heights) < 1  # nor leave the picture


def test_a_curve_that_ends_early_has_its_name_at_its_own_end() -> None:
    early = Series("early", np.array([1.0, 2.0]), np.array([1.0, 5.0]))
    whole = Series("whole", np.array([1.0, 100.0]), np.array([1.0, 50.0]))
    chart = lines_chart(LinesData(Axis("x"), Axis("y"), (early, whole)))
    places = {note.text: (note.x, note.y) for note in chart.notes}
    assert places["early"] == (chart.lines[0].x[-1], chart.lines[0].y[-1])
    assert places["whole"] == (1.0, chart.lines[1].y[-1])


def test_names_of_two_lines_leave_a_gap_between_them() -> None:
    x = np.array([1.0, 10.0])
    series = tuple(Series(f"model {n}, its kind", x, np.array([1.0, 50 + n / 100])) for n in range(5))
    chart = lines_chart(LinesData(Axis("x"), Axis("y"), series))
    _, top, _, bottom = chart.margin
    pixels = np.diff(sorted(note.y for note in chart.notes)) * (chart.height - top - bottom)
    assert min(pixels) > 2 * 1.15 * chart.notes[0].size + 1


def test_a_low_curve_keeps_its_label_where_others_crowd_the_top() -> None:
    x = np.array([1.0, 10.0])
    crowd = tuple(Series(f"s{index}", x, np.array([1.0, 1000 + index])) for index in range(5))
    low = Series("low", x, np.array([0.5, 0.5]))
    chart = lines_chart(lines(series=(*crowd, low), marks=(), levels=(), cuts=()))
    assert min(note.y for note in chart.notes) == chart.lines[-1].y[-1]


@pytest.mark.parametrize(("start", "end"), [(0.0, 6.0), (1.2, 1.9), (2.001, 2.05), (18.0, 27.0), (-3.0, 3.0)])
def test_log_ticks_lie_in_range_and_are_few(start: float, end: float) -> None:
    ticks = log_ticks(start, end)
    assert 2 <= len(ticks) <= 10
    assert all(start - 1e-6 <= np.log10(value) <= end + 1e-6 for value in ticks)
    assert len({tick_text(value) for value in ticks}) == len(ticks)


@pytest.mark.parametrize(("value", "text"), [(2e9, "2B"), (5e5, "500K"), (0.5, "0.5"), (1e18, "10¹⁸"), (1e12, "1T")])
def test_ticks_are_written_as_people_say_them(value: float, text: str) -> None:
    assert tick_text(value) == text


ORDER = ("weights", "key-value cache", "activations")
STACKED = {
    "ordinary": StackedData(
        (("Now", (("weights", 16.0), ("key-value cache", 8.0))), ("A", (("weights", 4.0),))),
        ORDER,
        "GB",
        (("GPU", 72.0),),
    ),
    "empty bar": StackedData((("Now", ()),), ORDER, "GB"),
    "no bars": StackedData((), ORDER, "GB"),
    "zero": StackedData((("Now", (("weights", 0.0),)),), ORDER, "GB"),
    "enormous": StackedData((("Now", (("weights", 1e30),)),), ORDER, "GB", (("GPU", 1e-3),)),
    "hostile": StackedData(((HOSTILE, (("weights", 1.0),)),), ORDER, "GB", ((HOSTILE, 1.0),)),
}


@pytest.mark.parametrize("name", STACKED)
def test_stacked_bars_are_drawn_and_described(name: str) -> None:
    rows = {bar.said[0] for bar in stacked_chart(STACKED[name]).bars}
    assert rows == {bar for bar, parts in STACKED[name].bars if parts}
    assert stacked_description(STACKED[name]).endswith(".")


def test_stacked_bars_add_up_and_can_be_read() -> None:
    chart = stacked_chart(STACKED["ordinary"])
    gpu = chart.rules[0].x[0] / 72
    for row, total in (("Now", 24.0), ("A", 4.0)):
        assert max(bar.x[1] for bar in chart.bars if bar.said[0] == row) / gpu == pytest.approx(total, rel=1e-3)
    assert all(contrast(bar.colour, bar.ink) >= 4.5 for bar in chart.bars)
    assert chart.legend == tuple({bar.said[1]: bar.colour for bar in chart.bars}.items())


PLAIN = {
    "ordinary": BarsOf((PlainBar("Now", 3.0, "3 days", "now"), PlainBar("A", 6.0, "6 days", "A")), "days"),
    "log with zero": BarsOf((PlainBar("a", 0.0, "0"), PlainBar("b", 5.0, "5")), "tokens", log=True),
    "all zero": BarsOf((PlainBar("a", 0.0, "0"),), "tokens", log=True),
    "none": BarsOf((), "days"),
    "hostile": BarsOf((PlainBar(HOSTILE, 1.0, HOSTILE),), "days"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_bars_are_drawn_and_described(name: str) -> None:
    chart = plain_chart(PLAIN[name])
    assert [(bar.said[0], bar.text) for bar in chart.bars] == [(bar.name, bar.text) for bar in PLAIN[name].bars]
    assert plain_description(PLAIN[name]).endswith(".")


TREES = {
    "ordinary": TreemapData("m", (("experts", 100, 25), ("attention", 20, 20), ("norms", 1, 1))),
    "one": TreemapData("m", (("all", 7, 7),)),
    "none": TreemapData("m", ()),
    "hostile": TreemapData(HOSTILE, ((HOSTILE, 3, 3),)),
}


@pytest.mark.parametrize("name", TREES)
def test_treemaps_are_valid_and_lose_nothing(name: str) -> None:
    figure = validated(treemap_figure(TREES[name]))
    assert sum(figure.data[0].values or ()) == sum(size for _, size, _ in TREES[name].parts)
    assert "<script>" not in figure.to_json()
    assert treemap_description(TREES[name])


def test_a_treemap_names_what_is_active() -> None:
    text = "".join(treemap_figure(TREES["ordinary"]).data[0].text)
    assert "active 25" in text and "active 20" not in text


def surface(**changes: Any) -> SurfaceData:
    grid = loss_surface(LAWS["besiroglu"], (1e8, 1e12), (1e9, 1e14), 8)
    best = np.array([[1e9, 2e10], [1e10, 2e11]])
    plain = SurfaceData(
        grid.params,
        grid.tokens,
        grid.loss,
        best,
        (1e22, 1e24),
        (("GPT-3", 1.75e11, 3e11),),
        (7e10, 1.4e12),
        (7e10, 1e12),
    )
    return dataclasses.replace(plain, **changes)


@pytest.mark.parametrize(
    "data",
    [surface(), surface(models=(), budgets=()), surface(models=((HOSTILE, 1e9, 1e10),)), surface(here=(1e5, 1e18))],
)
def test_surfaces_are_valid(data: SurfaceData) -> None:
    figure = validated(surface_figure(data))
    assert surface_figure(data).data[0].z.shape == data.loss.shape
    assert "<script>" not in figure.to_json()
    assert "nats" in surface_description(data)


def test_a_surface_is_laid_out_once() -> None:
    """Margins that follow their labels make plotly draw everything a second time."""
    layout = surface_figure(surface()).layout
    assert layout.margin.autoexpand is False and not layout.xaxis.automargin and not layout.yaxis.automargin
    assert min(layout.margin.l, layout.margin.b) >= 48 and layout.margin.r >= 80  # titles, and the colour bar


def test_lines_of_equal_compute_are_that() -> None:
    figure = surface_figure(surface())
    for trace, budget in zip(figure.data[1:3], (1e22, 1e24), strict=True):
        assert np.allclose(6 * 10 ** np.asarray(trace.x) * 10 ** np.asarray(trace.y), budget)


SPOTS = st.tuples(st.floats(8, 12), st.floats(9, 14)).map(lambda at: (10 ** at[0], 10 ** at[1]))


@given(here=SPOTS, optimum=SPOTS, pins=st.lists(SPOTS, max_size=4))
def test_no_name_covers_another_or_a_point(
    here: tuple[float, float], optimum: tuple[float, float], pins: list[tuple[float, float]]
) -> None:
    """At both widths for which names are placed, wherever the reader's own points stand."""
    models = tuple((model.name, model.params, model.tokens) for model in PUBLISHED_MODELS)
    own = tuple((letter, *spot) for letter, spot in zip("ABCD", pins, strict=False))
    data = surface(models=models, here=here, optimum=optimum, pins=own)
    points = named_points(data, [("N, D", *here), ("optimum", *optimum), *own])
    for width in NAMED_WIDTHS:
        places = place_names(points, width, PLOT_HEIGHT)
        names = [name_box(p, place, width, PLOT_HEIGHT) for p, place in zip(points, places, strict=True) if place]
        marks = {p: name_box(p, "", width, PLOT_HEIGHT) for p in points}
        assert not [pair for pair in combinations(names, 2) if overlap(*pair)]
        for point, place in zip(points, places, strict=True):
            if place:
                box = name_box(point, place, width, PLOT_HEIGHT)
                assert not [other for other in points if other is not point and overlap(box, marks[other])]
                assert box[0] >= 0 and box[2] <= width and box[1] >= 0 and box[3] <= PLOT_HEIGHT


def test_the_readers_points_are_named_at_any_width_and_most_models_where_there_is_room() -> None:
    models = tuple((model.name, model.params, model.tokens) for model in PUBLISHED_MODELS)
    wide, narrow = surface_figure(surface(models=models)).data[-2:]
    assert {"<b>N, D</b>", "<b>optimum</b>"} <= set(narrow.text) & set(wide.text)
    assert len(narrow.text) < len(wide.text) and len(wide.text) >= len(models) / 2


def test_a_point_outside_of_the_picture_has_no_name() -> None:
    assert place_names([NamedPoint("x", 1.2, 0.5, 8), NamedPoint("y", 0.5, 0.5, 8)], 200, 200)[0] is None
