"""An engine with known logits, on a codec of bytes: what tests and pages run on where no model is wanted.

Deterministic, instant, free of torch. It keeps count of its calls, so that a test can say what was computed and what was
remembered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from playground.engine.api import (
    AskedStep,
    Attention,
    CancelToken,
    Hidden,
    NextTokens,
    Rows,
    Score,
    Stream,
    Streamer,
    Weights,
)
from playground.engine.attention_data import AttentionPass, check_window
from playground.engine.fake.attention import fake_attention
from playground.engine.fake.batch import FakeBatch, FakeStep
from playground.engine.fake.codec import EOS_ID, VOCAB, FakeCodec
from playground.engine.fake.inside import fake_lens_rows, fake_weights
from playground.engine.limits import check_ids, check_lens, check_start
from playground.engine.pieces import Pieces
from playground.engine.scoring import score_rows
from playground.engine.types import (
    FloatArray,
    LensRows,
    NextLogits,
    SequenceScore,
    StreamEvent,
    StreamRequest,
    TokenIds,
    WeightList,
)
from playground.errors import BadPrompt, ModelError
from playground.models.info import LoadedModelInfo
from playground.numerics import log_softmax

FACETS = frozenset[type]({NextTokens, Rows, Score, Attention, Hidden, Weights})

LogitsFn = Callable[[TokenIds], "FloatArray"]


T = TypeVar("T")


def in_one_piece(work: Callable[[], T]) -> Pieces[T]:
    """A generator that works when it is first asked and gives nobody a turn."""
    yield from ()
    return work()


def default_logits(ids: TokenIds, vocab: int = VOCAB) -> FloatArray:
    """A fixed function of the ids: standard normal noise, seeded by them, with the last id's successor favoured."""
    row = np.random.default_rng([len(ids), *(token & 0xFFFFFFFF for token in ids)]).standard_normal(vocab)
    row[(ids[-1] + 1) % vocab] += 4.0
    return row.astype(np.float32)


def fake_info(vocab: int = VOCAB, *, context_length: int = 2048, has_chat_template: bool = True) -> LoadedModelInfo:
    """Facts of a small model that does not exist."""
    return LoadedModelInfo(
        id="fake",
        name="Fake model",
        revision="fake-1",
        architecture="FakeForCausalLM",
        parameters=1_000_000,
        weights_bytes=4_000_000,
        device="cpu",
        dtype="float32",
        vocab_size=vocab,
        context_length=context_length,
        layers=2,
        heads=2,
        kv_heads=1,
        head_dim=16,
        hidden_size=32,
        has_chat_template=has_chat_template,
        eos_token_ids=(EOS_ID,),
        license="Apache-2.0",
    )


