"""Which documents are the same, or nearly: exact by hash, nearly by MinHash in bands (Broder 1997; FineWeb's numbers).

Two documents are alike by s, the share of their runs of five words that they have in common (Jaccard). One hash of the
smallest agrees with probability s; all eight of a band with s⁸; in one or more of fourteen bands with 1 − (1 − s⁸)¹⁴.
Documents come one after the other, each compared with those before it, so that memory grows by fourteen keys a document.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

BANDS, ROWS, SHINGLE = 14, 8, 5
_WORDS = re.compile(r"\w+")
_MOST_SHINGLES = 200_000
_PART = 4096  # shingles hashed at once: 4 MB
_draws = np.random.default_rng(16)
_FACTORS = _draws.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) | np.uint64(1)
_SUMMANDS = _draws.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)

Signature = npt.NDArray[np.uint32]


def matched_share(similarity: float, bands: int = BANDS, rows: int = ROWS) -> float:
    """The probability that two documents of this similarity share a band.

    >>> round(matched_share(0.5), 3), round(matched_share(0.8), 3)
    (0.053, 0.924)
    """
    return float(1 - (1 - similarity**rows) ** bands)


def shingles(text: str) -> npt.NDArray[np.uint64]:
    """(n,) hashes of its runs of five words, case and punctuation aside; of a shorter text that of all its words."""
    words = _WORDS.findall(text.lower())[:_MOST_SHINGLES]
    hashed = np.fromiter((zlib.crc32(word.encode("utf-8", "replace")) for word in words), np.uint64, len(words))
    if len(hashed) == 0:
        return hashed
    runs = max(1, len(hashed) - SHINGLE + 1)
    mixed = np.zeros(runs, dtype=np.uint64)
    for place in range(min(SHINGLE, len(hashed))):
        mixed = (mixed * np.uint64(0x100000001B3)) ^ hashed[place : place + runs]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    unique: npt.NDArray[np.uint64] = np.unique(mixed ^ (mixed >> np.uint64(32)))
    return unique


def signature(text: str) -> Signature | None:
    """(112,) the smallest of each hash function over its shingles; None of a text without words."""
    text_shingles = shingles(text)
    if len(text_shingles) == 0:
        return None
    smallest = np.full(BANDS * ROWS, 2**32 - 1, dtype=np.uint64)
    for start in range(0, len(text_shingles), _PART):
        part = text_shingles[start : start + _PART, None]
        smallest = np.minimum(smallest, ((part * _FACTORS + _SUMMANDS) >> np.uint64(32)).min(axis=0))
    return smallest.astype(np.uint32)


class Duplicates:
    """Documents seen so far. ``add`` says of the next one how many it repeats."""

    def __init__(self) -> None:
        self._exact: dict[bytes, tuple[int, int]] = {}  # of a text: the first document with it, and how many had it
        self._bands: dict[tuple[int, bytes], int] = {}  # the first document with this part of a signature
        self._count = 0

    def add(self, text: str) -> tuple[int, int, int]:
        """How many earlier documents have its text, how many bands it shares with one earlier document, and which (-1)."""
        number, self._count = self._count, self._count + 1
        key = blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first, copies = self._exact.get(key, (number, 0))
        self._exact[key] = (first, copies + 1)
        if copies:
            return copies, BANDS, first
        text_signature = signature(text)
        if text_signature is None:
            return 0, 0, -1
        alike = Counter[int]()
        for band in range(BANDS):
            holder = self._bands.setdefault((band, text_signature[band * ROWS : (band + 1) * ROWS].tobytes()), number)
            if holder != number:
                alike[holder] += 1
        nearest, shared = alike.most_common(1)[0] if alike else (-1, 0)
        return 0, shared, nearest
