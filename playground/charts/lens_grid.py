"""The logit lens as a grid of depths and positions: what the browser paints, and what it shows in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.charts.numbers import percent
from playground.charts.palette import CIVIDIS, ink_on, sequential
from playground.engine.api import TextCodec
from playground.engine.types import FloatArray
from playground.inspection.lens import LensPicture, answer_leads_from, text_after

SHADES = 32  # more than an eye tells apart
MOST_DIVERGENCE = 10.0  # nats


@dataclass(frozen=True, slots=True)
class LensColour:
    """One way of colouring a cell: the array it reads, its share of the scale, and what the scale's ends mean."""

    label: str
    field: str
    low: str
    high: str
    means: str


COLOURS: dict[str, LensColour] = {
    "probability": LensColour(
        "Probability", "probabilities", "0%", "100%", "the probability a depth gives its own top token"
    ),
    "entropy": LensColour("Entropy", "entropies", "0 nats: sure", "all tokens alike", "how undecided a depth is"),
    "divergence": LensColour(
        "KL to the answer",
        "divergences",
        "0 nats: the answer",
        f"{MOST_DIVERGENCE:g} nats or more",
        "how far a depth is from the model's answer, KL(answer ‖ depth)",
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class LensGridData:
    """D depths, the last being the answer, at P positions.

    ``tokens``: (P) the readable tokens read at each position, ``first`` the first one's place in the text. ``tops``:
    (D, P) readable top tokens; ``probabilities`` theirs, ``entropies`` and ``divergences`` in nats, all (D, P).
    ``leads_from``: (P) the depth from which the answer's top token stays on top. ``vocab_size`` bounds the entropy.
    """

    tokens: tuple[str, ...]
    first: int
    tops: tuple[tuple[str, ...], ...]
    probabilities: FloatArray
    entropies: FloatArray
    divergences: FloatArray
    leads_from: npt.NDArray[np.int64]
    vocab_size: int

    @property
    def depths(self) -> int:
        return len(self.tops)


def grid_of(picture: LensPicture, codec: TextCodec, vocab_size: int) -> LensGridData:
    """The picture's cells as readable texts."""
    ids, rows, window = picture.ids, picture.rows, picture.window

    @cache
    def text(token: int, position: int) -> str:
        return text_after(codec, ids, position, token)

    return LensGridData(
        tokens=tuple(text(ids[place], place - 1) for place in window),
        first=window.start,
        tops=tuple(
            tuple(text(token, place) for token, place in zip(line, window, strict=True))
            for line in rows.top_ids[:, :, 0].tolist()
        ),
        probabilities=np.exp(rows.top_logprobs[:, :, 0]),
        entropies=rows.entropies,
        divergences=rows.divergences,
        leads_from=answer_leads_from(picture),
        vocab_size=vocab_size,
    )


def depth_name(depth: int, depths: int) -> str:
    """How a row is called: the embedding, the layers after which the lens looks, the answer."""
    if depth == 0:
        return "embedding"
    return f"layer {depth} (answer)" if depth == depths - 1 else f"layer {depth}"


def fractions(data: LensGridData, colour: str) -> FloatArray:
    """(D, P) places on the colour scale, 0 to 1; NaN where a value is no number."""
    scale: Callable[[FloatArray], FloatArray] = {
        "probability": lambda values: values,
        "entropy": lambda values: (values / math.log(max(data.vocab_size, 2))).astype(np.float32),
        "divergence": lambda values: (values / MOST_DIVERGENCE).astype(np.float32),
    }[colour]
    placed: FloatArray = np.clip(scale(getattr(data, COLOURS[colour].field)), 0.0, 1.0)
    return placed


def shade_table() -> list[list[str]]:
    """SHADES + 1 pairs of ground and ink, "#RRGGBB", each with a contrast of at least 4.5:1."""
    grounds = [sequential(step / SHADES) for step in range(SHADES + 1)]
    return [[ground, ink_on(ground)] for ground in grounds]


def shades(data: LensGridData, colour: str) -> list[int]:
    """Each cell's place in ``shade_table``, row by row from depth 0; -1 where a value is no number."""
    placed = fractions(data, colour).ravel()
    levels: list[int] = np.where(np.isnan(placed), -1, np.round(np.nan_to_num(placed) * SHADES)).astype(int).tolist()
    return levels


def lens_payload(data: LensGridData) -> dict[str, Any]:
    """``data`` as plain JSON values, in all colours. Texts are listed once; cells name them by number, row by row from
    depth 0."""
    texts: dict[str, int] = {}
    numbers = [texts.setdefault(text, len(texts)) for row in data.tops for text in row]
    return {
        "tokens": list(data.tokens),
        "first": data.first,
        "depths": [depth_name(depth, data.depths) for depth in range(data.depths)],
        "texts": list(texts),
        "tops": numbers,
        "probabilities": [percent(float(value)) for value in data.probabilities.ravel()],
        "entropies": [f"{value:.3f}" for value in data.entropies.ravel()],
        "divergences": [f"{value:.3f}" for value in data.divergences.ravel()],
        "shades": {name: shades(data, name) for name in COLOURS},
        "palette": shade_table(),
        "leads": data.leads_from.tolist(),
        "legends": {name: legend(name) for name in COLOURS},
        "description": lens_description(data),
    }


def legend(colour: str) -> dict[str, Any]:
    """The scale's name, its ends, its colours and what it means."""
    chosen = COLOURS[colour]
    return {
        "label": chosen.label,
        "low": chosen.low,
        "high": chosen.high,
        "means": chosen.means,
        "stops": list(CIVIDIS),
    }


def lens_description(data: LensGridData) -> str:
    """The grid in words and numbers."""
    last = len(data.tokens) - 1
    answer, share = data.tops[-1][last], percent(float(data.probabilities[-1, last]))
    leads = depth_name(int(data.leads_from[last]), data.depths)
    halves = np.median(data.leads_from)
    return (
        f"Logit lens: {data.depths} depths by {len(data.tokens)} positions, the answer in the top row. After the last "
        f"token, {data.tokens[last]}, the model's likeliest token is {answer} with {share}; it leads from {leads} on. "
        f"Over all positions the answer's token leads from depth {halves:g} on in the middle. Arrow keys walk the cells, "
        "Enter opens one."
    )
