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
    query_key: bool = False  # attention with the queries and keys behind each weight
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
class WeightList:
    """All learned tensors of a model, each once, and its config as JSON text.

    ``tied``: the head reads the token table's own tensor and so has none of its own.
    """

    weights: tuple[Weight, ...]
    tied: bool
    config: str

    @property
    def parameters(self) -> int:
        return sum(weight.parameters for weight in self.weights)
