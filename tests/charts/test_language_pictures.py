"""The map of premiums: marks over coasts that ship, without a server's."""

from __future__ import annotations

import numpy as np

from playground.charts.language_pictures import map_figure
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


def test_names_on_the_map_stand_apart_and_the_dearest_has_its_own() -> None:
    text = declaration().languages
    sizes = {"bytes": 4, "characters": 3, "base_bytes": 2, "base_characters": 2}
    counts = [
        LanguageCount(each, **sizes, tokens={"x": 100 + number}, base_tokens={"x": 100})
        for number, each in enumerate(text.values())
    ]
    marks = map_figure(counts, "x").data[1]
    named = [(name, float(x), float(y)) for name, x, y in zip(marks.text, marks.x, marks.y, strict=True) if name]
    assert named[-1][0] == counts[-1].text.name and 4 <= len(named) <= 9
    assert list(marks.marker.size) == sorted(marks.marker.size)  # the dearest are drawn last, above the others
    for number, (name, x, y) in enumerate(named):
        for other, east, north in named[:number]:
            assert abs(y - north) > 13 or abs(x - east) > 2 * (len(name) + len(other))


def test_a_map_is_marks_over_coasts_and_asks_no_server() -> None:
    text = declaration().languages
    sizes = {"bytes": 4, "characters": 3, "base_bytes": 2, "base_characters": 2}
    chosen = [
        LanguageCount(text[code], **sizes, tokens={"x": tokens}, base_tokens={"x": 100})
        for code, tokens in (("mya", 900), ("eng", 100))
    ]
    figure = map_figure(chosen, "x")
    lines, marks = figure.data
    assert lines.mode == "lines" and len(lines.x) == len(coasts())
    assert np.allclose(marks.x, [each.text.longitude or 0.0 for each in chosen[::-1]])
    assert not {each.type for each in figure.data} & {"scattergeo", "choropleth"}


def test_an_arc_is_differences_and_keeps_its_ends() -> None:
    line = decode([[0, 0], [1, 0], [1, 0], [100, 0], [1, 0]], (0.1, 0.1), (5.0, 6.0))
    assert line[-1] == (5.0 + 103 * 0.1, 6.0)
    assert thinned(line, 0.5) == [line[0], line[3], line[4]]
