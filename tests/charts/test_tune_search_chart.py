"""The picture of a search: what it draws validates, the best so far counts what met its bars alone."""

from __future__ import annotations

import plotly.graph_objects as go

from playground.charts.tune_search import SearchData, TrialPoint, search_description, search_figure, trials_table

POINTS = (
    TrialPoint(0.2, True, "temperature 1.0"),
    TrialPoint(0.9, False, "<b>hot</b>"),
    TrialPoint(None, True, ""),
    TrialPoint(0.5, True, "temperature 0.4"),
    TrialPoint(0.3, True, "temperature 0.5"),
)


def test_the_best_so_far_met_every_bar() -> None:
    data = SearchData("checks", 1, POINTS, 8)
    assert data.best == (0.2, 0.2, 0.2, 0.5, 0.5)
    assert SearchData("checks", -1, POINTS, 8).best == (0.2, 0.2, 0.2, 0.2, 0.2)
    assert SearchData("checks", 1, POINTS[1:3], 8).best == (None, None)
    assert search_description(data) == "5 of 8 trials: the best so far has checks 0.5, the present setting 0.2."
    assert "none met every bar so far" in search_description(SearchData("checks", 1, POINTS[1:2], 8))


def test_the_figure_validates_and_escapes() -> None:
    drawn = go.Figure(search_figure(SearchData("<i>goal</i>", 1, POINTS, 8)).to_dict()).to_dict()
    met, missed = drawn["data"][1:]
    assert list(met["y"]) == [0.2, 0.5, 0.3] and list(missed["x"]) == [2]
    assert missed["text"] == ("&lt;b&gt;hot&lt;/b&gt;",) or missed["text"] == ["&lt;b&gt;hot&lt;/b&gt;"]
    assert "<i>" not in str(drawn["layout"]["yaxis"]["title"]["text"])


def test_the_table_has_the_best_first() -> None:
    table = trials_table(SearchData("checks", 1, POINTS, 8), ["top_p"], [[0.1], [0.2], [0.3], [0.4], [0.5]])
    assert [row["#"] for row in table.rows] == [4, 5, 1, 3, 2] and table.rows[0]["p top_p"] == 0.4
