"""Answers and votes on them: which pairs are asked about, what a ranking stands for, and files of strangers."""

from __future__ import annotations

import csv
import io
import json
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from playground.errors import BadInput
from playground.preferences.agreement import measure_agreement
from playground.preferences.ballot_file import read_ballot, trl_jsonl
from playground.preferences.ballots import (
    Answer,
    Ballot,
    Rating,
    Verdict,
    Winner,
    next_pairs,
    pairs_of_ranking,
    preferences_of,
    ranking_order,
    ranking_text,
    votes_on_answers,
    votes_on_names,
)
from playground.preferences.cost import cost_sentence, votes_cost
from playground.preferences.ready import ready_ballot
from playground.preferences.scores import compare_scores, scores_sentence
from playground.preferences.strengths import fit_strengths
from playground.preferences.synthetic import SyntheticVoter, rewards_of, synthetic_verdicts

BALLOT = Ballot(
    tuple(
        Answer(prompt, f"{prompt} {name} {number}", name)
        for prompt in ("one", "two")
        for name in ("hot", "cold")
        for number in range(2)
    )
)


def verdict(first: int, second: int, winner: Winner, voter: str = "ann", **about: object) -> Verdict:
    return Verdict(voter, first, second, "first", winner, **about)  # type: ignore[arg-type]


def test_a_voter_is_asked_every_pair_once_prompts_in_turn_and_sides_by_a_coin() -> None:
    said: list[Verdict] = []
    prompts = []
    while pairs := next_pairs(BALLOT, said, "ann", seed="s", count=1):
        ((first, second, left),) = pairs
        prompts.append(BALLOT.answers[first].prompt)
        said.append(Verdict("ann", first, second, left, "tie"))
    assert sorted((each.first, each.second) for each in said) == sorted(BALLOT.pairs) and len(BALLOT.pairs) == 12
    assert all(set(prompts[at : at + 2]) == {"one", "two"} for at in range(0, 12, 2))
    assert {each.left for each in said} == {"first", "second"}
    assert next_pairs(BALLOT, said, "bob", seed="s", count=3) == next_pairs(BALLOT, said, "bob", seed="s", count=3)


def test_pairs_that_few_have_judged_come_first() -> None:
    said = [verdict(*pair, "tie") for pair in BALLOT.pairs if pair not in {(0, 3), (5, 6)}]
    asked = next_pairs(BALLOT, said, "bob", seed="s", count=2)
    assert {(first, second) for first, second, _left in asked} == {(0, 3), (5, 6)}


def test_a_ranking_is_all_its_pairs() -> None:
    assert pairs_of_ranking([(4, 2), (1, 1), (7, 3)]) == ((1, 4, "first"), (1, 7, "first"), (4, 7, "first"))
    assert ranking_text([2, 1, 2]) == "B > A = C gives B > A, B > C, A = C"
    order = ranking_order(BALLOT, "ann", 1, seed="s")
    assert sorted(order) == list(BALLOT.questions[1])
    assert {ranking_order(BALLOT, f"voter {n}", 1, seed="s") for n in range(20)} != {order}


def test_votes_are_on_answers_or_on_who_wrote_them() -> None:
    said = [verdict(0, 2, "first"), verdict(0, 1, "second"), Verdict("bob", 1, 3, "second", "second", "x")]
    by_name = votes_on_names(BALLOT, said)
    assert [(vote.left, vote.right, vote.outcome) for vote in by_name] == [
        ("hot", "cold", "left"),
        ("cold", "hot", "left"),
    ]
    assert [vote.winner for vote in votes_on_answers(BALLOT, said)] == ["1A (hot)", "1B (hot)", "1D (cold)"]
    assert not votes_on_answers(BALLOT, said, 1)
    assert preferences_of(BALLOT, [*said, verdict(4, 5, "tie")])[1].chosen == "one hot 1"


