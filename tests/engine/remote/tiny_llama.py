"""What a llama.cpp server with a vocabulary of eight tokens answers; a test changes one thing in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.engine.remote.standin import Asked, Reply, Route

TOKENS: tuple[bytes, ...] = (b"", b"a", b" b", b"\xf0\x9f", b"\x98\x80", b"\n", b"<b>", b"")
NAMES = {0: "<s>", 7: "</s>"}
PROBS = (0.01, 0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.01)


def row(count: int) -> list[dict[str, Any]]:
    order = sorted(range(8), key=lambda token: -PROBS[token])[:count]
    return [{"id": i, "token": "", "bytes": list(TOKENS[i]), "logprob": math.log(PROBS[i])} for i in order]


@dataclass
class TinyLlama:
    """Routes of the server. ``entries``: what a row tells; ``events``: what a text is streamed as."""

    props: dict[str, Any] = field(
        default_factory=lambda: {
            "default_generation_settings": {"n_ctx": 64},
            "total_slots": 2,
            "chat_template": "",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "build_info": "b1-tiny",
        }
    )
    meta: dict[str, Any] = field(default_factory=lambda: {"n_vocab": 8, "n_params": 100})
    name: str = "tiny"
    entries: list[Any] | None = None
    events: list[bytes] = field(default_factory=list)

    def routes(self) -> dict[str, Route]:
        return {
            "/props": lambda asked: Reply(self.props),
            "/v1/models": lambda asked: Reply({"object": "list", "data": [{"id": self.name, "meta": self.meta}]}),
            "/tokenize": self._tokenize,
            "/detokenize": lambda asked: Reply({"content": "".join(map(spelling, asked.body["tokens"]))}),
            "/completion": self._completion,
        }

    def _tokenize(self, asked: Asked) -> Reply:
        ids_by_text = {data.decode("latin-1"): token for token, data in enumerate(TOKENS) if data}
        ids = [ids_by_text[part] for part in asked.body["content"]]
        return Reply({"tokens": ([0] if asked.body["add_special"] else []) + ids})

    def _completion(self, asked: Asked) -> Reply:
        if asked.body.get("stream"):
            return Reply(self._streamed())
        entries = row(asked.body["n_probs"]) if self.entries is None else self.entries
        probabilities = [{"id": 1, "logprob": -0.9, "top_logprobs": entries}]
        return Reply({"model": self.name, "content": "a", "completion_probabilities": probabilities})

    def _streamed(self) -> Iterator[bytes]:
        yield from self.events


def spelling(token: int) -> str:
    return NAMES.get(token) or TOKENS[token].decode("latin-1")


def event(**fields: Any) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def token_event(token: int, content: str, predicted: int, **fields: Any) -> bytes:
    probability = {"id": token, "logprob": math.log(PROBS[token % 8]), "top_logprobs": row(3), **fields}
    return event(
        content=content, tokens=[token], stop=False, tokens_predicted=predicted, completion_probabilities=[probability]
    )


def end_event(predicted: int, stop_type: str = "limit", **fields: Any) -> bytes:
    return event(
        content="", tokens=[], stop=True, model="tiny", tokens_predicted=predicted, stop_type=stop_type, **fields
    )
