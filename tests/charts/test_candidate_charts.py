"""Every figure of the Best-of-N page: valid in full, true to its data, said in words, harmless with hostile labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from playground.charts.candidates_agreement import AgreementData, agreement_description, agreement_figure
from playground.charts.candidates_shares import SharesData, shares_description, shares_figure
from playground.charts.candidates_votes import VotesData, votes_description, votes_figure
from playground.charts.curves_bands import LEAST_SHARE, STRONG, BandCurve, BandsData, bands_description, bands_figure
from playground.charts.palette import FINAL, RAW, contrast, ink_on

HOSTILE = "<img src=x onerror=alert(1)>"


def validated(figure: go.Figure) -> go.Figure:
    """The same figure, after plotly's whole validation, which the page leaves out."""
    go.Figure(figure.to_plotly_json())
    return figure


def votes(**changes: Any) -> VotesData:
    fields: dict[str, Any] = {
        "answers": ("paris", HOSTILE, "a" * 90),
        "shares": np.array([0.5, 0.3, 0.2], dtype=np.float32),
        "counts": (5, 3, 2),
        "leading": 1,
        "reference": "paris",
    }
    return VotesData(**(fields | changes))


def test_votes_mark_the_winner_by_more_than_colour() -> None:
    figure = validated(votes_figure(votes()))
    assert list(figure.data[0].marker.color) == [FINAL, RAW, RAW]
    labels = figure.layout.yaxis.ticktext
    assert labels[0] == "▶ paris ✓" and "<img" not in labels[1] and len(labels[2]) < 60
    assert list(figure.data[0].x) == pytest.approx([0.5, 0.3, 0.2])
    tied = votes(leading=2)
    assert [label.startswith("▶") for label in votes_figure(tied).layout.yaxis.ticktext] == [True, True, False]
    assert "paris 50.0% by 5" in votes_description(votes()) and "2 are tied" in votes_description(tied)


def test_agreement_says_every_pair_and_leaves_undefined_ones_open() -> None:
    tau = np.array([[1, -0.5, np.nan], [-0.5, 1, 0.25], [np.nan, 0.25, 1]], dtype=np.float32)
    same = np.eye(3, dtype=bool)
    same[0, 1] = same[1, 0] = True
    data = AgreementData(("avg-logprob", HOSTILE, "x" * 60), tau, same)
    figure = validated(agreement_figure(data))
    texts = [note.text for note in figure.layout.annotations]
    assert len(texts) == 9 and texts[1] == "-0.50 ●" and texts[2] == "–" and texts[5] == "0.25"
    empty = [note.font.color for note in figure.layout.annotations if note.text.startswith("–")]
    assert empty == [None, None], "the theme's colour: grey was 3.9:1 on the light page"
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1, 1), "zero stays in the middle"
    assert all("<img" not in name for name in figure.layout.xaxis.ticktext)
    said = agreement_description(data)
    assert "tau -0.50, the same winner" in said and "tau undefined" in said


def test_agreement_is_legible_in_every_cell() -> None:
    from playground.charts.candidates_agreement import DIVERGING

    assert all(contrast(colour, ink_on(colour)) >= 4.5 for colour in DIVERGING)


def curve(name: str, count: int = 4, kind: str = "", bands: bool = True) -> BandCurve:
    x = np.array([1.0, 2.0, 4.0, 8.0][:count])
    y = x / 10
    return BandCurve(name, x, y, y - 0.05 if bands else None, y + 0.05 if bands else None, kind)


def test_bands_lie_around_their_line_and_carry_its_colour() -> None:
    data = BandsData(
        "N", "share", (curve("coverage", kind=STRONG), curve(HOSTILE), curve("plain", bands=False)), percent=True
    )
    figure = validated(bands_figure(data))
    bands, lines = figure.data[::2][:2], [figure.data[1], figure.data[3], figure.data[4]]
    assert [band.fill for band in bands] == ["toself", "toself"] and lines[0].line.color == FINAL
    assert list(bands[0].y[:4]) == pytest.approx(data.curves[0].high) and list(lines[0].y) == pytest.approx(
        [0.1, 0.2, 0.4, 0.8]
    )
    assert len({line.line.dash for line in lines}) == 3, "told apart without colour"
    assert "<img" not in lines[1].name and figure.layout.xaxis.type == "log"
    assert "coverage: 10.0% at 1, 80.0% at 8" in bands_description(data)


def test_one_point_is_a_mark_and_a_rule_keeps_its_look_in_two_pictures() -> None:
    one = validated(bands_figure(BandsData("N", "y", (curve("single", 1),), log_x=False, marks=(("here", 1.0),))))
    assert one.data[0].mode == "markers" and len(one.layout.shapes) == 1
    first = bands_figure(BandsData("N", "y", (curve("a", bands=False), curve("b", bands=False))))
    again = bands_figure(BandsData("N", "y", (BandCurve("b", *(np.array([1.0]),) * 2, style=1),)))
    assert first.data[1].line.color == again.data[0].line.color


def test_shares_show_their_intervals_and_the_reference() -> None:
    middle, low, high = (np.array(row, dtype=np.float32) for row in ([0.5, 0.2], [0.3, 0.1], [0.7, 0.4]))
    data = SharesData(("majority", HOSTILE), middle, low, high, reference=0.2)
    figure = validated(shares_figure(data))
    assert list(figure.data[0].error_x.array) == pytest.approx([0.2, 0.2], abs=1e-6)
    assert list(figure.data[0].error_x.arrayminus) == pytest.approx([0.2, 0.1], abs=1e-6)
    assert figure.layout.shapes[0].x0 == 0.2 and "<img" not in figure.layout.yaxis.ticktext[1]
    assert "majority 50.0% (30.0% to 70.0%)" in shares_description(data)


def test_a_gap_of_a_rounding_error_is_no_mountain() -> None:
    """With every candidate right there is no gap; what is left of the subtraction must not fill the axis."""
    x, noise = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.1e-16, -2e-16])

    def axis(*gaps: np.ndarray) -> go.layout.YAxis:
        curves = tuple(BandCurve(f"{place}", x, gap) for place, gap in enumerate(gaps))
        return bands_figure(BandsData("N", "gap", curves, percent=True, whole=False)).layout.yaxis

    low, high = axis(noise, np.zeros(3)).range
    assert low < 0 and high == LEAST_SHARE
    assert axis(noise, np.array([0.0, 0.2, 0.3])).rangemode == "tozero"
