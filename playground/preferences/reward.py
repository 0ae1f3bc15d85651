"""A reward from votes: one weight for each feature of an answer, fitted to who was preferred to whom.

r(prompt, answer) = w · f(prompt, answer), and a vote for A over B is likely with sigma(r_A - r_B) (Bradley and Terry; Christiano
et al. 2017, Ouyang et al. 2022, equation 1). With f fixed (a model's hidden state) this is logistic regression on feature
differences without an intercept, with a ridge penalty; its loss is convex and has one minimum. Features come as an array:
knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

from playground.errors import BadInput
from playground.preferences.ballots import Ballot, Verdict, winner_and_loser

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
_MOST_STEPS = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class DecidedVotes:
    """Votes with a winner, as places of answers: ``winners`` and ``losers`` (votes,).

    ``unit`` (votes,): votes that are held out together: those on one prompt where there are enough prompts, else those on one
    pair. ``undecided``: how many ties and both bad were left out. ``by_prompt``: which of the two a unit is.
    """

    winners: Places
    losers: Places
    unit: Places
    undecided: int
    by_prompt: bool

    def __len__(self) -> int:
        return len(self.winners)

    def part(self, chosen: npt.NDArray[np.bool_] | Places) -> DecidedVotes:
        """Some of them."""
        return DecidedVotes(
            self.winners[chosen], self.losers[chosen], self.unit[chosen], self.undecided, self.by_prompt
        )


LEAST_PROMPTS = 5  # with votes: fewer are too few to hold one out


def decided_votes(ballot: Ballot, verdicts: Sequence[Verdict]) -> DecidedVotes:
    """Raises BadInput where nobody was preferred: no vote, or ties alone."""
    pairs = [pair for verdict in verdicts if (pair := winner_and_loser(verdict)) is not None]
    if not pairs:
        raise BadInput(
            "All votes are ties: nothing says which answer is better. Vote for one of two answers."
            if verdicts
            else "There is no vote yet, and a reward is learnt from votes: vote, or let synthetic voters vote.",
            "votes",
        )
    prompt_of = {place: number for number, places in enumerate(ballot.questions) for place in places}
    prompts = [prompt_of[winner] for winner, _loser in pairs]
    by_prompt = len(set(prompts)) >= LEAST_PROMPTS
    pair_numbers = {pair: number for number, pair in enumerate(sorted({(min(p), max(p)) for p in pairs}))}
    units = prompts if by_prompt else [pair_numbers[min(pair), max(pair)] for pair in pairs]
    winners, losers = np.array(pairs, dtype=np.intp).T
    return DecidedVotes(winners, losers, np.array(units, dtype=np.intp), len(verdicts) - len(pairs), by_prompt)


# -- loss and fit --------------------------------------------------------------------------------------------------------


def reward_loss(won: Floats, lost: Floats, *, margin: float = 0.0, centre: float = 0.0) -> float:
    """Mean of -log sigma(r_w - r_l - margin), and ``centre`` times the mean of (r_w + r_l)^2 beside (Llama 2).

    >>> round(reward_loss(np.array([1.0]), np.array([0.0])), 4)  # ln(1 + e^-1)
    0.3133
    """
    return float(np.logaddexp(0, -(won - lost - margin)).mean() + centre * ((won + lost) ** 2).mean())


def feature_scale(features: npt.NDArray[np.floating], questions: Sequence[Sequence[int]]) -> Floats:
    """(features,) standard deviation of each within a prompt's answers: what differs between prompts is nobody's merit.

    1 where a feature never differs.
    """
    centred = np.concatenate([features[list(places)] - features[list(places)].mean(axis=0) for places in questions])
    scale = centred.astype(np.float64).std(axis=0)
    return np.where(scale > 0, scale, 1.0)


def fit_head(features: npt.NDArray[np.floating], votes: DecidedVotes, scale: Floats, penalty: float = 1.0) -> Floats:
    """(features,) weights w of the minimum of sum -log sigma(v · d) + penalty/2 |v|^2, with d the difference of the winner's and
    the loser's features over ``scale`` and w = v / scale. What scikit-learn calls C is 1/penalty.
    """
    differences = (features[votes.winners].astype(np.float64) - features[votes.losers]) / scale  # (votes, features)
    left, singular, right = np.linalg.svd(differences, full_matrices=False)  # the minimum lies within their span
    span = left * singular  # (votes, rank)

    def loss(u: Floats) -> tuple[float, Floats]:
        margins = span @ u
        value = float(np.logaddexp(0, -margins).sum() + penalty / 2 * (u @ u))
        return value, penalty * u - span.T @ expit(-margins)

    solution = minimize(
        loss,
        np.zeros(span.shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": _MOST_STEPS, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 30},
    )
    weights: Floats = (solution.x @ right) / scale
    return weights


def margins_of(features: npt.NDArray[np.floating], weights: Floats, votes: DecidedVotes) -> Floats:
    """(votes,) r_winner - r_loser."""
    rewards = features.astype(np.float64) @ weights
    margins: Floats = rewards[votes.winners] - rewards[votes.losers]
    return margins


# -- held out --------------------------------------------------------------------------------------------------------------


def held_out_margins(
    features: npt.NDArray[np.floating],
    votes: DecidedVotes,
    scale: Floats,
    penalty: float,
    *,
    folds: int = 5,
    seed: int = 0,
) -> Floats | None:
    """(votes,) margins of each vote under a head that has seen none of its unit; None where there is but one unit."""
    units = np.unique(votes.unit)
    if len(units) < 2:
        return None
    fold_of = dict(
        zip(np.random.default_rng(seed).permutation(units).tolist(), np.arange(len(units)) % folds, strict=True)
    )
    fold = np.array([fold_of[unit] for unit in votes.unit.tolist()])
    margins = np.empty(len(votes))
    for number in np.unique(fold):
        own = fold == number
        weights = fit_head(features, votes.part(~own), scale, penalty)
        margins[own] = margins_of(features, weights, votes.part(own))
    return margins


def right_of(margins: Floats) -> int:
    """How many votes a reward agrees with; one that sees no difference is right by half a coin, and counts as wrong."""
    return int((margins > 0).sum())


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Held-out accuracy against votes fitted to. All (sizes,): the mean over ``repeats`` draws, and the middle 95% of them."""

    sizes: Places
    mean: Floats
    low: Floats
    high: Floats
    repeats: int


