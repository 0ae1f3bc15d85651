"""Gopher's rules of quality and repetition (Rae et al. 2021, table A1), counted as datatrove 0.10.1 counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from playground.corpus.words import has_letter, has_word_character

STOP_WORDS = frozenset(("the", "be", "to", "of", "and", "that", "have", "with"))
_PARAGRAPHS, _LINES = re.compile(r"\n{2,}"), re.compile("\n+")
_NAN = float("nan")


def quality_values(text: str, words: Sequence[str]) -> dict[str, float]:
    """``words`` as split by ``split_words``. A text without words has no shares."""
    lengths = [len(word) for word in words if has_word_character(word)]
    lines, n_words = text.splitlines(), len(words)
    length = sum(lengths) / len(lengths) if lengths else _NAN
    bare = [line.strip() for line in lines]
    return {
        "gopher-words": len(lengths),
        "gopher-words-most": len(lengths),
        "gopher-word-length": length,
        "gopher-word-length-most": length,
        "gopher-hashes": text.count("#") / n_words if words else _NAN,
        "gopher-ellipses": (text.count("...") + text.count("…")) / n_words if words else _NAN,
        "gopher-bullets": sum(line.startswith(("•", "-")) for line in bare) / len(lines) if lines else _NAN,
        "gopher-ellipsis-lines": sum(line.endswith(("...", "…")) for line in bare) / len(lines) if lines else _NAN,
        "gopher-letters": sum(map(has_letter, words)) / n_words if words else _NAN,
        "gopher-stop-words": len(STOP_WORDS.intersection(words)),
    }


def repetition_values(text: str, words: Sequence[str]) -> dict[str, float]:
    """Shares of the text that it says again. An empty text has none."""
    paragraphs, lines = _PARAGRAPHS.split(text.strip()), _LINES.split(text)
    values = dict[str, float]()
    for name, parts in (("paragraph", paragraphs), ("line", lines)):
        count, characters = repeated(parts)
        values[f"repeated-{name}s"] = count / len(parts)
        values[f"repeated-{name}-characters"] = characters / len(text) if text else _NAN
    for n in (2, 3, 4):
        values[f"top-{n}-grams"] = _top(words, n) / len(text) if text else _NAN
    for n in range(5, 11):
        values[f"repeated-{n}-grams"] = _repeated_grams(words, n) / len(text) if text else _NAN
    return values


def repeated(parts: Sequence[str]) -> tuple[int, int]:
    """How many parts stood there before, and how many characters they have.

    >>> repeated(["a line", "another", "a line", "a line"])
    (2, 12)
    """
    if len(set(parts)) == len(parts):
        return 0, 0
    earlier, count, characters = set[str](), 0, 0
    for part in parts:
        if part in earlier:
            count, characters = count + 1, characters + len(part)
        else:
            earlier.add(part)
    return count, characters


def _top(words: Sequence[str], n: int) -> int:
    """Characters of the commonest n words in a row, spaces between them counted, times how often; the first of equals."""
    if len(words) < n:
        return 0
    counted = Counter(map(" ".join, zip(*(words[start:] for start in range(n)), strict=False)))
    gram = max(counted, key=counted.__getitem__)
    return len(gram) * counted[gram]


def _repeated_grams(words: Sequence[str], n: int) -> int:
    """Characters in n words in a row that stood there before; what was counted is not looked at again."""
    grams = list(map("".join, zip(*(words[start:] for start in range(n)), strict=False)))
    if len(set(grams)) == len(grams):
        return 0
    earlier, characters, place = set[str](), 0, 0
    while place < len(grams):
        gram = grams[place]
        if gram in earlier:
            characters += len(gram)
            place += n
        else:
            earlier.add(gram)
            place += 1
    return characters
