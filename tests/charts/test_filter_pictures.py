"""Pictures of verdicts: valid figures that say in words what they show."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go

from playground.charts.filter_bars import (
    Dial,
    RemovedData,
    RemovedRow,
    RemovedSweep,
    removed_description,
    removed_payload,
    sweep_payload,
)
from playground.charts.filter_pictures import (
    AgainstModelData,
    AgreementData,
    CurvesData,
    RatesData,
    against_model_figure,
    agreement_description,
    agreement_figure,
    curves_description,
    curves_figure,
    rates_description,
    rates_figure,
)


def valid(figure: go.Figure) -> go.Figure:
    """The same through plotly's own checks."""
    return go.Figure(figure.to_dict())


def test_what_rules_remove_as_data() -> None:
    rows = RemovedRow("Sentences", 5, 2), RemovedRow("Words", 9, 0), RemovedRow("None", 0, 0)
    data = RemovedData(rows, 30, 40, 300, 500, dials={"dial_x": Dial(0.5, 7)})
    payload = json.loads(json.dumps(removed_payload(data)))
    assert payload["rows"] == [["Sentences", 5, 2], ["Words", 9, 0], ["None", 0, 0]]
    assert (payload["tokens"], payload["allTokens"], payload["exact"]) == (300, 500, True)
    assert payload["dials"] == {"dial_x": {"value": 0.5, "others": 7}}
    assert [text for _, text in payload["x"]["ticks"]] == ["0", "10", "20", "30", "40", "50"]
    assert removed_description(data).startswith("30 of 40 documents are kept; Sentences removes 5, 2 of them alone")
    sweep = RemovedSweep(0, 0.0, 0.5, 7, (31, 30), (4, 5), {0: (1, 2)}, (310, 300))
    payload = json.loads(json.dumps(sweep_payload(sweep)))
    assert payload["only"] == {"0": [1, 2]} and payload["tokens"] == [310, 300] and payload["others"] == 7
    assert removed_payload(RemovedData((), 0, 0))["room"] > 0


def test_agreement() -> None:
    data = AgreementData(("a", "<b>"), np.array([[1, 0.25], [0.25, 1]]), ("x", "y"))
    layout = valid(agreement_figure(data)).layout
    assert (
        layout.xaxis.ticktext == ("a", "&lt;b&gt;")
        and valid(agreement_figure(data)).data[0].colorbar.orientation == "h"
    )
    long = AgreementData(("n" * 27, "b"), np.eye(2), ("x", "y"))
    assert agreement_figure(long).layout.margin.l > 5.5 * 27, "no name is cut at the left"
    assert (
        agreement_description(data) == "Of the documents that either of two rules removes, both remove: a and <b> 25%."
    )
    assert agreement_description(AgreementData((), np.zeros((0, 0)), ())) == "No two filters remove the same document."


def test_against_the_model_and_rates() -> None:
    figure = against_model_figure(AgainstModelData(("x", "y"), np.array([0.7, 2.0]), np.array([0, 3])))
    assert [list(trace.x) for trace in figure.data] == [[np.float32(0.7)], [2.0]] and valid(figure)
    rates = RatesData(("a",), np.array([0.5]), np.array([0.2]), np.array([0.8]), ("1 of 2",))
    marks, said = valid(rates_figure(rates)).data
    assert marks.text is None and said.text == ("1 of 2",) and rates_figure(rates).data[1].x[0] < 0, (
        "from the left: there is room on a phone"
    )
    assert valid(rates_figure(rates)).layout.yaxis.zeroline is False
    assert rates_description(rates) == "a: 50% removed (20% to 80%)."


def test_curves() -> None:
    read = np.array([0.0, 1000.0])
    data = CurvesData((("clean", read, np.array([[8.0, 3.0], [8.0, 4.0]])), ("noisy", read, np.array([[8.0, 5.0]]))))
    assert len(valid(curves_figure(data)).data) == 4
    assert curves_description(data) == (
        "clean: 3.500 bits a byte after 1 thousand bytes; noisy: 5.000 bits a byte after 1 thousand bytes."
    )
