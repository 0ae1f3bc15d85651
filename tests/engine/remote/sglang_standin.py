"""SGLang's native ``/generate`` beside OpenAI's completions: what is asked is checked against the fields it documents."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from tests.engine.remote.completions_standin import Body, Completions
from tests.engine.remote.standin import Asked, Reply, Route
from tests.engine.remote.tiny_model import Row


class SamplingParams(BaseModel, extra="forbid", strict=True):
    max_new_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = -1
    min_p: float = 0.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    repetition_penalty: float = 1.0


class GenerateReqInput(BaseModel, extra="forbid", strict=True):
    input_ids: list[int]
    sampling_params: SamplingParams
    return_logprob: bool
    top_logprobs_num: int
    logprob_start_len: int


class Sglang(Completions):
    """Of a row ``/generate`` tells as many tokens as it is asked for."""

    def routes(self) -> dict[str, Route]:
        return {**super().routes(), "/generate": self._generate}

    def _generate(self, asked: Asked) -> Reply:
        try:
            body = GenerateReqInput.model_validate(asked.body)
        except ValidationError as error:
            return Reply({"error": {"message": str(error)}}, 400)
        ids, count = body.input_ids, body.top_logprobs_num
        row = self.row(ids)
        drawn = int(row.argmax())
        meta: Body = {
            "finish_reason": {"type": "length", "length": 1},
            "prompt_tokens": len(ids),
            "completion_tokens": 1,
            "output_token_logprobs": [_entry(row, drawn)],
            "output_top_logprobs": [_top(row, count)],
        }
        if body.logprob_start_len == 0:
            before = [self.row(ids[:place]) for place in range(1, len(ids))]
            meta["input_token_logprobs"] = [
                [None, ids[0], None],
                *(_entry(one, token) for one, token in zip(before, ids[1:], strict=True)),
            ]
            meta["input_top_logprobs"] = [None, *(_top(one, count) for one in before)]
        return Reply(self.change({"text": "x", "output_ids": [drawn], "meta_info": meta}))


def _entry(row: Row, token: int) -> list[Any]:
    return [float(row[token]), token, None]


def _top(row: Row, count: int) -> list[list[Any]]:
    return [_entry(row, token) for token in (-row).argsort()[:count].tolist()]
