"""What colours a token of a generated text: one scale for each way of looking, the same in light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from playground.charts.palette import CIVIDIS, ink_on, sequential


@dataclass(frozen=True, slots=True)
class TokenFigures:
    """What is known of one token: raw log-probability, rank (0 the likeliest) and the entropy before it, in nats.

    None: not told."""

    logprob: float | None
    rank: int | None
    entropy: float | None


@dataclass(frozen=True, slots=True)
class TokenScale:
    """One way of colouring: where on the sequential scale a token stands, and what the scale's ends mean."""

    label: str
    figure: Callable[[TokenFigures], float | None]
    fraction: Callable[[float], float]  # of the figure
    low: str
    high: str
    means: str


MOST_ENTROPY, MOST_SURPRISE, MOST_BITS, RANK_DECADES = 8.0, 10.0, 14.0, 4.0

SCALES: dict[str, TokenScale] = {
    "probability": TokenScale(
        "Probability",
        lambda f: f.logprob,
        lambda logprob: math.exp(min(logprob, 0.0)),
        "0%",
        "100%",
        "the raw probability of the token that came",
    ),
    "rank": TokenScale(
        "Rank",
        lambda f: f.rank,
        lambda rank: 1.0 - math.log10(rank + 1) / RANK_DECADES,
        "10,000th or later",
        "1st",
        "the place of the token that came among all, by raw probability",
    ),
    "entropy": TokenScale(
        "Entropy",
        lambda f: f.entropy,
        lambda entropy: entropy / MOST_ENTROPY,
        "0 nats: sure",
        f"{MOST_ENTROPY:g} nats or more: open",
        "how undecided the model was before the token",
    ),
    "surprise": TokenScale(
        "Surprise",
        lambda f: f.logprob,
        lambda logprob: -logprob / MOST_SURPRISE,
        "0 nats: expected",
        f"{MOST_SURPRISE:g} nats or more: odd",
        "the negative log-probability of the token that came",
    ),
}
# Beside those that a reader chooses from: the surprise of a page that counts in bits.
_ALL = SCALES | {
    "bits": TokenScale(
        "Surprise",
        lambda f: f.logprob,
        lambda logprob: -logprob / math.log(2) / MOST_BITS,
        "0 bits: expected",
        f"{MOST_BITS:g} bits or more: odd",
        "the negative log-probability, to base 2, of the token that came",
    ),
}


def token_colours(scale: str, figures: TokenFigures) -> tuple[str, str]:
    """Ground and ink, "#RRGGBB" each, with a contrast of at least 4.5:1. A figure that is not told or no number has no colour."""
    figure = _ALL[scale].figure(figures)
    if figure is None or math.isnan(figure):
        return "", ""
    fraction = _ALL[scale].fraction(figure)
    # 32 shades are more than an eye tells apart, and let the browser share the styles
    ground = sequential(round(min(max(fraction, 0.0), 1.0) * 32) / 32)
    return ground, ink_on(ground)


def legend_html(scale: str, *, named: bool = True) -> str:
    """The scale as a bar with its two ends named. Only our own text is in it. ``named``: not where its name stands beside it."""
    chosen = _ALL[scale]
    stops = ", ".join(CIVIDIS)
    bar = (
        f'<span role="img" aria-label="colour scale from {chosen.low} to {chosen.high}" style="display:inline-block;'
        f"width:9rem;height:0.7rem;margin:0 0.5rem;border-radius:2px;background:linear-gradient(90deg, {stops})"
        '"></span>'
    )
    low, high = (f'<span style="white-space:nowrap">{end}</span>' for end in (chosen.low, chosen.high + "."))
    name = f"<b>{chosen.label}</b>: " if named else ""
    return f'<div class="legend" style="font-size:0.8rem">{name}{low}{bar}{high} Shows {chosen.means}.</div>'
