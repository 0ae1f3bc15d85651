"""The text of a chat with a server that tells nothing of its tokens: ids are bytes and marks of who speaks.

Such a server takes messages and no ids, so what a page calls a prompt's ids must come back as messages: 0 to 255 are bytes of
UTF-8, three marks follow, and after them tokens that the server named, numbered as they are first named. Knows no requests.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from playground.engine.text.codec import check_text
from playground.engine.text.display import bracket
from playground.engine.text.utf8 import added_text, pending_bytes
from playground.errors import BadPrompt, CapabilityMissing

_SYSTEM, _USER, _ASSISTANT = 256, 257, 258
_NAMES = {_SYSTEM: "system", _USER: "user", _ASSISTANT: "assistant"}
_FIRST_NAMED = 259
MOST_NAMED = 2**18  # tokens that are remembered; more than vocabularies have
VOCAB = _FIRST_NAMED + MOST_NAMED


class ChatOnlyCodec:
    """A ``TextCodec`` of messages. Safe to call from any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._named: list[bytes] = []
        self._ids: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        """Raises CapabilityMissing: the server takes no text but a chat's, ``""`` left out, which needs none."""
        check_text(text)
        if text:
            raise CapabilityMissing(f"{self._name} takes chats only: switch the prompt to a chat (--chat).")
        return ()

    def encode_chat(self, text: str, *, system: str | None = None, parse_special: bool = False) -> tuple[int, ...]:
        check_text(text)
        check_text(system or "", "system prompt")
        first = (_SYSTEM, *(system or "").encode()) if system else ()
        return (*first, _USER, *text.encode(), _ASSISTANT)

    def chat_text(self, text: str, *, system: str | None = None) -> str:
        return self.decode(self.encode_chat(text, system=system))

    def messages(self, ids: Sequence[int]) -> list[dict[str, str]]:
        """The messages that ``encode_chat`` made ``ids`` of. Raises BadPrompt for ids of anything else."""
        turns: list[tuple[int, bytearray]] = []
        for token in ids:
            if token in _NAMES:
                turns.append((token, bytearray()))
            elif turns and token < 256:
                turns[-1][1].append(token)
            else:
                turns.clear()
                break
        if not turns or turns[-1] != (_ASSISTANT, bytearray()):
            raise BadPrompt(f"{self._name} answers a chat and cannot go on from within a text: begin anew.", "prompt")
        return [{"role": _NAMES[role], "content": data.decode(errors="replace")} for role, data in turns[:-1]]

    def id_of(self, data: bytes) -> int | None:
        """The number of a token that the server named; None for one without a text, and once too many were named."""
        if not data:
            return None
        with self._lock:
            token = self._ids.get(data)
            if token is None and len(self._named) < MOST_NAMED:
                token = self._ids[data] = _FIRST_NAMED + len(self._named)
                self._named.append(data)
            return token

    def decode(self, ids: Iterable[int]) -> str:
        parts = (_NAMES[token].encode() + b": " if token in _NAMES else self.token_bytes(token) for token in ids)
        return b"".join(parts).decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        if 0 <= token_id < 256:
            return bytes([token_id])
        place = token_id - _FIRST_NAMED
        return self._named[place] if 0 <= place < len(self._named) else b""

    def piece(self, token_id: int, context: Sequence[int] = ()) -> str:
        if self.is_special(token_id):
            return bracket(_NAMES.get(token_id, f"id {token_id}"))
        tail = b""
        for token in reversed(tuple(context)[-4:]):
            if self.is_special(token):
                break
            tail = self.token_bytes(token) + tail
        return added_text(pending_bytes(tail), self.token_bytes(token_id))

    def is_special(self, token_id: int) -> bool:
        return not (0 <= token_id < 256 or 0 <= token_id - _FIRST_NAMED < len(self._named))

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        return ()

    @property
    def start_ids(self) -> tuple[int, ...]:
        return ()
