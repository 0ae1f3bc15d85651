"""What a reward likes: how it goes along with plain features of a text, within each prompt's answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from playground.preferences.ballots import Ballot
from playground.preferences.reward import DecidedVotes
from playground.preferences.text_features import TEXT_FEATURES

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Liking:
    """Spearman's correlation of reward and feature over answers, each ranked within its prompt, with a 95% interval.

    ``voters``: of decided votes in which the two answers differ in it, the share that went to the one with more; None of none.
    """

    feature: str
    correlation: float
    low: float
    high: float
    answers: int
    voters: float | None


def likings(ballot: Ballot, rewards: Floats, votes: DecidedVotes) -> tuple[Liking, ...]:
    """One a feature that differs within some prompt, the strongest first.

    Interval by Fisher's z with the variance of Bonett and Wright (2000).
    """
    by_feature = []
    places = [place for question in ballot.questions if len(question) > 1 for place in question]
    ranked = _ranks(rewards, ballot.questions)[places]
    for name, feature in TEXT_FEATURES.items():
        values = np.array([feature(answer.text, answer.prompt) for answer in ballot.answers])
        own = _ranks(values, ballot.questions)[places]
        if own.std() == 0 or ranked.std() == 0:
            continue
        rho = float(np.corrcoef(ranked, own)[0, 1])
        more = values[votes.winners] - values[votes.losers]
        differ = more != 0
        share = float((more[differ] > 0).mean()) if differ.any() else None
        low, high = _interval(rho, len(places))
        by_feature.append(Liking(name, rho, low, high, len(places), share))
    return tuple(sorted(by_feature, key=lambda each: -abs(each.correlation)))


def _ranks(values: Floats, questions: Sequence[Sequence[int]]) -> Floats:
    """Ranks within each prompt's answers, centred, from -1/2 to 1/2: prompts with more answers weigh no more an answer."""
    ranks = np.zeros(len(values))
    for places in questions:
        own = list(places)
        ranks[own] = (rankdata(values[own]) - (len(own) + 1) / 2) / len(own)
    return ranks


def _interval(rho: float, n: int) -> tuple[float, float]:
    if n < 5 or abs(rho) >= 1:
        return -1.0 if n < 5 else rho, 1.0 if n < 5 else rho
    reach = float(norm.ppf(0.975)) * math.sqrt((1 + rho**2 / 2) / (n - 3))
    centre = math.atanh(rho)
    return math.tanh(centre - reach), math.tanh(centre + reach)


def longer_wins(ballot: Ballot, votes: DecidedVotes) -> tuple[int, int]:
    """How many decided votes went to the longer answer, of those whose lengths differ: what a reward must beat."""
    lengths = np.array([len(answer.text) for answer in ballot.answers])
    more = lengths[votes.winners] - lengths[votes.losers]
    return int((more > 0).sum()), int((more != 0).sum())
