"""How surprising a model finds documents: perplexity a token and bits a byte of their first tokens, as a job for the worker."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from playground.corpus.measuring import Measured
from playground.engine.api import CancelToken, Engine, Score
from playground.engine.facets import require

MOST_TOKENS = 512  # of a document that are read


@dataclass(frozen=True, slots=True)
class Surprise:
    """Of the tokens after the first, ``tokens`` of them with ``bytes`` bytes: their negative log-probability in nats.

    A document of one token has neither perplexity nor bits a byte: both are NaN.
    """

    document: int
    tokens: int
    bytes: int
    nats: float

    @property
    def perplexity(self) -> float:
        """exp of the nats a token; infinite beyond what a float holds."""
        if not self.tokens:
            return math.nan
        mean = self.nats / self.tokens
        return math.exp(mean) if mean < 700 else math.inf

    @property
    def bits_per_byte(self) -> float:
        return self.nats / math.log(2) / self.bytes if self.bytes else math.nan


def surprise_of(
    engine: Engine, document: int, text: str, cancel: CancelToken | None = None
) -> Generator[None, None, Surprise]:
    """Of one text's first ``MOST_TOKENS`` tokens, with turns for others between."""
    ids = engine.codec.encode(text[: MOST_TOKENS * 16])[:MOST_TOKENS]
    if len(ids) < 2:
        return Surprise(document, 0, 0, 0.0)
    score = yield from require(engine, Score).score_in_pieces(ids, cancel=cancel)
    size = sum(len(engine.codec.token_bytes(token)) for token in ids[1:])
    return Surprise(document, len(ids) - 1, size, -math.fsum(map(float, score.logprobs[1:])))


def surprises(
    engine: Engine, measured: Measured, documents: Sequence[int], cancel: CancelToken | None = None
) -> Generator[Surprise | None, None, None]:
    """Of those documents, one after the other; None gives others their turn."""
    for number in documents:
        yield (yield from surprise_of(engine, number, measured.text(number), cancel))
