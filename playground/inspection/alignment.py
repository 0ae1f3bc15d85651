"""Next tokens of different vocabularies brought onto one set of outcomes, by the exact bytes of tokens.

Two models share a vocabulary if every id means the same in both; then ids are compared and nothing is merged. Otherwise an
outcome is a text: tokens with the same bytes are one, special tokens are one with those of the same name, and what the
other vocabulary has no token for stays an outcome of its own. Knows codecs and no probabilities' meaning.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from playground.engine.api import TextCodec

TokenKey = bytes | str | None
"""What a token stands for: its bytes, a special token's name, None for an id without a token (padding of the head)."""

_LOCK = threading.Lock()
_KNOWN: WeakKeyDictionary[TextCodec, dict[int, tuple[TokenKey, ...]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the next token of several models can be, each text once.

    ``places[m]``: (vocabulary of model m,) the outcome of each of its ids. ``first[o]``: the model and the id by which
    outcome o is named. ``same``: the models have one vocabulary, and an outcome is an id.
    """

    size: int
    places: tuple[npt.NDArray[np.int32], ...]
    first: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]
    same: bool

    def name(self, outcome: int) -> tuple[int, int]:
        """(number of the model, token id) that spell the outcome."""
        models, ids = self.first
        return int(models[outcome]), int(ids[outcome])

    def in_vocabulary(self, model: int) -> npt.NDArray[np.bool_]:
        """(outcomes,) whether the model has a token for it."""
        mask = np.zeros(self.size, dtype=bool)
        mask[self.places[model]] = True
        return mask

    def project(self, values: npt.NDArray[np.floating], model: int) -> npt.NDArray[np.float64]:
        """(vocabulary,) numbers of the model's ids -> (outcomes,) their sums by outcome."""
        return np.asarray(np.bincount(self.places[model], weights=values, minlength=self.size), dtype=np.float64)


def token_keys(codec: TextCodec, size: int) -> tuple[TokenKey, ...]:
    """What each of the ``size`` ids stands for. Remembered while the codec lives: 49,152 tokens take some 50 ms."""
    with _LOCK:
        by_size = _KNOWN.setdefault(codec, {})
        if size not in by_size:
            by_size[size] = tuple(_key(codec, token) for token in range(size))
        return by_size[size]


def _key(codec: TextCodec, token: int) -> TokenKey:
    if codec.is_special(token):
        return codec.piece(token)
    return codec.token_bytes(token) or None


def align(vocabularies: Sequence[tuple[TextCodec, int]]) -> Outcomes:
    """The outcomes of some models' next tokens, each given by its codec and the length of its rows.

    >>> from playground.engine.fake.codec import FakeCodec, VOCAB
    >>> align([(FakeCodec(), VOCAB), (FakeCodec(), VOCAB)]).same
    True
    """
    keys = [token_keys(codec, size) for codec, size in vocabularies]
    if all(each == keys[0] for each in keys[1:]):
        size = len(keys[0])
        identity = np.arange(size, dtype=np.int32)
        return Outcomes(size, (identity,) * len(keys), (np.zeros(size, dtype=np.int32), identity), same=True)
    numbers: dict[tuple[int, TokenKey | int], int] = {}
    first: list[tuple[int, int]] = []
    places = []
    for model, of_model in enumerate(keys):
        place = np.empty(len(of_model), dtype=np.int32)
        for token, key in enumerate(of_model):
            outcome = (-1, key) if key is not None else (model, token)  # an id without a token is nobody else's
            number = numbers.setdefault(outcome, len(numbers))
            if number == len(first):
                first.append((model, token))
            place[token] = number
        places.append(place)
    models, ids = np.array(first, dtype=np.int32).T
    return Outcomes(len(first), tuple(places), (models, ids), same=False)
