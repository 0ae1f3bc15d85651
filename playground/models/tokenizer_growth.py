"""What a tokenizer's description says of its work: how much longer it makes a text before it cuts it, and in how long words it
looks for pieces. A stranger's may write a million characters for one, and no limit on a prompt would reach that. Runs none.
"""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, Any

from playground.errors import ModelRefused
from playground.models.wording import shown

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_GROWTH = 64  # characters for one; Unicode's own compatible forms have eighteen at most
LONGEST_WORD = 1_000  # characters in which WordPiece looks for pieces, in the cube of their number; BERT has 100
_STEPS = ("normalizer", "pre_tokenizer", "decoder")
_PARTS = ("normalizers", "pretokenizers", "decoders")
_WORD = "max_input_chars_per_word"
_NEXT_STEP = "take its publisher's file"
_AFFIXES = ("continuing_subword_prefix", "end_of_word_suffix")


def require_bounded_growth(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Raises ModelRefused for a tokenizer that multiplies texts, or looks for pieces in endless words."""
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:  # written in Python, of transformers' own
        return
    described: dict[str, Any] = {"model": {name: getattr(backend.model, name, None) for name in (*_AFFIXES, _WORD)}}
    for step in _STEPS:
        part = getattr(backend, step)
        described[step] = json.loads(part.__getstate__()) if part is not None else None
    if (problem := growth_problem(described)) is not None:
        raise ModelRefused(f"The tokenizer of {shown(name)} cannot be used: {problem}.")


def growth_problem(described: dict[str, Any]) -> str | None:
    """What is wrong with a tokenizer.json of this content and what to do, or None."""
    growth, model = growth_of(described), described.get("model")
    if growth > MOST_GROWTH:
        return f"its own steps make {growth:,.0f} characters of one, and {MOST_GROWTH} at most are read: {_NEXT_STEP}"
    longest = model.get(_WORD) if isinstance(model, dict) else None
    if isinstance(longest, int) and longest > LONGEST_WORD:
        return f"it looks for pieces in words of {longest:,} characters, and {LONGEST_WORD:,} at most are read: {_NEXT_STEP}"
    return None


def growth_of(described: dict[str, Any]) -> float:
    """The most characters that the steps of a tokenizer.json write for one, model and steps taken one after another.

    >>> twice = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    >>> growth_of({"normalizer": {"type": "Sequence", "normalizers": [twice, twice, twice]}})
    8.0
    """
    model = described.get("model")
    affixes = [model.get(affix) for affix in _AFFIXES] if isinstance(model, dict) else []
    written = max((len(affix) for affix in affixes if isinstance(affix, str)), default=1)
    return max(float(written), *(_growth(described.get(step)) for step in _STEPS))


def _growth(step: object) -> float:
    if not isinstance(step, dict):
        return 1.0
    kind = step.get("type")
    if kind == "Sequence":
        parts: list[object] = next((step[name] for name in _PARTS if isinstance(step.get(name), list)), [])
        return math.prod(_growth(part) for part in parts)
    if kind == "Replace":
        return max(1.0, len(str(step.get("content"))) / _pattern_length(step.get("pattern")))
    if kind == "Prepend":
        return max(1.0, float(len(str(step.get("prepend")))))
    if kind == "Precompiled":
        return _longest_form(step.get("precompiled_charsmap"))
    return 1.0


def _pattern_length(pattern: object) -> int:
    """Characters that a pattern takes at least: those of a text, one of a regular expression."""
    text = pattern.get("String") if isinstance(pattern, dict) else None
    return max(1, len(text)) if isinstance(text, str) else 1


def _longest_form(charsmap: object) -> float:
    """The longest replacement of SentencePiece's table: the size of its index in four bytes, the index, the replacements
    with a zero byte after each."""
    try:
        data = base64.b64decode(charsmap, validate=True) if isinstance(charsmap, str) else b""
    except ValueError:
        return 1.0  # the library refuses it
    forms = data[4 + int.from_bytes(data[:4], "little") :]
    return float(max((len(form.decode("utf-8", "replace")) for form in forms.split(b"\0")), default=1) or 1)
