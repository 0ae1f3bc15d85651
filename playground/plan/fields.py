"""Kinds of fields that only the Plan pages have: numbers as people write them, steps of powers of two, names.

The kinds that all pages share are in ``playground/state/link_fields.py``. Knows no page and no streamlit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from playground.errors import BadInput
from playground.scaling.quantity import parse_count, parse_number
from playground.state.link_fields import Real, link_field, one_of, read_text

TYPED = 40  # characters of a number in a text box
LONGEST_NAME = 60


def write_number(value: float | None) -> str:
    """The shortest text that ``parse_number`` reads back to exactly ``value``: ``7B``, ``1.4T``, ``8030261248``."""
    if value is None:
        return ""
    if value == 0:
        return "0"
    if 1e-12 < abs(value) < 1:
        return format(Decimal(repr(float(value))), "f")
    for suffix, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if scale <= abs(value) < 1000 * scale:
            short = f"{value / scale:.6g}"
            if float(short) * scale == value:
                return short + suffix
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(float(value)).replace("e+", "e")


def quantity(default: Real, least: float, most: float, *, label: str, above: bool = True, **about: Any) -> Real:
    """A number as people write it, ``7B`` or ``1.4T``, from ``least`` (``above``: and not itself) to ``most``.

    Where the default is None, nothing may be typed and means that. ``low``, ``high`` and ``step`` of a slider are
    arguments of their own: what is usual, and not what is possible.
    """

    def read(text: str) -> Real:
        if default is None and not text.strip():
            return default
        return parse_number(text, label, minimum=least, maximum=most, above_minimum=above)

    return link_field(default, read, write=write_number, label=label, **{"high": TYPED, **about})


def count(default: int, most: int, powers: tuple[int, int], *, label: str, least: int = 1, **about: Any) -> int:
    """A whole number of at least ``least``; its slider's steps are the powers of two from one exponent to another."""
    low, high = powers
    steps = (*((least,) if least == 0 else ()), *(2**power for power in range(low, high + 1)))
    read = partial(parse_count, field=label, minimum=least, maximum=most)
    choices = {step: f"{step:,}" for step in steps}
    return link_field(default, read, write=write_number, label=label, choices=choices, **about)


def named(default: str, *, label: str, check: Callable[[str], str] = str.strip, **about: Any) -> str:
    """A name that is not empty; ``check`` gives it as it is stored, or raises BadInput."""

    def read(text: str) -> str:
        if not text.strip():
            raise BadInput(f"{label} must be a name.", label)
        return check(read_text(text, LONGEST_NAME))

    return link_field(default, read, label=label, high=LONGEST_NAME, **about)


def word(default: str, words: Iterable[str], **about: Any) -> str:
    """One of several words that the reader sees as they are."""
    return one_of(default, {each: each for each in words}, **about)
