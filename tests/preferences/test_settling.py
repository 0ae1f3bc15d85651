"""When a pair is settled: published numbers of votes, the mixture integrated numerically, and peeking in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad

from playground.errors import BadInput
from playground.preferences.settling import (
    any_time_reach,
    confidence_sequence,
    judge_pairs,
    log_evidence,
    verdict_of,
    votes_needed,
    votes_to_settle,
    votes_until_settled,
)
from playground.preferences.votes import Vote
from tests.preferences.simulated import votes_of


@pytest.mark.parametrize(("share", "votes"), [(0.60, 194), (0.65, 85), (0.70, 47), (0.75, 29), (0.80, 20), (0.4, 194)])
def test_votes_needed_is_the_published_table(share: float, votes: int) -> None:
    assert votes_needed(share) == votes


def test_equals_need_no_number_of_votes() -> None:
    with pytest.raises(BadInput, match="other than 0.5"):
        votes_needed(0.5)


def test_the_evidence_is_the_likelihood_averaged_over_all_shares() -> None:
    for wins, losses, share in ((7, 3, 0.5), (0, 6, 0.3), (12, 12, 0.61)):

        def likelihood(p: float, wins: int = wins, losses: int = losses) -> float:
            return float(p**wins * (1 - p) ** losses)

        averaged = quad(likelihood, 0, 1)[0] / likelihood(share)
        assert math.isclose(math.exp(log_evidence(wins, losses, share)), averaged, rel_tol=1e-7)


def test_the_sequence_ends_where_a_share_is_refuted() -> None:
    low, high = confidence_sequence(14, 5)
    assert 0 < low < 14 / 19 < high < 1
    np.testing.assert_allclose(log_evidence(14, 5, low), math.log(20))
    np.testing.assert_allclose(log_evidence(14, 5, high), math.log(20))
    assert (
        confidence_sequence(0, 0) == (0, 1) and confidence_sequence(9, 0)[1] == 1 and confidence_sequence(0, 9)[0] == 0
    )
    assert confidence_sequence(5, 14) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize("share", [0.5, 0.62])
def test_looking_after_every_vote_is_wrong_at_most_as_often_as_stated(share: float) -> None:
    """1,000 runs of 600 votes, looked at after each: the true share is ever refuted in at most 5%. A fixed-number test
    looked at as often would refute it many times as often, which is why there is a sequence."""
    tosses = np.random.default_rng(1).random((1000, 600)) < share
    wins = tosses.cumsum(axis=1)
    n = np.arange(1, 601)
    refuted = (log_evidence(wins, n - wins, share) >= math.log(20)).any(axis=1).mean()
    assert refuted <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1000)
    naive = (np.abs(wins - n * share) > 1.96 * np.sqrt(n * share * (1 - share)))[:, 9:].any(axis=1).mean()
    assert naive > 4 * refuted


def test_a_real_preference_is_found() -> None:
    """At a true share of .7 nearly every run of 200 votes is settled, and the right way."""
    wins = (np.random.default_rng(2).random((300, 200)) < 0.7).sum(axis=1)
    verdicts = [verdict_of(int(w), 200 - int(w)) for w in wins]
    assert verdicts.count("first") > 290 and "second" not in verdicts


def test_so_many_votes_settle_a_pair_as_often_as_promised() -> None:
    """1,000 runs at a true share of .7, looked at after every vote, up to the promised number."""
    n = votes_until_settled(0.7)
    assert n == votes_until_settled(0.3) > votes_needed(0.7)  # looking at any time costs votes
    wins = (np.random.default_rng(3).random((1000, n)) < 0.7).cumsum(axis=1)
    counts = np.arange(1, n + 1)
    settled = ((log_evidence(wins, counts - wins) >= math.log(20)) & (wins > counts / 2)).any(axis=1).mean()
    assert settled >= 0.8 - 3 * math.sqrt(0.8 * 0.2 / 1000)
    last = (log_evidence(wins[:, -1], n - wins[:, -1]) >= math.log(20)).mean()
    assert abs(last - 0.8) < 0.03 + 3 * math.sqrt(0.8 * 0.2 / 1000)  # a number of votes is whole
    with pytest.raises(BadInput, match="other than 0.5"):
        votes_until_settled(0.5)


def test_the_reach_at_any_time_is_where_the_normal_mixture_refutes() -> None:
    """Of an estimate at distance r, the likelihood averaged over a mean of variance 1 is 1/alpha times that of the truth."""
    for variance, alpha in ((0.04, 0.05), (2.5, 0.01)):
        reach = float(any_time_reach(np.array(variance), alpha=alpha))

        def likelihood(mean: float, reach: float = reach, variance: float = variance) -> float:
            return math.exp(-((reach - mean) ** 2) / (2 * variance) - mean**2 / 2) / math.sqrt(2 * math.pi)

        averaged = quad(likelihood, -12, 12)[0] / math.exp(-(reach**2) / (2 * variance))
        assert math.isclose(averaged, 1 / alpha, rel_tol=1e-6)
    assert any_time_reach(np.array([0.0]))[0] == 0


def test_a_verdict_is_read_off_the_confidence_sequence() -> None:
    assert verdict_of(300, 300) == "level" and verdict_of(10, 10) == verdict_of(0, 0) == "open"
    assert verdict_of(300, 300, margin=0.02) == "open"
    for wins in range(0, 80, 3):
        for losses in range(0, 80, 7):
            low, high = confidence_sequence(wins, losses)
            wanted = (
                "first" if low > 0.5 else "second" if high < 0.5 else "level" if low > 0.3 and high < 0.7 else "open"
            )
            assert verdict_of(wins, losses, margin=0.2) == wanted, (wins, losses, low, high)


@pytest.mark.parametrize(("wins", "losses"), [(3, 1), (6, 4), (0, 0), (5, 0), (20, 30)])
def test_votes_to_settle_counts_from_here(wins: int, losses: int) -> None:
    more = votes_to_settle(wins, losses)
    share = wins / (wins + losses) if wins + losses else 0.5
    settled = [verdict_of(wins + share * n, losses + (1 - share) * n) != "open" for n in range(500)]
    assert more == settled.index(True) > 0 and all(settled[more:])


def test_settled_pairs_need_no_more_and_hopeless_ones_say_so() -> None:
    assert votes_to_settle(30, 2) == 0
    assert votes_to_settle(500_000, 499_000, margin=1e-6) is None


def test_pairs_share_the_error_between_them() -> None:
    votes = votes_of({("A", "B"): (16, 3, 5), ("B", "C"): (4, 4), ("D", "E"): (40, 2)})
    verdicts = {(v.first, v.second): v for v in judge_pairs(votes)}
    assert list(verdicts) == [("A", "B"), ("B", "C"), ("D", "E")]
    alone = judge_pairs([vote for vote in votes if vote.pair == ("A", "B")])[0]
    assert (alone.wins, alone.losses, alone.ties) == (16, 3, 5) and alone.share == 16 / 19
    assert alone.verdict == "first"
    assert verdicts["A", "B"].verdict == "open" and verdicts["A", "B"].low < alone.low  # one of ten pairs
    assert (
        verdicts["D", "E"].verdict == "first" and verdicts["D", "E"].more == 0 and (verdicts["B", "C"].more or 0) > 50
    )
    turned = judge_pairs([Vote(vote.right, vote.left, "right") for vote in votes_of({("A", "B"): (9,)})])
    assert (turned[0].wins, turned[0].losses) == (9, 0)
    (tied,) = judge_pairs(votes_of({("A", "B"): (0, 0, 3)}))
    assert tied.share is None and tied.verdict == "open" and (tied.low, tied.high) == (0, 1)
