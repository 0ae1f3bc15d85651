"""Key-value caches of prompts seen before, so that only what is new is run.

A cache of ids (a b c d) also serves (a b c d e), by running e, and (a b x), by running x on the part (a b). Reuse is
exact: a position's keys and values depend only on the positions before it. Used by one thread, the engine's.

transformers' ``DynamicLayer`` never writes into its tensors: ``update`` concatenates into new ones and ``crop``
slices. A fork is therefore a copy of the layer objects and shares all memory until one side grows.
"""

from __future__ import annotations

import copy
from collections import OrderedDict

from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from playground.engine.types import TokenIds

DEFAULT_BYTES = 512 * 1024 * 1024
DEFAULT_SLOTS = 32


def new_cache(config: object) -> Cache:
    """An empty cache of the layer kinds ``config`` asks for."""
    return DynamicCache(config=config)


def is_reusable(cache: Cache) -> bool:
    """Whether a prefix can be cut out of ``cache``: all layers keep every position.

    A sliding window has dropped the old positions and a recurrent state (Mamba) cannot go back.
    """
    return bool(cache.layers) and all(type(layer) is DynamicLayer for layer in cache.layers)


def fork(cache: Cache, length: int) -> Cache:
    """The first ``length`` positions as a cache of their own; ``cache`` stays as it is."""
    twin = copy.copy(cache)
    twin.layers = [copy.copy(layer) for layer in cache.layers]
    surplus = cache.get_seq_length() - length
    if surplus:
        twin.crop(-surplus)
    return twin


def cache_bytes(cache: Cache) -> int:
    """Size of the keys and values."""
    return sum(
        layer.keys.nbytes + layer.values.nbytes for layer in cache.layers if getattr(layer, "keys", None) is not None
    )


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
    """A few slots, the least recently used dropped beyond ``max_bytes`` or ``max_slots``."""

    def __init__(self, max_bytes: int = DEFAULT_BYTES, max_slots: int = DEFAULT_SLOTS) -> None:
        self._max_bytes = max_bytes
        self._max_slots = max_slots
        self._slots: OrderedDict[tuple[str, TokenIds], Cache] = OrderedDict()
        self._bytes: dict[tuple[str, TokenIds], int] = {}

    def best(self, revision: str, ids: TokenIds) -> tuple[int, Cache | None]:
        """The longest known prefix of ``ids`` that leaves at least one token to run: its length and a fork of it."""
        longest, owner = 0, None
        for key in self._slots:
            if key[0] == revision:
                length = min(common_prefix(key[1], ids), len(ids) - 1)
                if length > longest:
                    longest, owner = length, key
        if owner is None:
            return 0, None
        self._slots.move_to_end(owner)
        return longest, fork(self._slots[owner], longest)

    def store(self, revision: str, ids: TokenIds, cache: Cache) -> None:
        """Keep the cache of ``ids``. Slots of its own prefixes go: the longer one serves them too."""
        for known_revision, known in list(self._slots):
            if known_revision == revision and known == ids[: len(known)]:
                self._drop((known_revision, known))
        key = (revision, ids)
        self._slots[key] = cache
        self._bytes[key] = cache_bytes(cache)
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
