"""The tables of Best-of-N: what matters stands first and inside the width, and no text is cut without a sign."""

from __future__ import annotations

import numpy as np
import pytest

from playground.charts.candidates_table import (
    ANSWER,
    LEAST_TEXT,
    NAMES,
    SELECT,
    answers_table,
    candidate_table,
    compare_table,
    places_table,
    winners_table,
)
from playground.charts.table import LINES, WIDTH, TableData, clipped
from playground.testtime.ranking import rank_all
from playground.testtime.registry import SCORERS
from playground.testtime.rules import MAJORITY, choose, column_rule
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import ScoredCandidates, ScorerSpec
from tests.testtime.making import candidate

EVERY_RULE = tuple(ScorerSpec(n) for n, kind in SCORERS.items() if kind.family == "log-probability") + (
    ScorerSpec("mentions"),
    ScorerSpec("length", "1-20w"),
    ScorerSpec("forbidden", "a very long phrase that nobody would say"),
)


def scored(specs: tuple[ScorerSpec, ...] = EVERY_RULE, *, answers: bool = True) -> ScoredCandidates:
    candidates = [
        candidate(place, f"{'word ' * 90}{place}", (-0.5 - place, -1.0), top=[(-0.5,)] * 2, means=(-3.0, -4.0))
        for place in range(12)
    ]
    columns = score_now(candidates, specs, ScoringContext(reference="word"))
    return ScoredCandidates(tuple(candidates), columns, ("word " * 30,) * 12 if answers else ())


def end_of(table: TableData, name: str) -> int:
    """Pixels from the left border of a table to the right border of a column."""
    names = [column.name for column in table.columns]
    return sum(column.width for column in table.columns[: names.index(name) + 1])


@pytest.mark.parametrize("count", [0, 1, 4, len(EVERY_RULE)])
@pytest.mark.parametrize("answers", [False, True])
def test_scores_answer_and_text_stand_inside_the_table(count: int, answers: bool) -> None:
    data = scored(EVERY_RULE[:count], answers=answers)
    table = candidate_table(data)
    text = next(column for column in table.columns if column.name == "text")
    assert text.width >= LEAST_TEXT and table.columns[0].pinned
    names = [column.name for column in table.columns]
    judged = any(row["valid"] for row in table.rows)
    left_out = {"beam score", *(() if answers else ("answer",)), *(() if judged else ("valid",))}
    assert len(names) == len(set(names)) and set(names) == set(table.rows[0]) - left_out
    scores = [NAMES.get(column.label, column.label) for column in data.columns]
    inside = [name for name in names if end_of(table, name) + SELECT <= WIDTH]
    assert inside[:2] == ["#", "text"] and ("answer" in inside) == answers and "ended" in inside
    assert ("valid" in inside) == judged == (count == len(EVERY_RULE))
    shown = [name for name in inside if name in scores]
    assert shown == scores[: len(shown)]
    assert len(shown) >= min(count, 3)
    assert [row["#"] for row in table.rows] == list(range(1, 13))


def test_every_other_table_ends_inside_the_width_with_its_text() -> None:
    data = scored()
    choices = [(column.label, choose(column_rule(column.label), data)) for column in data.columns]
    winners = winners_table(data, [*choices, ("Majority vote", choose(MAJORITY, data))])
    assert end_of(winners, "text") <= WIDTH
    assert [row["#"] for row in winners.rows[:-1]] == [
        None if choice.winner is None else choice.winner + 1 for _name, choice in choices
    ]
    places = places_table(data)
    assert sum(column.width for column in places.columns) <= WIDTH
    for row, ranking in zip(places.rows, rank_all(data), strict=True):
        assert [row[f"{place + 1}"] for place in range(10)] == [f"{index + 1}" for index in ranking.order[:10]]
    assert sum(column.width for column in compare_table(data, data).columns) <= WIDTH
    assert sum(column.width for column in answers_table(data, "whole").columns) <= WIDTH - 30  # inside a box


def test_the_best_and_the_mean_are_numpys() -> None:
    data = scored(EVERY_RULE[:2])
    row = compare_table(data, data).rows[1]
    values = [one.sum_logprob for one in data.candidates]
    assert row["best there"] == pytest.approx(np.max(values)) and row["mean here"] == pytest.approx(np.mean(values))


@pytest.mark.parametrize("width", [ANSWER, LEAST_TEXT, 330])
@pytest.mark.parametrize("text", ["", "short", "one two " * 60, "x" * 900, "巴黎是法国的首都" * 30, "a\nb\tc  d"])
def test_a_text_is_whole_or_says_that_it_goes_on(text: str, width: int) -> None:
    cell = clipped(text, width)
    plain = " ".join(text.replace("\n", " ↵ ").split())
    assert cell == plain or (cell.endswith("…") and plain.startswith(cell[:-1].rstrip()) and len(cell) > 5)
    assert clipped("x" * 900, width).count("x") <= LINES * width / 6