def test_agreement_of_two_voters_is_scikit_learns() -> None:
    words: dict[str, list[Winner]] = {
        "ann": ["first", "first", "second", "tie", "first", "second"],
        "bob": ["first", "second", "second", "tie", "second", "first"],
    }
    said = [
        Verdict(voter, *pair, "second" if n % 2 else "first", winner)
        for voter, own in words.items()
        for n, (pair, winner) in enumerate(zip(BALLOT.pairs, own, strict=False))
    ]
    ((_one, _other, kappa),) = measure_agreement(votes_on_answers(BALLOT, said)).cohen
    assert kappa == pytest.approx(cohen_kappa_score(words["ann"], words["bob"]))


def test_scores_are_held_against_votes() -> None:
    scores = {"ann": (7, 3, 5, 5), "bob": (5, 1, 3, 4)}
    ratings = [Rating(voter, place, score) for voter, own in scores.items() for place, score in enumerate(own)]
    compared = compare_scores(
        BALLOT, [verdict(0, 1, "first"), verdict(0, 2, "second"), verdict(2, 3, "first")], ratings
    )
    assert (compared.same.count, compared.same.total) == (0, 4) and compared.same_order.share == 1.0
    assert (compared.own.count, compared.own.total, compared.own_equal) == (1, 2, 1)
    assert "100% of 5" in scores_sentence(compared)
    with pytest.raises(BadInput, match="1 to 7"):
        Rating("ann", 0, 8)


def test_time_and_money() -> None:
    cost = votes_cost([verdict(0, 1, "tie", seconds=s) for s in (0.0, 4.0, 8.0)], 3.5)
    assert (cost.votes, cost.timed, cost.median_s, cost.usd) == (3, 2, 6.0, 10.5)
    assert "$10" in cost_sentence(cost, 3.5) and "3 to 5 minutes" in cost_sentence(cost, 3.5)


@pytest.mark.parametrize("seed", range(3))
def test_a_synthetic_voter_comes_back_from_its_votes(seed: int) -> None:
    """Issue: correlation of at least 0.9 with 300 votes on 60 answers."""
    ballot = Ballot(tuple(Answer("p", "word " * (place + 1)) for place in range(60)))
    voter = SyntheticVoter("long", "", lambda text: float(len(text)))
    said = synthetic_verdicts(ballot, voter, 300, seed=seed)
    assert said == synthetic_verdicts(ballot, voter, 300, seed=seed) != synthetic_verdicts(ballot, voter, 300, seed=9)
    fitted = {item.name: item.strength for item in fit_strengths(votes_on_answers(ballot, said)).items}
    truth = rewards_of(voter, [answer.text for answer in ballot.answers])
    strengths = np.array([fitted[label] for label in ballot.labels])
    assert np.corrcoef(strengths, truth)[0, 1] > 0.9


# -- files -----------------------------------------------------------------------------------------------------------------


def test_trls_format_goes_out_and_comes_back() -> None:
    said = [verdict(0, 2, "first"), verdict(4, 7, "second", "bob", group="x"), verdict(5, 6, "tie")]
    text = trl_jsonl(BALLOT, said)
    rows = [json.loads(line) for line in text.splitlines()]
    assert [set(row) >= {"prompt", "chosen", "rejected"} for row in rows] == [True, True]
    assert rows[0]["prompt"] == [{"role": "user", "content": "one"}]
    again = read_ballot(text.encode())
    assert preferences_of(again.ballot, again.verdicts) == preferences_of(BALLOT, said)
    assert [each.group for each in again.verdicts] == ["", "x"] and set(again.ballot.names) == {"hot", "cold"}


@pytest.mark.parametrize(
    ("text", "answers", "votes"),
    [
        ("prompt,left,right,winner,voter\np,a,b,left,v\np,a,c,both bad,v\np,b,c,Tie,w\n", 3, 3),
        ('{"prompt": "p", "chosen": "a", "rejected": "b"}\n', 2, 1),
        ("prompt,response,model\np,a,x\np,b,y\n", 2, 0),
        (json.dumps([{"prompt": "p", "response": "a"}, {"prompt": "p", "response": "b"}]), 2, 0),
    ],
)
def test_every_kind_of_row_is_read(text: str, answers: int, votes: int) -> None:
    reading = read_ballot(text.encode())
    assert (len(reading.ballot.answers), len(reading.verdicts)) == (answers, votes)


