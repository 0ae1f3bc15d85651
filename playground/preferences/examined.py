"""All that is said of a reward head on a ballot's votes, in one go: fitted, held out, its learning curve, what it likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.preferences.ballots import Ballot, Verdict
from playground.preferences.liking import Liking, likings, longer_wins
from playground.preferences.reward import (
    Calibration,
    DecidedVotes,
    LearningCurve,
    calibrate,
    decided_votes,
    feature_scale,
    fit_head,
    held_out_margins,
    learning_curve,
    margins_of,
    reward_loss,
    right_of,
)
from playground.preferences.shares import Share, share_of


@dataclass(frozen=True, slots=True, eq=False)
class ExaminedHead:
    """``weights`` (features,), ``rewards`` (answers,). ``held_out``: of votes judged by heads that have not seen their unit;
    ``calibration`` of the same; None for both, and ``curve`` None, where there is too little to hold out. ``fitted``: of the
    votes it was fitted to, which is no evidence. ``longer``: of votes on answers of different length, those for the longer.
    """

    votes: DecidedVotes
    weights: npt.NDArray[np.float64]
    rewards: npt.NDArray[np.float64]
    loss: float
    fitted: Share
    held_out: Share | None
    calibration: Calibration | None
    curve: LearningCurve | None
    likings: tuple[Liking, ...]
    longer: Share

    @property
    def by_length(self) -> tuple[str, float] | None:
        """The better of two rules that read nothing, always the longer or always the shorter answer; its share of votes."""
        share = self.longer.share
        if share is None:
            return None
        return ("longer", share) if share >= 0.5 else ("shorter", 1 - share)


def examine_head(
    ballot: Ballot,
    verdicts: Sequence[Verdict],
    features: npt.NDArray[np.floating],
    penalty: float,
    *,
    repeats: int = 8,
    seed: int = 0,
) -> ExaminedHead:
    """``features`` (answers, features). Raises BadInput where nobody was preferred."""
    votes = decided_votes(ballot, verdicts)
    scale = feature_scale(features, ballot.questions)
    weights = fit_head(features, votes, scale, penalty)
    rewards = features.astype(np.float64) @ weights
    margins = margins_of(features, weights, votes)
    held = held_out_margins(features, votes, scale, penalty, seed=seed)
    return ExaminedHead(
        votes=votes,
        weights=weights,
        rewards=rewards,
        loss=reward_loss(rewards[votes.winners], rewards[votes.losers]),
        fitted=share_of(right_of(margins), len(votes)),
        held_out=None if held is None else share_of(right_of(held), len(held)),
        calibration=None if held is None else calibrate(held, seed=seed),
        curve=learning_curve(features, votes, scale, penalty, repeats=repeats, seed=seed),
        likings=likings(ballot, rewards, votes),
        longer=share_of(*longer_wins(ballot, votes)),
    )


def accuracy_sentence(examined: ExaminedHead) -> str:
    """What the head is worth, in words with intervals."""
    left_out = f" {examined.votes.undecided:,} ties and both bad are left out." if examined.votes.undecided else ""
    if not examined.weights.any():
        return (
            "The votes contradict each other wholly: for each there is one for the other answer, so every answer has the same "
            "reward and nothing is learnt. Vote on other pairs, or give those who disagree a group each and look at Whose "
            f"preference?.{left_out}"
        )
    if examined.held_out is None or examined.held_out.share is None:
        return (
            "There is nothing to hold out: all votes are on one pair of answers. What the head says of votes that it was "
            f"fitted to ({examined.fitted.share:.0%}) is no evidence; vote on other pairs.{left_out}"
        )
    own, unit = examined.held_out, "prompts" if examined.votes.by_prompt else "pairs"
    assert own.low is not None and own.high is not None
    said = (
        f"Held out, the head agrees with {own.share:.0%} of {own.total:,} votes (95%: {own.low:.0%} to {own.high:.0%}); of those "
        f"that it was fitted to with {examined.fitted.share:.0%}, which is no evidence. Whole {unit} are held out, in five folds."
    )
    if own.low <= 0.5:
        said += (
            " A coin would do as well: so far it knows these votes by heart, and nothing that holds on other prompts."
        )
    rule = examined.by_length
    if rule is not None:
        said += f" Always preferring the {rule[0]} answer would agree with {rule[1]:.0%}."
    return said + left_out
