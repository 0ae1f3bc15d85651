"""llama.cpp's own server behind the seam: whole rows by ``n_probs``, texts by its samplers in its own order.

Its interface is that of ``tools/server/README.md`` in llama.cpp; what was run against the real thing stands in
``docs/engines.md``. It remembers no answers: ``CachedEngine`` around it does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from playground.constraint import constraint_fields
from playground.engine.api import CancelToken, Echo, NextTokens, Stream
from playground.engine.limits import check_constraint, check_ids
from playground.engine.pieces import Pieces, one_by_one
from playground.engine.remote.http import ServerClient
from playground.engine.remote.llama_codec import LlamaServerCodec
from playground.engine.remote.reading import Answer, events, listed_tokens, whole_row
from playground.engine.remote.refusals import ended_silently, gave_up
from playground.engine.remote.server_engine import ServerEngine
from playground.engine.remote.together import mixed
from playground.engine.types import NextLogits, StreamedEnd, StreamedToken, StreamEvent, StreamRequest, TokenIds
from playground.errors import ServerError
from playground.models.info import ModelInfo

ENTRY_BYTES = 600  # of one token in a row, its text and bytes included
_CONTEXT = 8  # ids before a token that say which character it completes
_RANDOM_SEED = 2**32 - 1  # the seed that means: any
_REASONS: Mapping[str, Literal["eos", "stop", "length"]] = {"eos": "eos", "word": "stop", "limit": "length"}

# What a request does not say, the server's own command line does: so all is said. Neutral values.
_NO_SAMPLERS: Mapping[str, object] = {
    "typical_p": 1.0,
    "top_n_sigma": -1.0,
    "xtc_probability": 0.0,
    "dynatemp_range": 0.0,
    "dry_multiplier": 0.0,
    "mirostat": 0,
    "logit_bias": [],
}


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Which model of a llama.cpp server is meant. ``slots``: the requests the server works on at the same time."""

    answers_as: str  # the model's name in its answers
    named: str | None  # the model asked for, where the address names one
    slots: int


