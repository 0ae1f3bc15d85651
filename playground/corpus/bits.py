"""How surprised a model is by texts, in bits a byte: the Score facet over each text, and intervals over its parts.

Bits per byte = negative log-likelihood / (ln 2 × UTF-8 bytes). It compares models with different vocabularies, as bits a
token do not. A text's first token has no prediction: neither its surprise nor its bytes are counted. A text longer than
the context is read in windows, each as a text of its own.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from playground.engine.api import CancelToken, Engine, Score
from playground.engine.facets import require
from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadInput

REPEATS = 2_000
MOST_TOKENS = 60_000  # of one job
_REMEMBERED = 2_000  # texts
_BLOCK = 24  # tokens: neighbours are not independent, so that a text is resampled in blocks


@dataclass(frozen=True, slots=True, eq=False)
class TextBits:
    """One text under one model. (n,) each: ``ids``; ``bits`` of surprise, NaN for what has no prediction; ``sizes`` in bytes."""

    ids: TokenIds
    bits: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    characters: int

    @property
    def rated(self) -> npt.NDArray[np.bool_]:
        """Which tokens have a prediction."""
        return ~np.isnan(self.bits)

    @property
    def total(self) -> float:
        """Bits of all rated tokens."""
        return float(np.nansum(self.bits, dtype=np.float64))

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of the rated tokens."""
        return int(self.sizes[self.rated].sum())

    @property
    def tokens(self) -> int:
        """How many are rated."""
        return int(self.rated.sum())

    @property
    def per_byte(self) -> float:
        """Bits per byte; NaN for a text of one token."""
        return self.total / self.bytes if self.bytes else math.nan

    @property
    def per_token(self) -> float:
        """Bits per token."""
        return self.total / self.tokens if self.tokens else math.nan


@dataclass(frozen=True, slots=True)
class BitsStep:
    """``done`` of ``total`` tokens have been read."""

    done: int
    total: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.done / max(self.total, 1)


@dataclass(frozen=True, slots=True)
class BitsInterval:
    """A ratio with its 95% interval by resampling parts; equal bounds where there is one part only."""

    value: float
    low: float
    high: float