class FakeEngine:
    """An ``Engine`` whose logits are ``logits_fn(ids)``: (vocab,) float32.

    ``calls`` lists the ids of every computed forward pass (a cached answer adds nothing), ``batched_prefill`` how many texts
    each ``next_logits_in_pieces`` was given. ``before_step`` is called
    before each one, so that a test can hold the engine at a known place.
    """

    def __init__(
        self,
        logits_fn: LogitsFn | None = None,
        *,
        vocab: int = VOCAB,
        context_length: int = 2048,
        has_chat_template: bool = True,
        lacks: frozenset[type] = frozenset(),
        shows_scores: bool = True,
        before_step: Callable[[], None] | None = None,
        streamer: Streamer | None = None,
    ) -> None:
        self._logits_fn = logits_fn or (lambda ids: default_logits(ids, vocab))
        self._info = fake_info(vocab, context_length=context_length, has_chat_template=has_chat_template)
        self._facets = (FACETS | {Stream} if streamer else FACETS) - lacks
        self._streamer = streamer
        self._shows_scores = shows_scores
        self._codec = FakeCodec(has_chat_template=has_chat_template)
        self._before_step = before_step
        self._rows: dict[TokenIds, FloatArray] = {}
        self._lock = threading.Lock()
        self.calls: list[TokenIds] = []
        self.batches: list[FakeBatch] = []
        self.batched_prefill: list[int] = []
        self.asked_steps: list[FakeStep] = []
        self.joint_steps: list[list[int]] = []
        self.closed = False

    @property
    def info(self) -> LoadedModelInfo:
        return self._info

    @property
    def facets(self) -> frozenset[type]:
        return self._facets

    @property
    def codec(self) -> FakeCodec:
        return self._codec

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
        started = time.perf_counter()
        token_ids = check_ids(ids, self._info)
        with self._lock:
            row = self._rows.get(token_ids)
        if row is not None:
            return NextLogits(token_ids, row, 0, 0.0)
        row = self._compute(token_ids, cancel)
        elapsed_ms = (time.perf_counter() - started) * 1000
        return NextLogits(token_ids, row, self._new_tokens(token_ids), elapsed_ms)

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextLogits, ...]]:
        """One piece a text after the first."""
        checked = [check_ids(ids, self._info) for ids in texts]
        self.batched_prefill.append(len(checked))
        rows = []
        for number, ids in enumerate(checked):
            if number:
                yield
            rows.append(self.next_logits(ids, cancel=cancel))
        return tuple(rows)

    def _compute(self, ids: TokenIds, cancel: CancelToken | None) -> FloatArray:
        if self.closed:
            raise ModelError("The model was released: load it again.")
        if self._before_step is not None:
            self._before_step()
        if cancel is not None:
            cancel.check()
        row = np.array(self._logits_fn(ids), dtype=np.float32)
        row.flags.writeable = False
        with self._lock:
            self.calls.append(ids)
            self._rows[ids] = row
        return row

    def _new_tokens(self, ids: TokenIds) -> int:
        """1 where the fake has seen everything but the last token, else all of them."""
        return 1 if len(ids) == 1 or ids[:-1] in self._rows else len(ids)

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        token_ids = check_ids(ids, self._info)
        rows = [self._compute(token_ids[: end + 1], cancel) for end in range(len(token_ids) - 1)]
        predictions = np.stack(rows) if rows else np.empty((0, self._info.vocab_size), dtype=np.float32)
        return score_rows(token_ids, predictions)

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        return in_one_piece(lambda: self.score(ids, cancel=cancel))

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        assert self._streamer is not None, "who asks for Stream by `require` is refused where there is no streamer"
        return self._streamer(self, request, cancel)

    def open_batch_in_pieces(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Pieces[FakeBatch]:
        return in_one_piece(lambda: self.open_batch(prompts, cancel=cancel, branching=branching))

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> FakeBatch:
        prompt_ids = [check_ids(ids, self._info) for ids in prompts]
        if not prompt_ids:
            raise BadPrompt("There is no prompt: type some text first.", field="prompt")
        return FakeBatch(self, prompt_ids, cancel)

    def rows_along(self, ids: Sequence[int], start: int, *, cancel: CancelToken | None = None) -> Iterator[FloatArray]:
        """Two rows at a step."""
        token_ids = check_ids(ids, self._info)
        check_start(token_ids, start)
        return (
            np.stack([self._compute(token_ids[:end], cancel) for end in range(first, min(first + 2, len(token_ids)))])
            for first in range(start, len(token_ids), 2)
        )

    @property
    def joins_steps(self) -> bool:
        return True

    def take_asked(self) -> Sequence[AskedStep]:
        taken, self.asked_steps = self.asked_steps, []
        return taken

    def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
        """``joint_steps`` keeps how many rows of each went."""
        self.joint_steps.append([min(most, step.rows) for step, most in wanted])
        for step, most in wanted:
            assert isinstance(step, FakeStep)
            step.run(most)

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        """Depth d of D - 1 has d / (D - 1) of the last logits: an answer that grows layer by layer."""
        token_ids = check_ids(ids, self._info)
        check_lens(token_ids, positions, follow, self._info)
        for place in positions:
            last = log_softmax(self._compute(token_ids[: place + 1], cancel))
            depths = self._info.layers + 1
            logits = np.stack([last * (depth / (depths - 1)) for depth in range(depths)])
            coming = token_ids[place + 1] if place + 1 < len(token_ids) else -1
            yield fake_lens_rows(place, log_softmax(logits), coming, follow)

    def last_states_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[FloatArray, ...]]:
        """The first numbers of the last logits, as many as its states are wide."""
        checked = [check_ids(ids, self._info) for ids in texts]
        return in_one_piece(lambda: tuple(self._compute(ids, cancel)[: self._info.hidden_size] for ids in checked))

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        """Seeded by the ids; ``calls`` counts it as one."""
        token_ids = check_ids(ids, self._info)
        first, stop = check_window(self._info, len(token_ids), start, end)
        self._compute(token_ids[:stop], cancel)
        return fake_attention(token_ids, first, stop, self._info, scores=self._shows_scores)

    def attentions_in_pieces(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> Pieces[AttentionPass]:
        return in_one_piece(lambda: self.attentions(ids, start=start, end=end, cancel=cancel))

    def weights(self) -> WeightList:
        return fake_weights(self._info)

    def close(self) -> None:
        self.closed = True
        with self._lock:
            self._rows.clear()
