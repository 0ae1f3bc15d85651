"""Strengths: published figures, fits by other libraries, and what holds of any votes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import choix
import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from playground.errors import BadInput
from playground.preferences.davidson import covariance, fit, has_maximum
from playground.preferences.strengths import components, fit_strengths, strengths_by_group
from playground.preferences.votes import MAX_ITEMS, Vote, count_pairs
from tests.preferences.simulated import shares, votes_of

PUBLISHED = {("A", "B"): (2, 3), ("A", "D"): (1, 4), ("B", "C"): (5, 3), ("C", "D"): (1, 3)}
WITH_TIES = {
    ("A", "B"): (7, 3, 4),
    ("A", "C"): (5, 6, 1),
    ("B", "C"): (2, 9, 3),
    ("C", "D"): (8, 4, 6),
    ("A", "D"): (9, 2, 0),
}


def strengths(counts: Mapping[tuple[str, str], tuple[int, ...]]) -> npt.NDArray[np.float64]:
    return np.array([item.strength for item in fit_strengths(votes_of(counts)).items])


def test_the_published_case() -> None:
    """Wins A-B 2:3, A-D 1:4, B-C 5:3, C-D 1:3; strengths with geometric mean 1."""
    np.testing.assert_allclose(np.exp(strengths(PUBLISHED)), np.array([0.6398, 1.0433, 0.6598, 2.2704]), atol=5e-5)


def test_without_ties_it_is_choix() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(size=8)
    counts = {
        (a, b): (1 + int(w), 1 + int(20 - w))
        for (i, a), (j, b) in itertools.combinations(enumerate("ABCDEFGH"), 2)
        for w in [rng.binomial(20, 1 / (1 + math.exp(true[j] - true[i])))]
    }
    places = {name: place for place, name in enumerate("ABCDEFGH")}
    data = [
        (places[a], places[b])
        for pair, (wins, losses) in counts.items()
        for (a, b), number in ((pair, wins), (pair[::-1], losses))
        for _ in range(number)
    ]
    reference = choix.ilsr_pairwise(8, data, max_iter=1000, tol=1e-12)
    np.testing.assert_allclose(strengths(counts), reference, atol=1e-7)


def test_with_ties_it_is_the_log_linear_model_of_the_counts() -> None:
    """Davidson's model is a Poisson regression of the three counts of each pair (Dittrich, Hatzinger and Katzenbeisser
    1998), which statsmodels fits; strengths, tie parameter and their covariance must agree."""
    names = "ABCD"
    rows, counted = [], []
    for place, ((a, b), counts) in enumerate(WITH_TIES.items()):
        for outcome, number in enumerate(counts):
            row = np.zeros(len(WITH_TIES) + 4)
            row[place] = 1  # each pair's own total
            sign = {0: 0.5, 1: -0.5, 2: 0.0}[outcome]
            for name, half in ((a, sign), (b, -sign)):
                if name != "A":  # A's log strength is the reference
                    row[len(WITH_TIES) + names.index(name) - 1] = half
            row[-1] = outcome == 2
            rows.append(row)
            counted.append(number)
    reference = sm.GLM(counted, np.array(rows), family=sm.families.Poisson()).fit(tol=1e-12)
    raw = np.concatenate([[0.0], reference.params[len(WITH_TIES) : -1]])
    centring = np.eye(4) - 0.25
    errors = np.zeros((4, 4))
    errors[1:, 1:] = reference.cov_params()[len(WITH_TIES) : -1, len(WITH_TIES) : -1]

    ours = fit_strengths(votes_of(WITH_TIES))
    np.testing.assert_allclose([item.strength for item in ours.items], raw - raw.mean(), atol=1e-7)
    assert math.isclose(math.log(ours.tie), reference.params[-1], abs_tol=1e-7)
    np.testing.assert_allclose(ours.covariance, centring @ errors @ centring, atol=1e-7)
    reach = 1.959964 * np.sqrt(np.diagonal(ours.covariance))
    np.testing.assert_allclose([item.high - item.strength for item in ours.items], reach, rtol=1e-6)
    assert ours.interval == "Wald" and ours.prior is None and ours.notes == ()


def test_differences_and_probabilities_follow_from_the_model() -> None:
    ours = fit_strengths(votes_of(WITH_TIES))
    by_name = {item.name: item.strength for item in ours.items}
    estimate, low, high = ours.difference("A", "D")
    assert math.isclose(estimate, by_name["A"] - by_name["D"]) and low < estimate < high
    win, tie, loss = ours.probabilities("A", "D")
    np.testing.assert_allclose([win, loss, tie], shares(estimate, ours.tie))
    with pytest.raises(BadInput, match="no votes on 'E'"):
        ours.difference("A", "E")


def test_both_bad_is_a_tie() -> None:
    tied = fit_strengths(votes_of({("A", "B"): (3, 2, 4)}))
    bad = fit_strengths([*votes_of({("A", "B"): (3, 2)}), *[Vote("A", "B", "both_bad")] * 4])
    assert tied.items == bad.items and tied.tie == bad.tie


@st.composite
def some_votes(draw: st.DrawFn) -> list[Vote]:
    pairs = st.tuples(*[st.sampled_from("ABCDE")] * 2).filter(lambda pair: pair[0] != pair[1])
    outcome = st.sampled_from(["left", "right", "tie", "both_bad"])
    return draw(
        st.lists(st.builds(lambda pair, said: Vote(pair[0], pair[1], said), pairs, outcome), min_size=1, max_size=25)
    )


@given(some_votes(), st.randoms(use_true_random=False))
def test_neither_sides_nor_order_matter_and_everything_is_finite(votes: list[Vote], random: object) -> None:
    mirrored = {"left": "right", "right": "left"}
    turned = [Vote(v.right, v.left, mirrored.get(v.outcome, v.outcome)) for v in reversed(votes)]  # type: ignore[arg-type]
    ours, theirs = fit_strengths(votes), fit_strengths(turned)
    estimates = np.array([(item.strength, item.low, item.high) for item in ours.items])
    assert np.isfinite(estimates).all() and abs(estimates[:, 0].sum()) < 1e-9 and math.isfinite(ours.tie)
    np.testing.assert_allclose(estimates, [(item.strength, item.low, item.high) for item in theirs.items], atol=1e-5)
    assert (ours.prior is None) == (not ours.notes)


def recedes(first: npt.NDArray[np.intp], second: npt.NDArray[np.intp], wins: npt.NDArray[np.float64], k: int) -> bool:
    """Whether some direction never makes an observed vote less likely: a linear programme, asked in every direction."""
    rows = []  # each must be >= 0 at (x_1 .. x_k, c)
    for a, b, (forth, back, tied) in zip(first, second, wins, strict=True):
        lead = np.zeros(k + 1)
        lead[a], lead[b] = 1, -1
        level = np.zeros(k + 1)
        level[k] = 2
        if forth:
            rows += [lead, lead - level]
        if back:
            rows += [-lead, -lead - level]
        if tied:
            rows += [level - lead, level + lead]
    constraints = -np.array(rows)
    bounds = [(0, 0), *[(-1, 1)] * k]  # the first strength is held; a direction has no size
    if not wins[:, 2].any():
        bounds[k] = (0, 0)  # without ties there is no tie parameter
    targets = [sign * row for row in [*np.eye(k + 1)] for sign in (1, -1)]
    solutions = [linprog(target, A_ub=constraints, b_ub=np.zeros(len(rows)), bounds=bounds) for target in targets]
    return any(result.fun < -1e-7 for result in solutions)


def test_a_maximum_exists_exactly_where_no_direction_recedes() -> None:
    rng = np.random.default_rng(0)
    answers = []
    for _ in range(60):
        k = int(rng.integers(2, 5))
        pairs = np.array([pair for pair in itertools.combinations(range(k), 2) if rng.random() < 0.8] or [(0, 1)])
        wins = rng.binomial(1, 0.45, size=(len(pairs), 3)).astype(float)
        wins[wins.sum(axis=1) == 0, 0] = 1
        ours = has_maximum(pairs[:, 0], pairs[:, 1], wins, k)
        assert ours is not recedes(pairs[:, 0], pairs[:, 1], wins, k), (k, pairs, wins)
        answers.append(ours)
    assert 10 < sum(answers) < 50


def test_what_the_votes_cannot_say_is_said() -> None:
    apart = fit_strengths(votes_of({("A", "B"): (2, 3), ("C", "D"): (1, 2)}))
    assert (
        apart.prior == 2.0 and "2 sets that were never compared" in apart.notes[0] and "A, B | C, D" in apart.notes[0]
    )
    assert components(count_pairs(votes_of({("A", "B"): (2, 3), ("C", "D"): (1, 2)}))) == (("A", "B"), ("C", "D"))
    unbeaten = fit_strengths(votes_of({("A", "B"): (3, 0), ("B", "C"): (2, 2)}))
    assert unbeaten.notes[0].startswith("A never lost: ") and unbeaten.items[0].strength > unbeaten.items[1].strength
    one_way = fit_strengths(votes_of({("A", "B"): (1, 1), ("C", "D"): (1, 1), ("A", "C"): (3, 0)}))
    assert one_way.notes[0].startswith("Votes between some of the items all went one way")
    ties = fit_strengths(votes_of({("A", "B"): (0, 0, 5)}))
    assert ties.notes[0].startswith("All votes are ties") and ties.items[0].strength == ties.items[1].strength == 0
    assert fit_strengths(votes_of({("A", "B"): (2, 3)}), items=["C"]).notes[0].count("sets") == 1


def test_the_prior_is_what_it_is_said_to_be() -> None:
    """One win: the peak of log p(d) - 2 (d/2)^2 / (2 * 2^2), found by looking."""
    ours = fit_strengths([Vote("A", "B", "left")])
    d = np.linspace(0, 6, 600_001)
    best = d[np.argmax(-np.log1p(np.exp(-d)) - (d / 2) ** 2 / 4)]
    assert math.isclose(ours.items[0].strength - ours.items[1].strength, best, abs_tol=2e-5)


def test_wald_intervals_cover() -> None:
    """1,000 sets of votes drawn from known strengths; 95% intervals of four strengths, within Monte Carlo error."""
    true, tie = np.array([-0.8, -0.1, 0.2, 0.7]), 0.6
    pairs = np.array(list(itertools.combinations(range(4), 2)))
    first, second = pairs[:, 0], pairs[:, 1]
    rng = np.random.default_rng(11)
    wins = rng.multinomial(60, shares(true[first] - true[second], tie), size=(1000, 6)).astype(float)
    precision = np.zeros(1000)
    fitted = fit(first, second, wins, 4, precision)
    errors = np.sqrt(np.diagonal(covariance(first, second, wins, precision, fitted), axis1=1, axis2=2))
    covered = np.abs(fitted.log_strengths - true) < 1.959964 * errors
    assert np.all(np.abs(covered.mean(axis=0) - 0.95) < 3.3 * math.sqrt(0.95 * 0.05 / 1000)), covered.mean(axis=0)


def test_over_voters_the_interval_knows_that_one_persons_votes_resemble_each_other() -> None:
    """Twelve voters of fixed opinions who vote ten times each have said no more than twelve votes."""
    votes = [Vote("A", "B", "left" if v < 8 else "right", voter=f"v{v}") for v in range(12) for _ in range(10)]
    naive, bootstrap = fit_strengths(votes), fit_strengths(votes, over_voters=True)
    assert naive.interval == "Wald" and bootstrap.interval == "percentile bootstrap over 12 voters"
    width = [fit.items[0].high - fit.items[0].low for fit in (naive, bootstrap)]
    assert width[1] > 2 * width[0] and naive.items[0].strength == bootstrap.items[0].strength
    assert bootstrap.items == fit_strengths(votes, over_voters=True).items  # a seed of its own
    few = [vote for vote in votes if vote.voter < "v2"]
    assert fit_strengths(few, over_voters=True).interval == "Wald"


def test_groups_stand_side_by_side_over_the_same_items() -> None:
    votes = [
        *[Vote("A", "B", "left", group="x")] * 3,
        Vote("A", "B", "right", group="x"),
        Vote("A", "C", "right", group="y"),
        Vote("A", "C", "left"),
    ]
    groups = strengths_by_group(votes)
    assert list(groups) == ["x", "y"] and all([i.name for i in fit.items] == ["A", "B", "C"] for fit in groups.values())
    assert groups["x"].votes == 4 and groups["x"].items[0].strength > groups["x"].items[1].strength


def test_bad_votes_are_refused() -> None:
    with pytest.raises(BadInput, match="no votes yet"):
        fit_strengths([])
    with pytest.raises(BadInput, match="with itself"):
        Vote("A", "A", "left")
    with pytest.raises(BadInput, match="outcome is one of"):
        Vote("A", "B", "A")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="empty"):
        Vote("", "B", "tie")
    with pytest.raises(BadInput, match="at most 500"):
        count_pairs([Vote(f"{n}", f"{n}'", "tie") for n in range(MAX_ITEMS)])
