"""The one seam to a model. Pages and maths know this protocol and never a class of transformers.

The engine knows nothing of text: it is token ids in, numbers out. Text belongs to the ``TextCodec`` beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from playground.engine.attention_data import AttentionPass
from playground.engine.pieces import Pieces
from playground.engine.types import (
    FloatArray,
    LensRows,
    NextRow,
    SequenceScore,
    StreamEvent,
    StreamRequest,
    TokenIds,
    WeightList,
)
from playground.errors import Cancelled
from playground.models.info import LoadedModelInfo, ModelInfo


class CancelToken:
    """A flag that says nobody waits any more. Set from any thread, checked between steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        self._event.set()

    @property
    def cancelled(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so long. Raises ``Cancelled`` at once where it is or gets cancelled."""
        self._event.wait(seconds)
        self.check()

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


class AskedStep(Protocol):
    """A step that a batch has asked for and that is not done."""

    @property
    def rows(self) -> int:
        """How many of its rows have still to go through the model."""


class Batch(Protocol):
    """Rows that are decoded together, one token a step. Opened and used on the engine's thread only.

    Rows are numbered from 0 in their present order. Between two calls other requests may use the engine.
    """

    @property
    def ids(self) -> tuple[TokenIds, ...]:
        """What each row has read so far: its prompt and the tokens fed to ``step``."""

    @property
    def logits(self) -> FloatArray:
        """The rows' last logits: (rows, vocab) float32. Not to be written to. Runs what was asked for and nobody has run."""

    @property
    def step_ms(self) -> float:
        """What the last step took: the passes that its rows were in, whoever else was in them."""

    @property
    def computed_tokens(self) -> int:
        """Positions the model was run on to read the prompts: rows that share one pay once, known prefixes nothing."""

    @property
    def cache_bytes(self) -> int | None:
        """Bytes of the keys and values held for the rows, reserved capacity not counted; None for a model without them."""

    @property
    def state_bytes(self) -> int | None:
        """Bytes held for the rows that do not grow with the text (recurrent states); None for a model without them."""

    def ask(self, ids: Sequence[int]) -> None:
        """Feed one token to each row, at the latest when the next ``logits`` are looked at.

        A job that asks and then gives others a turn has its step run along with theirs (``Rows.run_steps``).
        """

    def step(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> FloatArray:
        """Feed one token to each row; the new ``logits``."""

    def select_rows(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order; the others leave the batch. A row may go on more than once."""

    def close(self) -> None:
        """Let go of the batch; what it has read stays known, so that a branch need not read it again. Idempotent."""


class Engine(Protocol):
    """A model that can be asked. One request at a time; ``Worker`` does the queueing.

    What it can do stands in ``facets``: ``require(engine, Attention).attentions(ids)``. Each facet is a protocol below
    that the engine then fulfils. Methods come in two forms: plain, for a caller who has the model to himself, and
    ``*_in_pieces``, a generator that gives others a turn after every few hundred tokens.
    """

    @property
    def info(self) -> ModelInfo: ...

    @property
    def codec(self) -> TextCodec: ...

    @property
    def facets(self) -> frozenset[type]:
        """The protocols of this module that it fulfils for its model."""

    def close(self) -> None:
        """Release the weights and caches. The engine is unusable afterwards."""


class InProcess(Protocol):
    """What facets that need the model itself have in common: all facts about it are known."""

    @property
    def info(self) -> LoadedModelInfo: ...


class NextTokens(Protocol):
    """The next token's distribution: the whole row, or the top k and the mass of the rest."""

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextRow:
        """What comes after ``ids``. Raises BadPrompt when ``ids`` is empty or longer than the context."""

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextRow, ...]]:
        """The same for several texts in one go, in order: what they begin with in common is read once, the rest together.

        Equal to ``next_logits`` up to float rounding; each says its share of the work. The caller sees to it that so
        many fit into memory. Raises as ``next_logits``, and then none is read.
        """


class Rows(InProcess, Protocol):
    """N rows, one token a step, sampled by the caller; rows dropped and branched."""

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Batch:
        """Read the prompts, each distinct one once. Raises BadPrompt as ``next_logits``; none at all is one too.

        ``branching`` False: what the rows will have read need not stay known, which spares a copy of their caches.
        """

    def open_batch_in_pieces(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Pieces[Batch]:
        """The same with turns between."""

    def rows_along(self, ids: Sequence[int], start: int, *, cancel: CancelToken | None = None) -> Iterator[FloatArray]:
        """Of a given text, what the model predicts at each of the positions ``start`` to the last: one pass, teacher-forced.

        (n, vocab) float32 at a step, n bounded by memory and 0 while what stands before ``start`` is read; row i of all
        is the logits of the token after ``ids[: start + i]``. Others may be served between steps. Raises BadPrompt as
        ``next_logits``, and for a start outside of 1 to the last position.
        """

    @property
    def joins_steps(self) -> bool:
        """Whether rows of several batches go through the model in one pass."""

    def take_asked(self) -> Sequence[AskedStep]:
        """The steps that batches have asked for since the last call and that nobody has run."""

    def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
        """So many more rows of each step, all in one pass where ``joins_steps``.

        Of a batch that cannot go in parts all rows. A failure belongs to none of them: each can still be run by itself.
        """


class Stream(Protocol):
    """N texts sampled by the engine from stated settings."""

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Each token as it comes, the texts mixed, and each text's end. Raises BadPrompt and Cancelled."""


Streamer = Callable[[Engine, StreamRequest, CancelToken | None], Iterator[StreamEvent]]
"""Samples texts from an engine's ``Rows``. An engine that is given one offers ``Stream`` by it: an engine has no samplers."""


class Score(Protocol):
    """Log-probabilities of a given text."""

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Teacher-forced log-probabilities of ``ids``."""

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        """The same with turns between."""


class Attention(InProcess, Protocol):
    """Every attention weight of a text."""

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        """Every attention weight among the positions ``start`` to ``end`` (the text's end), in one pass.

        Raises BadPrompt as ``next_logits``, BadInput for a window outside of the text and ModelTooLarge for one whose
        weights take too much memory.
        """

    def attentions_in_pieces(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> Pieces[AttentionPass]:
        """The same with turns between."""


class Hidden(InProcess, Protocol):
    """The layers' hidden states, through the model's own head: the logit lens."""

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        """What every layer would answer at ``positions`` (consecutive, within ``ids``), a few of them at each step.

        None after each piece of what stands before them; then one forward pass and the first rows, heads only at the
        other steps. Raises BadPrompt as ``next_logits`` and for positions outside of the text.
        """

    def last_states_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[FloatArray, ...]]:
        """What the head reads at each text's last token, (hidden,) float32, in order, with turns between.

        The caller sees to it that so many fit into memory. Raises as ``next_logits_in_pieces``, and CapabilityMissing.
        """


class Weights(InProcess, Protocol):
    """The model's learned tensors."""

    def weights(self) -> WeightList:
        """All of them and the config; no forward pass. Raises ModelError once released."""


class Echo(Protocol):
    """What the engine made of the settings that it was sent."""

    def settings_used(self, fields: Mapping[str, object], *, cancel: CancelToken | None = None) -> Mapping[str, object]:
        """The settings of one request with ``fields``, both in the engine's own names. One token is written for it.

        Raises ServerError with the server's reason where it refuses them.
        """
