"""A server that takes chats and nothing else: texts by its own samplers, with what it tells of each token.

The interface is that of OpenAI's reference for ``POST /v1/chat/completions``. No tokenizer is needed: ids are those of
``chat_codec.py``, and tokens are what the server calls them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Literal

from playground.engine.api import CancelToken, Engine, Stream
from playground.engine.limits import check_constraint, check_ids
from playground.engine.remote.chat_codec import VOCAB, ChatOnlyCodec
from playground.engine.remote.http import ServerClient
from playground.engine.remote.kinds import ServerKind
from playground.engine.remote.listing import short_name, unknown_model
from playground.engine.remote.openai_rows import ENTRY_BYTES
from playground.engine.remote.reading import Answer, events
from playground.engine.remote.refusals import ended_silently, gave_up
from playground.engine.remote.server_engine import ServerEngine
from playground.engine.remote.together import mixed
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import BadInput, ServerError
from playground.models.info import ModelInfo, ServerFacts

_AT_ONCE = 8
_MOST_TOLD = 20  # of a step, by OpenAI's reference
_LONGEST = 2**20  # bytes of a prompt; how many tokens the server reads is not known
_REFUSED = (400, 404, 405, 422, 501)
_NOT_TOLD: Mapping[str, object] = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "ignore_eos": False}


class ChatEngine(ServerEngine[ChatOnlyCodec]):
    """An ``Engine`` with ``Stream`` alone. Safe to call from any thread."""

    def __init__(self, client: ServerClient, info: ModelInfo, codec: ChatOnlyCodec, model: str, tells: bool) -> None:
        super().__init__(client, info, codec)
        self._model, self._tells = model, tells

    @property
    def facets(self) -> frozenset[type]:
        return frozenset({Stream})

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        """Answers to a chat. Raises BadPrompt for a text that is none, BadInput for a setting that cannot be told."""
        messages = self._codec.messages(check_ids(request.ids, self._info))
        check_constraint(request.constraint, self._info)
        for name, neutral in _NOT_TOLD.items():
            if getattr(request, name) != neutral:
                raise BadInput(f"A server that takes chats only cannot be told {name}: leave it out.", "settings")
        body: dict[str, object] = {
            "model": self._model,
            "messages": messages,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "presence_penalty": request.presence_penalty,
            "frequency_penalty": request.frequency_penalty,
            "max_tokens": request.max_new_tokens,
            "stream": True,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if self._tells and request.temperature == 1 and request.top_p == 1:  # else not known to be the model's own
            body |= {"logprobs": True, "top_logprobs": min(max(request.top, 1), _MOST_TOLD)}
        return mixed(
            [partial(self._text, request, body, row) for row in range(request.n)], cancel or CancelToken(), _AT_ONCE
        )

    def _text(
        self, request: StreamRequest, body: Mapping[str, object], row: int, cancel: CancelToken
    ) -> Iterator[StreamEvent]:
        address, text, count = self._client.address, "", 0
        asked = {**body, "seed": (request.seed + request.random_stream + row) % 2**31}
        limit = ENTRY_BYTES * (request.top + 4) * request.max_new_tokens + 2**20
        with closing(
            self._client.stream(address.base + "/chat/completions", asked, cancel=cancel, limit=limit)
        ) as parts:
            for data in events(parts, address):
                answer = Answer(self._client.parse(data), address)
                if answer.has("error"):
                    raise gave_up(address)
                for choice in answer.children("choices"):
                    delta = choice.child("delta") if choice.has("delta") else Answer({}, address)
                    added = delta.text("content") if delta.has("content") else ""
                    text += added
                    for token in self._tokens(choice, added, row, request.top):
                        yield StreamedToken(row, count, token.text, token.id, token.logprob, token.top)
                        count += 1
                    if choice.has("finish_reason"):
                        yield StreamedEnd(row, text, _reason(choice, request))
                        return
        raise ended_silently(address)

    def _tokens(self, choice: Answer, added: str, row: int, top: int) -> list[StreamedToken]:
        """The tokens of one event: as told, or its text as one where nothing is told."""
        logprobs = choice.child("logprobs") if choice.has("logprobs") else None
        if logprobs is None or not logprobs.has("content"):
            return [StreamedToken(row, 0, added)] if added else []
        tokens = []
        for entry in logprobs.children("content"):
            others = entry.children("top_logprobs") if entry.has("top_logprobs") else []
            pairs = {self._codec.id_of(_bytes(one)): one.logprob("logprob") for one in others}
            ranked = sorted(
                ((one, value) for one, value in pairs.items() if one is not None), key=lambda pair: -pair[1]
            )
            own = self._codec.id_of(_bytes(entry))
            piece = _bytes(entry).decode(errors="replace") if own is None else self._codec.piece(own)
            tokens.append(StreamedToken(row, 0, piece, own, entry.logprob("logprob"), tuple(ranked[:top])))
        return tokens


def _bytes(entry: Answer) -> bytes:
    return entry.data("bytes") or entry.text("token").encode("utf-8", errors="surrogatepass")


def _reason(choice: Answer, request: StreamRequest) -> Literal["eos", "stop", "length"]:
    """ "stop" means a stop string and the model's own end alike: with stop strings it counts as one."""
    if choice.text("finish_reason") == "length":
        return "length"
    return "stop" if request.stop else "eos"


def connect_chat(
    client: ServerClient, name: str, models: tuple[str, ...], kind: ServerKind, version: str
) -> Engine | None:
    """An engine over the server's chats; None where it has none. Raises ServerError."""
    body: dict[str, object] = {"model": name, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    url = client.address.base + "/chat/completions"
    tells = True
    try:
        answer = Answer(client.ask(url, {**body, "logprobs": True, "top_logprobs": 2}), client.address)
    except ServerError as error:
        if error.status not in _REFUSED:
            raise
        tells = False
        try:
            answer = Answer(client.ask(url, body), client.address)
        except ServerError as again:
            if again.status not in _REFUSED:
                raise
            return None
    tells = tells and any(choice.has("logprobs") for choice in answer.children("choices"))
    facts = ServerFacts(kind.name, version, models, None, 0, None, chats_only=True)
    revision = f"{client.address.text}:{name}:{kind.name} {version}:chats"
    info = unknown_model(
        client.address.text, short_name(name), revision, VOCAB, _LONGEST, has_chat_template=True, server=facts
    )
    return ChatEngine(client, info, ChatOnlyCodec(info.name), name, tells)
