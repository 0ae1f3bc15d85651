"""C4's rules: lines are dropped first, and what is left is judged. In the order and with the exceptions of datatrove 0.10.1.

One of them: "{" and "lorem ipsum" are looked for in lines that were not dropped before; the paper drops the whole page.
"""

from __future__ import annotations

import re

from playground.corpus.words import count_sentences

_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_ENDS = (".", "?", "!", '"', "'")
_POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
LONGEST_WORD, FEWEST_WORDS = 1000, 3


def dropped_line(line: str) -> str:
    """Why C4 drops a line (stripped, citations out): one word, or "" where it stays."""
    words = line.split()
    if any(len(word) > LONGEST_WORD for word in words):
        return "long word"
    if not line.endswith(_ENDS) or line.endswith("..."):
        return "no full stop"
    if len(words) < FEWEST_WORDS:
        return "few words"
    lower = line.lower()
    if "javascript" in lower:
        return "javascript"
    if any(phrase in lower for phrase in _POLICY):
        return "policy"
    return ""


def c4_values(text: str) -> dict[str, float]:
    """The values of the group's rules, all of them; datatrove stops at the first that fails."""
    sentences = brackets = lorem = 0
    for raw in text.splitlines():
        line = raw.strip()
        words = line.split()
        if any(len(word) > LONGEST_WORD for word in words):
            continue
        line = _CITATION.sub("", line)
        if not line.endswith(_ENDS) or line.endswith("...") or len(words) < FEWEST_WORDS:
            continue
        lower = line.lower()
        lorem += "lorem ipsum" in lower
        if "javascript" in lower:
            continue
        brackets += "{" in line
        if any(phrase in lower for phrase in _POLICY):
            continue
        sentences += count_sentences(line)
    return {"c4-lorem-ipsum": lorem, "c4-curly-bracket": brackets, "c4-sentences": sentences}
