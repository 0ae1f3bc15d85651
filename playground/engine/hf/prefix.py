"""States of texts read before, so that only what is new is run.

The state of ids (a b c d) also serves (a b c d e), by running e, and, where it can be cut, (a b x), by running x on the
part (a b). Reuse is exact: what a position leaves depends only on the positions before it. Used by one thread, the
engine's.
"""

from __future__ import annotations

from collections import OrderedDict

from playground.engine.hf.state import DecoderState
from playground.engine.types import TokenIds

DEFAULT_BYTES = 512 * 1024 * 1024
DEFAULT_SLOTS = 32


def common_prefix(left: TokenIds, right: TokenIds) -> int:
    """How many ids the two have in common from the start."""
    shorter = min(len(left), len(right))
    if left[:shorter] == right[:shorter]:
        return shorter
    low, high = 0, shorter  # equal up to low, different by high
    while high - low > 1:
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low


class PrefixCache:
    """A few slots, the least recently used dropped beyond ``max_bytes`` or ``max_slots``.

    ``revision`` names what states are comparable: the weights, and what else decides how a text is read.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES, max_slots: int = DEFAULT_SLOTS) -> None:
        self._max_bytes = max_bytes
        self._max_slots = max_slots
        self._slots: OrderedDict[tuple[str, TokenIds], DecoderState] = OrderedDict()
        self._bytes: dict[tuple[str, TokenIds], int] = {}

    def best(self, revision: str, ids: TokenIds) -> tuple[int, DecoderState | None]:
        """The longest known prefix of ``ids`` that leaves at least one token to run: its length and a fork of it."""
        longest, owner = self._longest(revision, ids)
        if owner is None:
            return 0, None
        self._slots.move_to_end(owner)
        return longest, self._slots[owner].fork(longest)

    def cached_length(self, revision: str, ids: TokenIds) -> int:
        """How much of ``ids`` the best slot saves."""
        return self._longest(revision, ids)[0]

    def _longest(self, revision: str, ids: TokenIds) -> tuple[int, tuple[str, TokenIds] | None]:
        longest, owner = 0, None
        for key, state in self._slots.items():
            if key[0] == revision:
                length = min(common_prefix(key[1], ids), len(ids) - 1)
                if length > longest and (length == state.length or state.can_cut):
                    longest, owner = length, key
        return longest, owner

    def store(self, revision: str, ids: TokenIds, state: DecoderState) -> None:
        """Store the state of ``ids``. Slots of its own prefixes go where the longer one serves them too."""
        for stored_revision, slot_ids in list(self._slots):
            if stored_revision == revision and slot_ids == ids[: len(slot_ids)] and (state.can_cut or slot_ids == ids):
                self._drop((stored_revision, slot_ids))
        key = (revision, ids)
        self._slots[key] = state
        self._bytes[key] = state.bytes
        while self._slots and (len(self._slots) > self._max_slots or self.used_bytes > self._max_bytes):
            self._drop(next(iter(self._slots)))

    def _drop(self, key: tuple[str, TokenIds]) -> None:
        del self._slots[key], self._bytes[key]

    def clear(self) -> None:
        self._slots.clear()
        self._bytes.clear()

    @property
    def used_bytes(self) -> int:
        return sum(self._bytes.values())

    def __len__(self) -> int:
        return len(self._slots)
