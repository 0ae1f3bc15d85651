"""Answers found in texts, brought to one form, and counted; ties by hand."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.testtime import patterns
from playground.testtime.answers import PATTERNS, extract_answers, normalise
from playground.testtime.patterns import MOST_TIMEOUTS, compile_pattern, last_matches
from playground.testtime.voting import count_votes, self_consistency, vote_weights

Answers = st.lists(st.one_of(st.none(), st.sampled_from("abcd")), max_size=12)


@pytest.mark.parametrize(
    ("pattern", "text", "key"),
    [
        ("number", "7 + 5 = 12.", "12"),
        ("number", "It costs $1,234.50 in all", "1234.5"),
        ("number", "from 3 to -4", "-4"),
        ("number", "half is .5", "0.5"),
        ("number", "version v12 only", None),
        ("number", "The answer is −5.", "-5"),
        ("number", "so −.5", "-0.5"),
        ("number", "The answer is –5.", "-5"),
        ("number", "It is ‑7, not ‐6 or ‒8", "-7"),
        ("number", "from 3–5", "5"),
        ("number", "apples — 5", "5"),
        ("number", "about 3.5e4 of them", "35000"),
        ("number", "mass 6.02E−23", "6.02e-23"),
        ("number", "It is －7 or ﹣8", "-8"),
        ("number", "a loss of -$12", "-12"),
        ("number", "a loss of −€ 1,200.50 in all", "-1200.5"),
        ("number", "$-12", "-12"),
        ("number", "from $5-$12", "12"),
        ("number", "3−5", "5"),
        ("number", "8, not 7", "8"),
        ("number", "not 7 but 8", "8"),
        ("number", "The answer is not 7.", None),
        ("number", "It isn't $1,234 or 1.5 × 10^6, it is 3", "3"),
        ("number", "I do not add 7", "7"),
        ("number", "The answer is 8, which is 2 more than 6.", "8"),
        ("number", "The answer is 5 + 3 = 8, as 2 = 2", "8"),
        ("number", "Answer: x = -8. I was sure after 3 steps", "-8"),
        ("number", "The answer is 3. No: the answer is 4, half of 8", "4"),
        ("number", "12,34", "12.34"),
        ("number", "scores of 3,4 and 5,6", "5.6"),
        ("number", "so 3,141 people", "3141"),
        ("number", "only 0,125", "0.125"),
        ("number", "1,2,3", "3"),
        ("number", "1.234,50 €", "1234.5"),
        ("number", "1.234.567", "1234567"),
        ("number", "12,34,567 rupees", "1234567"),
        ("number", "1\u202f234\u00a0567,8", "1234567.8"),
        ("number", "1'234.50", "1234.5"),
        ("number", "1_000_000", "1000000"),
        ("number", r"1{,}234", "1234"),
        ("number", "100 200 300", "300"),
        ("number", "1e6", "1000000"),
        ("number", "1e100 atoms", "1e+100"),
        ("number", "10e99", "1e+100"),
        ("number", "1.5 × 10^6", "1500000"),
        ("number", "1.5x10⁶ m", "1500000"),
        ("number", r"$1.5 \times 10^{-6}$", "0.0000015"),
        ("number", "10⁻³", "0.001"),
        ("number", "2^10", "2^10"),
        ("number", "The answer is 1/2.", "1/2"),
        ("number", "minus 5 degrees", "-5"),
        ("number", "Version 2 of 5 m²", "5"),
        ("boxed", r"\boxed{\frac{\sqrt{3}}{2}}", r"\frac{\sqrt{3}}{2}"),
        ("boxed", r"first \boxed{1}, then \boxed{\frac{\sqrt{x^{2}}}{2}}", r"\frac{\sqrt{x^{2}}}{2}"),
        ("boxed", r"\boxed {\{1, 2\}}", r"\{1, 2\}"),
        ("boxed", r"\fbox{3}", "3"),
        ("boxed", r"first \boxed{1}, then \boxed{\frac{3", None),
        ("boxed", r"\boxed{1 and \boxed{2}", "2"),
        ("boxed", r"so $\boxed{\frac{1}{2}}$ it is", r"\frac{1}{2}"),
        ("letter", "I think (B) is right, not A-level", "b"),
        ("letter", "The answer is B.", "b"),
        ("letter", "A new pleadle grew.", None),
        ("letter", "C) it is. A fish swims", "c"),
        ("letter", "A) banana", "a"),
        ("letter", "(A) it is", "a"),
        ("letter", "A is right", "a"),
        ("letter", "The answer is A", "a"),
        ("letter", "It is A.\nBecause", "a"),
        ("letter", "Because Dogs bark", None),
        ("letter", "The answer is B. Note that A is tempting.", "b"),
        ("letter", "**Answer: (C)**\nOption A is wrong, D and E too.", "c"),
        ("letter", "The correct answer is option D, as B is wrong", "d"),
        ("letter", r"The answer is $\boxed{\text{B}}$, since A is odd", "b"),
        ("letter", r"So $\boxed{E}$. (A was close)", "e"),
        ("letter", "B is the correct one, while A is not", "b"),
        ("letter", "The best choice is C. A and B are wrong", "c"),
        ("letter", "I choose D, for A is too short", "d"),
        ("letter", "The answer is B. No: the answer is C.", "c"),
        ("letter", "The correct answer would be D because A is absurd", "d"),
        ("letter", "The answer must therefore be C, as A was tempting", "c"),
        ("letter", "Neither A nor B; it must be D. A was tempting", "d"),
        ("letter", "It is E, for A is too short", "e"),
        ("letter", "It may be A, but the answer is B", "b"),
        ("after-answer", "We add.\nAnswer: Paris.", "paris"),
        ("after-answer", "The answer is 42. Done", "42"),
        ("last-line", "First\n\n  The Danube!  \n", "danube"),
        ("whole", "  Yes. ", "yes"),
        (r"x=(\d+) y=(?P<answer>\d+)", "x=1 y=2 x=3 y=4", "4"),
        (r"\d+", "1 2 3", "3"),
        ("json", 'Sure: {"b": 2, "a": 1}. Bye', '{"a":1,"b":2}'),
    ],
)
def test_the_last_match_is_the_answer(pattern: str, text: str, key: str | None) -> None:
    answer = extract_answers([text], pattern)[0]
    assert answer.key == key
    assert (answer.note == "") == (key is not None)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1,000", "1000.00"),
        ("0.50", ".5"),
        ("1e6", "1,000,000"),
        ("1E+6", "1000000.0"),
        ("1,5", "1.5"),
        ("1.5·10³", "1500"),
        ("minus 2", "−2"),
        ("+3", "3"),
        ("-0", "0"),
        ("$5", "5"),
        ("40 %", "40"),
        ("The Nile.", "nile"),
        ("“Oslo”", "“OSLO”"),
        ("３", "3"),
        ("**7**", "7"),
        ("−2", "-2"),
        ("-$12", "−12"),
        ("−€ 3.50", "-3.5"),
        ("(b)", "B"),
        ("b)", "B"),
        ('{"b": 1,  "a": [2]}', '{"a":[2],"B":1}'),
        ("f(x)", "F(x)."),
    ],
)
def test_equal_answers_have_one_form(left: str, right: str) -> None:
    assert normalise(left) == normalise(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1,0", "10"),
        ("1.5", "15"),
        ("-3", "3"),
        ("10⁶", "106"),
        ("1e3", "1e4"),
        ("1/2", "12"),
        ("1,234", "1.234"),
        ("ab", "a b"),
    ],
)
def test_different_answers_stay_different(left: str, right: str) -> None:
    assert normalise(left) != normalise(right)


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.integers(-(10**12), 10**12), st.integers(0, 4))
def test_a_number_is_known_by_its_value(value: int, zeros: int) -> None:
    assert normalise(f"{value:,}") == normalise(f"{value}." + "0" * zeros) == str(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9))
def test_ways_of_writing_one_number_are_one_answer(value: Decimal) -> None:
    plain, english = str(value), f"{value:,}"
    continental = english.translate(str.maketrans(",.", ".,"))
    ways = [plain, english, continental, english.replace(",", "\u202f"), english.replace(",", "'"), f"{value:e}"]
    keys = {extract_answers([f"It is {way} m"], "number")[0].key for way in ways}
    assert len(keys) == 1 and keys == {normalise(way) for way in ways}
    assert Decimal(str(keys.pop())) == value


def test_a_pattern_that_backtracks_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SEARCH_SECONDS", 0.05)
    texts = ["a" * 60 + "!"] * 40
    answers = extract_answers(texts, r"(a|aa)+$")
    assert all(answer.key is None for answer in answers)
    assert "too long" in answers[0].note
    slow = list(last_matches(compile_pattern(r"(a|aa)+$"), texts))
    assert all(item.too_slow for item in slow) and len(slow) > MOST_TIMEOUTS


@pytest.mark.parametrize(
    "pattern", ["(", "", "x" * 1001, "(?P<answer>a)(?P<answer", "(" * 900 + ")" * 900, "a{99999999999999}"]
)
def test_a_bad_pattern_is_one_sentence(pattern: str) -> None:
    with pytest.raises(BadInput) as refused:
        extract_answers(["a"], pattern)
    assert refused.value.field == "answer_pattern" and "\n" not in str(refused.value)


def test_every_ready_made_pattern_compiles() -> None:
    for name in PATTERNS:
        extract_answers(["some text, 12"], name)


# -- votes ---------------------------------------------------------------------------------------------------------------


def test_the_majority_wins() -> None:
    vote = count_votes(["4", "5", "5", None, "5", "4"])
    assert (vote.majority, vote.winner, vote.tied, vote.abstained) == ("5", 1, (), 1)
    assert [(t.answer, t.count, t.members) for t in vote.tallies] == [("5", 3, (1, 2, 4)), ("4", 2, (0, 5))]
    assert vote.tallies[0].share == pytest.approx(0.6)


def test_a_tie_goes_to_the_first_and_is_told() -> None:
    vote = count_votes(["b", "a", "a", "b", "c"])
    assert (vote.majority, vote.tied, vote.winner) == ("b", ("b", "a"), 0)


def test_weights_can_overturn_the_majority() -> None:
    vote = count_votes(["4", "5", "5"], [0.9, 0.3, 0.4])
    assert (vote.majority, vote.winner) == ("4", 0)
    assert count_votes(["4", "5", "5"], [0.7, 0.3, 0.4]).tied == ("4", "5")
    assert count_votes(["4", "5", "5"], [0.0, 0.3, 0.4]).winner == 2, "the heaviest stands for its answer"


def test_weights_that_differ_by_rounding_are_a_tie() -> None:
    assert count_votes(["a", "b", "b", "b"], [0.3, 0.1, 0.1, 0.1]).tied == ("a", "b")


def test_nobody_votes_or_nobody_weighs_anything() -> None:
    for vote in (count_votes([]), count_votes([None, None]), count_votes(["a"], [0.0])):
        assert vote.majority is None and vote.winner is None and vote.tied == ()


@pytest.mark.parametrize("weights", [[1.0], [1.0, -0.1], [math.nan, 1.0], [math.inf, 1.0]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadInput):
        count_votes(["a", "b"], weights)


@given(Answers)
def test_the_vote_is_what_counting_by_hand_gives(answers: list[str | None]) -> None:
    vote = count_votes(answers)
    counts = {answer: answers.count(answer) for answer in set(answers) - {None}}
    assert {tally.answer: tally.count for tally in vote.tallies} == counts
    if counts:
        leaders = [answer for answer in dict.fromkeys(answers) if counts.get(answer) == max(counts.values())]
        assert vote.majority == leaders[0]
        assert vote.tied == (tuple(leaders) if len(leaders) > 1 else ())
        assert vote.winner == answers.index(leaders[0])


@given(Answers)
def test_self_consistency_is_the_vote_of_each_beginning(answers: list[str | None]) -> None:
    for step in self_consistency(answers):
        vote = count_votes(answers[: step.n])
        assert step.majority == vote.majority and step.tied == bool(vote.tied)
        assert step.share == pytest.approx(vote.tallies[0].share if vote.tallies else 0.0)


def test_weights_of_log_probabilities_keep_their_ratios() -> None:
    weights = vote_weights([math.log(0.2), None, math.log(0.1), -math.inf], "probability")
    assert weights == pytest.approx((1.0, 0.0, 0.5, 0.0))


def test_borda_points_by_hand() -> None:
    assert vote_weights([0.3, 0.9, None, 0.5], "borda") == (1.0, 3.0, 0.0, 2.0)
    assert vote_weights([0.3, 0.9, 0.5], "borda", 2.0) == (1.0, 9.0, 4.0)
    assert vote_weights([0.5, 0.5, 0.1], "borda") == (2.5, 2.5, 1.0), "equals share the points of their ranks"
    with pytest.raises(BadInput):
        vote_weights([1.0], "borda", math.nan)


def test_weights_as_they_are_must_not_be_negative() -> None:
    assert vote_weights([0.5, None], "as-is") == (0.5, 0.0)
    with pytest.raises(BadInput):
        vote_weights([-0.5], "as-is")
