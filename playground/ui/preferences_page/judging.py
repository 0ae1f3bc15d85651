"""The second judgement of Best-of-N under a reward: what judges the chosen, and has not taught the reward."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.preferences.reward import DecidedVotes, feature_scale, fit_head
from playground.preferences.synthetic import VOTERS, rewards_of
from playground.state.preferences import OTHER_VOTES
from playground.testtime.live_run import context_of, is_heavy
from playground.testtime.registry import SCORERS, parse_spec
from playground.testtime.running import score_now
from playground.testtime.stored_runs import StoredRun
from playground.testtime.types import Candidate
from playground.ui.preferences_page.reward import RewardView

Floats = npt.NDArray[np.float64]
_VOTER = "voter: "


def offered_judges(runs: Sequence[StoredRun]) -> dict[str, str]:
    """By the state's word what a reader sees. Rules that need a reference only where every run has one."""
    judges = {OTHER_VOTES: "A reward head of the other half of the votes"}
    judges |= {f"{_VOTER}{name}": f"What the synthetic voter {name!r} likes" for name in VOTERS if name != "coin"}
    referenced = bool(runs) and all(run.request.reference for run in runs)
    for name, kind in SCORERS.items():
        spec = parse_spec(name) if not kind.argument_needed else None
        if spec is not None and not is_heavy(spec) and (referenced or not kind.needs_reference):
            judges[name] = f"Rule: {kind.label}"
    return judges


def halves(votes: DecidedVotes, seed: int = 0) -> tuple[DecidedVotes, DecidedVotes]:
    """Votes in two halves that share no prompt, or no pair where there are few prompts. Raises BadInput for too few."""
    units = np.unique(votes.unit)
    if len(units) < 2:
        raise BadInput(
            "All votes are on one pair, so they have no second half: choose another second judgement.", "judge"
        )
    own = np.isin(votes.unit, np.random.default_rng([seed, 4]).permutation(units)[: len(units) // 2])
    return votes.part(own), votes.part(~own)


def heads_of(view: RewardView, features: npt.NDArray[np.floating], judge: str) -> tuple[Floats, Floats | None]:
    """(features,) weights of the reward, and of the judge where it is a head of the other half of the votes."""
    if judge != OTHER_VOTES:
        return view.head.weights, None
    scale = feature_scale(features, view.kept.ballot.questions)
    one, other = halves(view.head.votes)
    return fit_head(features, one, scale, view.penalty), fit_head(features, other, scale, view.penalty)


def judged_by(judge: str, run: StoredRun, candidates: Sequence[Candidate], visitor: str) -> Floats:
    """(candidates,) what a voter or a rule says of them. Raises BadInput for another word, or where a value is missing."""
    if judge.startswith(_VOTER) and judge.removeprefix(_VOTER) in VOTERS:
        return rewards_of(VOTERS[judge.removeprefix(_VOTER)], [candidate.text for candidate in candidates])
    (column,) = score_now(candidates, [parse_spec(judge)], context_of(run.request, visitor=visitor))
    values = [value for value in column.values if value is not None and np.isfinite(value)]
    if len(values) < len(candidates):
        why = column.problem or "some answers have no value under it"
        raise BadInput(f"{judge} cannot judge these answers ({why}): choose another second judgement.", "judge")
    return np.array(values, dtype=np.float64)
