"""Plain features of a text: what a reward may be liking instead of what it should. Counting alone."""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LIST_LINE = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?…。！？]+(?=\s|$)")


def words(text: str) -> int:
    """How many words.

    >>> words("It's a fine day.")
    4
    """
    return len(_WORD.findall(text))


def list_lines(text: str) -> int:
    """Lines that begin as one of a list does.

    >>> list_lines("Do this:\\n- rest\\n2. read")
    2
    """
    return len(_LIST_LINE.findall(text))


def sentences(text: str) -> int:
    """Ends of sentences.

    >>> sentences("Yes. Why not?")
    2
    """
    return len(_SENTENCE_END.findall(text))


def repeated_share(text: str) -> float:
    """Of the words, those that were there before, 0 to 1."""
    text_words = [word.lower() for word in _WORD.findall(text)]
    return 1 - len(set(text_words)) / len(text_words) if text_words else 0.0


def echoed_share(text: str, prompt: str) -> float:
    """Of the text's words, those that the prompt has, 0 to 1."""
    asked = {word.lower() for word in _WORD.findall(prompt)}
    text_words = [word.lower() for word in _WORD.findall(text)]
    return sum(word in asked for word in text_words) / len(text_words) if text_words else 0.0


def breaks_off(text: str) -> float:
    """1 where the last character ends no sentence: the text was cut."""
    return float(not text.rstrip().endswith((".", "!", "?", "…", '"', "”", ")", "。")))


TEXT_FEATURES: dict[str, Callable[[str, str], float]] = {
    "characters": lambda text, prompt: float(len(text)),
    "words": lambda text, prompt: float(words(text)),
    "sentences": lambda text, prompt: float(sentences(text)),
    "lines of a list": lambda text, prompt: float(list_lines(text)),
    "digits": lambda text, prompt: float(sum(character.isdigit() for character in text)),
    "exclamation marks": lambda text, prompt: float(text.count("!")),
    "question marks": lambda text, prompt: float(text.count("?")),
    "share of words said before": lambda text, prompt: repeated_share(text),
    "share of words from the prompt": lambda text, prompt: echoed_share(text, prompt),
    "breaks off": lambda text, prompt: breaks_off(text),
}
"""By name: a text and its prompt in, a number out."""
