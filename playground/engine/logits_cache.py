"""Last-row logits that were computed before. Safe from any thread, so that a page can look without queueing."""

from __future__ import annotations

import threading

from cachetools import LRUCache

from playground.engine.types import FloatArray, TokenIds

DEFAULT_BYTES = 128 * 1024 * 1024


class LogitsCache:
    """Rows by (revision, ids), the least recently used dropped beyond ``max_bytes``.

    The revision is part of the key: a row of other weights, or of the same weights in another dtype, is never served.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._rows: LRUCache[tuple[str, TokenIds], FloatArray] = LRUCache(max_bytes, getsizeof=lambda row: row.nbytes)
        self._lock = threading.Lock()

    def get(self, revision: str, ids: TokenIds) -> FloatArray | None:
        with self._lock:
            return self._rows.get((revision, ids))

    def put(self, revision: str, ids: TokenIds, row: FloatArray) -> None:
        """Keep ``row``; one larger than the whole cache is not kept."""
        if row.nbytes <= self._rows.maxsize:
            with self._lock:
                self._rows[revision, ids] = row

    def drop(self, revision: str, ids: TokenIds) -> None:
        """Forget one row, if it is there."""
        with self._lock:
            self._rows.pop((revision, ids), None)

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()

    @property
    def used_bytes(self) -> int:
        return int(self._rows.currsize)
