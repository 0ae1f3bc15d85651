"""Curves from one run, against brute force over every subset."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.testtime.clusters import cluster_texts, pooled_distinct_n
from playground.testtime.curves import (
    all_curves,
    best_score_curve,
    coverage_curve,
    curve_points,
    expected_best,
    kl_bound,
    pass_at_k,
    rule_curve,
    winner_weights,
)
from playground.testtime.rules import FIRST, MAJORITY, Rule, choose, column_rule
from playground.testtime.types import ScoredCandidates
from tests.testtime.making import column, scored

Correct = st.lists(st.booleans(), min_size=1, max_size=7)


@given(Correct)
def test_pass_at_k_is_the_share_of_subsets_with_a_right_one(correct: list[bool]) -> None:
    n = len(correct)
    for k in range(1, n + 1):
        subsets = list(itertools.combinations(correct, k))
        assert pass_at_k(n, sum(correct), k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


@given(st.integers(1, 256), st.data())
def test_pass_at_k_is_the_closed_form_of_the_paper(n: int, data: st.DataObject) -> None:
    """Chen et al. print it as a product: 1 - Π (1 - k / i) for i from n - c + 1 to n."""
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    product = 1.0 if n - c < k else 1.0 - float(np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))
    assert pass_at_k(n, c, k) == pytest.approx(product, abs=1e-12)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, -1, 1), (4, 1, 0), (4, 1, 5)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(BadInput):
        pass_at_k(n, c, k)


def test_the_kl_bound() -> None:
    assert kl_bound(1) == 0.0
    assert kl_bound(4) == pytest.approx(math.log(4) - 0.75)
    with pytest.raises(BadInput):
        kl_bound(0)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=7))
def test_the_best_of_k_is_averaged_over_all_subsets(values: list[float]) -> None:
    ks = range(1, len(values) + 1)
    brute = [statistics.fmean(map(max, itertools.combinations(values, k))) for k in ks]
    assert expected_best(values, list(ks)) == pytest.approx(brute, abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 16, 256])
def test_the_chances_to_win_sum_to_one(n: int) -> None:
    assert winner_weights(n, curve_points(n)).sum(axis=0) == pytest.approx(1.0)
    assert curve_points(n)[0] == 1 and curve_points(n)[-1] == n


def by_hand(rule: Rule, table: ScoredCandidates, correct: Sequence[bool], k: int) -> float:
    """The rule itself on every subset; of tied winners the share that is right."""
    total = []
    for places in itertools.combinations(range(len(correct)), k):
        part = ScoredCandidates(
            tuple(table.candidates[place] for place in places),
            tuple(type(c)(c.spec, tuple(c.scores[place] for place in places)) for c in table.columns),
            tuple(table.answers[place] for place in places) if table.answers else (),
        )
        choice = choose(rule, part)
        if choice.winner is None:
            total.append(0.0)
        elif choice.vote is not None:
            leading = choice.vote.tied or (choice.vote.majority,)
            shares = [
                statistics.fmean(correct[places[member]] for member in tally.members)
                for tally in choice.vote.tallies
                if tally.answer in leading
            ]
            total.append(statistics.fmean(shares))
        else:
            assert choice.ranking is not None
            total.append(statistics.fmean(correct[index] for index in choice.ranking.tied or (choice.winner,)))
    return statistics.fmean(total)


@given(Correct, st.data())
def test_a_ranked_rule_is_averaged_over_all_subsets(correct: list[bool], data: st.DataObject) -> None:
    n = len(correct)
    values = data.draw(st.lists(st.one_of(st.none(), st.integers(0, 3).map(float)), min_size=n, max_size=n))
    verdicts = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    table = scored([column("a", values), column("ok", [1.0] * n, verdicts)])
    for rule in (column_rule("a"), Rule("f", "filter then rank", column="a", filters=("ok",))):
        curve = rule_curve(rule, table, correct)
        assert curve.exact
        assert curve.mean == pytest.approx([by_hand(rule, table, correct, k) for k in curve.ns])


@pytest.mark.parametrize(
    "rule",
    [
        MAJORITY,
        Rule("w", "weighted vote", column="a"),
        Rule("b", "weighted vote", column="a", weight_kind="borda", power=1.5),
    ],
    ids=lambda rule: rule.kind + rule.weight_kind,
)
def test_a_vote_comes_near_the_average_over_all_subsets(rule: Rule) -> None:
    answers = ["x", "x", "y", None, "y", "z", "x", "w"]
    correct = [a == "x" for a in answers]
    table = scored([column("a", [-1.0, -3.0, -0.5, -0.1, None, -2.0, -1.5, -1.5])], answers)
    curve = rule_curve(rule, table, correct)
    brute = [by_hand(rule, table, correct, k) for k in curve.ns]
    assert not curve.exact
    assert curve.mean == pytest.approx(brute, abs=0.06)
    assert curve.mean[0] == pytest.approx(brute[0]) and curve.mean[-1] == pytest.approx(brute[-1])


def test_blind_choice_is_as_good_with_many_as_with_one() -> None:
    correct = [True, False, False, True]
    curve = rule_curve(FIRST, scored([column("a", [4, 3, 2, 1])]), correct)
    assert curve.mean == pytest.approx([0.5] * len(curve.ns))


def test_a_perfect_rule_reaches_coverage_and_a_blind_one_leaves_the_gap() -> None:
    correct = [place % 4 == 0 for place in range(32)]
    table = scored([column("truth", [float(right) for right in correct]), column("flat", [1.0] * 32)])
    curves = all_curves([column_rule("truth"), column_rule("flat")], table, correct)
    assert curves.gap("truth") == pytest.approx([0.0] * len(curves.coverage.ns))
    assert curves.gap("flat") == pytest.approx([mean - 0.25 for mean in curves.coverage.mean])
    assert curves.tokens == pytest.approx([2.0 * k for k in curves.coverage.ns])
    assert list(curves.coverage.mean) == sorted(curves.coverage.mean)


def test_bands_hold_the_curve_and_are_the_same_for_a_seed() -> None:
    correct = [place % 3 == 0 for place in range(40)]
    answers = ["right" if right else f"wrong {place % 5}" for place, right in enumerate(correct)]
    table = scored([column("a", [math.sin(place) for place in range(40)])], answers)
    for rule in (column_rule("a"), MAJORITY):
        curve = rule_curve(rule, table, correct, seed=4)
        assert curve == rule_curve(rule, table, correct, seed=4)
        for low, mean, high in list(zip(curve.low, curve.mean, curve.high, strict=True))[: len(curve.ns) // 2]:
            assert 0 <= low <= mean + 1e-9 and mean - 1e-9 <= high <= 1
    # for one candidate the band is that of a mean of 40 coins: about ± 1.96 √(p (1 - p) / 40)
    half = 1.96 * math.sqrt(14 / 40 * 26 / 40 / 40)
    for curve in (coverage_curve(correct), rule_curve(MAJORITY, table, correct)):
        assert curve.high[0] - curve.low[0] == pytest.approx(2 * half, rel=0.3)


def test_a_best_score_never_falls_with_n() -> None:
    curve = best_score_curve("a", [math.sin(place) for place in range(20)])
    assert list(curve.mean) == sorted(curve.mean)
    assert all(low <= mean + 1e-9 for low, mean in zip(curve.low, curve.mean, strict=True))


def test_nothing_to_draw_is_said() -> None:
    with pytest.raises(BadInput):
        coverage_curve([])
    with pytest.raises(BadInput):
        expected_best([], [1])
    with pytest.raises(BadInput, match="answer pattern"):
        rule_curve(MAJORITY, scored([column("a", [1.0])]), [True])


# -- how varied they are -------------------------------------------------------------------------------------------------


def test_near_equal_texts_are_one_cluster() -> None:
    given = ["The capital is Paris.", "the  capital is paris.", "The capital is Paris!", "I do not know."]
    clusters = cluster_texts(given)
    assert [cluster.members for cluster in clusters] == [(0, 1, 2), (3,)]
    assert not clusters[0].exact and clusters[1].exact
    assert cluster_texts(given[:2])[0].exact
    assert cluster_texts([]) == () and [c.members for c in cluster_texts(["", "a", ""])] == [(0, 2), (1,)]


@given(st.lists(st.text(alphabet="ab ", max_size=8), min_size=1, max_size=7), st.randoms())
def test_clusters_do_not_depend_on_the_order(given: list[str], random: Random) -> None:
    order = list(range(len(given)))
    random.shuffle(order)
    straight = {frozenset(cluster.members) for cluster in cluster_texts(given)}
    moved = cluster_texts([given[place] for place in order])
    assert {frozenset(order[member] for member in cluster.members) for cluster in moved} == straight


def test_distinct_n_over_all_candidates() -> None:
    assert pooled_distinct_n([(1, 2, 3), (1, 2)], 2) == pytest.approx(2 / 3)
    assert pooled_distinct_n([(1,)], 2) is None
