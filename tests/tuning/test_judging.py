"""Which texts a judge sees, on which sides, and what is made of the votes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from playground.errors import BadInput
from playground.preferences.asking import votes_promised
from playground.preferences.shares import share_of
from playground.preferences.votes import Vote
from playground.preferences.votes_file import read_votes
from playground.room.questions.better import TextVote
from playground.tuning.judging import (
    CONTROL_EVERY,
    Judgement,
    Material,
    Question,
    Unit,
    next_questions,
    outlook,
    side_of,
    votes_on_the_same,
    votes_to_fit,
)
from playground.tuning.jury import (
    against_present,
    control_sentence,
    progress_sentence,
    settled_sentence,
    standing_of,
    votes_csv,
)
from playground.tuning.plan import CONTROL
from tests.tuning.simulated_judges import material, press


def _ask(given: Material, judgements: list[Judgement]) -> tuple[Question, ...]:
    """Ann's next four questions; ties of equal texts are added to ``judgements``, as who stores them does."""
    ahead = outlook(given, votes_to_fit(judgements))
    questions, passed = next_questions(given, ahead, judgements, "ann", seed=1, count=4)
    judgements += passed
    return questions


def test_a_question_is_two_arms_texts_to_one_prompt_and_sample() -> None:
    given = material(("today", "cool"), examples=3, samples=2)
    (one, two, *_), _passed = next_questions(given, outlook(given, []), [], "ann", seed=1, count=6)
    for question in (one, two):
        unit = question.unit
        shown = (question.left_text, question.right_text)
        assert set(shown) == {f"today {unit.example}.{unit.sample}", f"cool {unit.example}.{unit.sample}"}
        assert shown[0].startswith(unit.first if question.left == "first" else unit.second)
        assert question.prompt == f"prompt {unit.example}"
    assert one.unit.example != two.unit.example  # examples take turns


def test_a_judge_is_asked_once_about_each_pair_and_the_control_now_and_then() -> None:
    given, judgements, units = material(("today", "cool"), examples=20, samples=2), list[Judgement](), list[Unit]()
    while (questions := _ask(given, judgements)) and len(units) < 200:
        units += [question.unit for question in questions]
        judgements += [press(question, "ann", "tie") for question in questions]
    assert len(units) == len(set(units))
    pairs = Counter(unit.pair for unit in units)
    assert pairs["today", "cool"] == 40  # all there is; ties settle nothing
    assert pairs["today", CONTROL] == len(units) // CONTROL_EVERY


def test_order_and_sides_are_each_judges_own_and_stay() -> None:
    given = material(("today", "cool"), examples=40)
    ahead = outlook(given, [])
    ann, again, bob = (next_questions(given, ahead, [], judge, seed=7, count=30)[0] for judge in ("ann", "ann", "bob"))
    assert ann == again and [q.unit for q in ann] != [q.unit for q in bob]
    units = given.units["today", "cool"]
    sides = np.array([[side_of(unit, judge, 7) == "first" for unit in units] for judge in map(str, range(40))])
    assert 0.45 < sides.mean() < 0.55 and (sides.std(axis=0) > 0).all()


def test_equal_texts_are_ties_without_asking() -> None:
    given = material(("today", "cool"), examples=12, equal={0, 1, 2, 3, 4, 5})
    judgements: list[Judgement] = []
    while questions := _ask(given, judgements):
        assert all(question.unit.example > 5 for question in questions)
        judgements += [press(question, "ann", "left") for question in questions]
    same = [each for each in judgements if each.verdict == "same"]
    assert {each.unit.example for each in same} == {0, 1, 2, 3, 4, 5}
    standing = standing_of(given, judgements)
    assert standing.same == 6 and standing.judges[0].undecided == 0  # nobody pressed a tie
    assert standing.outlook.fitted is not None and sum(item.ties for item in standing.outlook.fitted.items) == 12


def test_settings_that_write_the_same_are_level_without_a_vote() -> None:
    given = material(("today", "cool"), examples=5, equal=set(range(5)))
    assert _ask(given, []) == ()
    assert settled_sentence(outlook(given, [])) == "settled: today and cool are level."


def test_every_third_question_has_been_judged_by_another() -> None:
    given = material(("today", "cool"), examples=60)
    first = [press(q, "ann", "tie") for q in next_questions(given, outlook(given, []), [], "ann", seed=1, count=20)[0]]
    questions, _ = next_questions(given, outlook(given, votes_to_fit(first)), first, "bob", seed=1, count=15)
    judged = {each.unit for each in first}
    shared = [q.unit in judged for q in questions if CONTROL not in q.unit.pair]
    assert sum(shared) == 4  # of turns 2, 5, 8, 11 and 14 the second is the control's


