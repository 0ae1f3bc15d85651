"""Where a text ends: stop strings that may begin and end inside tokens, end tokens, stop ids, the limit.

Works on the bytes the tokens stand for, because a stop string may share a token with other text and a character may
be spread over tokens. Only generated text counts: a stop string in the prompt stops nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.engine.api import TextCodec
from playground.errors import BadInput
from playground.generation.types import FinishReason, GenerationRequest


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a row ended, how many of its bytes are shown, and the stop string or end token that ended it."""

    reason: FinishReason
    shown_bytes: int
    stopped_by: str | None = None


class StopWatch:
    """Follows one row's generated tokens and says when it ends."""

    def __init__(self, request: GenerationRequest, codec: TextCodec) -> None:
        self._codec = codec
        self._stops = [(text, text.encode()) for text in dict.fromkeys(request.stop_strings)]
        self._stop_ids = frozenset(request.stop_ids)
        self._eos_ids = frozenset() if request.ignore_eos else frozenset(codec.eos_token_ids)
        self._left = request.max_new_tokens
        self._earlier = b"".join(self._spell(token) for token in request.generated_ids)
        self._data = bytearray(self._earlier)

    def _spell(self, token: int) -> bytes:
        """The bytes of a token; a special one spelt out, since that is how a stop string would name it."""
        return (
            self._codec.decode((token,)).encode() if self._codec.is_special(token) else self._codec.token_bytes(token)
        )

    def feed(self, token: int) -> Ending | None:
        """Take the next token; the ending if it is one. What ends a row first counts: id, then string, then limit."""
        before = len(self._data)
        self._data += self._spell(token)
        self._left -= 1
        if token in self._eos_ids:
            return Ending("eos", before, self._codec.decode((token,)))
        if token in self._stop_ids:
            return Ending("stop_id", before, str(token))
        match = self._find(before)
        if match is not None:
            return match
        return Ending("length", len(self._data)) if self._left <= 0 else None

    def _find(self, before: int) -> Ending | None:
        """The stop string that starts first (of those the longest), if the bytes from ``before`` on complete one."""
        hits = [(self._data.find(data, max(0, before - len(data) + 1)), -len(data), text) for text, data in self._stops]
        complete = [hit for hit in hits if hit[0] >= 0]
        if not complete:
            return None
        place, _length, text = min(complete)
        return Ending("stop", max(place, len(self._earlier)), text)

    def split(self, ending: Ending) -> tuple[str, str]:
        """Shown and hidden text of the new tokens. Bytes that make no character become U+FFFD."""
        shown = bytes(self._data[len(self._earlier) : ending.shown_bytes])
        hidden = bytes(self._data[ending.shown_bytes :])
        return shown.decode("utf-8", errors="replace"), hidden.decode("utf-8", errors="replace")


def check_stop_ids(stop_ids: Sequence[int], vocab_size: int) -> None:
    """Raise BadInput for an id that no token of the model has."""
    for token in stop_ids:
        if token >= vocab_size:
            raise BadInput(f"stop_ids: the model has no token {token}; use ids below {vocab_size:,}.", "stop_ids")
