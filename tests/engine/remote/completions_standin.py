"""A small server with OpenAI's completions. It takes a request only if the ``openai`` package's own types do, and what it
answers is of that package's types too. What it serves is ``TinyModel``; as ``owned_by`` vLLM it takes vLLM's fields as well."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from openai.types import Completion
from openai.types.completion_create_params import CompletionCreateParamsNonStreaming, CompletionCreateParamsStreaming
from pydantic import TypeAdapter, ValidationError

from playground.engine.text.codec import HfTextCodec
from playground.numerics import log_softmax
from tests.engine.remote.standin import Asked, Reply, Route
from tests.engine.remote.tiny_model import Drawn, Row, TinyModel
from tests.engine.remote.tokens_standin import token_routes

Body = dict[str, Any]
OWN_FIELDS: dict[str, dict[str, type]] = {
    "vllm": {
        "top_k": int,
        "min_p": float,
        "repetition_penalty": float,
        "ignore_eos": bool,
        "return_tokens_as_token_ids": bool,
        "prompt_logprobs": int,
        "structured_outputs": dict,
    },
    "sglang": {
        "top_k": int,
        "min_p": float,
        "repetition_penalty": float,
        "ignore_eos": bool,
        "json_schema": str,
        "regex": str,
        "ebnf": str,
    },
}


@dataclass
class Completions:
    """``most``: tokens of a row that it tells; ``raw``: before its samplers. ``change`` edits an answer before it is sent.

    ``text`` and ``finish``: what is streamed whatever was asked for.
    """

    codec: HfTextCodec
    size: int
    owned_by: str = "somebody"
    most: int = 20
    raw: bool = True
    takes_ids: bool = True
    scores: bool = True
    text: str = " Paris 😀 is"  # "": the model's own texts
    finish: Mapping[str, object] | None = field(default_factory=lambda: {"finish_reason": "length"})
    change: Callable[[Body], object] = lambda answer: answer
    models: tuple[str, ...] = ("tiny", "other")
    context: int = 512

    def routes(self) -> dict[str, Route]:
        listed = [
            {"id": name, "object": "model", "created": 0, "owned_by": self.owned_by, "max_model_len": self.context}
            for name in self.models
        ]
        return {
            "/v1/models": lambda asked: Reply({"object": "list", "data": listed}),
            "/version": lambda asked: Reply({"version": "0.11.0"}),
            "/v1/completions": self._complete,
            **token_routes(self.codec, self.owned_by, self.context, lambda text: self.tokenize(text)),
        }

    def tokenize(self, text: str) -> tuple[int, ...]:
        return self.codec.encode(text, parse_special=True)

    @property
    def model(self) -> TinyModel:
        return TinyModel(self.codec, self.size)

    def row(self, ids: Sequence[int]) -> Row:
        return self.model.row(ids)

    def _complete(self, asked: Asked) -> Reply:
        body = asked.body
        try:
            self._check(body)
        except (ValidationError, ValueError) as error:
            return Reply({"error": {"message": str(error), "type": "invalid_request_error"}}, 400)
        prompt = body["prompt"]
        ids = self.codec.encode(prompt) if isinstance(prompt, str) else tuple(prompt)
        if body.get("stream"):
            return Reply(self._streamed(body, ids), headers={"Content-Type": "text/event-stream"})
        logprobs = self._logprobs(body, ids, None)
        choice = {"index": 0, "text": "x", "finish_reason": "length", "logprobs": logprobs}
        if "prompt_logprobs" in body and self.scores:
            choice["prompt_logprobs"] = [None, *(self._prompt_token(ids, place) for place in range(1, len(ids)))]
        usage = {"prompt_tokens": len(ids), "completion_tokens": 1, "total_tokens": len(ids) + 1}
        return Reply(self.change(self._answer([choice], usage)))

    def _check(self, body: Body) -> None:
        kind = CompletionCreateParamsStreaming if body.get("stream") else CompletionCreateParamsNonStreaming
        own = OWN_FIELDS.get(self.owned_by, {})
        unknown = set(body) - set(get_type_hints(kind)) - set(own)
        if unknown:
            raise ValueError(f"unknown parameters {sorted(unknown)}")
        TypeAdapter(kind).validate_python(body, strict=False)
        for name in set(own) & set(body):
            TypeAdapter(own[name]).validate_python(body[name], strict=True)
        if body["model"] not in self.models:
            raise ValueError("no such model")
        if not self.takes_ids and not isinstance(body["prompt"], str):
            raise ValueError("prompt must be a string")
        if not isinstance(body["prompt"], str) and max(body["prompt"]) >= self.size:
            raise ValueError(f"Token id {max(body['prompt'])} is out of vocabulary")
        if (body.get("logprobs") or 0) > self.most:
            raise ValueError(f"logprobs must be at most {self.most}")

    def _answer(self, choices: list[Body], usage: Body | None = None) -> Body:
        answer = {
            "id": "c",
            "object": "text_completion",
            "created": 0,
            "model": "tiny",
            "choices": choices,
            "usage": usage,
        }
        Completion.model_validate(
            {**answer, "choices": [{**one, "finish_reason": one["finish_reason"] or "stop"} for one in choices]}
        )
        return answer

    def _logprobs(self, body: Body, ids: Sequence[int], token: int | None) -> Body | None:
        count = body.get("logprobs")
        if not count:
            return None
        row = self.row(ids)
        if not self.raw:
            bent = row / max(body["temperature"], 0.01)
            for biased, value in (body.get("logit_bias") or {}).items():
                bent[int(biased)] += value
            row = log_softmax(bent)
        order = (-row).argsort()[:count].tolist()
        drawn = order[0] if token is None else token
        top = {self._name(body, one): float(row[one]) for one in order}
        name = self._name(body, drawn)
        return {"tokens": [name], "token_logprobs": [float(row[drawn])], "top_logprobs": [top], "text_offset": [0]}

    def _prompt_token(self, ids: tuple[int, ...], place: int) -> Body:
        row = self.row(ids[:place])
        listed = {int(row.argmax()), ids[place]}
        return {str(one): {"logprob": float(row[one]), "rank": int((row > row[one]).sum()) + 1} for one in listed}

    def _name(self, body: Body, token: int) -> str:
        return f"token_id:{token}" if body.get("return_tokens_as_token_ids") else self.codec.decode((token,))

    def _drawn(self, body: Body, ids: tuple[int, ...]) -> Iterator[Drawn]:
        stop = body.get("stop") or []
        return self.model.draw(
            ids,
            most=body["max_tokens"],
            temperature=body["temperature"],
            top_k=body.get("top_k", 0),
            seed=body.get("seed", 0),
            stop=[] if self.finish else [stop] if isinstance(stop, str) else stop,
            ignore_eos=body.get("ignore_eos", False),
            fixed=self.codec.encode(body.get("structured_outputs", {}).get("choice", [self.text])[0]),
        )

    def _streamed(self, body: Body, ids: tuple[int, ...]) -> Iterator[bytes]:
        """The n texts mixed, each with a seed of its own, as vLLM gives them."""
        texts = [self._drawn({**body, "seed": body.get("seed", 0) + i}, ids) for i in range(body.get("n", 1))]
        for together in itertools.zip_longest(*texts):
            for index, one in enumerate(together):
                if one is None:
                    continue
                choice = {"index": index, "text": one.shown, "logprobs": self._logprobs(body, one.before, one.token)}
                yield self._event({**choice, "finish_reason": None})
                if one.reason is not None:
                    ending = self.finish or self._ending(one)
                    yield self._event({"index": index, "text": "", "logprobs": None, **ending})
        yield b"data: [DONE]\n\n"

    def _ending(self, one: Drawn) -> Body:
        """vLLM tells the stop string beside the reason, others do not."""
        reason = "length" if one.reason == "length" else "stop"
        return {"finish_reason": reason, **({"stop_reason": one.stop} if self.owned_by == "vllm" else {})}

    def _event(self, choice: Body) -> bytes:
        return b"data: " + json.dumps(self.change(self._answer([choice]))).encode() + b"\n\n"
