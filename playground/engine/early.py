"""The engine of a model whose weights are not there yet: it answers what was kept of earlier starts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from playground.engine.attention_data import AttentionPass
from playground.engine.kept_answers import KeptAnswers
from playground.engine.logits_cache import LogitsCache
from playground.engine.protocol import Batch, CancelToken, TextCodec
from playground.engine.types import Capabilities, LensRows, NextLogits, SequenceScore, TokenIds, WeightList
from playground.errors import StillLoading
from playground.models.info import ModelInfo


class EarlyEngine:
    """An ``Engine`` before its weights. All that would need them raises StillLoading at once.

    What it has shown goes into ``rows``, which the engine with the weights takes over: the same numbers stay on screen.
    """

    def __init__(
        self, info: ModelInfo, capabilities: Capabilities, codec: TextCodec, kept: KeptAnswers, rows: LogitsCache
    ) -> None:
        self._info, self._capabilities, self._codec = info, capabilities, codec
        self._kept, self._rows = kept, rows
        self._shown: list[TokenIds] = []  # the texts whose kept rows were asked for

    def shown(self) -> Iterator[TokenIds]:
        """The texts whose kept rows were looked at, those included that are looked at before this comes to its end."""
        yield from self._shown  # a list may grow while it is gone through, on other threads too

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def codec(self) -> TextCodec:
        return self._codec

    def cached_logits(self, ids: Sequence[int]) -> NextLogits | None:
        """The row after ``ids`` if it was kept. Safe from any thread."""
        known = tuple(ids)
        row = self._rows.get(self._info.revision, known)
        if row is None:
            row = self._kept.row(self._info.revision, known)
            if row is None or row.size != self._info.vocab_size:
                return None
            self._shown.append(known)
            self._rows.put(self._info.revision, known, row)
        return NextLogits(known, row, 0, 0.0)

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
        return self.cached_logits(ids) or _not_yet()

    def next_logits_each(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> tuple[NextLogits, ...]:
        return tuple(self.next_logits(ids) for ids in texts)

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        return self._kept.score(self._info.revision, tuple(ids)) or _not_yet()

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Batch:
        _not_yet()

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        _not_yet()

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        _not_yet()

    def cached_attentions(self, ids: Sequence[int], *, start: int = 0, end: int | None = None) -> AttentionPass | None:
        return None

    def weights(self) -> WeightList:
        _not_yet()

    def prepare(self) -> Iterator[None]:
        return iter(())

    def close(self) -> None:
        """Nothing to let go of."""


def _not_yet() -> NoReturn:
    raise StillLoading("The model is still being loaded: wait a moment and try again.")
