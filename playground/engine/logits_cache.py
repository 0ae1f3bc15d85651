"""Next-token rows that were computed before. Safe from any thread, so that a page can look without queueing."""

from __future__ import annotations

import threading
from dataclasses import replace

from cachetools import LRUCache

from playground.engine.types import NextLogits, NextRow, TokenIds

DEFAULT_BYTES = 128 * 1024 * 1024


class LogitsCache:
    """Rows by (revision, ids), the least recently used dropped beyond ``max_bytes``.

    The revision is part of the key: a row of other weights, or of the same weights in another dtype, is never served.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._rows: LRUCache[tuple[str, TokenIds], NextRow] = LRUCache(max_bytes, getsizeof=_bytes)
        self._lock = threading.Lock()

    def get(self, revision: str, ids: TokenIds) -> NextRow | None:
        """The row as it was, and that it cost nothing this time."""
        with self._lock:
            return self._rows.get((revision, ids))

    def put(self, revision: str, row: NextRow) -> NextRow:
        """Keep ``row`` unless one of the same ids is there; the one that is shown. One larger than all is not kept."""
        free = replace(row, elapsed_ms=0.0)
        if isinstance(free, NextLogits):
            free = replace(free, computed_tokens=0)
        with self._lock:
            shown = self._rows.get((revision, row.ids))
            if shown is not None:
                return shown
            if _bytes(row) <= self._rows.maxsize:
                self._rows[revision, row.ids] = free
        return row

    def clear(self) -> None:
        with self._lock:
            self._rows.clear()

    @property
    def used_bytes(self) -> int:
        return int(self._rows.currsize)


def _bytes(row: NextRow) -> int:
    return row.logits.nbytes if isinstance(row, NextLogits) else row.logprobs.nbytes + row.top_ids.nbytes
