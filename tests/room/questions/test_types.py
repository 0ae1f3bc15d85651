"""What can be asked and answered: bounded, and without what nobody sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from playground.errors import BadInput
from playground.room.questions.types import (
    Better,
    Guess,
    Guessed,
    LessonQuestion,
    Moved,
    Temperature,
    Voted,
    tidy,
)


@pytest.mark.parametrize(
    "construct",
    [
        lambda: Guess(""),
        lambda: Guess("x" * 4_001),
        lambda: Guess("x", "y" * 201),
        lambda: Guess("x", choices=("one",)),
        lambda: Guess("x", choices=tuple("abcdefghi")),
        lambda: Guessed("m" * 10_000),
        lambda: Guessed(" \u202e "),
        lambda: Better("q", ("one",)),
        lambda: Better("q", ("one", "one")),
        lambda: Better("q", ("one", "two"), (0, 2)),
        lambda: Better("q", ("one", "x" * 4_001)),
        lambda: Better("q", tuple("abcdefg")),
        lambda: Temperature("", "Write a poem."),
        lambda: Moved(2.01),
        lambda: Moved(float("nan")),
        lambda: Voted("third", "first"),  # type: ignore[arg-type]
        lambda: LessonQuestion("riddle"),
        lambda: LessonQuestion("guess", rounds=0),
        lambda: LessonQuestion("better", answers=("one",)),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(construct: Callable[[], object]) -> None:
    with pytest.raises(BadInput) as refused:
        construct()
    assert str(refused.value).endswith(".") and len(str(refused.value)) < 200


def test_what_nobody_sees_is_left_out_and_scripts_stay() -> None:
    assert tidy("a\u202eb\u0000c\ud800\u2066d\n") == "abcd\n"
    for text in ("שלום", "नमस्ते", "می‌خواهم", "👩‍🚀", "<b>&amp;"):  # with joiners that scripts and emoji need
        assert tidy(text) == text
    assert tidy("e\u0301") == "é"


def test_a_prompt_ends_where_a_token_with_its_space_begins() -> None:
    assert Guess("The cat sat on the  ", " mat ") == Guess("The cat sat on the", "mat")
    assert Guess("A line\n").prompt == "A line\n"
