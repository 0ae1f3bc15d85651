"""The frozen data that crosses the seam. Token ids and float32 NumPy only: no text, no tensors, no transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from playground.constraint import Constraint

FloatArray = npt.NDArray[np.float32]
TokenIds = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NextLogits:
    """The last position's logits and what it cost to get them.

    ``logits``: (vocab,) float32, read-only, untouched by any sampler. ``computed_tokens`` is how many positions the
    model was really run on: 0 when the row came from the cache, 1 after appending one token to a known prefix.
    ``normalised``: the engine told log-probabilities, so the logits are known up to a constant only. Nothing depends on
    that but the repetition penalty, which multiplies them.
    """

    ids: TokenIds
    logits: FloatArray
    computed_tokens: int
    elapsed_ms: float
    normalised: bool = False

    @property
    def full(self) -> Literal[True]:
        """The whole distribution, as against ``TopTokens``."""
        return True

    @property
    def vocab_size(self) -> int:
        return int(self.logits.size)


@dataclass(frozen=True, slots=True)
class TopTokens:
    """The k likeliest next tokens, from an engine that does not tell the whole distribution.

    ``top_ids`` (k,) int32, likeliest first, and ``logprobs`` (k,) their natural log-probabilities, untouched by any
    sampler; both read-only. What the other tokens share is ``rest``. ``cap``: the largest log-probability that one of
    those may have, where that is more than the least likely listed one's: the engine told it, but not of which token.
    """

    ids: TokenIds
    top_ids: npt.NDArray[np.int32]
    logprobs: FloatArray
    vocab_size: int
    elapsed_ms: float
    cap: float | None = None

    def __post_init__(self) -> None:
        self.top_ids.flags.writeable = self.logprobs.flags.writeable = False

    @property
    def full(self) -> Literal[False]:
        return False

    @property
    def rest(self) -> float:
        """Probability of all tokens that are not listed: 1 - sum p, never below 0."""
        return max(0.0, 1.0 - float(np.exp(self.logprobs.astype(np.float64)).sum()))


NextRow = NextLogits | TopTokens


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What an engine that samples by itself is asked for: ``n`` texts after one prompt, each with a random stream of its own.

    The first has ``random_stream`` under ``seed``, the next the one after it: text 3 of four is the same text asked for alone.

    The neutral value of each setting is its default: ``top_k`` 0, ``top_p`` 1, ``min_p`` 0, the penalties 1, 0 and 0.
    ``top`` is how many alternatives each token should come with.
    """

    ids: TokenIds
    n: int = 1
    max_new_tokens: int = 128
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int = 0
    random_stream: int = 0
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False
    top: int = 10
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class StreamedToken:
    """One token of text ``row``, with what the engine tells of it. None: it does not tell.

    ``text`` is what the token adds. ``logprob`` is the model's own, in nats; ``top`` the likeliest tokens of the step
    with theirs, likeliest first; ``rank`` the token's place among all, 0 the likeliest.
    """

    row: int
    index: int
    text: str
    id: int | None = None
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class StreamedEnd:
    """Text ``row`` is complete. ``reason``: "eos", "stop" (a stop string, not in ``text``) or "length"."""

    row: int
    text: str
    reason: Literal["eos", "stop", "length"]


StreamEvent = StreamedToken | StreamedEnd


@dataclass(frozen=True, slots=True)
class SequenceScore:
    """Teacher-forced scores of a given sequence of T tokens.

    ``logprobs``, ``ranks``, ``entropies``: (T,). The first token has no prediction: its log-probability and entropy
    are NaN and its rank is -1, as is every rank that the engine does not tell. Natural logarithms; rank 0 is the likeliest
    token. ``entropies[i]`` is that of the distribution that predicted token i.
    """

    ids: TokenIds
    logprobs: FloatArray
    ranks: npt.NDArray[np.int32]
    entropies: FloatArray

    def rank_at(self, place: int) -> int | None:
        """The rank of token ``place``; None where it has none or the engine does not tell it."""
        rank = int(self.ranks[place])
        return rank if rank >= 0 else None


LENS_TOP = 10  # tokens kept of each cell of a lens


@dataclass(frozen=True, slots=True, eq=False)
class LensRows:
    """What each depth of a model would answer at P positions of a text (the logit lens).

    L layers have D = L + 1 depths: 0 is what enters the first layer, L the model's own answer. Row p is position
    ``first + p`` and says what would come after it. K is LENS_TOP. Natural logarithms; entropies and divergences in nats.

    ``top_ids``, ``top_logprobs``: (D, P, K), likeliest first. ``entropies``, ``divergences``: (D, P), the latter
    KL(last depth ‖ this depth), 0 at the last. ``followed``: (P, F) token ids whose ``ranks`` (0 the likeliest) and
    ``logprobs``, (D, P, F), are known at every depth: the last depth's top K, the token that really comes next, and
    those asked for; -1 with NaN where nothing comes next. ``head_gap`` is the largest difference between the last
    depth's logits and those the model itself gave.
    """

    first: int
    top_ids: npt.NDArray[np.int32]
    top_logprobs: FloatArray
    entropies: FloatArray
    divergences: FloatArray
    followed: npt.NDArray[np.int32]
    ranks: npt.NDArray[np.int32]
    logprobs: FloatArray
    head_gap: float


@dataclass(frozen=True, slots=True)
class Weight:
    """One learned tensor: where it stands in the model, its shape, and what it takes."""

    name: str
    shape: tuple[int, ...]
    parameters: int
    bytes: int


@dataclass(frozen=True, slots=True)
class CacheLayer:
    """The keys and values one layer keeps: their heads, the numbers of each, and the tokens it looks back on (None: all)."""

    kv_heads: int
    head_dim: int
    window: int | None


@dataclass(frozen=True, slots=True)
class WeightList:
    """All learned tensors of a model, each once, and its config as JSON text.

    ``tied``: the head reads the token table's own tensor and so has none of its own. ``cache_layers``: the layers that
    keep keys and values, in order; empty where that is not known.
    """

    weights: tuple[Weight, ...]
    tied: bool
    config: str
    cache_layers: tuple[CacheLayer, ...] = ()

    @property
    def parameters(self) -> int:
        return sum(weight.parameters for weight in self.weights)
