"""Ordinary text to token ids and back by a transformers tokenizer, from several threads at once.

Knows nothing of chat messages and of the bytes of tokens: ``codec.py`` does.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Encoder(Protocol):
    """A tokenizer without start tokens. Safe to call from any thread."""

    def encode(self, text: str, parse_special: bool) -> list[int]:
        """Ids of ``text``; spelt-out special tokens are text unless ``parse_special``."""

    def decode(self, ids: list[int]) -> str:
        """The text of ``ids``, special tokens spelt out."""


class FastEncoder:
    """Two copies of the Rust tokenizer, one a mode: the mode is a field of the tokenizer, and threads share it.

    Each is made when it is first asked for: a start needs only one.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_truncation()
        self._backend.no_padding()
        self._modes: dict[bool, Any] = {}
        self._tokenizer = tokenizer
        self._lock = threading.Lock()

    def encode(self, text: str, parse_special: bool) -> list[int]:
        with self._lock:
            mode = self._modes.get(parse_special)
            if mode is None:
                mode = self._modes[parse_special] = type(self._backend).from_str(self._backend.to_str())
                mode.encode_special_tokens = not parse_special
        ids: list[int] = mode.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: list[int]) -> str:
        with self._lock:
            return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


class SlowEncoder:
    """A tokenizer written in Python, one call at a time."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._lock = threading.Lock()

    def encode(self, text: str, parse_special: bool) -> list[int]:
        with self._lock:
            encoded = self._tokenizer(text, add_special_tokens=False, split_special_tokens=not parse_special)
        return [int(token) for token in encoded["input_ids"]]

    def decode(self, ids: list[int]) -> str:
        with self._lock:
            return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def make_encoder(tokenizer: PreTrainedTokenizerBase) -> Encoder:
    return FastEncoder(tokenizer) if getattr(tokenizer, "is_fast", False) else SlowEncoder(tokenizer)
