"""How numbers are written, everywhere in the house: on axes, in tables, in sentences."""

from __future__ import annotations

import math
from collections.abc import Callable

from playground.scaling.quantity import scientific as scientific


def percent(probability: float) -> str:
    """A probability as percent with two decimals; below 0.01% as the bare number in scientific form.

    >>> percent(0.7725), percent(0.00002), percent(0.0)
    ('77.25%', '2.0·10⁻⁵', '0%')
    """
    if math.isnan(probability):
        return "undefined"
    if probability == 0:
        return "0%"
    return scientific(probability) if probability < 1e-4 else f"{probability * 100:.2f}%"


def p_value(value: float) -> str:
    """Two digits; below 0.001 by its power of ten.

    >>> p_value(0.0421), p_value(0.00000031)
    ('0.042', '3.1·10⁻⁷')
    """
    return f"{value:.2g}" if value >= 0.001 or value == 0 else scientific(value)


def percent_between(low: float, high: float) -> str:
    """A probability of which only bounds are known; one number where both are written alike.

    >>> percent_between(0.11, 0.1345), percent_between(0.5, 0.5000001)
    ('11.00% to 13.45%', '50.00%')
    """
    if high - low <= 1e-6:
        return percent((low + high) / 2 if low > 0 else high if high > 1e-6 else 0.0)
    first, last = percent(low), percent(high)
    return first if first == last else f"{first} to {last}"


def between(bounds: tuple[float, float], write: Callable[[float], str]) -> str:
    """A number of which only bounds are known, as ``write`` writes one; infinite bounds tell nothing.

    >>> between((3.0, 3.0), "{:.0f}".format), between((1.0, 2.5), "{:.1f}".format)
    ('3', '1.0 to 2.5')
    """
    if math.isinf(bounds[1]):
        return "not known"
    low, high = map(write, bounds)
    return low if low == high else f"{low} to {high}"


def count(value: float) -> str:
    """A whole number with its thousands."""
    return f"{int(value):,}"


def logprob(value: float) -> str:
    """A natural log-probability with three decimals; minus infinity as such."""
    if math.isnan(value):
        return "undefined"
    return "−∞" if math.isinf(value) else f"{value:.3f}"


def entropy(nats: float) -> str:
    """Entropy in nats and bits; NaN is that of a row of which an engine told a part only."""
    if math.isnan(nats):
        return "unknown"
    return f"{abs(nats):.3f} nats ({abs(nats) / math.log(2):.3f} bits)"


def choices(nats: float) -> str:
    """Effective choices exp(H): how many equally likely tokens would be as uncertain."""
    value = math.exp(min(nats, 700.0))
    return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"


def milliseconds(value: float) -> str:
    """Time in ms below a second, in seconds above."""
    return f"{value:.0f} ms" if value < 1000 else f"{value / 1000:.2f} s"


def gigabytes(count: float) -> str:
    """Bytes as GB and GiB."""
    return f"{count / 1e9:.2f} GB ({count / 2**30:.2f} GiB)"
