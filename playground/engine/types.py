"""The frozen data that crosses the seam. Token ids and float32 NumPy only: no text, no tensors, no transformers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
TokenIds = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do. A page asks for a capability and never for a class."""

    full_logits: bool = True  # logits over the whole vocabulary
    prompt_logprobs: bool = True  # log-probabilities of a given sequence
    attentions: bool = False
    hidden_states: bool = False
    concurrent: bool = False  # may be called from several threads at once


@dataclass(frozen=True, slots=True)
class NextLogits:
    """The last position's logits and what it cost to get them.

    ``logits``: (vocab,) float32, read-only, untouched by any sampler. ``computed_tokens`` is how many positions the
    model was really run on: 0 when the row came from the cache, 1 after appending one token to a known prefix.
    """

    ids: TokenIds
    logits: FloatArray
    computed_tokens: int
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class SequenceScore:
    """Teacher-forced scores of a given sequence of T tokens.

    ``logprobs``, ``ranks``, ``entropies``: (T,). The first token has no prediction: its log-probability and entropy
    are NaN and its rank is -1. Natural logarithms; rank 0 is the likeliest token. ``entropies[i]`` is that of the
    distribution that predicted token i.
    """

    ids: TokenIds
    logprobs: FloatArray
    ranks: npt.NDArray[np.int32]
    entropies: FloatArray
