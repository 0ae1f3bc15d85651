r"""Numbers as people and models write them: where one stands in a text, and which value it has.

Read are signs and "minus", thousands in groups (1,234 · 12,34,567 · 1.234.567 · 1'234 · 1_234 · narrow spaces), a decimal
point or comma (1,5 · 1.234,5), exponents (1e6 · 1.5 × 10^6 · 10⁶). One comma before exactly three digits is one of thousands, as
in English; one point before three digits is decimal. A fraction and a power (1/2, 2^10) are taken whole and stay what they
are: no value is computed of them. Knows no candidate and no page.
"""

from __future__ import annotations

import re
from decimal import Context, InvalidOperation

MINUS_SIGNS = "-‐‑‒–−﹣－"  # all that is typed or typeset for a minus before a number; a long dash (—) never is
CURRENCY = "$€£¥"
MINUS = re.escape(MINUS_SIGNS)
_MINUS_WORD = r"(?:minus|negative)"
_NARROW = "\u00a0\u2009\u202f"
_BETWEEN = rf"(?:['’_{_NARROW}]|\\[,;]|\{{,\}})"
_SUPERSCRIPT = "[⁺⁻]?[⁰¹²³⁴-⁹]+"
_CARET = rf"(?:\^|\*\*)\s?[{{(]?[+{MINUS}]?\d{{1,4}}[}})]?"

_SIGN = rf"(?:(?i:{_MINUS_WORD})\s+|[{MINUS}](?:\s?[{CURRENCY}]\s?)?)?"
_DIGITS = "|".join(
    (
        r"(?!0)\d{1,3}(?:,\d{3})+(?!,?\d)(?:\.\d+)?",
        r"(?!0)\d{1,2}(?:,\d\d)+,\d{3}(?!,?\d)(?:\.\d+)?",
        r"(?!0)\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})(?![.,]?\d)",
        rf"\d{{1,3}}(?:{_BETWEEN}\d{{3}})+(?:[.,]\d+)?",
        r"(?<!\d,)\d+,\d+(?![.,]?\d)",
        r"\d+(?:\.\d+)?|\.\d+",
    )
)
_TENS = rf"\s?(?:[×x*·⋅]|\\times|\\cdot)\s?10(?:{_CARET}|{_SUPERSCRIPT})"
_RAISED = rf"(?:[eE][+{MINUS}]?\d{{1,4}}(?!\w)|{_TENS}|{_CARET}|{_SUPERSCRIPT}|\s?[/⁄]\s?\d+)?"

DENIAL = r"(?i:\bnot|n['’]t|\brather\s+than|\binstead\s+of)"
"""What is said before a number that is not the answer."""

NUMBER = rf"(?<![\w.]){_SIGN}(?:{_DIGITS}){_RAISED}(?!\d)"
"""A pattern for the package ``regex``; without a group that counts."""

_GROUPS = re.compile(r"(?!0)(?:\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d\d)+,\d{3})(\.\d+)?")
_OTHER_GROUPS = re.compile(rf"\d{{1,3}}(?:{_BETWEEN}\d{{3}})+([.,]\d+)?")
_POINT_GROUPS = re.compile(r"(?!0)\d{1,3}(?:(?:\.\d{3})+(,\d+)|(?:\.\d{3}){2,})")
_COMMA = re.compile(r"\d+(,\d+)")
_PLAIN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d{1,4})?")
_EXPONENT = re.compile(r"(.+?)(e[-+]?\d{1,4})?")
_TIMES_TEN = re.compile(r"(?:(.+?)\s?(?:[×x*·⋅]|\\times|\\cdot)\s?)?10(?:\^|\*\*)\s?[{(]?([-+]?\d{1,4})[)}]?")
_RAISED_DIGITS = re.compile(f"(?<=\\d)({_SUPERSCRIPT})")
_NARROW_SPACE = re.compile(rf"(?<=\d)[{_NARROW}](?=\d{{3}}(?!\d))")
_LOWERED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_EXACT = Context(prec=60)
_PLAIN_FROM, _PLAIN_TO = -7, 40  # decimal places of the first digit between which no exponent is written


def without_look_alikes(text: str) -> str:
    """Raised digits as a power and narrow spaces between digits as "_", before anything makes ``10⁶`` and ``106`` the same.

    >>> without_look_alikes("5·10⁻³ m²"), without_look_alikes("1\u202f234")
    ('5·10^-3 m²', '1_234')
    """
    raised = _RAISED_DIGITS.sub(lambda match: "^" + match[1].translate(_LOWERED), text)
    return _NARROW_SPACE.sub("_", raised)


def value_of(text: str) -> str | None:
    """The value of ``text`` in one spelling; None where it is no number. Signs are written "-" and "+", letters small.

    >>> value_of("1e6"), value_of("12,34"), value_of("1,234.50"), value_of("1.5 × 10^6"), value_of("1/2")
    ('1000000', '12.34', '1234.5', '1500000', None)
    """
    sign, unsigned = ("-", text[1:]) if text[:1] == "-" else ("", text[1:] if text[:1] == "+" else text)
    if tens := _TIMES_TEN.fullmatch(unsigned):
        mantissa, exponent = tens[1] or "1", f"e{tens[2]}"
    elif parts := _EXPONENT.fullmatch(unsigned):
        mantissa, exponent = parts[1], parts[2] or ""
    else:
        return None
    plain = _without_groups(mantissa) + exponent
    return _spelt(sign + plain) if _PLAIN.fullmatch(plain) else None


def _without_groups(mantissa: str) -> str:
    """With a decimal point and nothing between its thousands, where it is written otherwise."""
    for written in (_GROUPS, _OTHER_GROUPS, _POINT_GROUPS, _COMMA):
        if match := written.fullmatch(mantissa):
            decimals = match[1] or ""
            return re.sub(r"\D", "", mantissa.removesuffix(decimals)) + decimals.replace(",", ".")
    return mantissa


def _spelt(number: str) -> str | None:
    try:
        value = _EXACT.create_decimal(number).normalize(_EXACT)
    except InvalidOperation:
        return None
    if not value:
        return "0"
    return format(value, "f") if _PLAIN_FROM <= value.adjusted() <= _PLAIN_TO else str(value).lower()
