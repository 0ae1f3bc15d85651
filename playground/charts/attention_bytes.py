"""Attention weights as the few bytes the browser paints them from. A picture of 128 tokens is 22 kB of text.

Weights are coded by their square root, so that small ones keep their places on a log scale: in two bytes for the large
picture, where a value comes back within 0.002 percentage points, in one byte for the thumbnails. Only the part a
causal model can see, the lower triangle with its diagonal, is sent, row after row; the highest code means blank.
"""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt

from playground.engine.types import FloatArray

WORD, BYTE = 65_534, 254  # the code of weight 1; one more is blank


def matrix_codes(values: FloatArray) -> str:
    """(W, W) weights, NaN for blank, as base64 of little-endian uint16: W · (W + 1) / 2 of them."""
    return _text(_codes(_lower(values), WORD).astype("<u2").tobytes())


def tile_codes(tiles: FloatArray, top: float = 1.0) -> str:
    """(n, side, side) small maps, or (n, 1, 1) single figures from 0 to ``top``, as base64 of uint8."""
    return _text(byte_codes(tiles, top))


def byte_codes(maps: FloatArray, top: float = 1.0) -> bytes:
    """The same as bytes: n · side · (side + 1) / 2 of them. A value comes back within 0.4 percentage points of ``top``."""
    return _codes(_lower(maps) / np.float32(max(top, 1e-9)), BYTE).astype(np.uint8).tobytes()


def decoded(text: str, *, wide: bool = True) -> FloatArray:
    """What the browser makes of it: the weights in the order sent, NaN for blank."""
    raw = np.frombuffer(base64.b64decode(text), "<u2" if wide else np.uint8).astype(np.float32)
    top = WORD if wide else BYTE
    return np.where(raw > top, np.nan, (raw / top) ** 2).astype(np.float32)


def _codes(values: FloatArray, top: int) -> npt.NDArray[np.float32]:
    codes = np.rint(np.sqrt(np.clip(values, 0, 1)) * top)
    return np.where(np.isnan(values), np.float32(top + 1), codes)


def _lower(values: FloatArray) -> FloatArray:
    """(..., W, W) to (..., W · (W + 1) / 2), row by row."""
    rows, columns = np.tril_indices(values.shape[-1])
    lower: FloatArray = values[..., rows, columns]
    return lower


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def largest(values: FloatArray) -> float:
    """The largest weight shown; 1 for a picture that is all blank."""
    return float(np.nanmax(values)) if not np.isnan(values).all() else 1.0


def shrunk(values: FloatArray, side: int) -> FloatArray:
    """(n, W, W) to (n, side, side) by the largest weight of each block; NaN where a block has none.

    The largest, not the mean: a thin diagonal must not fade. Maps no wider than ``side`` stay as they are.
    """
    width = values.shape[-1]
    if width <= side:
        return values
    edges = np.linspace(0, width, side, endpoint=False).astype(np.intp)
    filled = np.where(np.isnan(values), np.float32(-1), values)
    small: FloatArray = np.maximum.reduceat(np.maximum.reduceat(filled, edges, axis=-2), edges, axis=-1)
    return np.where(small < 0, np.nan, small).astype(np.float32)


def tile_side(count: int, width: int, most_bytes: int = 150_000) -> int:
    """The side of a thumbnail so that ``count`` of them stay within ``most_bytes``: 8 to 32, at most ``width``."""
    side = 32
    while side > 8 and count * side * (side + 1) // 2 > most_bytes:
        side -= 1
    return min(side, width)
