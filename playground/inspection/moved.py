"""What a training moved in texts: how likely each token was before and after, and the perplexity of sets of texts.

Knows rows of log-probabilities and no model. The perplexity of a set is exp of the mean surprise of all tokens that count
in it, so that a long text weighs more than a short one.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.engine.api import CancelToken, Engine, Score
from playground.engine.facets import require
from playground.engine.types import FloatArray, TokenIds


@dataclass(frozen=True, slots=True)
class CountedText:
    """A text and which of its tokens are looked at; the first never is, nothing predicts it."""

    ids: TokenIds
    counted: tuple[bool, ...]

    @classmethod
    def whole(cls, ids: TokenIds) -> CountedText:
        return cls(ids, (False, *(True,) * (len(ids) - 1)))

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """(n,) the places that count."""
        return np.flatnonzero(np.array(self.counted, dtype=bool))


@dataclass(frozen=True, slots=True)
class SetPerplexity:
    """A set of texts before and after. ``texts`` of ``of`` were read; ``tokens`` of them count."""

    name: str
    texts: int
    of: int
    tokens: int
    before: float
    after: float


def score_texts(
    engine: Engine, texts: Sequence[TokenIds], cancel: CancelToken
) -> Generator[float, None, tuple[FloatArray, ...]]:
    """(T,) log-probabilities of each text, NaN at its first token; yields the share that is done. A job for a worker."""
    logprobs: list[FloatArray] = []
    scorer = require(engine, Score)
    for number, ids in enumerate(texts, 1):
        pieces = scorer.score_in_pieces(ids, cancel=cancel)
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                logprobs.append(end.value.logprobs)
                break
            yield (number - 1) / len(texts)
        yield number / len(texts)
    return tuple(logprobs)


def perplexity(texts: Sequence[CountedText], logprobs: Sequence[FloatArray]) -> float:
    """exp(−mean log p) over the tokens that count; NaN where none does.

    >>> perplexity([CountedText.whole((1, 2))], [np.array([np.nan, math.log(0.25)], dtype=np.float32)])
    4.0
    """
    counted = [row[text.places].astype(np.float64) for text, row in zip(texts, logprobs, strict=True)]
    together = np.concatenate(counted) if counted else np.empty(0)
    return math.exp(-float(together.mean())) if together.size else math.nan


def set_perplexity(
    name: str, texts: Sequence[CountedText], of: int, before: Sequence[FloatArray], after: Sequence[FloatArray]
) -> SetPerplexity:
    """``of``: how many texts the set has, of which ``texts`` were read."""
    tokens = sum(text.places.size for text in texts)
    return SetPerplexity(name, len(texts), of, tokens, perplexity(texts, before), perplexity(texts, after))


def largest_changes(text: CountedText, change: FloatArray, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places that count and gained most, most first, and those that lost most. ``change``: (T,) nats."""
    places = text.places
    order = places[np.argsort(-change[places], kind="stable")]
    gained = tuple(int(place) for place in order[:count] if change[place] > 0)
    lost = tuple(int(place) for place in order[::-1][:count] if change[place] < 0)
    return gained, lost
