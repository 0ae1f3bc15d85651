"""Voters that do not exist, with a reward that is known: to see what comes back of it, and what a flaw in it does.

A voter prefers A to B with probability sigma(r_A - r_B), Bradley and Terry's model, of a stated reward r. Pure maths; every
draw has a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.preferences.ballots import Ballot, Verdict, Winner
from playground.preferences.text_features import list_lines, words

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SyntheticVoter:
    """``reward``: of each text, in any unit; it is scaled so that texts spread by ``sharpness`` nats of log-odds."""

    name: str
    about: str
    reward: Callable[[str], float]
    sharpness: float = 3.0


VOTERS: dict[str, SyntheticVoter] = {
    voter.name: voter
    for voter in (
        SyntheticVoter("brief", "prefers the shorter answer", lambda text: -float(words(text))),
        SyntheticVoter("thorough", "prefers the longer answer", lambda text: float(words(text))),
        SyntheticVoter(
            "tidy", "prefers lists, then the shorter answer", lambda text: 40.0 * list_lines(text) - words(text)
        ),
        SyntheticVoter("coin", "prefers neither: every vote is a coin", lambda text: 0.0, 0.0),
    )
}
"""By name; each says what it likes."""


def rewards_of(voter: SyntheticVoter, texts: Sequence[str]) -> Floats:
    """(texts,) the voter's reward, centred, with standard deviation ``sharpness``; 0 where all texts are alike to it."""
    raw = np.array([voter.reward(text) for text in texts], dtype=np.float64)
    spread = float(raw.std()) if raw.size else 0.0
    return (raw - raw.mean()) / spread * voter.sharpness if spread > 0 else np.zeros_like(raw)


def synthetic_verdicts(
    ballot: Ballot, voter: SyntheticVoter, count: int, *, seed: int = 0, group: str = ""
) -> tuple[Verdict, ...]:
    """``count`` votes on different pairs, drawn at random; fewer where there are fewer. Raises BadInput for none."""
    if count < 1:
        raise BadInput("A synthetic voter gives at least one vote.", "votes")
    rng = np.random.default_rng([seed, len(ballot.answers), *voter.name.encode()])
    rewards = rewards_of(voter, [answer.text for answer in ballot.answers])
    verdicts = []
    for first, second in (ballot.pairs[place] for place in rng.permutation(len(ballot.pairs))[:count]):
        winner: Winner = "first" if rng.random() < 1 / (1 + np.exp(rewards[second] - rewards[first])) else "second"
        left = "second" if rng.random() < 0.5 else "first"
        verdicts.append(Verdict(voter.name, first, second, left, winner, group or voter.name))  # type: ignore[arg-type]
    return tuple(verdicts)
