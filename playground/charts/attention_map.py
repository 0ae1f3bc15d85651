"""All layers by all heads at once: one composed image of thumbnails, or one coloured cell for each head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from playground.charts.attention_bytes import shrunk, tile_codes, tile_side
from playground.charts.attention_view import LOG_FLOOR
from playground.charts.palette import CIVIDIS
from playground.engine.types import FloatArray


@dataclass(frozen=True, slots=True)
class HeadTile:
    """One head: ``lines`` are said in its card and to a screen reader; the first names it."""

    layer: int
    head: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeadMap:
    """``tiles`` (n, side, side) in the order of ``heads``, or (n, 1, 1) figures from 0 to ``top``; NaN is blank."""

    heads: tuple[HeadTile, ...]
    tiles: FloatArray
    description: str
    scale: str = "linear"
    top: float = 1.0
    low_text: str = "0%"
    high_text: str = "100%"


def thumbnails(weights: list[FloatArray]) -> FloatArray:
    """(heads of all layers, side, side): each layer's (heads, W, W) shrunk by the largest weight of each block."""
    side = tile_side(sum(part.shape[0] for part in weights), weights[0].shape[-1])
    return np.concatenate([shrunk(part, side) for part in weights])


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
        "top": 1.0 if data.tiles.shape[-1] == 1 else float(np.nanmax(data.tiles)),
        "floor": LOG_FLOOR,
        "colours": list(CIVIDIS),
        "low": data.low_text,
        "high": data.high_text,
        "description": data.description,
        "locked": list(locked),
    }
