"""Any server with OpenAI's completions behind the seam: the top of a row, and texts by its own samplers.

The interface is that of OpenAI's reference for ``POST /v1/completions``; what vLLM and SGLang take beyond it stands in
``kinds.py``. Ids are those of a tokenizer here that was held against the server's own count (``openai_connect.py``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from playground.constraint import constraint_fields
from playground.engine.api import CancelToken, NextTokens, Score, Stream
from playground.engine.limits import check_constraint, check_ids
from playground.engine.pieces import Pieces, one_by_one
from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import ServerKind
from playground.engine.remote.openai_format import streamed_steps
from playground.engine.remote.openai_rows import ENTRY_BYTES, NEUTRAL, CompletionRows
from playground.engine.remote.reading import Answer, events, whole_row
from playground.engine.remote.refusals import ended_silently, gave_up, unusable
from playground.engine.remote.server_engine import ServerEngine
from playground.engine.remote.together import mixed
from playground.engine.text.codec import TableCodec
from playground.engine.types import (
    NextLogits,
    NextRow,
    SequenceScore,
    StreamedEnd,
    StreamedToken,
    StreamEvent,
    StreamRequest,
    TokenIds,
    TopTokens,
)
from playground.errors import BadInput
from playground.models.info import ModelInfo

AT_ONCE = 8  # texts asked for at the same time; the server batches them
_MASS_ERROR = 0.02
_SHOWN = 100  # likeliest tokens of a row whose texts will be asked for
_CONTEXT = 8  # tokens before one that say which character it completes
_BROKEN = "\ufffd"

_EXTRA_NEUTRAL: Mapping[str, object] = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "ignore_eos": False}


@dataclass(frozen=True, slots=True)
class ServedCompletions:
    """What was found out of a server. ``row_tokens``: tokens of a row that it tells, None all.

    ``takes_ids``: a prompt may be ids.
    """

    kind: ServerKind
    model: str
    row_tokens: int | None
    takes_ids: bool
    raw: bool | None
    scores: bool = False


class OpenAIEngine(ServerEngine[TableCodec]):
    """An ``Engine`` over one model of a server. Safe to call from any thread."""

    def __init__(
        self, client: ServerClient, info: ModelInfo, codec: TableCodec, served: ServedCompletions, rows: CompletionRows
    ) -> None:
        super().__init__(client, info, codec)
        self._served, self._rows = served, rows

    @property
    def facets(self) -> frozenset[type]:
        offered = {NextTokens: self._served.row_tokens != 0, Stream: True, Score: self._served.scores}
        return frozenset(facet for facet, has in offered.items() if has)

    # -- the next token --------------------------------------------------------------------------------------------

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextRow:
        """The tokens that the server tells, of those that have an id here: all, or the likeliest. Raises ServerError too."""
        token_ids, started, address = check_ids(ids, self._info), time.perf_counter(), self._client.address
        size = self._info.vocab_size
        step = self._rows.row(
            self._prompt(token_ids), size if self._served.row_tokens is None else self._served.row_tokens, cancel
        )
        if step is None:
            raise unusable(address, "tells no tokens of a row, though it did before")
        top = step.top[: self._served.row_tokens]
        self._codec.learn([token for token, _ in top[:_SHOWN]])
        top_ids = np.array([token for token, _ in top], np.int32)
        logprobs = np.array([value for _, value in top], np.float32)
        if self._served.row_tokens is None:
            row = whole_row(top_ids.astype(np.int64), logprobs, size, address)
            return NextLogits(token_ids, row, len(token_ids), (time.perf_counter() - started) * 1000, normalised=True)
        mass = float(np.exp(logprobs.astype(np.float64)).sum())
        if mass > 1 + _MASS_ERROR:
            raise unusable(address, f"tells probabilities that are {mass:.3g} in sum and not 1")
        return TopTokens(token_ids, top_ids, logprobs, size, (time.perf_counter() - started) * 1000, step.unnamed)

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextRow, ...]]:
        """One request each."""
        return one_by_one(
            [check_ids(ids, self._info) for ids in texts], lambda ids: self.next_logits(ids, cancel=cancel)
        )

    # -- a given text ----------------------------------------------------------------------------------------------

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Log-probabilities and ranks of ``ids``; the entropies are unknown (NaN). Raises ServerError too."""
        return self._rows.score(check_ids(ids, self._info), cancel)

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        """The same; the server does it in one piece."""
        yield from ()
        return self.score(ids, cancel=cancel)

    def _prompt(self, token_ids: TokenIds) -> str | TokenIds:
        return token_ids if self._served.takes_ids else self._codec.decode(token_ids)

    # -- texts -----------------------------------------------------------------------------------------------------

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Texts by the server's samplers. Raises BadInput for a setting that it cannot be told.

        They are one request where the server gives each of them the seed it would have alone, else one each.
        """
        token_ids, body = check_ids(request.ids, self._info), self._settings(request)
        prompt = self._prompt(token_ids)
        body = {"model": self._served.model, "prompt": prompt if isinstance(prompt, str) else list(prompt), **body}
        count = request.n if self._served.kind.seeds_each else 1
        texts = [partial(self._texts, request, body, range(row, row + count)) for row in range(0, request.n, count)]
        return mixed(texts, cancel or CancelToken(), AT_ONCE)

    def _settings(self, request: StreamRequest) -> dict[str, object]:
        kind, row_tokens = self._served.kind, self._served.row_tokens
        check_constraint(request.constraint, self._info)
        body: dict[str, object] = {
            **NEUTRAL,
            **kind.neutral,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "presence_penalty": request.presence_penalty,
            "frequency_penalty": request.frequency_penalty,
            "max_tokens": request.max_new_tokens,
            "stream": True,
            **constraint_fields(kind.name, request.constraint),
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if row_tokens != 0:
            body["logprobs"] = max(request.top, 1) if row_tokens is None else min(max(request.top, 1), row_tokens)
        for name, neutral in _EXTRA_NEUTRAL.items():
            value = getattr(request, name)
            if value == neutral:
                continue
            if name not in kind.takes:
                raise BadInput(
                    f"{kind.name} cannot be told {name}: leave it out, or choose a model that runs in this process.",
                    "settings",
                )
            body[kind.takes[name]] = value
        return body

    def _texts(
        self, request: StreamRequest, body: Mapping[str, object], rows: range, cancel: CancelToken
    ) -> Iterator[StreamEvent]:
        """The texts ``rows`` in one request."""
        address, texts, tokens_by_row = (
            self._client.address,
            dict.fromkeys(rows, ""),
            {row: list[StreamedToken]() for row in rows},
        )
        asked = {**body, "seed": (request.seed + request.random_stream + rows[0]) % 2**31}
        if len(rows) > 1:
            asked["n"] = len(rows)
        limit = (ENTRY_BYTES * (request.top + 4) * request.max_new_tokens + 2**20) * len(rows)
        with closing(self._client.stream(address.base + "/completions", asked, cancel=cancel, limit=limit)) as parts:
            for data in events(parts, address):
                answer = Answer(self._client.parse(data), address)
                if answer.has("error"):
                    raise gave_up(address)
                for choice in answer.children("choices"):
                    row = rows[0] + choice.whole("index", 0)
                    if row not in texts:
                        raise choice.wrong("index")
                    added = choice.text("text", "")
                    texts[row] += added
                    for token in self._tokens(choice, added, request, row, tokens_by_row[row]):
                        tokens_by_row[row].append(token)
                        yield token
                    if choice.has("finish_reason"):
                        yield StreamedEnd(row, texts.pop(row), _reason(choice, request))
                if not texts:
                    return
        raise ended_silently(address)

    def _tokens(
        self, choice: Answer, added: str, request: StreamRequest, row: int, before: Sequence[StreamedToken]
    ) -> Iterator[StreamedToken]:
        """The tokens of one event: as told, or its text as one where nothing is told."""
        steps = streamed_steps(choice, self._rows.names)
        if not steps and added:
            yield StreamedToken(row, len(before), added)
        own = self._served.raw or (
            request.temperature == 1 and self._settings(request) == self._settings(_free(request))
        )
        context = [request.ids[-1] if token.id is None else token.id for token in before[-_CONTEXT:]]
        self._codec.learn(
            [token for step in steps for token, _ in step.top] + [s.id for s in steps if s.id is not None]
        )
        for number, step in enumerate(steps):
            # What the server sends with a token may be held back or broken; where it has an id, its own text is known.
            piece = step.text if step.id is None else self._codec.piece(step.id, context)
            own_text = added or step.id is None  # half a character without an id adds nothing yet
            shown = added if len(steps) == 1 and own_text and _BROKEN not in added else piece
            logprob, top = (step.logprob, step.top[: request.top]) if own else (None, ())
            yield StreamedToken(row, len(before) + number, shown, step.id, logprob, top)
            context.append(0 if step.id is None else step.id)


def _free(request: StreamRequest) -> StreamRequest:
    """The same request with no sampler on."""
    return StreamRequest(
        request.ids,
        request.n,
        request.max_new_tokens,
        stop=request.stop,
        ignore_eos=request.ignore_eos,
        top=request.top,
        constraint=request.constraint,
    )


def _reason(choice: Answer, request: StreamRequest) -> Literal["eos", "stop", "length"]:
    """Why a text ended. "stop" means both a stop string and the model's own end: vLLM and SGLang say which beside it."""
    if choice.text("finish_reason") == "length":
        return "length"
    if choice.has("stop_reason") or choice.has("matched_stop"):
        name = "stop_reason" if choice.has("stop_reason") else "matched_stop"
        return "stop" if choice.is_text(name) else "eos"
    return "stop" if request.stop and not choice.knows("stop_reason") else "eos"
