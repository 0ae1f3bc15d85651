"""Position bias: held against statsmodels' interval and the binomial sum written out."""

from __future__ import annotations

from math import comb

import pytest
from statsmodels.stats.proportion import proportion_confint

from playground.preferences.judges import measure_position_bias
from playground.preferences.votes import Outcome, Vote


def votes(voter: str, **counts: int) -> list[Vote]:
    outcomes: dict[str, Outcome] = {"left": "left", "right": "right", "tie": "tie", "bad": "both_bad"}
    return [Vote("A", "B", outcomes[said], voter) for said, count in counts.items() for _ in range(count)]


def test_share_interval_and_probability() -> None:
    (bias,) = measure_position_bias(votes("x", left=14, right=4, tie=2, bad=1))
    assert (bias.left, bias.right, bias.undecided) == (14, 4, 3) and bias.share == pytest.approx(14 / 18)
    assert (bias.low, bias.high) == pytest.approx(proportion_confint(14, 18, method="beta"))
    assert bias.p == pytest.approx(2 * sum(comb(18, n) for n in range(5)) / 2**18)
    assert not bias.biased and bias.note is None


def test_a_voter_who_always_presses_one_key_is_named_and_the_others_are_not() -> None:
    biases = measure_position_bias(
        [*votes("one", left=12), *votes("fair", left=6, right=6), *votes("", right=15, left=1)]
    )
    assert [(bias.voter, bias.biased) for bias in biases] == [("", True), ("fair", False), ("one", True)]
    assert biases[2].note is not None and biases[2].note.startswith("one preferred the left side always;")
    assert biases[0].note is not None and biases[0].note.startswith(
        "The voter preferred the right side in 15 of 16 votes;"
    )


def test_few_votes_and_none_prove_nothing() -> None:
    (few,) = measure_position_bias(votes("x", left=5))
    assert few.share == 1 and not few.biased
    (undecided,) = measure_position_bias(votes("x", tie=3))
    assert undecided.share is None and undecided.p is None and not undecided.biased
    assert measure_position_bias([]) == ()
