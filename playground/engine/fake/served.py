"""A fake of an engine behind an address: it samples by itself and tells the likeliest tokens of a row, nothing more.

What every page and command is tried with, so that each works or says in one sentence what is missing. Its numbers are
those of ``FakeEngine``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from playground.engine.api import CancelToken, NextTokens, Stream
from playground.engine.fake.codec import EOS_ID, FakeCodec
from playground.engine.fake.engine import FakeEngine, LogitsFn
from playground.engine.limits import check_constraint, check_ids
from playground.engine.pieces import Pieces, one_by_one
from playground.engine.types import FloatArray, StreamedEnd, StreamedToken, StreamEvent, StreamRequest, TopTokens
from playground.errors import BadInput
from playground.models.info import ModelInfo
from playground.numerics import log_softmax, top_ids

ROW_TOKENS = 20  # tokens of a row


class ServedFakeEngine:
    """``Stream`` and top-k ``NextTokens``; everything about the model but its vocabulary and context is unknown."""

    def __init__(self, logits_fn: LogitsFn | None = None, *, row_tokens: int = ROW_TOKENS) -> None:
        self._model = FakeEngine(logits_fn)
        self._row_tokens = row_tokens
        self.closed = False

    @property
    def info(self) -> ModelInfo:
        model_info = self._model.info
        return ModelInfo(
            id="served-fake",
            name="Served fake",
            revision="served-fake",
            architecture=None,
            parameters=None,
            weights_bytes=None,
            device=None,
            dtype=None,
            vocab_size=model_info.vocab_size,
            context_length=model_info.context_length,
            layers=None,
            heads=None,
            kv_heads=None,
            head_dim=None,
            hidden_size=None,
            has_chat_template=model_info.has_chat_template,
            eos_token_ids=model_info.eos_token_ids,
        )

    @property
    def codec(self) -> FakeCodec:
        return self._model.codec

    @property
    def facets(self) -> frozenset[type]:
        return frozenset({NextTokens, Stream})

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> TopTokens:
        token_ids = check_ids(ids, self.info)
        top, logprobs = _likeliest(self._logprobs(token_ids, cancel), self._row_tokens)
        return TopTokens(token_ids, top, logprobs, self.info.vocab_size, 0.0)

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[TopTokens, ...]]:
        return one_by_one(
            [check_ids(ids, self.info) for ids in texts], lambda ids: self.next_logits(ids, cancel=cancel)
        )

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """One text after the other; temperature and top-k are followed, the other settings must be neutral."""
        if request.top_p != 1 or request.min_p or request.repetition_penalty != 1:
            raise BadInput("The served fake follows temperature and top-k only: reset the other samplers.", "settings")
        check_constraint(request.constraint, self.info)
        for row in range(request.n):
            yield from self._text(
                request, row, np.random.default_rng([request.seed, request.random_stream + row]), cancel
            )

    def _text(
        self, request: StreamRequest, row: int, rng: np.random.Generator, cancel: CancelToken | None
    ) -> Iterator[StreamEvent]:
        ids, text = check_ids(request.ids, self.info), ""
        prompt = len(ids)
        for index in range(request.max_new_tokens):
            logprobs = self._logprobs(ids, cancel)
            top, top_logprobs = _likeliest(logprobs, request.top)
            token = _draw(logprobs, request, rng)
            if token == EOS_ID and not request.ignore_eos:
                yield StreamedEnd(row, text, "eos")
                return
            piece = self.codec.piece(token, ids)
            pairs = tuple(zip(top.tolist(), top_logprobs.tolist(), strict=True))
            yield StreamedToken(row, index, piece, token, float(logprobs[token]), pairs)
            ids = (*ids, token)
            text = self.codec.decode(ids[prompt:])
            cut = min((text.index(stop) for stop in request.stop if stop in text), default=None)
            if cut is not None:
                yield StreamedEnd(row, text[:cut], "stop")
                return
        yield StreamedEnd(row, text, "length")

    def _logprobs(self, ids: Sequence[int], cancel: CancelToken | None) -> FloatArray:
        return log_softmax(self._model.next_logits(ids, cancel=cancel).logits)

    def close(self) -> None:
        self.closed = True
        self._model.close()


def _likeliest(logprobs: FloatArray, count: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], FloatArray]:
    order = top_ids(logprobs, count).astype(np.int32)
    return order, logprobs[order]


def _draw(logprobs: FloatArray, request: StreamRequest, rng: np.random.Generator) -> int:
    """The likeliest at temperature 0, else one of the ``top_k`` at ``temperature``."""
    order = top_ids(logprobs, request.top_k or logprobs.size)
    if request.temperature == 0:
        return int(order[0])
    weights = np.exp((logprobs[order] - logprobs[order[0]]).astype(np.float64) / request.temperature)
    return int(rng.choice(order, p=weights / weights.sum()))
