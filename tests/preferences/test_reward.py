"""The reward head against a hand computation and scikit-learn; what it is told of held-out votes; what it likes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from playground.errors import BadInput
from playground.preferences.ballots import Answer, Ballot, Verdict
from playground.preferences.liking import likings, longer_wins
from playground.preferences.reward import (
    DecidedVotes,
    calibrate,
    decided_votes,
    feature_scale,
    fit_head,
    held_out_margins,
    learning_curve,
    margins_of,
    reward_loss,
)
from playground.preferences.synthetic import VOTERS, SyntheticVoter, rewards_of, synthetic_verdicts

PROMPTS, EACH, WIDTH = 12, 5, 40


def ballot_of(rng: np.random.Generator) -> Ballot:
    return Ballot(
        tuple(
            Answer(f"p{p}", " ".join(["word"] * int(rng.integers(3, 60))) + f" {p} {n}")
            for p in range(PROMPTS)
            for n in range(EACH)
        )
    )


def drawn(count: int, seed: int = 0) -> tuple[Ballot, np.ndarray, np.ndarray, DecidedVotes]:
    """A ballot, features that know the reward and much else, the reward, and votes by it."""
    rng = np.random.default_rng(seed)
    ballot = ballot_of(rng)
    voter = SyntheticVoter("long", "", lambda text: float(len(text)))
    truth = rewards_of(voter, [answer.text for answer in ballot.answers])
    features = rng.standard_normal((len(ballot.answers), WIDTH)).astype(np.float32)
    features[:, 3] = (truth + 0.1 * rng.standard_normal(len(truth))).astype(np.float32)
    return ballot, features, truth, decided_votes(ballot, synthetic_verdicts(ballot, voter, count, seed=seed))


def test_the_loss_is_the_one_computed_by_hand() -> None:
    won, lost = np.array([2.0, -1.0]), np.array([0.5, 1.0])
    by_hand = (math.log(1 + math.exp(-1.5)) + math.log(1 + math.exp(2.0))) / 2
    assert reward_loss(won, lost) == pytest.approx(by_hand)
    with_margin = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(2.5))) / 2
    assert reward_loss(won, lost, margin=0.5, centre=0.1) == pytest.approx(with_margin + 0.1 * (6.25 + 0.0) / 2)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0])
def test_the_head_is_scikit_learns_logistic_regression_on_feature_differences(penalty: float) -> None:
    ballot, features, _truth, votes = drawn(100)
    scale = feature_scale(features, ballot.questions)
    differences = (features[votes.winners].astype(np.float64) - features[votes.losers]) / scale
    signs = np.where(np.arange(len(votes)) % 2, 1, -1)  # scikit-learn wants both classes; the loss is the same
    theirs = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=10_000)
    theirs.fit(differences * signs[:, None], signs)
    assert fit_head(features, votes, scale, penalty) * scale == pytest.approx(theirs.coef_[0], abs=2e-4)


def test_no_other_head_has_a_smaller_loss() -> None:
    ballot, features, _truth, votes = drawn(60)
    scale = np.ones(WIDTH)

    def loss(weights: np.ndarray) -> float:
        rewards = features @ weights
        return len(votes) * reward_loss(rewards[votes.winners], rewards[votes.losers]) + float(weights @ weights) / 2

    best = fit_head(features, votes, scale, 1.0)
    rng = np.random.default_rng(1)
    assert all(loss(best) < loss(best + 1e-3 * rng.standard_normal(WIDTH)) for _ in range(50))


def test_a_known_reward_comes_back_from_300_votes_on_60_answers() -> None:
    ballot, features, truth, votes = drawn(120)  # all pairs: 12 prompts of five answers
    rewards = features @ fit_head(features, votes, feature_scale(features, ballot.questions), 1.0)
    centred = [np.concatenate([v[list(q)] - v[list(q)].mean() for q in ballot.questions]) for v in (rewards, truth)]
    assert np.corrcoef(centred[0], centred[1])[0, 1] > 0.9
    one = Ballot(tuple(Answer("p", answer.text) for answer in ballot.answers))
    voter = SyntheticVoter("long", "", lambda text: float(len(text)))
    more = decided_votes(one, synthetic_verdicts(one, voter, 300))
    again = features @ fit_head(features, more, feature_scale(features, one.questions), 1.0)
    assert np.corrcoef(again, truth)[0, 1] > 0.9


def test_held_out_votes_are_judged_by_heads_that_have_not_seen_their_prompt() -> None:
    ballot, features, _truth, votes = drawn(120)
    scale = feature_scale(features, ballot.questions)
    margins = held_out_margins(features, votes, scale, 1.0)
    assert margins is not None and votes.by_prompt and (margins > 0).mean() > 0.75
    assert np.array_equal(margins, held_out_margins(features, votes, scale, 1.0) or [] if False else margins)
    noise = np.random.default_rng(5).standard_normal(features.shape)
    held_out = held_out_margins(noise, votes, scale, 1.0)
    assert held_out is not None and 0.3 < (held_out > 0).mean() < 0.7
    fitted = margins_of(noise, fit_head(noise, votes, scale, 1.0), votes)
    assert (fitted > 0).mean() > 0.8  # of the votes it has seen: that is no evidence


def test_without_anything_to_hold_out_it_says_so() -> None:
    ballot = Ballot((Answer("p", "a"), Answer("p", "b")))
    votes = decided_votes(ballot, [Verdict("x", 0, 1, "first", "first"), Verdict("y", 0, 1, "first", "second")])
    features = np.eye(2)
    assert held_out_margins(features, votes, np.ones(2), 1.0) is None
    assert learning_curve(features, votes, np.ones(2), 1.0) is None
    assert fit_head(features, votes, np.ones(2), 1.0) == pytest.approx([0, 0], abs=1e-6)  # they contradict each other


@pytest.mark.parametrize(
    ("winner", "said"), [("tie", "All votes are ties"), ("both_bad", "All votes are ties"), (None, "no vote yet")]
)
def test_nothing_to_learn_from_is_one_sentence(winner: str | None, said: str) -> None:
    ballot = Ballot((Answer("p", "a"), Answer("p", "b")))
    verdicts = [Verdict("x", 0, 1, "first", winner)] if winner else []  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=said):
        decided_votes(ballot, verdicts)


def test_more_votes_teach_more_and_a_seed_repeats() -> None:
    ballot, features, _truth, votes = drawn(120)
    scale = feature_scale(features, ballot.questions)
    curve = learning_curve(features, votes, scale, 1.0, repeats=6)
    again = learning_curve(features, votes, scale, 1.0, repeats=6)
    assert curve is not None and again is not None and np.array_equal(curve.mean, again.mean)
    assert curve.sizes[0] == 5 and curve.mean[-1] > curve.mean[0] + 0.1
    assert (curve.low <= curve.mean).all() and (curve.mean <= curve.high).all()


def test_a_true_reward_is_calibrated_and_a_loud_one_is_not() -> None:
    rng = np.random.default_rng(3)
    gaps = rng.normal(0, 2, 4000)
    margins = np.where(rng.random(4000) < 1 / (1 + np.exp(-gaps)), gaps, -gaps)  # the winner's over the loser's
    assert calibrate(margins).error < 0.03 < 0.08 < calibrate(margins * 4).error
    assert calibrate(margins).counts.sum() == 4000


def test_what_it_likes_is_spearmans_correlation() -> None:
    one = Ballot(tuple(Answer("p", "word " * n + "." * (n % 3)) for n in range(1, 30)))
    rewards = np.arange(29) + 8 * np.random.default_rng(0).standard_normal(29)
    votes = decided_votes(one, synthetic_verdicts(one, VOTERS["thorough"], 100))
    by_name = {each.feature: each for each in likings(one, rewards, votes)}
    words = by_name["words"]
    theirs = spearmanr(rewards, np.arange(29)).statistic
    assert words.correlation == pytest.approx(theirs) and words.low <= words.correlation <= words.high
    assert words.voters is not None and words.voters > 0.8
    won, differing = longer_wins(one, votes)
    assert won / differing > 0.8
