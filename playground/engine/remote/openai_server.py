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

from playground.engine.api import CancelToken, NextTokens, Pieces, Score, Stream, finish, one_by_one
from playground.engine.limits import check_ids
from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import ServerKind
from playground.engine.remote.openai_format import TokenNames, told_steps
from playground.engine.remote.prompt_scores import prompt_score
from playground.engine.remote.reading import Answer, events
from playground.engine.remote.refusals import unusable
from playground.engine.remote.together import mixed
from playground.engine.text.codec import HfTextCodec
from playground.engine.types import (
    SequenceScore,
    StreamedEnd,
    StreamedToken,
    StreamEvent,
    StreamRequest,
    TokenIds,
    TopTokens,
)
from playground.errors import BadInput, ServerError
from playground.models.info import ModelInfo

ENTRY_BYTES = 600  # of one token in an answer
AT_ONCE = 8  # texts asked for at the same time; the server batches them
_MASS_ERROR = 0.02
_CONTEXT = 8  # tokens before one that say which character it completes
_BROKEN = "\ufffd"

NEUTRAL: Mapping[str, object] = {"temperature": 1.0, "top_p": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0}
_EXTRA_NEUTRAL: Mapping[str, object] = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "ignore_eos": False}


@dataclass(frozen=True, slots=True)
class ServedCompletions:
    """What was found out of a server. ``told``: tokens of a row that it tells; ``takes_ids``: a prompt may be ids."""

    kind: ServerKind
    model: str
    told: int
    takes_ids: bool
    raw: bool | None
    scores: bool = False


