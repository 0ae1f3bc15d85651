"""The codec of a llama.cpp server: its own tokenizer and chat template, asked for by requests. Knows no probabilities."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property

import orjson
from cachetools import LRUCache

from playground.engine.remote.http import ServerClient
from playground.engine.remote.reading import Answer
from playground.engine.text.chat import ChatTemplate
from playground.engine.text.codec import TableCodec, leading_ids
from playground.engine.text.token_bytes import TokenTable
from playground.models.info import ModelInfo

_REMEMBERED_CHATS = 32
_MOST_ASKED_ALONE = 512  # names of special tokens that are asked for one by one
_SEPARATOR = b"\n"


class LlamaServerTokenizer:
    """What a llama.cpp server knows of text: an ``Encoder`` and a ``Templated``. Safe to call from any thread."""

    def __init__(self, client: ServerClient, template: str, model: str | None) -> None:
        self._client = client
        self._model: Mapping[str, object] = {"model": model} if model else {}
        self._chats: LRUCache[bytes, str] = LRUCache(_REMEMBERED_CHATS)
        self._lock = threading.Lock()
        self.chat_template = template

    def _ask(self, path: str, body: Mapping[str, object]) -> Answer:
        address = self._client.address
        return Answer(self._client.ask(address.root + path, {**body, **self._model}), address)

    def encode(self, text: str, parse_special: bool, *, add_special: bool = False) -> list[int]:
        """Ids of ``text``; ``add_special``: with what the model has before a text."""
        body = {"content": text, "add_special": add_special, "parse_special": parse_special}
        return list(self._ask("/tokenize", body).ids("tokens", None))

    def decode(self, ids: list[int]) -> str:
        return self._ask("/detokenize", {"tokens": ids}).text("content")

    def apply_chat_template(
        self, conversation: list[dict[str, str]], /, *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        """The text of messages. A page asks for the same ones at every move of a slider: they are remembered."""
        assert add_generation_prompt and not tokenize, "the server does no more"
        key = orjson.dumps(conversation)
        with self._lock:
            prompt = self._chats.get(key)
        if prompt is None:
            prompt = self._ask("/apply-template", {"messages": conversation}).text("prompt")
            with self._lock:
                self._chats[key] = prompt
        return prompt


class LlamaServerCodec(TableCodec):
    """A ``TextCodec`` whose ids are the server's own."""

    def __init__(self, tokenizer: LlamaServerTokenizer, table: TokenTable, bos: str, info: ModelInfo) -> None:
        super().__init__(tokenizer, ChatTemplate(tokenizer, info.name), info)
        self._tokenizer = tokenizer
        self._token_table = table
        self._bos = bos

    @property
    def _table(self) -> TokenTable:
        return self._token_table

    @cached_property
    def _leading_ids(self) -> tuple[int, ...]:
        dressed = self._tokenizer.encode("a", False, add_special=True)
        return leading_ids(dressed, self._tokenizer.encode("a", False))

    @property
    def _bos_id(self) -> int | None:
        return self._token_table.special_id(self._bos)


def make_table(tokenizer: LlamaServerTokenizer, data: Mapping[int, bytes], size: int) -> TokenTable:
    """The table of all tokens from the bytes that a row tells of each: none of special ones, whose names are asked for."""
    special = sorted(token for token, spelling in data.items() if not spelling)
    names = _names(
        tokenizer, special, next((token for token, spelling in data.items() if spelling == _SEPARATOR), None)
    )
    return TokenTable(
        {**data, **dict.fromkeys(special, b"")}, names, size, exact=True, joins=True, decode=lambda token: b""
    )


def _names(tokenizer: LlamaServerTokenizer, special: list[int], separator: int | None) -> dict[int, str]:
    """How special tokens are spelt: in one request with line breaks between, or each alone where that is not clear."""
    names: list[str] = []
    if separator is not None and special:
        joined = [part for token in special for part in (token, separator)]
        names = tokenizer.decode(joined).split(_SEPARATOR.decode())[:-1]
    if len(names) != len(special):
        names = [tokenizer.decode([token]) for token in special[:_MOST_ASKED_ALONE]]
    names += ["" for _ in special[len(names) :]]
    return {token: name or f"id {token}" for token, name in zip(special, names, strict=True)}
