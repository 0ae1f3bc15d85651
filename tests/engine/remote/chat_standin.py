"""A server with chats and no completions: it takes what the ``openai`` package's own types do, and answers in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_type_hints

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import TypeAdapter, ValidationError

from tests.engine.remote.completions_standin import Body, Completions
from tests.engine.remote.standin import Asked, Reply, Route
from tests.engine.remote.tiny_model import Drawn


class Chats(Completions):
    """``tells``: log-probabilities of tokens."""

    tells = True

    def routes(self) -> dict[str, Route]:
        routes = {**super().routes(), "/v1/chat/completions": self._chat}
        del routes["/v1/completions"]
        return routes

    def _chat(self, asked: Asked) -> Reply:
        body = asked.body
        kind = CompletionCreateParamsStreaming if body.get("stream") else CompletionCreateParamsNonStreaming
        try:
            unknown = set(body) - set(get_type_hints(kind))
            if unknown or (body.get("logprobs") and not self.tells) or body["model"] not in self.models:
                raise ValueError(f"cannot do {sorted(unknown) or 'that'}")
            TypeAdapter(kind).validate_python(body, strict=False)
        except (ValidationError, ValueError) as error:
            return Reply({"error": {"message": str(error), "type": "invalid_request_error"}}, 400)
        text = "".join(f"{one['role']}: {one['content']}\n" for one in body["messages"])
        if body.get("stream"):
            return Reply(self._chunks(body, self.codec.encode(text)), headers={"Content-Type": "text/event-stream"})
        (one, *_rest) = self._answers({**body, "max_tokens": 1}, self.codec.encode(text))
        message = {"role": "assistant", "content": one.shown, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "length", "logprobs": self._told(body, one)}
        answer = {"id": "c", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}
        ChatCompletion.model_validate(answer)
        return Reply(answer)

    def _answers(self, body: Body, ids: tuple[int, ...]) -> Iterator[Drawn]:
        return self._drawn({"temperature": 1.0, **body}, ids)

    def _told(self, body: Body, one: Drawn) -> Body | None:
        if not body.get("logprobs"):
            return None
        row = self.row(one.before)
        order = (-row).argsort()[: body.get("top_logprobs", 0)].tolist()
        entry = {**self._entry(row[one.token], one.token), "top_logprobs": [self._entry(row[i], i) for i in order]}
        return {"content": [entry], "refusal": None}

    def _entry(self, logprob: float, token: int) -> dict[str, Any]:
        data = self.codec.token_bytes(token) or self.codec.decode((token,)).encode()
        return {"token": data.decode(errors="replace"), "bytes": list(data), "logprob": float(logprob)}

    def _chunks(self, body: Body, ids: tuple[int, ...]) -> Iterator[bytes]:
        ending: Body = {}
        for one in self._answers(body, ids):
            yield self._chunk(
                {"delta": {"content": one.shown}, "logprobs": self._told(body, one), "finish_reason": None}
            )
            ending = {"finish_reason": "length" if one.reason == "length" else "stop"}
        yield self._chunk({"delta": {}, **ending})
        yield b"data: [DONE]\n\n"

    def _chunk(self, choice: Body) -> bytes:
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "tiny"}
        answer: Body = {**chunk, "choices": [{"index": 0, **choice}]}
        ChatCompletionChunk.model_validate(answer)
        return b"data: " + json.dumps(self.change(answer)).encode() + b"\n\n"
