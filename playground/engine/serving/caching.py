"""An engine that remembers what it was asked: rows, scores, attention passes. Knows no sessions and no threads but locks.

A wrapper, so that engines need no caches of answers and a page can look (``cached_row``, ``cached_pass``) from any
thread, without queueing. Everything else is passed on to the engine behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from cachetools import LRUCache

from playground.engine.api import (
    Attention,
    Batch,
    CancelToken,
    Engine,
    Hidden,
    NextTokens,
    Pieces,
    Rows,
    Score,
    Stream,
    TextCodec,
    Weights,
    finish,
)
from playground.engine.attention_data import AttentionPass, PassCache
from playground.engine.facets import require
from playground.engine.limits import check_ids
from playground.engine.logits_cache import LogitsCache
from playground.engine.types import (
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
        self._passes = PassCache()

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

    def next_logits_each(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> tuple[NextRow, ...]:
        return finish(self.next_logits_in_pieces(texts, cancel=cancel))

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextRow, ...]]:
        """Only what is not known goes to the model."""
        engine = require(self._engine, NextTokens)
        wanted = [check_ids(ids, self._engine.info) for ids in texts]
        known = {ids: row for ids in wanted if (row := self.cached_row(ids)) is not None}
        new = [ids for ids in dict.fromkeys(wanted) if ids not in known]
        if new:
            for row in (yield from engine.next_logits_in_pieces(new, cancel=cancel)):
                known[row.ids] = self._rows.put(self._engine.info.revision, row)
        return tuple(known[ids] for ids in wanted)

    # -- scores and attention --------------------------------------------------------------------------------------

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        return finish(self.score_in_pieces(ids, cancel=cancel))

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        known = tuple(ids)
        with self._scores_lock:
            found = self._scores.get(known)
        if found is None:
            found = yield from require(self._engine, Score).score_in_pieces(known, cancel=cancel)
            with self._scores_lock:
                self._scores[known] = found
        return found

    def cached_pass(self, ids: Sequence[int], *, start: int = 0, end: int | None = None) -> AttentionPass | None:
        """A pass if it is remembered, without running the model. Safe from any thread."""
        known = tuple(ids)
        return self._passes.get((known, start, len(known) if end is None else end))

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        return finish(self.attentions_in_pieces(ids, start=start, end=end, cancel=cancel))

    def attentions_in_pieces(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> Pieces[AttentionPass]:
        engine = require(self._engine, Attention)
        made = self.cached_pass(ids, start=start, end=end)
        if made is None:
            made = yield from engine.attentions_in_pieces(ids, start=start, end=end, cancel=cancel)
            self._passes.put((made.ids, made.start, made.end), made)
        return made

    # -- passed on -------------------------------------------------------------------------------------------------

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Batch:
        return require(self._engine, Rows).open_batch(prompts, cancel=cancel, branching=branching)

    def open_batch_in_pieces(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Pieces[Batch]:
        return require(self._engine, Rows).open_batch_in_pieces(prompts, cancel=cancel, branching=branching)

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        return require(self._engine, Stream).stream(request, cancel=cancel)

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        return require(self._engine, Hidden).lens(ids, positions, follow=follow, cancel=cancel)

    def weights(self) -> WeightList:
        return require(self._engine, Weights).weights()

    def close(self) -> None:
        self._rows.clear()
        with self._scores_lock:
            self._scores.clear()
        self._passes.clear()
        self._engine.close()
