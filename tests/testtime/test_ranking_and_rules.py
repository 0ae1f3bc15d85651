"""Rankings and rules: an order of the candidates must never decide, and what is computed agrees with SciPy and NumPy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from playground.errors import BadInput
from playground.testtime.ranking import compare_rankings, rank_all, rank_correlation, rank_values
from playground.testtime.rules import FIRST, MAJORITY, Rule, choose, column_rule, filtered, normalised, weighted_sum
from playground.testtime.types import ScoreColumn
from tests.testtime.making import column, scored

Value = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, -math.inf, math.nan]))
RULES = (
    column_rule("a"),
    FIRST,
    MAJORITY,
    Rule("vote by probability", "weighted vote", column="a"),
    Rule("vote by rank", "weighted vote", column="b", weight_kind="borda", power=2.0),
    Rule("sum", "weighted sum", weights=(("a", 1.0), ("b", -2.0))),
    Rule("sum of shares", "weighted sum", weights=(("a", 0.5), ("b", 0.5)), normalisation="min-max"),
    Rule("filter", "filter then rank", column="a", filters=("check",)),
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[ScoreColumn], list[str | None], list[int]]:
    count = draw(st.integers(1, 8))
    values = [draw(st.lists(Value, min_size=count, max_size=count)) for _ in range(2)]
    verdicts = draw(st.lists(st.sampled_from([True, False, None]), min_size=count, max_size=count))
    answers = draw(st.lists(st.sampled_from(["x", "y", "z", None]), min_size=count, max_size=count))
    columns = [column("a", values[0]), column("b", values[1]), column("check", [1.0] * count, verdicts)]
    return columns, answers, draw(st.permutations(range(count)))


@given(tables(), st.sampled_from(RULES))
def test_the_order_of_the_candidates_changes_no_winner(
    table: tuple[list[ScoreColumn], list[str | None], list[int]], rule: Rule
) -> None:
    """The only thing that may depend on a place is the declared tie-break, and that one goes by index, not by place."""
    columns, answers, order = table
    straight, permuted = choose(rule, scored(columns, answers)), choose(rule, scored(columns, answers, order))
    assert permuted.winner == straight.winner
    assert permuted.tied == straight.tied
    if straight.ranking is not None and permuted.ranking is not None:
        assert permuted.ranking == straight.ranking


@given(st.lists(Value, min_size=1, max_size=10), st.permutations(range(10)))
def test_a_new_numbering_moves_only_tied_candidates(values: list[float | None], numbering: list[int]) -> None:
    names = numbering[: len(values)]
    plain, renamed = rank_values("r", range(len(values)), values), rank_values("r", names, values)
    if plain.winner is None:
        assert renamed.winner is None
    else:
        winners = {names[place] for place in plain.tied or (plain.winner,)}
        assert renamed.winner in winners and set(renamed.tied or (renamed.winner,)) == winners


def test_ties_go_to_the_lower_index_and_are_told() -> None:
    ranking = rank_values("r", [3, 1, 2, 0], [5.0, 5.0, 9.0, None])
    assert (ranking.order, ranking.winner, ranking.tied, ranking.unranked) == ((2, 1, 3), 2, (), (0,))
    assert rank_values("r", [3, 1], [5.0, 5.0]).tied == (1, 3)
    assert rank_values("r", [0, 1], [None, math.nan]).winner is None


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=20))
def test_correlations_agree_with_scipy(pairs: list[tuple[int, int]]) -> None:
    left, right = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    kendall, spearman = rank_correlation(left, right)
    if len(set(left)) < 2 or len(set(right)) < 2:
        assert kendall is None and spearman is None
    else:
        assert kendall == pytest.approx(kendalltau(left, right).statistic)
        assert spearman == pytest.approx(spearmanr(left, right).statistic)


def test_disagreement_is_measured_where_both_have_a_value() -> None:
    table = scored([column("a", [1, 2, 3, None]), column("b", [3, 2, 1, 9]), column("c", [1, 1, 1, 1])])
    assert [ranking.winner for ranking in rank_all(table)] == [2, 3, 0]
    ab, ac, _bc = compare_rankings(table)
    assert (ab.kendall, ab.spearman, ab.count, ab.same_winner) == (-1.0, -1.0, 3, False)
    assert ac.kendall is None and ac.spearman is None


def test_z_and_min_max_are_those_of_numpy() -> None:
    values = [1.0, None, 4.0, 2.5, -math.inf]
    scores = np.array([1.0, 4.0, 2.5])
    z = (scores - scores.mean()) / scores.std()
    assert normalised(values, "z") == pytest.approx((z[0], None, z[1], z[2], None))
    assert normalised(values, "min-max") == pytest.approx((0.0, None, 1.0, 0.5, None))
    assert normalised([2.0, 2.0], "z") == (0.0, 0.0)
    assert normalised([None], "z") == (None,)


def test_a_weighted_sum_by_hand() -> None:
    table = scored([column("a", [0, 1, 2, 2]), column("b", [10, 0, 5, None]), column("flat", [7, 7, 7, 7])])
    total = weighted_sum(table, [("a", 1.0), ("b", 3.0), ("flat", 100.0)], "min-max")
    assert total == (3.0, 0.5, 2.5, None)
    assert weighted_sum(table, [("a", 1.0), ("b", 0.0)], "min-max") == (0.0, 0.5, 1.0, 1.0), (
        "a weight of 0 asks nothing"
    )
    assert (
        choose(Rule("sum", "weighted sum", weights=(("a", 1.0), ("b", 3.0)), normalisation="min-max"), table).winner
        == 0
    )


def test_filter_then_rank() -> None:
    table = scored(
        [column("a", [1, 2, 3]), column("ok", [1, 1, 0], [True, True, False]), column("no", [0] * 3, [False] * 3)]
    )
    rule = Rule("f", "filter then rank", column="a", filters=("ok",))
    assert choose(rule, table).winner == 1 and filtered(table, ("ok",), "a") == (1, 2, None)
    nobody = choose(replace(rule, filters=("ok", "no")), table)
    assert nobody.winner is None and "passes the filter" in nobody.note


@pytest.mark.parametrize(
    "rule",
    [
        column_rule("unknown"),
        MAJORITY,
        Rule("s", "weighted sum"),
        Rule("s", "weighted sum", weights=(("a", math.nan),)),
        Rule("f", "filter then rank", column="a"),
        Rule("f", "filter then rank", column="a", filters=("gone",)),
    ],
)
def test_a_rule_that_cannot_be_applied_says_why(rule: Rule) -> None:
    with pytest.raises(BadInput) as refused:
        choose(rule, scored([column("a", [1, 2])]))
    assert str(refused.value).endswith(".")


def test_a_candidate_is_valid_when_no_verifier_objects() -> None:
    table = scored(
        [column("a", [1, 1, 1]), column("b", [1] * 3, [True, True, None]), column("c", [1] * 3, [True, False, None])]
    )
    assert table.valid() == (True, False, None)
