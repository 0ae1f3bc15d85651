"""What of a written answer is a formula, before math-verify reads it: emphasis and what is denied go, and what it does not
read (decimal commas, raised digits, mixed numbers, units) is written in a second way. Knows no verdict.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from playground.testtime.written_numbers import CURRENCY, DENIAL, MINUS, NUMBER, value_of, without_look_alikes

if TYPE_CHECKING:
    import regex

_EMPHASIS = re.compile(r"(?<![\w)\]}*])(\*\*|__)(?=[^\s*])([^*\n]{1,200}?)(?<=[^\s*])\1(?![\w(*])")
_MIXED = re.compile(r"([-+]?)(\d{1,9}) (\d{1,9})/([1-9]\d{0,8})")
_VULGAR = re.compile(r"([-+]?)(\d{1,9})? ?([¼-¾⅐-⅞])")
_RAISED = re.compile(r"\^([-+]\d+)")


def without_emphasis(text: str) -> str:
    """Without Markdown's signs of emphasis; the two stars of a power stay.

    >>> without_emphasis("It is **7**, as __2__ is 2**3**1 - 6")
    'It is 7, as 2 is 2**3**1 - 6'
    """
    return _EMPHASIS.sub(r"\2", text)


def without_denied(text: str) -> str:
    """Without the numbers that are said not to be the answer.

    >>> without_denied("8, not 7 or 9"), without_denied("It isn't $7$ but $8$")
    ('8, ', 'It  but $8$')
    """
    return str(_denied().sub("", text))


@cache
def _denied() -> regex.Pattern[str]:
    import regex

    formula = rf"(?:\$[^$\n]{{1,60}}\$|[{CURRENCY}]?(?&number))"
    return regex.compile(
        rf"(?(DEFINE)(?P<number>{NUMBER}))(?:\b\w+(?=n['’]t\b))?{DENIAL}\s+(?i:be\s+)?{formula}(?:\s*,?\s*(?i:n?or)\s+{formula})*"
    )


def other_readings(part: str) -> list[str]:
    """Formulas that mean what ``part`` says, where math-verify reads that in another way or not at all.

    >>> other_readings("12,34"), other_readings("25 km/h"), other_readings("1 1/2"), other_readings("x + 1")
    (['12.34'], ['25'], ['(1+\\\\frac{1}{2})'], [])
    """
    plain = without_look_alikes(re.sub(f"[{MINUS}]", "-", part.strip().removesuffix(".").strip("$ ")))
    readings = [_RAISED.sub(r"^{\1}", plain)] if plain != part.strip("$. ") else []
    readings += [value for value in (value_of(plain.lower()), _with_unit(plain)) if value is not None and value != part]
    if mixed := _MIXED.fullmatch(plain):
        sign, whole, upper, lower = mixed.groups()
        readings.append(rf"{sign}({whole}+\frac{{{upper}}}{{{lower}}})")
    if vulgar := _VULGAR.fullmatch(plain):
        sign, whole, character = vulgar.groups()
        upper, _, lower = unicodedata.normalize("NFKC", character).partition("⁄")
        readings.append(rf"{sign}({whole or 0}+\frac{{{upper}}}{{{lower}}})")
    return readings


@cache
def _measured() -> regex.Pattern[str]:
    """A number with a unit: two letters or more, or one over another (m/s). One letter alone is a variable."""
    import regex

    return regex.compile(
        rf"({NUMBER})\s?(?!(?:or|pi|and)\b)(?:[A-Za-zµΩ]{{2,5}}|[a-z](?=/))(?:/[A-Za-z]{{1,3}}\^?\d?)?"
    )


def _with_unit(text: str) -> str | None:
    measured = _measured().fullmatch(text)
    return value_of(measured[1].lower()) if measured else None
