"""Groups of voters: where they disagree, and what one reward of all of them hides."""

from __future__ import annotations

import numpy as np
import pytest

from playground.errors import BadInput
from playground.preferences.ballots import votes_on_answers
from playground.preferences.groups import disagreements, group_labels, group_matrix, hidden_sentence
from playground.preferences.ready import ready_ballot
from playground.preferences.reward import decided_votes, feature_scale
from playground.preferences.strengths import strengths_by_group
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.preferences.text_features import words

BALLOT = ready_ballot()


def features() -> np.ndarray:
    lengths = np.array([words(answer.text) for answer in BALLOT.answers], dtype=np.float32)
    return np.stack([lengths, *np.random.default_rng(0).standard_normal((7, len(lengths)))], axis=1).astype(np.float32)


def test_each_groups_reward_fits_its_own_votes_and_one_of_everybody_hides_the_smaller_group() -> None:
    said = [
        *synthetic_verdicts(BALLOT, VOTERS["brief"], 160),
        *synthetic_verdicts(BALLOT, VOTERS["thorough"], 60),
    ]
    votes = decided_votes(BALLOT, said)
    scale = feature_scale(features(), BALLOT.questions)
    matrix = group_matrix(features(), votes, group_labels(said), scale, 1.0)
    brief, thorough, everybody = ([share.share or 0.0 for share in row] for row in matrix.agreement)
    assert matrix.rows == ("brief", "thorough", "everybody") and matrix.columns == ("brief", "thorough")
    assert brief[0] > 0.7 > 0.3 > brief[1] and thorough[1] > 0.65 > 0.35 > thorough[0]
    assert everybody[0] > 0.65 and everybody[1] < 0.4 and "'thorough'" in hidden_sentence(matrix)
    assert sum(share.total for share in matrix.agreement[-1]) == len(votes)


def test_groups_that_order_two_answers_differently_beyond_their_intervals() -> None:
    said = [
        vote
        for name in ("brief", "thorough")
        for seed in range(4)
        for vote in synthetic_verdicts(BALLOT, VOTERS[name], 180, seed=seed)
    ]
    apart = disagreements(strengths_by_group(votes_on_answers(BALLOT, said, 0)))
    assert apart and all(each.gap > 0 for each in apart)
    by_label = dict(zip(BALLOT.labels, BALLOT.answers, strict=True))
    shorter, longer = (words(by_label[name].text) for name in (apart[0].preferred_by_one, apart[0].preferred_by_other))
    assert apart[0].one == "brief" and shorter < longer


@pytest.mark.parametrize("groups", [[], ["a"], [f"g{n}" for n in range(9)]])
def test_one_group_or_too_many_are_one_sentence(groups: list[str]) -> None:
    said = [
        vote for group in groups or [""] for vote in synthetic_verdicts(BALLOT, VOTERS["brief"], 20, group=group or " ")
    ]
    votes = decided_votes(BALLOT, said)
    with pytest.raises(BadInput, match="2 to 8 tags"):
        group_matrix(features(), votes, [g.strip() for g in group_labels(said)], np.ones(8), 1.0)
