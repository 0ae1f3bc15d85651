"""The fake engine's text: ids 0 to 255 are the bytes, then come a few longer pieces, then the special tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground.engine.text.codec import check_text
from playground.engine.text.display import bracket
from playground.engine.text.utf8 import added_text, pending_bytes
from playground.errors import CapabilityMissing

PIECES = (" the", " Paris", " London", " Rome", " a", "ing", "\n\n", "  ", "hello", " world", "é", "😀", "नम", "42")
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
DEFAULT_SYSTEM = "You are a fake."
_FIRST_SPECIAL = 256 + len(PIECES)
EOS_ID = _FIRST_SPECIAL + SPECIALS.index("<|im_end|>")
VOCAB = _FIRST_SPECIAL + len(SPECIALS)


class FakeCodec:
    """A ``TextCodec`` of bytes: longest piece first, else one id a byte."""

    def __init__(self, *, has_chat_template: bool = True) -> None:
        self._has_chat_template = has_chat_template
        self._bytes = [bytes([byte]) for byte in range(256)] + [piece.encode() for piece in PIECES]
        self._by_length = sorted(
            ((data, token) for token, data in enumerate(self._bytes)), key=lambda row: -len(row[0])
        )
        self._specials = [(name.encode(), _FIRST_SPECIAL + index) for index, name in enumerate(SPECIALS)]

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        check_text(text)
        candidates = [*self._specials, *self._by_length] if parse_special else self._by_length
        data, position, ids = text.encode(), 0, []
        while position < len(data):
            piece, token = next(row for row in candidates if data.startswith(row[0], position))
            ids.append(token)
            position += len(piece)
        return tuple(ids)

    def count(self, text: str) -> int:
        return len(self.encode(text))

    def encode_chat(self, text: str, *, system: str | None = None, parse_special: bool = False) -> tuple[int, ...]:
        ids: list[int] = []
        for part, typed in self._chat_parts(text, system):
            ids.extend(self.encode(part, parse_special=parse_special or not typed))
        return tuple(ids)

    def _chat_parts(self, text: str, system: str | None) -> list[tuple[str, bool]]:
        if not self._has_chat_template:
            raise CapabilityMissing("This fake has no chat template: switch to a raw prompt.")
        return [
            ("<|im_start|>system\n", False),
            (system or DEFAULT_SYSTEM, True),
            ("<|im_end|>\n<|im_start|>user\n", False),
            (text, True),
            ("<|im_end|>\n<|im_start|>assistant\n", False),
        ]

    def encode_messages(self, messages: Sequence[tuple[str, str]], *, answering: bool) -> tuple[int, ...]:
        text = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in messages)
        return self.encode(text + ("<|im_start|>assistant\n" if answering else ""), parse_special=True)

    def decode(self, ids: Iterable[int]) -> str:
        data = b"".join(
            SPECIALS[i - _FIRST_SPECIAL].encode() if self._is_named(i) else self.token_bytes(i) for i in ids
        )
        return data.decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        return self._bytes[token_id] if 0 <= token_id < _FIRST_SPECIAL else b""

    def piece(self, token_id: int, context: Sequence[int] = ()) -> str:
        if self._is_named(token_id):
            return bracket(SPECIALS[token_id - _FIRST_SPECIAL])
        if not 0 <= token_id < _FIRST_SPECIAL:
            return bracket(f"id {token_id}")
        tail = b""
        for token in reversed(tuple(context)[-4:]):
            if self.is_special(token):
                break
            tail = self.token_bytes(token) + tail
        return added_text(pending_bytes(tail), self.token_bytes(token_id))

    @staticmethod
    def _is_named(token_id: int) -> bool:
        return _FIRST_SPECIAL <= token_id < VOCAB

    def is_special(self, token_id: int) -> bool:
        return not 0 <= token_id < _FIRST_SPECIAL

    @property
    def eos_token_ids(self) -> tuple[int, ...]:
        return (EOS_ID,)

    @property
    def start_ids(self) -> tuple[int, ...]:
        return (_FIRST_SPECIAL,)