class OpenAIEngine:
    """An ``Engine`` over one model of a server. Safe to call from any thread."""

    def __init__(
        self, client: ServerClient, info: ModelInfo, codec: HfTextCodec, served: ServedCompletions, names: TokenNames
    ) -> None:
        self._client = client
        self._info = info
        self._codec = codec
        self._served = served
        self._names = names

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def codec(self) -> HfTextCodec:
        return self._codec

    @property
    def facets(self) -> frozenset[type]:
        offered = {NextTokens: bool(self._served.told), Stream: True, Score: self._served.scores}
        return frozenset(facet for facet, has in offered.items() if has)

    # -- the next token --------------------------------------------------------------------------------------------

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> TopTokens:
        """The tokens that the server tells, of those that have an id here. Raises ServerError too."""
        known, started, address = check_ids(ids, self._info), time.perf_counter(), self._client.address
        body = {**self._prompt(known), **self._neutral(), "max_tokens": 1, "logprobs": self._served.told}
        limit = ENTRY_BYTES * (self._served.told + 4) + 2**20
        answer = Answer(self._client.ask(address.base + "/completions", body, cancel=cancel, limit=limit), address)
        choice = next(iter(answer.children("choices")), None)
        steps = told_steps(choice, self._names) if choice else []
        if not steps or not steps[0].top:
            raise unusable(address, "tells no tokens of a row, though it did before")
        top = steps[0].top[: self._served.told]
        mass = sum(np.exp(logprob) for _token, logprob in top)
        if mass > 1 + _MASS_ERROR:
            raise unusable(address, f"tells probabilities that are {mass:.3g} in sum and not 1")
        told, logprobs = (
            np.array([token for token, _ in top], np.int32),
            np.array([value for _, value in top], np.float32),
        )
        elapsed_ms = (time.perf_counter() - started) * 1000
        return TopTokens(known, told, logprobs, self._info.vocab_size, elapsed_ms, steps[0].unnamed)

    def next_logits_each(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> tuple[TopTokens, ...]:
        return finish(self.next_logits_in_pieces(texts, cancel=cancel))

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[TopTokens, ...]]:
        """One request each."""
        return one_by_one(
            [check_ids(ids, self._info) for ids in texts], lambda ids: self.next_logits(ids, cancel=cancel)
        )

    # -- a given text ----------------------------------------------------------------------------------------------

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Log-probabilities and ranks of ``ids``; the entropies are unknown (NaN). Raises ServerError too."""
        known, address = check_ids(ids, self._info), self._client.address
        body = {**self._prompt(known), **self._neutral(), "max_tokens": 1, "prompt_logprobs": 1}
        limit = ENTRY_BYTES * (len(known) + 4) + 2**20
        answer = Answer(self._client.ask(address.base + "/completions", body, cancel=cancel, limit=limit), address)
        choice = next(iter(answer.children("choices")), Answer({}, address))
        return prompt_score(choice, known)

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        """The same; the server does it in one piece."""
        yield from ()
        return self.score(ids, cancel=cancel)

    def _prompt(self, known: TokenIds) -> dict[str, object]:
        text = list(known) if self._served.takes_ids else self._codec.decode(known)
        return {"model": self._served.model, "prompt": text}

    def _neutral(self) -> dict[str, object]:
        return {**NEUTRAL, **self._served.kind.neutral}

    # -- texts -----------------------------------------------------------------------------------------------------

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Texts by the server's samplers, each by a request of its own. Raises BadInput for a setting that it cannot be told."""
        known, body = check_ids(request.ids, self._info), self._settings(request)
        texts = [partial(self._text, request, {**self._prompt(known), **body}, row) for row in range(request.n)]
        return mixed(texts, cancel or CancelToken(), AT_ONCE)

    def _settings(self, request: StreamRequest) -> dict[str, object]:
        kind = self._served.kind
        body: dict[str, object] = {
            **self._neutral(),
            "temperature": request.temperature,
            "top_p": request.top_p,
            "presence_penalty": request.presence_penalty,
            "frequency_penalty": request.frequency_penalty,
            "max_tokens": request.max_new_tokens,
            "stream": True,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if self._served.told:
            body["logprobs"] = min(max(request.top, 1), self._served.told)
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

    def _text(
        self, request: StreamRequest, body: Mapping[str, object], row: int, cancel: CancelToken
    ) -> Iterator[StreamEvent]:
        address, text, told = self._client.address, "", list[StreamedToken]()
        asked = {**body, "seed": (request.seed + request.random_stream + row) % 2**31}
        limit = ENTRY_BYTES * (request.top + 4) * request.max_new_tokens + 2**20
        url = address.base + "/completions"
        with closing(self._client.stream(url, asked, cancel=cancel, limit=limit)) as parts:
            for data in events(parts, address):
                answer = Answer(self._client.parse(data), address)
                if answer.has("error"):
                    raise ServerError(
                        f"The server at {address.base} gave up in the middle of a text: try again, or ask for less."
                    )
                for choice in answer.children("choices"):
                    added = choice.text("text", "")
                    text += added
                    for token in self._tokens(choice, added, request, row, told):
                        told.append(token)
                        yield token
                    if choice.has("finish_reason"):
                        yield StreamedEnd(row, text, _reason(choice, request))
                        return
        raise ServerError(f"The server at {address.base} ended a text without saying so: try again once it is there.")

    def _tokens(
        self, choice: Answer, added: str, request: StreamRequest, row: int, before: Sequence[StreamedToken]
    ) -> Iterator[StreamedToken]:
        """The tokens of one event: as told, or its text as one where nothing is told."""
        steps = told_steps(choice, self._names)
        if not steps and added:
            yield StreamedToken(row, len(before), added)
        own = self._served.raw or (
            request.temperature == 1 and self._settings(request) == self._settings(_free(request))
        )
        known = [request.ids[-1] if token.id is None else token.id for token in before[-_CONTEXT:]]
        for number, step in enumerate(steps):
            # What the server sends with a token may be held back or broken; where it has an id, its own text is known.
            piece = step.text if step.id is None else self._codec.piece(step.id, known)
            own_text = added or step.id is None  # half a character without an id adds nothing yet
            shown = added if len(steps) == 1 and own_text and _BROKEN not in added else piece
            logprob, top = (step.logprob, step.top[: request.top]) if own else (None, ())
            yield StreamedToken(row, len(before) + number, shown, step.id, logprob, top)
            known.append(0 if step.id is None else step.id)

    def close(self) -> None:
        """Let go of the connections; the server goes on for others."""
        self._client.close()


def _free(request: StreamRequest) -> StreamRequest:
    """The same request with no sampler on."""
    return StreamRequest(
        request.ids,
        request.n,
        request.max_new_tokens,
        stop=request.stop,
        ignore_eos=request.ignore_eos,
        top=request.top,
    )


def _reason(choice: Answer, request: StreamRequest) -> Literal["eos", "stop", "length"]:
    """Why a text ended. "stop" means both a stop string and the model's own end: vLLM and SGLang say which beside it."""
    if choice.text("finish_reason") == "length":
        return "length"
    if choice.has("stop_reason") or choice.has("matched_stop"):
        name = "stop_reason" if choice.has("stop_reason") else "matched_stop"
        return "stop" if choice.is_text(name) else "eos"
    return "stop" if request.stop and not choice.knows("stop_reason") else "eos"
