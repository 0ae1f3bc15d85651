"""The one seam to a model. Pages and maths know this protocol and never a class of transformers.

The engine knows nothing of text: it is token ids in, numbers out. Text belongs to the ``TextCodec`` beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from playground.engine.attention_data import AttentionPass
from playground.engine.types import (
    Capabilities,
    FloatArray,
    LensRows,
    NextLogits,
    SequenceScore,
    TokenIds,
    WeightList,
)
from playground.errors import Cancelled
from playground.models.info import ModelInfo


class CancelToken:
    """A flag that says nobody waits any more. Set from any thread, checked between steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise ``Cancelled`` once the token is cancelled."""
        if self.cancelled:
            raise Cancelled("The request was cancelled.")


class TextCodec(Protocol):
    """Text to token ids and back, for one model. Safe to call from any thread."""

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        """Ids of ``text``. A spelt-out special token is text unless ``parse_special``. Surrogates raise BadPrompt."""

    def encode_chat(self, text: str, *, system: str | None = None, parse_special: bool = False) -> tuple[int, ...]:
        """Ids of one user message (and a system prompt) in the model's own chat template, ready to be answered."""

    def chat_text(self, text: str, *, system: str | None = None) -> str:
        """The text the template produces, for showing."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ``ids``; bytes that make no character become U+FFFD. Special tokens are spelt out."""

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes a token stands for (b"" for a special token)."""

    def piece(self, token_id: int, context: Sequence[int] = ()) -> str:
        """What a token adds after ``context`` (the last few ids suffice), as plain text.

        A token whose bytes complete no character gives ``<0xF0>``-like escapes, one per byte. Never "\\ufffd" for a
        broken character. Special tokens give their name in ⟨⟩.
        """

    def is_special(self, token_id: int) -> bool: ...

    @property
    def eos_token_ids(self) -> tuple[int, ...]: ...

    @property
    def start_ids(self) -> tuple[int, ...]:
        """What a model is given for an empty prompt (its bos token), or () where it has none."""


class Batch(Protocol):
    """Rows that are decoded together, one token a step. Opened and used on the engine's thread only.

    Rows are numbered from 0 in their present order. Between two calls other requests may use the engine.
    """

    @property
    def ids(self) -> tuple[TokenIds, ...]:
        """What each row has read so far: its prompt and the tokens fed to ``step``."""

    @property
    def logits(self) -> FloatArray:
        """The rows' last logits: (rows, vocab) float32. Not to be written to."""

    @property
    def computed_tokens(self) -> int:
        """Positions the model was run on to read the prompts: rows that share one pay once, known prefixes nothing."""

    @property
    def cache_bytes(self) -> int | None:
        """Bytes of the keys and values held for the rows, reserved capacity not counted; None for a model without them."""

    @property
    def state_bytes(self) -> int | None:
        """Bytes held for the rows that do not grow with the text (recurrent states); None for a model without them."""

    def step(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> FloatArray:
        """Feed one token to each row; the new ``logits``."""

    def select_rows(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order; the others leave the batch. A row may go on more than once."""

    def close(self) -> None:
        """Let go of the batch; what it has read stays known, so that a branch need not read it again. Idempotent."""


class Engine(Protocol):
    """A loaded model. One request at a time unless ``capabilities.concurrent``; ``Worker`` does the queueing."""

    @property
    def info(self) -> ModelInfo: ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def codec(self) -> TextCodec: ...

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
        """Logits of the token after ``ids``. Raises BadPrompt when ``ids`` is empty or longer than the context."""

    def next_logits_each(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> tuple[NextLogits, ...]:
        """The same for several texts in one go, in order: what they begin with in common is read once, the rest together.

        Equal to ``next_logits`` up to float rounding; each says its share of the work. The caller sees to it that so
        many fit into memory. Raises as ``next_logits``, and then none is read.
        """

    def cached_logits(self, ids: Sequence[int]) -> NextLogits | None:
        """The same, if it is known already, without running the model. Safe from any thread."""

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Teacher-forced log-probabilities of ``ids``."""

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Batch:
        """Read the prompts, each distinct one once. Raises BadPrompt as ``next_logits``; none at all is one too.

        ``branching`` False: what the rows will have read need not stay known, which spares a copy of their caches.
        """

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        """What every layer would answer at ``positions`` (consecutive, within ``ids``), a few of them at each step.

        None after each piece of what stands before them; then one forward pass and the first rows, heads only at the
        other steps. Raises CapabilityMissing unless
        ``capabilities.hidden_states``, BadPrompt as ``next_logits`` and for positions outside of the text.
        """

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        """Every attention weight among the positions ``start`` to ``end`` (the text's end), in one pass; remembered.

        Raises CapabilityMissing unless ``capabilities.attentions``, BadPrompt as ``next_logits``, BadInput for a window
        outside of the text and ModelTooLarge for one whose weights take too much memory.
        """

    def cached_attentions(self, ids: Sequence[int], *, start: int = 0, end: int | None = None) -> AttentionPass | None:
        """The same, if it is still remembered, without running the model. Safe from any thread."""

    def weights(self) -> WeightList:
        """The model's learned tensors and its config; no forward pass. Raises ModelError once released."""

    def close(self) -> None:
        """Release the weights and caches. The engine is unusable afterwards."""


class NextTokens(Protocol):
    """The next token's distribution."""


def require(engine: Engine, facet: type) -> None:
    """Refuse in one sentence where ``engine`` lacks ``facet``."""
