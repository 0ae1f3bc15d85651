"""``/tokenize`` and ``/detokenize`` as vLLM and SGLang document them: what is asked is checked against their fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from playground.engine.text.codec import HfTextCodec
from tests.engine.remote.standin import Asked, Reply, Route


class _Asked(BaseModel, extra="forbid", strict=True):
    model: str | None = None


class TokenizeText(_Asked):
    prompt: str
    add_special_tokens: bool = True


class TokenizeChat(_Asked):
    """vLLM's alone."""

    messages: list[dict[str, str]]
    add_generation_prompt: bool = True
    add_special_tokens: bool = False


class VllmDetokenize(_Asked):
    tokens: list[int]


class SglangDetokenize(VllmDetokenize):
    skip_special_tokens: bool = True


def chat_text(messages: Sequence[dict[str, str]]) -> str:
    """The template of the model that is played."""
    turns = "".join(f"<|im_start|>{one['role']}\n{one['content']}<|im_end|>\n" for one in messages)
    return f"{turns}<|im_start|>assistant\n"


def token_routes(
    codec: HfTextCodec, owned_by: str, context: int, tokenize: Callable[[str], tuple[int, ...]]
) -> dict[str, Route]:
    """Spelt-out special tokens are read as such; a special one is left out of a text only where SGLang is not told otherwise."""
    sglang = owned_by == "sglang"

    def to_ids(asked: Asked) -> Reply:
        try:
            if "messages" in asked.body and not sglang:
                ids = codec.encode(chat_text(TokenizeChat.model_validate(asked.body).messages), parse_special=True)
            else:
                ids = tokenize(TokenizeText.model_validate(asked.body).prompt)
        except ValidationError as error:
            return Reply({"error": {"message": str(error)}}, 400)
        return Reply({"tokens": list(ids), "count": len(ids), "max_model_len": context})

    def to_text(asked: Asked) -> Reply:
        try:
            body: Any = (SglangDetokenize if sglang else VllmDetokenize).model_validate(asked.body)
        except ValidationError as error:
            return Reply({"error": {"message": str(error)}}, 400)
        skips = sglang and body.skip_special_tokens
        text = codec.decode([token for token in body.tokens if not (skips and codec.is_special(token))])
        return Reply({"text" if sglang else "prompt": text})

    return {"/tokenize": to_ids, "/detokenize": to_text}
