"""Tokens of a parallel text under a tokenizer, against its baseline: the premium, and what makes it up.

A premium is tokens / tokens of the baseline for the same texts. It is the product of three ratios to the baseline:
characters (what the language's orthography needs), bytes a character (what UTF-8 makes of its script) and tokens a byte
(what the vocabulary has of it).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from playground.corpus.parallel import Parallel, ParallelText
from playground.corpus.tokenizer import Tokenizer

Counts = Mapping[str, tuple[int, int]]
"""By language: tokens of its text, and of the baseline's with the same keys."""

_REMEMBERED = 512  # counts of one text under one tokenizer: some kilobytes each


@dataclass(frozen=True, slots=True)
class LanguageCount:
    """One language. Of its text and of the baseline's with the same keys: ``bytes``, ``characters``, and by tokenizer tokens."""

    text: ParallelText
    bytes: int
    characters: int
    base_bytes: int
    base_characters: int
    tokens: Mapping[str, int]
    base_tokens: Mapping[str, int]

    def premium(self, tokenizer: str) -> float:
        """Tokens against the baseline's."""
        return self.tokens[tokenizer] / max(self.base_tokens[tokenizer], 1)

    @property
    def byte_ratio(self) -> float:
        """Bytes against the baseline's."""
        return self.bytes / self.base_bytes

    @property
    def character_ratio(self) -> float:
        """Characters against the baseline's."""
        return self.characters / self.base_characters

    def factors(self, tokenizer: str) -> tuple[float, float, float]:
        """Characters, bytes a character and tokens a byte against the baseline; their product is the premium."""
        per_character = self.byte_ratio / self.character_ratio
        return self.character_ratio, per_character, self.premium(tokenizer) / self.byte_ratio


class CountStore:
    """Counts that are known, by the text's content and the tokenizer. Safe to use from any thread."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._cached: LRUCache[tuple[str, str], Counts] = LRUCache(most)
        self._lock = threading.Lock()
        self._counting = threading.Lock()  # two readers who ask for the same wait for one count

    def cached(self, parallel: Parallel, tokenizer: str) -> Counts | None:
        """What was counted, or None."""
        with self._lock:
            return self._cached.get((digest_of(parallel), tokenizer))

    def count(self, parallel: Parallel, tokenizer: Tokenizer, name: str = "") -> Counts:
        """Count, unless it is known. Raises the tokenizer's own errors. ``name``: what is remembered; its own name if ""."""
        name = name or tokenizer.facts.name
        with self._counting:
            counts = self.cached(parallel, name)
            if counts is None:
                counts = count_tokens(parallel, tokenizer)
                with self._lock:
                    self._cached[digest_of(parallel), name] = counts
            return counts


STORE = CountStore()


def digest_of(parallel: Parallel) -> str:
    """What identifies a text with its baseline; computed from the texts where they do not say it."""
    if parallel.content:
        return f"{parallel.baseline} of {parallel.content}"
    digest = hashlib.sha256(parallel.baseline.encode())
    for code, text in parallel.languages.items():
        digest.update(repr((code, tuple(text.texts.items()))).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def count_tokens(parallel: Parallel, tokenizer: Tokenizer) -> Counts:
    """Tokens by language, each with the baseline's for the same keys."""
    pairs = {code: parallel.aligned(code) for code in parallel.languages}
    wholes = {code: (own.whole, base.whole) for code, (own, base) in pairs.items()}
    distinct = list(dict.fromkeys(text for pair in wholes.values() for text in pair))
    sizes = dict(zip(distinct, map(len, tokenizer.encode_all(distinct)), strict=True))
    return {code: (sizes[own], sizes[base]) for code, (own, base) in wholes.items()}


def language_counts(parallel: Parallel, counts: Mapping[str, Counts]) -> tuple[LanguageCount, ...]:
    """All that is counted, in the text's order. ``counts`` by tokenizer."""
    languages = []
    for code in parallel.languages:
        own, base = parallel.aligned(code)
        languages.append(
            LanguageCount(
                own,
                len(own.whole.encode()),
                len(own.whole),
                len(base.whole.encode()),
                len(base.whole),
                {name: each[code][0] for name, each in counts.items()},
                {name: each[code][1] for name, each in counts.items()},
            )
        )
    return tuple(languages)


def sorted_counts(counts: Iterable[LanguageCount], tokenizer: str) -> tuple[LanguageCount, ...]:
    """The dearest first."""
    return tuple(sorted(counts, key=lambda each: -each.premium(tokenizer)))