def learning_curve(
    features: npt.NDArray[np.floating],
    votes: DecidedVotes,
    scale: Floats,
    penalty: float,
    *,
    repeats: int = 12,
    seed: int = 0,
) -> LearningCurve | None:
    """A quarter of the units is held out, anew in each repeat; of the other votes the first 5, 10, 20, 40 … are fitted to.

    None where there are fewer than four units or eight votes.
    """
    units = np.unique(votes.unit)
    if len(units) < 4 or len(votes) < 8:
        return None
    held = max(1, len(units) // 4)
    rng = np.random.default_rng([seed, 1])
    most = len(votes)
    drawn = []
    for _ in range(repeats):
        out = np.isin(votes.unit, rng.permutation(units)[:held])
        rest = rng.permutation(np.flatnonzero(~out))
        most = min(most, len(rest))
        drawn.append((out, rest))
    sizes = np.unique([size for size in (5 * 2**power for power in range(12)) if size < most] + [most])
    accuracies = np.empty((repeats, len(sizes)))
    for row, (out, rest) in zip(accuracies, drawn, strict=True):
        for column, size in enumerate(sizes):
            weights = fit_head(features, votes.part(rest[:size]), scale, penalty)
            row[column] = (margins_of(features, weights, votes.part(out)) > 0).mean()
    low, high = np.quantile(accuracies, [0.025, 0.975], axis=0)
    return LearningCurve(sizes.astype(np.intp), accuracies.mean(axis=0), low, high, repeats)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Votes in bins by the probability given to what stood first: its mean (bins,), the share that went so, and how many.

    ``error``: the mean distance of the two, weighted (expected calibration error).
    """

    said: Floats
    happened: Floats
    counts: Places
    error: float


def calibrate(margins: Floats, *, bins: int = 5, seed: int = 0) -> Calibration:
    """``margins`` of the winner over the loser, held out. Which stands first is a coin: the winner would always be right."""
    flips = np.random.default_rng([seed, 2]).random(len(margins)) < 0.5
    said = expit(np.where(flips, -margins, margins))
    happened = (~flips).astype(np.float64)
    order = np.argsort(said, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(order))) if len(part)]
    mean_said = np.array([said[part].mean() for part in parts])
    mean_happened = np.array([happened[part].mean() for part in parts])
    counts = np.array([len(part) for part in parts], dtype=np.intp)
    error = float((np.abs(mean_said - mean_happened) * counts).sum() / counts.sum())
    return Calibration(mean_said, mean_happened, counts, error)
