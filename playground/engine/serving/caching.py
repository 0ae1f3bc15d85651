"""An engine that remembers what it was asked: rows, scores, attention passes. Knows no sessions and no threads but locks.

A wrapper, so that engines need no caches of answers and a page can look (``cached_row``, ``cached_pass``) from any
thread, without queueing. Everything else is passed on to the engine behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy

from cachetools import LRUCache

from playground.engine.api import (
    AskedStep,
    Attention,
    Batch,
    CancelToken,
    Echo,
    Engine,
    Hidden,
    NextTokens,
    Rows,
    Score,
    Stream,
    TextCodec,
    Weights,
)
from playground.engine.attention_data import AttentionPass, PassCache
from playground.engine.facets import require
from playground.engine.limits import check_ids
from playground.engine.logits_cache import LogitsCache
from playground.engine.pieces import Pieces, finish
from playground.engine.serving.shared_pieces import SharedPieces
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
from playground.models.info import ModelInfo

_REMEMBERED_SCORES = 32
_REMEMBERED_STATES = 4096  # of a small model 2 kB each, of a large one 16
Turn = Callable[[CancelToken], AbstractContextManager[None]]


class CachedEngine:
    """The engine behind it, with answers remembered. Offers exactly that engine's facets.

    Rows are kept as they were first shown: the same row computed in other pieces differs in its last digits, and a
    link must show the same numbers. ``cached_*`` from any thread; the rest from as many as the engine behind it allows.
    """

    def __init__(self, engine: Engine, rows: LogitsCache | None = None) -> None:
        self._engine = engine
        self._rows = LogitsCache() if rows is None else rows
        self._scores: LRUCache[TokenIds, SequenceScore] = LRUCache(_REMEMBERED_SCORES)
        self._scores_lock = threading.Lock()
        self._scoring: SharedPieces[SequenceScore] = SharedPieces()
        self._passes = PassCache()
        self._states: LRUCache[TokenIds, FloatArray] = LRUCache(_REMEMBERED_STATES)
        self._states_lock = threading.Lock()
        self._turn: Turn | None = None

    def with_turns(self, turn: Turn) -> CachedEngine:
        """The same engine with the same memory, each of whose streams begins when ``turn`` lets it in and ends with it."""
        own = copy(self)
        own._turn = turn
        return own

    def beside(self, engine: Engine) -> CachedEngine:
        """Another engine with rows in the same memory, told apart by their revisions."""
        return CachedEngine(engine, self._rows)

    @property
    def info(self) -> ModelInfo:
        return self._engine.info

    @property
    def codec(self) -> TextCodec:
        return self._engine.codec

    @property
    def facets(self) -> frozenset[type]:
        return self._engine.facets

    @property
    def inner(self) -> Engine:
        """The engine behind it, for what no facet offers."""
        return self._engine

    # -- the next token --------------------------------------------------------------------------------------------

    def cached_row(self, ids: Sequence[int]) -> NextRow | None:
        """The row after ``ids`` if it is known, without running the model. Safe from any thread."""
        return self._rows.get(self._engine.info.revision, tuple(ids))

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextRow:
        return finish(self.next_logits_in_pieces([ids], cancel=cancel))[0]

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextRow, ...]]:
        """Only what is not known goes to the model."""
        engine = require(self._engine, NextTokens)
        wanted = [check_ids(ids, self._engine.info) for ids in texts]
        rows = {ids: row for ids in wanted if (row := self.cached_row(ids)) is not None}
        new = [ids for ids in dict.fromkeys(wanted) if ids not in rows]
        if new:
            for row in (yield from engine.next_logits_in_pieces(new, cancel=cancel)):
                rows[row.ids] = self._rows.put(self._engine.info.revision, row)
        return tuple(rows[ids] for ids in wanted)

    # -- scores and attention --------------------------------------------------------------------------------------

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        return finish(self.score_in_pieces(ids, cancel=cancel))

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        """Of thirty who ask for one text at once the model reads it once."""
        token_ids, engine, token = tuple(ids), require(self._engine, Score), cancel or CancelToken()
        with self._scores_lock:
            score = self._scores.get(token_ids)
        if score is None:
            score = yield from self._scoring.run(
                token_ids, lambda: engine.score_in_pieces(token_ids, cancel=token), token
            )
            with self._scores_lock:
                self._scores[token_ids] = score
        return score

    def cached_pass(self, ids: Sequence[int], *, start: int = 0, end: int | None = None) -> AttentionPass | None:
        """A pass if it is remembered, without running the model. Safe from any thread."""
        token_ids = tuple(ids)
        return self._passes.get((token_ids, start, len(token_ids) if end is None else end))

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        return finish(self.attentions_in_pieces(ids, start=start, end=end, cancel=cancel))

    def attentions_in_pieces(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> Pieces[AttentionPass]:
        engine = require(self._engine, Attention)
        attention_pass = self.cached_pass(ids, start=start, end=end)
        if attention_pass is None:
            attention_pass = yield from engine.attentions_in_pieces(ids, start=start, end=end, cancel=cancel)
            self._passes.put((attention_pass.ids, attention_pass.start, attention_pass.end), attention_pass)
        return attention_pass

    # -- passed on -------------------------------------------------------------------------------------------------

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Batch:
        return require(self._engine, Rows).open_batch(prompts, cancel=cancel, branching=branching)

    def open_batch_in_pieces(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Pieces[Batch]:
        return require(self._engine, Rows).open_batch_in_pieces(prompts, cancel=cancel, branching=branching)

    def rows_along(self, ids: Sequence[int], start: int, *, cancel: CancelToken | None = None) -> Iterator[FloatArray]:
        return require(self._engine, Rows).rows_along(ids, start, cancel=cancel)

    @property
    def joins_steps(self) -> bool:
        return require(self._engine, Rows).joins_steps

    def take_asked(self) -> Sequence[AskedStep]:
        return require(self._engine, Rows).take_asked()

    def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
        require(self._engine, Rows).run_steps(wanted)

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        engine = require(self._engine, Stream)
        if self._turn is None:
            return engine.stream(request, cancel=cancel)
        return self._in_turn(self._turn, engine, request, cancel or CancelToken())

    @staticmethod
    def _in_turn(turn: Turn, engine: Stream, request: StreamRequest, cancel: CancelToken) -> Iterator[StreamEvent]:
        with turn(cancel):
            yield from engine.stream(request, cancel=cancel)

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        return require(self._engine, Hidden).lens(ids, positions, follow=follow, cancel=cancel)

    def last_states_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[FloatArray, ...]]:
        """Only what is not known goes to the model."""
        wanted = [tuple(ids) for ids in texts]
        with self._states_lock:
            states = {ids: self._states[ids] for ids in wanted if ids in self._states}
        new = [ids for ids in dict.fromkeys(wanted) if ids not in states]
        if new:
            new_states = yield from require(self._engine, Hidden).last_states_in_pieces(new, cancel=cancel)
            states |= dict(zip(new, new_states, strict=True))
            with self._states_lock:
                self._states.update({ids: states[ids] for ids in new})
        return tuple(states[ids] for ids in wanted)

    def weights(self) -> WeightList:
        return require(self._engine, Weights).weights()

    def settings_used(self, fields: Mapping[str, object], *, cancel: CancelToken | None = None) -> Mapping[str, object]:
        return require(self._engine, Echo).settings_used(fields, cancel=cancel)

    def forget(self) -> None:
        """Let go of the answers that are of this engine alone."""
        with self._scores_lock:
            self._scores.clear()
        with self._states_lock:
            self._states.clear()
        self._passes.clear()

    def close(self) -> None:
        self._rows.clear()
        self.forget()
        self._engine.close()
