"""The fake engine's answers in another vocabulary: the same tokens under other ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground.engine.fake.codec import EOS_ID, FakeCodec
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.types import TokenIds

LAST = 269  # the last token that stands for bytes; special ones keep their ids


def reversed_ids(ids: Iterable[int]) -> TokenIds:
    """The other vocabulary's ids of some of the fake's, and back."""
    return tuple(LAST - token if token <= LAST else token for token in ids)


class ReversedCodec(FakeCodec):
    """The longer pieces stand before the bytes."""

    def token_bytes(self, token_id: int) -> bytes:
        return super().token_bytes(reversed_ids([token_id])[0])

    def piece(self, token_id: int, context: Sequence[int] = ()) -> str:
        return super().piece(reversed_ids([token_id])[0], reversed_ids(context))

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        return reversed_ids(super().encode(text, parse_special=parse_special))

    def decode(self, ids: Iterable[int]) -> str:
        return super().decode(reversed_ids(ids))


class ReversedEngine(FakeEngine):
    """A model that says of every text what ``FakeEngine`` says."""

    def __init__(self) -> None:
        super().__init__(
            lambda ids: default_logits(reversed_ids(ids))[[*range(LAST, -1, -1), *range(LAST + 1, EOS_ID + 1)]]
        )
        self._codec = ReversedCodec()
