"""The answer inside a text: found by a pattern, brought to one form, so that equal answers can be counted.

Knows no candidate: texts in, strings out. Normalising is for counting only; what is shown is the text itself.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from playground.json_reading import read_json
from playground.testtime.patterns import compile_pattern, last_matches
from playground.testtime.written_numbers import CURRENCY, DENIAL, MINUS, NUMBER, value_of, without_look_alikes

_LETTER = r"\(?(?P<answer>[B-E]|A(?!\s+(?!(?:is|was|and|or|because|since)\b)\p{L}))\)?(?![\p{L}\p{N}'’-])"
_LONE_LETTER = r"(?<![\p{L}\p{N}'’])" + _LETTER
_IS = r"\b(?:is|would\s+be|should\s+be|must\s+be|has\s+to\s+be|must\s+therefore\s+be)\b"
_STATED_LETTERS = (
    rf"(?:(?i:\b(?:answer|choice|option)(?:\s+\w+){{0,3}}?\s*(?:{_IS}|:|=)"
    r"|\b(?:choose|chose|pick|select|go\s+with)\b(?:\s+\w+){0,2}?)(?i:\s*(?:option|choice|letter)\b)?|\\boxed\s*\{)"
    r"(?:\\(?:boxed|text|textbf|mathrm)\s*\{|[^\p{L}\p{N}\\]){0,8}" + _LONE_LETTER,
    rf"\b(?i:it\s+{_IS})\s+" + _LONE_LETTER,
    _LONE_LETTER + r"[^\p{L}\n]{0,4}\s(?i:is\s+(?:the\s+)?(?:correct|right|true|best|answer))\b",
)
"""How a letter is said to be the answer, the plainest first. A letter that merely occurs counts only without these."""

_ANSWER_IS = rf"(?i:\banswers?\b(?:\s+\w+){{0,3}}?\s*(?:{_IS}|:|=))"
_BEFORE_NUMBER = r"(?:[^\p{L}\n]*=|\s*\p{L}\s*=)?[^\p{L}\p{N}\n]{0,8}?"  # of "5 + 3 = 8" or "x = 8" the 8
_SIGNS = r"[^\p{L}\p{N}\n]{0,3}?"
_DENIED = (
    rf"{DENIAL}\s+(?i:be\s+)?{_SIGNS}(?&number)"
    rf"(?:\s*,?\s*(?i:n?or)\s+{_SIGNS}(?&number))*"
)
_SAID_NUMBER = rf"{_ANSWER_IS}{_BEFORE_NUMBER}(?P<answer>(?&number))"
_BALANCED = r"((?:[^{}\\]++|\\.|\{(?1)\})*+)"
_BOX = r"\\(?:boxed|fbox)\s*\{"

PATTERNS: dict[str, str] = {
    "number": rf"(?(DEFINE)(?P<number>{NUMBER}))"
    rf"(?:(?s:\A.*){_SAID_NUMBER}(?s:.*\Z)|{_DENIED}(*SKIP)(*FAIL)|(?P<answer>(?&number)))",
    "boxed": rf"(?s){_BOX}(?:{_BALANCED}\}}|(?!.*{_BOX}))",
    "letter": rf"(?s)\A(?:{'|'.join(f'.*{stated}' for stated in (*_STATED_LETTERS, _LONE_LETTER))})",
    "after-answer": r"(?i:answer(?:\s+is)?)\s*[:=]?\s*([^\n]+?)\s*(?:\.?\s*$|\n|\.\s)",
    "json": r"(?s)(\{.*\}|\[.*\])",
    "last-line": r"(?m)^[ \t]*(\S[^\n]*?)[ \t]*$",
    "whole": r"(?s)\s*(.*\S)\s*",
}
"""Ready-made patterns by name. In a text the last match counts: a model that reasons first answers last. Of numbers the one
that is stated as the answer counts before the last one, and none that is denied ("8, not 7"). An A before another word is the
article and no answer; a last box that is never closed is no answer, and no earlier one either.
"""

_LONGEST_JSON = 20_000  # characters
_LONGEST_NUMBER = 40  # digits; what is longer is compared as text


@dataclass(frozen=True, slots=True)
class Answer:
    """What a text answers: ``shown`` as it stands there, ``key`` in the form in which answers are counted.

    Both None where the pattern found nothing; ``note`` says why.
    """

    shown: str | None
    key: str | None
    note: str = ""


def pattern_of(name_or_pattern: str) -> str:
    """The ready-made pattern of that name, or the text itself."""
    return PATTERNS.get(name_or_pattern, name_or_pattern)


def extract_answers(texts: Sequence[str], pattern: str, field: str = "answer_pattern") -> tuple[Answer, ...]:
    """The answer of each text. ``pattern``: a name of ``PATTERNS`` or a regular expression; its group "answer", or its
    first group, or the whole match is taken. Raises BadInput for a pattern that cannot be used.
    """
    compiled = compile_pattern(pattern_of(pattern), field)
    answers: list[Answer] = []
    for match in last_matches(compiled, texts):
        if match.text is None:
            note = "the pattern takes too long on this text" if match.too_slow else "the pattern matches nothing"
            answers.append(Answer(None, None, note))
            continue
        key = normalise(match.text)
        answers.append(Answer(match.text, key or None, "" if key else "the pattern matches an empty text"))
    return tuple(answers)


def normalise(text: str) -> str:
    """One form for answers that mean the same: numbers by value, else lower case without outer punctuation.

    JSON objects and lists are written in one way, with sorted keys. Unicode is made compatible (NFKC), white space
    single, and a leading article, a currency or percent sign and outer punctuation go. Idempotent.

    >>> normalise(" $1,200.50. "), normalise("The  PARIS!"), normalise("-0.0"), normalise("½")
    ('1200.5', 'paris', '0', '1⁄2')
    """
    before, now = text, _once(text)
    while now != before:  # taking off one thing may uncover another
        before, now = now, _once(now)
    return now


def _once(text: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", without_look_alikes(text)).casefold().split())
    plain = re.sub(rf"^(?:[{MINUS}]\s?[{re.escape(CURRENCY)}]\s?|(?:minus|negative) )(?=[\d.])", "-", plain)
    plain = re.sub(f"[{MINUS}]", "-", plain)
    if plain[:1] in ("{", "[") and (written := _json(plain)) is not None:
        return written
    plain = _unwrapped(plain.strip("\"'`*_,;:!?<>“”„‘’«» "))
    money = plain.strip(f"{CURRENCY}% ").rstrip(".")
    number = value_of(money) if len(money) <= _LONGEST_NUMBER else None
    if number is not None:
        return number
    return re.sub(r"^(?:the|an|a) (?=\S)", "", plain.strip(". "))


def _json(text: str) -> str | None:
    """A JSON object or list in one spelling; None where ``text`` is none. Not strict: it only makes equals equal."""
    if len(text) > _LONGEST_JSON:
        return None
    try:
        return json.dumps(read_json(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    except ValueError:
        return None


def _unwrapped(text: str) -> str:
    """Without brackets around the whole, or one at an end that no other matches."""
    for opening, closing in ("()", "[]"):
        if text.startswith(opening) and (text.find(closing) in (-1, len(text) - 1)):
            text = text[1:].removesuffix(closing)
        elif text.endswith(closing) and opening not in text:
            text = text[:-1]
    return text.strip()
