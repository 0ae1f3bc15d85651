"""The map of premiums: marks over coasts that ship, without a server's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.charts.language_pictures import heat_figure, map_figure
from playground.corpus.build_land import decode, thinned
from playground.corpus.counting import LanguageCount
from playground.corpus.land import coasts
from playground.corpus.parallel import declaration


def test_coasts_are_where_they_are() -> None:
    land = coasts()
    points = land[~np.isnan(land[:, 0])]
    assert 2_000 < len(points) < 6_000 and np.isnan(land).any()
    assert np.abs(points[:, 0]).max() <= 180 and points[:, 1].min() > -90 and points[:, 1].max() < 90
    capes = {"Land's End": (-5.7, 50.1), "Cape Agulhas": (20.0, -34.8), "Kanyakumari": (77.5, 8.1)}
    for name, place in capes.items():
        assert np.hypot(*(points - place).T).min() < 1.5, name
    assert np.hypot(*(points - (-30.0, 40.0)).T).min() > 10  # the middle of the Atlantic


def test_no_coast_crosses_the_map_from_one_edge_to_the_other() -> None:
    assert (
        np.nanmax(np.abs(np.diff(coasts()[:, 0]))) < 20
    )  # a coast that leaves it at 180° was a line through all of Asia


def every_language() -> list[LanguageCount]:
    """Of the declaration, the first the cheapest under the tokenizer "x"."""
    sizes = {"bytes": 4, "characters": 3, "base_bytes": 2, "base_characters": 2}
    return [
        LanguageCount(each, **sizes, tokens={"x": 100 + number}, base_tokens={"x": 100})
        for number, each in enumerate(declaration().languages.values())
    ]


@pytest.mark.parametrize(("trace", "letter", "line"), [(2, 4, 11), (3, 6, 16)])
def test_names_on_the_map_stand_apart_and_the_chosen_and_the_dearest_have_theirs(
    trace: int, letter: int, line: int
) -> None:
    counts = every_language()
    figure = map_figure(counts, "x", "eng")
    marks, names = figure.data[1], figure.data[trace]
    texts = [text.removesuffix("<br> ") for text in names.text]
    named = [(name, float(x), float(y)) for name, x, y in zip(texts, names.x, names.y, strict=True) if name]
    assert [each[0] for each in named[-2:]] == [counts[-1].text.name, "English"] and 3 <= len(named) <= 9
    assert list(marks.marker.size[:-1]) == sorted(marks.marker.size[:-1]), "the dearest are drawn above the others"
    assert [width > 1 for width in marks.marker.line.width] == [False] * (len(counts) - 1) + [True]
    for number, (name, x, y) in enumerate(named):
        for other, east, north in named[:number]:
            assert abs(y - north) > line or abs(x - east) > letter / 2 * (len(name) + len(other))


def test_every_language_lies_on_the_map_and_has_its_name_whole_beside_the_heat() -> None:
    counts = every_language()
    figure = map_figure(counts, "x")
    for axis, places in ((figure.layout.xaxis, figure.data[1].x), (figure.layout.yaxis, figure.data[1].y)):
        assert axis.range[0] < min(places) and max(places) < axis.range[1]
    heat = heat_figure(counts, {"x": "X"}).layout
    assert list(heat.yaxis.ticktext) == [each.text.name for each in counts] and not heat.yaxis.automargin
    longest = max(len(each.text.name) for each in counts)
    assert heat.margin.l > 6 * longest
    (named,) = [replace(counts[0], text=replace(counts[0].text, name="n" * 60))]
    assert heat_figure([named], {"x": "X"}).layout.yaxis.ticktext == ("n" * 23 + "…",)


def test_a_map_is_marks_over_coasts_and_asks_no_server() -> None:
    text = declaration().languages
    sizes = {"bytes": 4, "characters": 3, "base_bytes": 2, "base_characters": 2}
    chosen = [
        LanguageCount(text[code], **sizes, tokens={"x": tokens}, base_tokens={"x": 100})
        for code, tokens in (("mya", 900), ("eng", 100))
    ]
    figure = map_figure(chosen, "x")
    lines, marks, *_names = figure.data
    assert lines.mode == "lines" and len(lines.x) == len(coasts())
    assert np.allclose(marks.x, [each.text.longitude or 0.0 for each in chosen[::-1]])
    assert not {each.type for each in figure.data} & {"scattergeo", "choropleth"}


def test_an_arc_is_differences_and_keeps_its_ends() -> None:
    line = decode([[0, 0], [1, 0], [1, 0], [100, 0], [1, 0]], (0.1, 0.1), (5.0, 6.0))
    assert line[-1] == (5.0 + 103 * 0.1, 6.0)
    assert thinned(line, 0.5) == [line[0], line[3], line[4]]