class LlamaCppEngine(ServerEngine[LlamaServerCodec]):
    """An ``Engine`` over one model of a llama.cpp server. Safe to call from any thread."""

    def __init__(self, client: ServerClient, info: ModelInfo, codec: LlamaServerCodec, served: ServedModel) -> None:
        super().__init__(client, info, codec)
        self._served = served

    @property
    def facets(self) -> frozenset[type]:
        return frozenset({NextTokens, Stream, Echo})

    # -- the next token --------------------------------------------------------------------------------------------

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
        """The whole row; its logits are log-probabilities, which differ by a constant. Raises ServerError too."""
        token_ids, started = check_ids(ids, self._info), time.perf_counter()
        size = self._info.vocab_size
        answer = ask_row(self._client, self._served.named, token_ids, size, cancel)
        self._check_model(answer)
        steps = answer.children("completion_probabilities")[:1]
        if not steps:
            raise answer.wrong("completion_probabilities")
        top_ids, logprobs = listed_tokens(steps[0].items("top_logprobs"), size, self._client.address)
        row = whole_row(top_ids, logprobs, size, self._client.address)
        computed = (
            answer.child("timings").whole("prompt_n", len(token_ids)) if answer.has("timings") else len(token_ids)
        )
        return NextLogits(token_ids, row, computed, (time.perf_counter() - started) * 1000, normalised=True)

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextLogits, ...]]:
        """One request each; the server keeps what texts begin with in common."""
        return one_by_one(
            [check_ids(ids, self._info) for ids in texts], lambda ids: self.next_logits(ids, cancel=cancel)
        )

    def _check_model(self, answer: Answer) -> None:
        name = answer.text("model", self._served.answers_as)
        if name != self._served.answers_as:
            raise ServerError(
                f"The server at {self._client.address.base} has another model now than when it was chosen: choose it again."
            )

    # -- texts -----------------------------------------------------------------------------------------------------

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Texts by the server's samplers, as many at a time as it has slots. Raises ServerError too."""
        token_ids = check_ids(request.ids, self._info)
        check_constraint(request.constraint, self._info)
        texts = [partial(self._text, request, token_ids, row) for row in range(request.n)]
        return mixed(texts, cancel or CancelToken(), self._served.slots)

    def _text(
        self, request: StreamRequest, token_ids: TokenIds, row: int, cancel: CancelToken
    ) -> Iterator[StreamEvent]:
        limit = ENTRY_BYTES * (request.top + 4) * request.max_new_tokens + 2**20
        url = self._client.address.root + "/completion"
        count, text = 0, ""
        with closing(
            self._client.stream(url, self._body(request, token_ids, row), cancel=cancel, limit=limit)
        ) as parts:
            for data in events(parts, self._client.address):
                answer = Answer(self._client.parse(data), self._client.address)
                if answer.has("error"):
                    raise gave_up(self._client.address)
                text += answer.text("content")
                # Inside a character it sends nothing: parts of it are counted and no more is known of them.
                ends = answer.flag("stop")
                tokens = [] if ends else self._streamed_tokens(answer, token_ids, row, request.top)
                before = min(answer.whole("tokens_predicted"), request.max_new_tokens) - len(tokens) - count
                for _ in range(before):
                    yield StreamedToken(row, count, "")
                    count += 1
                for token in tokens:
                    piece = answer.text("content") if before > 0 else token.text
                    yield replace(token, index=count, text=piece)
                    token_ids, count = (*token_ids, token.id or 0), count + 1
                if ends:
                    self._check_model(answer)
                    yield StreamedEnd(row, text, _REASONS.get(answer.text("stop_type", "limit"), "length"))
                    return
        raise ended_silently(self._client.address)

    def _streamed_tokens(self, answer: Answer, token_ids: TokenIds, row: int, top: int) -> list[StreamedToken]:
        """The tokens of one event, without their places in the text."""
        tokens, size = list[StreamedToken](), self._info.vocab_size
        for step in answer.children("completion_probabilities") if answer.has("completion_probabilities") else ():
            token = step.token("id", size)
            piece = self._codec.piece(token, token_ids[-_CONTEXT:])
            ids, logprobs = listed_tokens(step.items("top_logprobs")[:top], size, self._client.address)
            pairs = tuple(zip(ids.tolist(), logprobs.tolist(), strict=True))
            rank = next((place for place, one in enumerate(pairs) if one[0] == token), None)
            tokens.append(StreamedToken(row, 0, piece, token, step.logprob("logprob"), pairs, rank))
            token_ids = (*token_ids, token)
        return tokens

    def _body(self, request: StreamRequest, token_ids: TokenIds, row: int) -> dict[str, object]:
        return {
            **_NO_SAMPLERS,
            **({"model": self._served.named} if self._served.named else {}),
            "prompt": list(token_ids),
            "n_predict": request.max_new_tokens,
            "temperature": request.temperature,
            "top_k": request.top_k,
            "top_p": request.top_p,
            "min_p": request.min_p,
            "repeat_penalty": request.repetition_penalty,
            "repeat_last_n": self._info.context_length,
            "presence_penalty": request.presence_penalty,
            "frequency_penalty": request.frequency_penalty,
            "seed": (request.seed + request.random_stream + row) % _RANDOM_SEED,
            "stop": list(request.stop),
            "ignore_eos": request.ignore_eos,
            "n_probs": max(request.top, 1),
            "stream": True,
            "return_tokens": True,
            "cache_prompt": True,
            **constraint_fields("llama.cpp", request.constraint),
        }

    # -- settings --------------------------------------------------------------------------------------------------

    def settings_used(self, fields: Mapping[str, object], *, cancel: CancelToken | None = None) -> Mapping[str, object]:
        """``generation_settings`` of an answer to one token. Raises ServerError too."""
        named = {"model": self._served.named} if self._served.named else {}
        body = {**named, "prompt": [0], "n_predict": 1, **fields}
        answer = self._client.ask(self._client.address.root + "/completion", body, cancel=cancel, limit=2**22)
        return Answer(answer, self._client.address).mapping("generation_settings")


def ask_row(
    client: ServerClient,
    model: str | None,
    ids: Sequence[int],
    size: int,
    cancel: CancelToken | None = None,
    settings: Mapping[str, object] | None = None,
) -> Answer:
    """The answer with the ``size`` likeliest tokens after ``ids``; one token is drawn, which nobody looks at."""
    body: dict[str, object] = {
        **_NO_SAMPLERS,
        **({"model": model} if model else {}),
        "prompt": list(ids),
        "n_predict": 1,
        "n_probs": size,
        "temperature": 0.0,
        "cache_prompt": True,
        **(settings or {}),
    }
    limit = ENTRY_BYTES * size + 2**20
    answer = client.ask(client.address.root + "/completion", body, cancel=cancel, limit=limit)
    return Answer(answer, client.address)
