"""Whether problems stand in documents: the runs of n words that they share, as GPT-3's report counted them (n = 13)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.corpus.measuring import Measured

GPT3_WORDS = 13
_WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """Of a problem's ``runs`` of n words those that stand in the documents, and the ``document`` with most (-1: none).

    A problem of fewer than n words is one run of all its words.
    """

    problem: int
    runs: int
    matched: int
    document: int

    @property
    def share(self) -> float:
        return self.matched / self.runs if self.runs else 0.0


def word_runs(text: str, n: int) -> npt.NDArray[np.uint64]:
    """(runs,) hashes of n words in a row, case and punctuation aside; of a shorter text that of all its words."""
    words = _WORDS.findall(text.lower())
    hashed = np.fromiter((zlib.crc32(word.encode("utf-8", "replace")) for word in words), np.uint64, len(words))
    return _runs(hashed, min(n, len(hashed)))


def _runs(hashed: npt.NDArray[np.uint64], n: int) -> npt.NDArray[np.uint64]:
    if n == 0:
        return hashed[:0]
    mixed = np.zeros(len(hashed) - n + 1, dtype=np.uint64)
    for place in range(n):
        mixed = (mixed * np.uint64(0x100000001B3)) ^ hashed[place : place + len(mixed)]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed


def overlaps(
    problems: Sequence[str], measured: Measured, n: int = GPT3_WORDS
) -> Generator[int, None, tuple[Overlap, ...]]:
    """Each problem against all documents; yields how many documents are done. Shorter problems are sought whole."""
    runs = [np.unique(word_runs(problem, n)) for problem in problems]
    lengths = sorted({min(n, len(_WORDS.findall(problem))) for problem in problems} - {0})
    hits = [np.zeros(len(own), dtype=bool) for own in runs]
    best = [(0, -1)] * len(problems)
    for document in range(len(measured)):
        text = measured.text(document)
        problem_runs = (
            np.unique(np.concatenate([word_runs(text, length) for length in lengths])) if lengths else runs[0][:0]
        )
        for place, own in enumerate(runs):
            shared = np.isin(own, problem_runs, assume_unique=True)
            hits[place] |= shared
            best[place] = max(best[place], (int(shared.sum()), document if shared.any() else -1))
        yield document + 1
    return tuple(
        Overlap(place, len(own), int(hit.sum()), best[place][1])
        for place, (own, hit) in enumerate(zip(runs, hits, strict=True))
    )
