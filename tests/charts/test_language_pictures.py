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
    assert np.allclose(marks.x, [each.text.longitude or 0.0 for each in chosen])
    assert not {each.type for each in figure.data} & {"scattergeo", "choropleth"}


def test_an_arc_is_differences_and_keeps_its_ends() -> None:
    line = decode([[0, 0], [1, 0], [1, 0], [100, 0], [1, 0]], (0.1, 0.1), (5.0, 6.0))
    assert line[-1] == (5.0 + 103 * 0.1, 6.0)
    assert thinned(line, 0.5) == [line[0], line[3], line[4]]