@pytest.mark.parametrize("best", ["cool", "today"])
def test_a_manager_finds_the_best_setting_and_is_asked_no_more(best: str) -> None:
    """Who prefers one setting's text in 85% of cases is done within the number of votes said before."""
    given, rng = material(("today", "cool", "hot"), examples=150), np.random.default_rng(3)
    judgements: list[Judgement] = []
    while questions := _ask(given, judgements):
        for question in questions:
            arms = question.unit.pair if question.left == "first" else question.unit.pair[::-1]
            likely = 0.85 if arms[0] == best else 0.15 if arms[1] == best else 0.5
            judgements.append(press(question, "ann", "left" if rng.random() < likely else "right"))
    standing = standing_of(given, judgements)
    assert standing.outlook.leader == best and not standing.outlook.open
    assert standing.votes <= votes_promised(3, share=0.85)
    sentences = [progress_sentence(standing.outlook, standing.votes, named=named) for named in (True, False)]
    assert best in sentences[0] and best not in sentences[1]
    assert not standing.control_differs and "what chance gives" in (control_sentence(standing) or "")


def test_who_always_presses_one_is_said_and_can_be_left_out() -> None:
    given = material(("today", "cool"), examples=40)
    questions, _ = next_questions(given, outlook(given, []), [], "bob", seed=2, count=30)
    judgements = [press(q, "bob", "left") for q in questions]
    standing = standing_of(given, judgements)
    assert standing.judges[0].note is not None and "always" in standing.judges[0].note
    without = standing_of(given, judgements, left_out={"bob"})
    assert without.votes == 0 and without.judges == standing.judges and without.outlook.fitted is None


def test_who_prefers_a_second_run_of_the_same_setting_proves_nothing() -> None:
    given = material(("today", "cool"), examples=30)
    on_control = [Judgement(unit, "ann", "first", "left", 0) for unit in given.units["today", CONTROL]]
    standing = standing_of(given, on_control)
    assert standing.control_differs and "no merit" in (control_sentence(standing) or "") and standing.votes == 0


def test_how_often_a_setting_is_preferred_to_the_present_one() -> None:
    """Of two settings the fitted share is the share of decided votes."""
    given = material(("today", "cool"), examples=40)
    units = given.units["today", "cool"][:40]
    judgements = [Judgement(u, "ann", "first", "right" if n % 4 else "left", 0) for n, u in enumerate(units)]
    (said,) = against_present(standing_of(given, judgements), "today")
    assert said.startswith("'cool' is preferred to 'today' in 75% of decided votes (95%: ")
    assert against_present(standing_of(given, []), "today") == []


def test_both_bad_is_counted_by_setting() -> None:
    given = material(("today", "cool", "hot"), examples=10)
    units = {pair: given.units[pair] for pair in (("today", "cool"), ("today", "hot"))}
    judgements = [Judgement(unit, "ann", "first", "both_bad", 0) for unit in units["today", "hot"][:4]]
    judgements += [Judgement(unit, "ann", "first", "right", 0) for unit in units["today", "cool"][:6]]
    bad = standing_of(given, judgements).both_bad
    assert (bad["hot"].share, bad["cool"].share, bad["today"].share) == (1, 0, 0.4)
    assert share_of(4, 10).low == pytest.approx(0.1216, abs=1e-4)  # R: binom.test(4, 10)


def test_a_rooms_votes_on_the_same_texts_count() -> None:
    given = material(("today", "cool"), examples=2, equal={1})

    said = TextVote("prompt 0", "Answer 1", "Answer 2", "cool 0.0", " today 0.0", "left", "carl", "series")
    equal = replace(said, prompt="prompt 1", left_text="equal 1.0", right_text="cool 1.0")
    votes = votes_on_the_same(given, [said, equal, replace(said, prompt="another prompt")])
    assert votes == [Vote("cool", "today", "left", "room: carl", subject="room: prompt 0")]


def test_texts_that_are_not_there_are_no_unit() -> None:
    given = material(("today", "cool"), examples=2)
    for unit in (Unit(5, 0, "today", "cool"), Unit(0, -1, "today", "cool"), Unit(0, 0, "today", "warm")):
        with pytest.raises(BadInput, match="not among those"):
            given.texts_of(unit)


def test_the_file_of_votes_comes_back_as_it_was() -> None:
    votes = [
        Vote("today", "=cool", "right", "Ann", "judges", "1.1"),
        Vote("today", "=cool", "both_bad", "Bob", "judges", "2.1"),
    ]
    read, notes = read_votes(votes_csv(votes).encode())
    assert not notes and [vote.outcome for vote in read] == ["right", "both_bad"] and read[0].right == "'=cool"
    assert (read[1].voter, read[1].group, read[1].subject) == ("Bob", "judges", "2.1")
    (renamed,), _notes = read_votes(votes_csv([Vote("tie", "x", "left")]).encode())
    assert (renamed.left, renamed.winner) == ("tie (setting)", "tie (setting)")
