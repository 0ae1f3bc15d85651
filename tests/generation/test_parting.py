"""Where two texts part, by tokens and by characters."""

from __future__ import annotations

import pytest

from playground.generation.parting import Parting, parting, token_at
from playground.generation.types import TokenStep


def path(*ids: int | None) -> list[TokenStep]:
    return [TokenStep(0, place, token, -1.0) for place, token in enumerate(ids)]


@pytest.mark.parametrize(
    ("left", "right", "place"),
    [((1, 2, 3), (1, 2, 3), None), ((1, 2, 3), (1, 9, 3), 1), ((1, 2), (1, 2, 3), 2), ((), (), None), ((), (4,), 0)],
)
def test_one_vocabulary_is_compared_by_tokens(left: tuple[int, ...], right: tuple[int, ...], place: int | None) -> None:
    point = parting(path(*left), path(*right), [], [], same_vocabulary=True)
    assert point == (None if place is None else Parting(place, place))


@pytest.mark.parametrize("same", [True, False])
def test_texts_of_two_vocabularies_and_untold_ids_are_compared_by_characters(same: bool) -> None:
    left, right = ["Par", "is", " is", " old"], ["Paris", " ", "is new"]
    point = parting(path(1, 2, 3, 4), path(1, None, 3), left, right, same_vocabulary=same)
    assert point == Parting(3, 2, 9) and "".join(left)[:9] == "".join(right)[:9] == "Paris is "
    assert parting(path(1), path(2, None), ["ab"], ["a", "b"], same_vocabulary=same) is None
    assert parting(path(1), path(2, None), ["ab"], ["a", "bc"], same_vocabulary=same) == Parting(1, 1, 2)


@pytest.mark.parametrize(("character", "token"), [(0, 0), (2, 0), (3, 2), (4, 2), (5, 3)])
def test_a_character_belongs_to_the_token_that_adds_it(character: int, token: int) -> None:
    assert token_at(["abc", "", "de"], character) == token
