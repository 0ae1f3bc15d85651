"""Where two texts part: at a token where both are written in one vocabulary, else at a character. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.generation.diversity import first_divergence
from playground.generation.types import TokenStep


@dataclass(frozen=True, slots=True)
class Parting:
    """The token of each text in which they part. ``character``: the number of characters before it that they share,
    where texts of two vocabularies are compared; None where tokens are.
    """

    left: int
    right: int
    character: int | None = None


def parting(
    left: Sequence[TokenStep],
    right: Sequence[TokenStep],
    left_pieces: Sequence[str],
    right_pieces: Sequence[str],
    *,
    same_vocabulary: bool,
) -> Parting | None:
    """The first difference of two texts, an end counting as one; None where they are the same.

    ``*_pieces``: what each token adds to its text. Tokens are compared where the vocabulary is one and every id is known.
    """
    ids = [[step.id for step in path] for path in (left, right)]
    if same_vocabulary and None not in (*ids[0], *ids[1]):
        place = first_divergence(*ids)
        return None if place is None else Parting(place, place)
    character = first_divergence("".join(left_pieces), "".join(right_pieces))
    if character is None:
        return None
    return Parting(token_at(left_pieces, character), token_at(right_pieces, character), character)


def token_at(pieces: Sequence[str], character: int) -> int:
    """The token that a character of the text belongs to; the number of tokens where the text has ended before it.

    >>> token_at(["Par", "is", " is"], 4)
    1
    """
    end = 0
    for place, piece in enumerate(pieces):
        end += len(piece)
        if character < end:
            return place
    return len(pieces)