class BitsStore:
    """What is known of texts by the model's revision. Safe to use from any thread."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._cached: LRUCache[tuple[str, bytes], TextBits] = LRUCache(most)
        self._lock = threading.Lock()

    def cached(self, revision: str, texts: Sequence[str]) -> tuple[TextBits, ...] | None:
        """All of them, or None where one is missing."""
        with self._lock:
            cached = [self._cached.get((revision, _digest(text))) for text in texts]
        complete = tuple(each for each in cached if each is not None)
        return complete if len(complete) == len(texts) else None

    def store(self, revision: str, text: str, bits: TextBits) -> None:
        """Remember one."""
        with self._lock:
            self._cached[revision, _digest(text)] = bits


STORE = BitsStore()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


Job = Callable[[Engine, CancelToken], Generator[BitsStep | None, None, tuple[TextBits, ...]]]


def bits_job(texts: Sequence[str], store: BitsStore = STORE) -> Job:
    """A job for ``Worker.submit``: each text read by the model, unless it is known; a step after each.

    Raises CapabilityMissing without the Score facet, BadInput for more than ``MOST_TOKENS`` in all, BadPrompt for what is
    no text.
    """

    def job(engine: Engine, cancel: CancelToken) -> Generator[BitsStep | None, None, tuple[TextBits, ...]]:
        scorer, revision = require(engine, Score), engine.info.revision
        check_length(engine, texts)
        encoded = [windows(engine, text) for text in texts]
        total, done = sum(len(ids) for each in encoded for ids in each), 0
        measured = []
        for text, parts in zip(texts, encoded, strict=True):
            cancel.check()
            cached = store.cached(revision, [text])
            if cached is not None:
                measured.append(cached[0])
            else:
                scores = []
                for ids in parts:
                    scores.append((yield from scorer.score_in_pieces(ids, cancel=cancel)))
                own = text_bits(engine, parts, [score.logprobs for score in scores], text)
                store.store(revision, text, own)
                measured.append(own)
            done += sum(map(len, parts))
            yield BitsStep(done, total)
        return tuple(measured)

    return job


def check_length(engine: Engine, texts: Sequence[str]) -> None:
    """Raises BadInput for texts of more than ``MOST_TOKENS`` in all, with how much of them fits; no more than that is encoded."""
    left, fit = MOST_TOKENS, 0  # tokens; bytes of UTF-8
    for text in texts:
        for ids in _parts(engine, text):
            fit += sum(len(engine.codec.token_bytes(token)) for token in ids[:left])
            left -= len(ids)
            if left < 0:
                size = sum(len(each.encode("utf-8", "surrogatepass")) for each in texts)
                raise BadInput(
                    f"These texts are too long to be read at once: {engine.info.name} reads at most {MOST_TOKENS:,} tokens, "
                    f"which the first {fit:,} of their {size:,} bytes are. Give it fewer texts, or shorter ones.",
                    "texts",
                )


def windows(engine: Engine, text: str) -> list[TokenIds]:
    """The ids of a text in parts that fit the context. Raises BadPrompt."""
    length = engine.info.context_length
    return [each[place : place + length] for each in _parts(engine, text) for place in range(0, len(each), length)]


def _parts(engine: Engine, text: str) -> Iterator[TokenIds]:
    """The ids of a text, which the codec is given in parts: it refuses what cannot fit the context."""
    limit = max(engine.info.context_length * 2, 1_000)
    for place in range(0, max(len(text), 1), limit):
        yield engine.codec.encode(text[place : place + limit])


def text_bits(engine: Engine, parts: Sequence[TokenIds], logprobs: Sequence[FloatArray], text: str) -> TextBits:
    """The scores of a text's windows as one."""
    ids = tuple(token for part in parts for token in part)
    sizes = np.array([len(engine.codec.token_bytes(token)) for token in ids], dtype=np.int64)
    bits = np.concatenate([np.asarray(each, dtype=np.float64) for each in logprobs]) if parts else np.zeros(0)
    return TextBits(ids, -bits / math.log(2), sizes, len(text))


# -- intervals ---------------------------------------------------------------------------------------------------------


def interval_of(numerators: npt.ArrayLike, denominators: npt.ArrayLike, seed: int = 0) -> BitsInterval:
    """Sum over sum, with a 95% percentile bootstrap over the parts (Efron 1979).

    >>> interval_of([2.0], [4.0])
    BitsInterval(value=0.5, low=0.5, high=0.5)
    """
    above, below = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    if not below.sum():
        return BitsInterval(math.nan, math.nan, math.nan)
    value = float(above.sum() / below.sum())
    if len(above) < 2:
        return BitsInterval(value, value, value)
    drawn = np.random.default_rng(seed).integers(0, len(above), (REPEATS, len(above)))
    ratios = above[drawn].sum(axis=1) / np.maximum(below[drawn].sum(axis=1), 1e-12)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return BitsInterval(value, float(low), float(high))


def over_texts(texts: Sequence[TextBits]) -> BitsInterval:
    """Bits per byte of several texts together, with an interval over them."""
    return interval_of([each.total for each in texts], [each.bytes for each in texts])


def within_text(text: TextBits) -> BitsInterval:
    """Bits per byte of one text, with an interval over blocks of neighbouring tokens: how it would vary in more such text."""
    rated = text.rated
    bits, sizes = text.bits[rated], text.sizes[rated]
    places = range(0, len(bits), _BLOCK)
    return interval_of(
        [float(bits[place : place + _BLOCK].sum()) for place in places],
        [float(sizes[place : place + _BLOCK].sum()) for place in places],
    )
