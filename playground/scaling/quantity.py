"""Numbers as people write them, and back: counts, bytes, money, time. Knows nothing of models or machines.

Every refusal is a ``BadInput`` of one sentence that names the flag or field at fault.
"""

from __future__ import annotations

import math
import re

from playground.errors import BadInput

DECIMAL_SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
MIN_UTILISATION = 1e-6  # of a peak; below it a run would take longer than a float can count
ABSURD = 1e45  # nothing that is trained, stored or paid for comes near it

_WHOLE = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9][0-9_]*"  # a comma parts thousands: 1,5 and 0,150 are no numbers here
_NUMBER = rf"((?:{_WHOLE})(?:\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{{1,3}})?"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ANY_CASE = re.IGNORECASE | re.ASCII  # without ASCII the Kelvin sign would pass for a K
_DECIMAL = re.compile(rf"^{_NUMBER}\s*([KMBGT]?)$", _ANY_CASE)


def check_number(
    value: float,
    field: str,
    *,
    minimum: float = 0.0,
    maximum: float = ABSURD,
    above_minimum: bool = True,
) -> float:
    """``value`` itself if it is finite and in range, else BadInput. ``above_minimum`` excludes the minimum itself."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{field} must be a finite number; {value!r} is not one.", field)
    too_small = value <= minimum if above_minimum else value < minimum
    if too_small:
        bound = "above" if above_minimum else "at least"
        raise BadInput(f"{field} must be {bound} {minimum:g}; {value:g} is not.", field)
    if value > maximum:
        raise BadInput(f"{field} must be at most {maximum:g}; {value:g} is more than that.", field)
    return value


def parse_number(
    text: str,
    field: str,
    *,
    minimum: float = 0.0,
    maximum: float = ABSURD,
    above_minimum: bool = True,
) -> float:
    """A count as typed: ``7e9``, ``7B``, ``1.4T``, ``300,000``.

    K, M, B or G, and T are powers of 1,000 in either case. Raises BadInput for anything else, for NaN and
    infinity, and for what is out of range.
    """
    shown = text.strip()
    match = _DECIMAL.match(shown)
    if match is None:
        point = ": write decimals with a point" if "," in shown else ""
        raise BadInput(f"{field} must be a number such as 7e9, 7B or 1.4T; {_short(shown)} is not one{point}.", field)
    value = _mantissa(match) * DECIMAL_SUFFIXES[match[3].upper()]
    if not math.isfinite(value):
        raise BadInput(f"{field} must be a finite number; {_short(shown)} is too large.", field)
    return check_number(value, field, minimum=minimum, maximum=maximum, above_minimum=above_minimum)


def parse_count(text: str, field: str, *, minimum: int = 1, maximum: int = 10**12) -> int:
    """A whole number as typed (``8``, ``128K``). Raises BadInput when it is not whole or out of range."""
    value = parse_number(text, field, minimum=minimum, maximum=maximum, above_minimum=False)
    if value != int(value):
        raise BadInput(f"{field} must be a whole number; {_short(text)} is not.", field)
    return int(value)


def scientific(value: float, decimals: int = 1) -> str:
    """A small or large number by its power of ten; without decimals and with a factor of one the power alone.

    >>> scientific(1.84e-7), scientific(3.14e23, 2), scientific(1e-6, 0), scientific(0.0)
    ('1.8·10⁻⁷', '3.14·10²³', '10⁻⁶', '0')
    """
    if value == 0:
        return "0"
    factor, exponent = f"{value:.{decimals}e}".split("e")
    power = f"10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    return power if factor == "1" else f"{factor}·{power}"


def significant(value: float, digits: int) -> str:
    """Four digits as ``:.4g`` gives them, a power of ten written as one: ``4.2e+22`` → ``4.2·10²²``."""
    text = f"{value:.{digits}g}"
    factor, letter, _exponent = text.partition("e")
    return scientific(value, len(factor.partition(".")[2])) if letter else text


def format_count(value: float, digits: int = 3) -> str:
    """``6738415616`` → ``6.74B``; from 10^15 on by its power of ten, as FLOPs are written."""
    if value and not 1e-2 <= abs(value) < 1e15:
        return scientific(value, digits - 1)
    value = float(f"{value:.{digits - 1}e}")  # rounded first: 999,999 is 1.00M and not 1,000K
    for suffix, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("K", 1e3)):
        if abs(value) >= scale:
            return f"{_significant(value / scale, digits)}{suffix}"
    return _significant(value, digits)


def format_bytes(value: float) -> str:
    """Both readings at once, because they differ by 7% and calculators mix them: ``13.48 GB (12.55 GiB)``."""
    for decimal, binary, power in (("TB", "TiB", 4), ("GB", "GiB", 3), ("MB", "MiB", 2), ("kB", "KiB", 1)):
        if abs(value) >= 1000**power:
            return f"{value / 1000**power:.2f} {decimal} ({value / 1024**power:.2f} {binary})"
    return f"{value:,.0f} B"


def format_duration(seconds: float) -> str:
    """The largest unit that leaves a number of at least one: ``22 ms``, ``3.5 h``, ``20.8 days``, ``2.3 years``."""
    for name, scale in (("years", 31557600.0), ("days", 86400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)):
        if seconds >= scale:
            return f"{_significant(seconds / scale, 3)} {name}"
    return f"{_significant(seconds * 1e3, 3)} ms"


def format_money(usd: float, as_of: str | None = None) -> str:
    """``$4.10M``, with the date of the price where there is one: ``$4.10M (prices of 2026-11)``."""
    amount = (
        f"${format_count(usd)}"
        if abs(usd) >= 1e4
        else f"${usd:,.2f}"
        if abs(usd) >= 0.01
        else f"${significant(usd, 2)}"
    )
    return f"{amount} (prices of {as_of})" if as_of else amount


def _mantissa(match: re.Match[str]) -> float:
    return float(match[1].replace(",", "").replace("_", "") + (match[2] or ""))


def _significant(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
