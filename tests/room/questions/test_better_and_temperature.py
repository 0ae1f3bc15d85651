"""Pairs, sides and votes; the spread of settings against the standard library's quartiles."""

from __future__ import annotations

import statistics

import pytest

from playground.errors import BadInput
from playground.room.questions.better import left_of, pairs, vote_for, votes_of
from playground.room.questions.temperature import Spread, settings_to_write, spread
from playground.room.questions.types import Answer, Better, Moved, Question, Round, Voted


@pytest.mark.parametrize("answers", range(2, 7))
def test_all_pairs_come_once_and_link_all_answers_soon(answers: int) -> None:
    all_pairs = pairs(answers)
    assert len(set(all_pairs)) == len(all_pairs) == answers * (answers - 1) // 2
    linked = {0}
    for first, second in all_pairs[: answers - 1]:
        linked |= {first, second} if {first, second} & linked else set()
    assert linked == set(range(answers))


def test_sides_fall_as_a_coin_does_and_stay() -> None:
    sides = [left_of(f"visitor {n}", "question") for n in range(1_000)]
    assert 440 < sides.count("first") < 560
    assert sides == [left_of(f"visitor {n}", "question") for n in range(1_000)]
    assert sides != [left_of(f"visitor {n}", "another") for n in range(1_000)]


def test_a_press_on_a_side_is_a_vote_for_what_stood_there() -> None:
    assert vote_for("left", "second") == Voted("second", "second")
    assert vote_for("right", "second") == Voted("first", "second")
    assert vote_for("tie", "first") == Voted("tie", "first")
    with pytest.raises(BadInput):
        vote_for("middle", "first")  # type: ignore[arg-type]


def test_votes_can_be_read_without_their_question() -> None:
    about = Better("Why?", ("one", "two", "three"), (2, 0))
    given = (Voted("first", "second"), Voted("first", "first"), Voted("bad", "first"))
    answers = tuple(Answer(f"v{place}", vote, 1.0) for place, vote in enumerate(given))
    one = Round(Question("q", "A", "series", 1, 0.0, "open", about), answers)
    votes = votes_of([one])
    assert [(v.left_text, v.right_text, v.outcome, v.voter) for v in votes] == [
        ("one", "three", "right", "v0"),
        ("three", "one", "left", "v1"),
        ("three", "one", "both_bad", "v2"),
    ]
    assert {(v.prompt, v.group) for v in votes} == {("Why?", "series")}
    assert (votes[0].left, votes[0].right) == ("Answer 1", "Answer 3")


def moved(*settings: float) -> tuple[Answer, ...]:
    return tuple(Answer(str(place), Moved(value), 1.0) for place, value in enumerate(settings))


def test_the_spread_has_the_standard_librarys_quartiles() -> None:
    settings = (0.2, 1.0, 0.7, 0.7, 1.4, 0.0, 0.9)
    summary = spread(moved(*settings))
    assert summary is not None
    quartiles = statistics.quantiles(settings, n=4, method="inclusive")
    assert (summary.lower_quartile, summary.median, summary.upper_quartile) == pytest.approx(quartiles)
    assert summary.settings == tuple(sorted(settings)) and (summary.low, summary.high) == (0.0, 1.4)
    assert settings_to_write(summary) == (("lowest", 0.0), ("median", 0.7), ("highest", 1.4))


def test_equal_settings_are_written_once() -> None:
    assert spread(()) is None
    assert settings_to_write(Spread((0.5,), 0.5, 0.5, 0.5, 0.5, 0.5)) == (("median", 0.5),)
    summary = spread(moved(0.5, 0.5, 0.5, 1.5))
    assert summary is not None and settings_to_write(summary) == (("median", 0.5), ("highest", 1.5))