def test_implicit_prompts_of_conversations_are_read_and_must_agree() -> None:
    def talk(prompt: str, answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]

    row = {"chosen": talk("p", "a"), "rejected": talk("p", "b")}
    assert read_ballot(json.dumps(row).encode()).ballot.answers[0] == Answer("p", "a")
    with pytest.raises(BadInput, match="different messages"):
        read_ballot(json.dumps(row | {"rejected": talk("q", "b")}).encode())


def test_duplicates_are_joined_and_said() -> None:
    text = "prompt,left,right,winner\np,a,b,left\np,b,a,left\np,a,a,left\np,a,b,right\n"
    reading = read_ballot(text.encode())
    assert len(reading.ballot.answers) == 2 and len(reading.verdicts) == 1
    assert reading.verdicts[0].winner == "second"
    assert "2 votes are on a pair" in " ".join(reading.notes) and "1 rows compare a text with itself" in " ".join(
        reading.notes
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("prompt,response\np,a\n", "no two different answers"),
        ("prompt,response\np,a\nq,b\n", "no two different answers"),
        ("prompt,left,right,winner\np,a,b,best\n", "none of left, right"),
        ("prompt,left\np,a\n", "neither chosen and rejected"),
        ('{"prompt": "", "chosen": "a", "rejected": "b"}', "different messages|no prompt"),
        ('{"prompt": "p", "chosen": [{"role": "tool", "content": "x"}], "rejected": "b"}', "without a role"),
        ('{"prompt": "p", "response": "\\ud800"}', "surrogate"),
        ('{"prompt": "p", "response": "' + "x" * 20_001 + '"}', "more than 20,000"),
        ("prompt,left,right,winner,seconds\np,a,b,left,soon\n", "seconds is no number"),
        ('{"prompt": "p", "response": ""}', "line 1 has an empty response"),
        ("prompt,chosen,rejected\np,,b\n", "line 2 has an empty chosen"),
        (
            '{"prompt": [{"role":"assistant","content":"a"},{"role":"user","content":"b"}], "response": "x"}',
            "out of order",
        ),
        (
            '{"prompt": [{"role":"user","content":"a"},{"role":"system","content":"b"}], "response": "x"}',
            "out of order",
        ),
        ('{"prompt": [{"role":"system","content":"a"}], "response": "x"}', "does not end with a user's"),
        ('{"prompt": [], "response": "x"}', "does not end with a user's"),
        ('{"prompt": [{"role":"user","content":"a"},{"role":"user","content":"b"}], "response": "x"}', "several turns"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        reading = read_ballot(text.encode())
        raise AssertionError(reading)


def test_the_answers_that_ship_can_be_compared() -> None:
    ballot = ready_ballot()
    assert len(ballot.questions) == 12 and len(ballot.answers) == 72 and len(ballot.names) == 3
    assert all(len(list(combinations(places, 2))) == 15 for places in ballot.questions)


def test_votes_that_contradict_each_other_wholly_all_ties_and_one_voter_still_fit() -> None:
    contrary = [verdict(0, 2, "first"), verdict(0, 2, "second", "bob")]
    strengths = fit_strengths(votes_on_names(BALLOT, contrary)).items
    assert all(abs(item.strength) < 1e-9 for item in strengths)
    assert measure_agreement(votes_on_answers(BALLOT, contrary)).share == 0.0
    ties = fit_strengths(votes_on_names(BALLOT, [verdict(0, 2, "tie"), verdict(1, 3, "tie")]))
    assert "All votes are ties" in ties.notes[0]


def test_the_csv_of_votes_fit_is_ours() -> None:
    from playground.preferences.votes_file import read_votes
    from playground.tuning.jury import votes_csv

    hostile = Ballot((Answer("p", "a", "=cmd()"), Answer("p", "b", "<b>")))
    text = votes_csv(votes_on_names(hostile, [verdict(0, 1, "second")]))
    assert next(csv.DictReader(io.StringIO(text)))["left"] == "'=cmd()"
    assert read_votes(text.encode())[0][0].winner == "<b>"
