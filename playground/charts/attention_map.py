"""All layers by all heads at once: one composed image of thumbnails, or one coloured cell for each head."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.charts.attention_bytes import largest, shrunk, tile_codes, tile_side
from playground.charts.attention_view import LOG_FLOOR
from playground.charts.numbers import entropy, percent
from playground.charts.palette import CIVIDIS
from playground.engine.attention_data import AttentionPass
from playground.engine.types import FloatArray
from playground.inspection.attention import HeadFigures, shown_weights

SHARES = ("induction", "previous", "duplicate", "first")  # figures of a head that are shares of its attention


@dataclass(frozen=True, slots=True)
class HeadTile:
    """One head: ``lines`` are said in its card and to a screen reader; the first names it."""

    layer: int
    head: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeadMap:
    """``tiles`` (n, side, side) in the order of ``heads``, or (n, 1, 1) figures from 0 to ``top``; NaN is blank.

    ``scale`` None: the browser colours by the scale chosen on the page. ``ends``: what the ends of each scale that can
    be shown mean.
    """

    heads: tuple[HeadTile, ...]
    tiles: FloatArray
    description: str
    scale: str | None
    ends: Mapping[str, tuple[str, str]]
    top: float = 1.0


def head_lines(figure: HeadFigures) -> tuple[str, ...]:
    """What a head's card says."""
    lines = [f"Layer {figure.layer}, head {figure.head}"]
    if not math.isnan(figure.first):
        lines.append(f"first token {percent(figure.first)}, previous token {percent(figure.previous)}")
    if not math.isnan(figure.entropy):
        lines.append(f"entropy {entropy(figure.entropy)}, mean distance {figure.distance:.1f} tokens")
    return tuple(lines)


def overview_map(
    attention: AttentionPass,
    figures: tuple[HeadFigures, ...],
    tiles: FloatArray,
    *,
    name: str,
    scale: str | None = None,
) -> HeadMap:
    """The composed image of all heads of model ``name``; ``tiles`` as ``thumbnails`` makes them."""
    return HeadMap(
        heads=tuple(HeadTile(figure.layer, figure.head, head_lines(figure)) for figure in figures),
        tiles=tiles,
        description=_overview_description(attention, figures, name),
        scale=scale,
        ends={"linear": ("0%", "100%"), "stretched": ("0%", "the largest of all"), "log": ("0.01% or less", "100%")},
    )


def score_map(figures: tuple[HeadFigures, ...], score: str, label: str, means: str) -> HeadMap:
    """One coloured cell a head: its ``score``, a field of ``HeadFigures`` called ``label``. Not all may be undefined."""
    values = np.array([getattr(figure, score) for figure in figures], np.float32)
    top = 1.0 if score in SHARES else float(np.nanmax(values))
    best = figures[int(np.nanargmax(values))]
    tiles = (
        HeadTile(
            f.layer, f.head, (f"Layer {f.layer}, head {f.head}", f"{label}: {score_text(score, getattr(f, score))}")
        )
        for f in figures
    )
    return HeadMap(
        heads=tuple(tiles),
        tiles=values[:, None, None],
        description=f"{label} of every head: {means}. Highest: layer {best.layer}, head {best.head} with "
        f"{score_text(score, getattr(best, score))}. A click opens a head.",
        scale="linear",
        ends={"linear": ("0%", "100%") if score in SHARES else ("0", score_text(score, top))},
        top=top,
    )


def score_text(score: str, value: float) -> str:
    """A score with its unit."""
    if math.isnan(value):
        return "undefined"
    if score in SHARES:
        return percent(value)
    return f"{value:.3f} nats" if score == "entropy" else f"{value:.1f} tokens"


def _overview_description(attention: AttentionPass, figures: tuple[HeadFigures, ...], name: str) -> str:
    layers, heads = len(attention.layers), max(layer.heads for layer in attention.layers)
    shares = [figure.first for figure in figures if not math.isnan(figure.first)]
    sink = (
        f" On average a head gives {percent(sum(shares) / len(shares))} to the first token; "
        f"{sum(share > 0.5 for share in shares)} of {len(figures)} give it more than half."
        if shares
        else ""
    )
    return (
        f"All {layers} layers by {heads} heads of {name} on {attention.width:,} tokens, one small heatmap each."
        f"{sink} Arrow keys choose a head."
    )


def thumbnails(attention: AttentionPass, *, hide_first: bool = False) -> FloatArray:
    """(heads of all layers, side, side): every head's map shrunk by the largest weight of each block."""
    side = tile_side(sum(layer.heads for layer in attention.layers), attention.width)
    return np.concatenate(
        [shrunk(shown_weights(layer, attention.start, hide_first=hide_first), side) for layer in attention.layers]
    )


def map_payload(data: HeadMap, locked: tuple[int, int]) -> dict[str, Any]:
    """``data`` as the component paints it; ``locked`` is the layer and head that is marked."""
    layers = sorted({tile.layer for tile in data.heads})
    return {
        "layers": layers,
        "heads": 1 + max(tile.head for tile in data.heads),
        "places": [[layers.index(tile.layer), tile.head] for tile in data.heads],
        "lines": [list(tile.lines) for tile in data.heads],
        "side": int(data.tiles.shape[-1]),
        "codes": tile_codes(data.tiles, data.top),
        "scale": data.scale,
        "top": 1.0 if data.tiles.shape[-1] == 1 else largest(data.tiles),
        "floor": LOG_FLOOR,
        "colours": list(CIVIDIS),
        "ends": {name: list(pair) for name, pair in data.ends.items()},
        "description": data.description,
        "locked": list(locked),
    }
