"""Pictures of what settings are measured to be: valid figures, the control and what holds told apart, hostile names as text."""

from __future__ import annotations

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from playground.charts.tune_differences import DifferencesData, differences_description, differences_figure
from playground.charts.tune_front import front_description, front_figure, front_of
from playground.charts.tune_grid import GridData, grid_description, grid_figure
from playground.charts.tune_results import results_table, slices_table
from playground.tuning.decision import Findings, decide
from playground.tuning.measures import MEASURES
from playground.tuning.statistics import mean_intervals

HOSTILE = "<b onclick=x>a</b>"
ARMS = ("today", HOSTILE, "worse", "control")
CHECKS, LOOPS = MEASURES["checks"], MEASURES["repetition"]


def findings(*, empty: bool = False) -> Findings:
    rng = np.random.default_rng(0)
    base = rng.random((30, 1))
    checks = np.hstack([base, base + 0.3, base - 0.3, base]) + 0.01 * rng.normal(size=(30, 4))
    loops = np.hstack([base, base + 0.2, base + 0.1, base]) + 0.01 * rng.normal(size=(30, 4))
    if empty:
        checks, loops = np.full((1, 4), np.nan), np.full((1, 4), 0.5)
    return decide(ARMS, {"checks": checks, "repetition": loops}, [CHECKS, LOOPS])


def differences(empty: bool = False) -> DifferencesData:
    pairs = [each for each in findings(empty=empty).comparisons if each.measure == "checks"]
    return DifferencesData("checks", "share", 1, "today", ARMS[1:], tuple(each.difference for each in pairs))


def grid(empty: bool = False) -> GridData:
    means = np.array([[0.1, np.nan], [0.5, 0.5]]) if not empty else np.array([[0.2]])
    xs, ys = ((0.5, 1.0), (0.8, 0.9)) if not empty else ((0.5,), (0.8,))
    return GridData(HOSTILE, "Temperature", "Top-p", xs, ys, means, (1.0, 0.9) if not empty else (np.nan, np.nan))


@pytest.mark.parametrize("empty", [False, True])
def test_the_figures_are_valid_described_and_free_of_markup(empty: bool) -> None:
    front = front_of(CHECKS, LOOPS, findings(empty=empty), ARMS)
    for figure, said in (
        (differences_figure(differences(empty)), differences_description(differences(empty))),
        (grid_figure(grid(empty)), grid_description(grid(empty))),
        (front_figure(front), front_description(front)),
    ):
        go.Figure(figure.to_dict(), skip_invalid=False)
        assert "NaN" not in pio.to_json(figure, validate=True).replace('"NaN', "")
        text = json.dumps(figure.to_dict(), default=lambda array: array.tolist())
        assert "<" not in text.replace("<extra></extra>", "") and said.endswith(".")


def test_what_holds_is_filled_and_the_control_is_a_square() -> None:
    (trace,) = differences_figure(differences()).data
    assert tuple(trace.marker.symbol) == ("circle", "circle", "square-open")
    assert trace.marker.color[0] == trace.marker.color[1] != trace.marker.color[2]
    assert "control" in differences_description(differences()) and "p = " in differences_description(differences())


def test_the_front_holds_whom_nobody_beats_in_both_and_never_the_control() -> None:
    front = front_of(CHECKS, LOOPS, findings(), ARMS)
    # more checks and less repetition: the second has the most checks, the first repeats least; the third is beaten twice
    assert [front.arms[place] for place in front.front] == ["today", HOSTILE]
    same = front_of(CHECKS, CHECKS, findings(), ARMS)
    assert [same.arms[place] for place in same.front] == [HOSTILE]


def test_tables_have_a_row_a_setting_with_its_interval_and_what_a_measure_does_not_see() -> None:
    table = results_table(findings(), [CHECKS, LOOPS], ARMS)
    assert [row["setting"] for row in table.rows] == ["today", HOSTILE, "worse", "control: today again"]
    assert " to " in table.rows[1]["checks"] and CHECKS.blind_spot in table.columns[1].help
    assert results_table(findings(empty=True), [CHECKS], ARMS).rows[0]["checks"] == "no value"
    values = np.full((2, 4), 1.0)
    parts = slices_table(CHECKS, ARMS, {"shop": (2, mean_intervals(values))})
    assert parts.columns[1].label == "shop (2)" and parts.rows[0]["shop"].startswith("1.00 (")
