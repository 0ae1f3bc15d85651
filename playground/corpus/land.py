"""The coasts of the world as lines, for maps that ask no server (``build_land.py`` writes them: Natural Earth, public domain)."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

DATA_FILE = Path(__file__).with_name("data") / "land.json"


@functools.cache
def coasts() -> npt.NDArray[np.float32]:
    """(points, 2) longitude and latitude in degrees, a row of NaN between two lines."""
    lines = json.loads(DATA_FILE.read_text(encoding="utf-8"))
    rows = [row for line in lines for part in unwrapped(line) for row in [*part, [np.nan, np.nan]]]
    points = (np.array(rows[:-1], dtype=np.float32) / np.float32(10)).astype(np.float32)
    points.setflags(write=False)
    return points


def unwrapped(line: list[list[int]], half: int = 1_800) -> list[list[list[int]]]:
    """A line in parts, cut where it leaves the map at one edge and comes back at the other.

    >>> unwrapped([[1790, 0], [1800, 1], [-1795, 2], [-1790, 3]])
    [[[1790, 0], [1800, 1]], [[-1795, 2], [-1790, 3]]]
    """
    parts = [line[:1]]
    for before, point in zip(line, line[1:], strict=False):
        if abs(point[0] - before[0]) > half:
            parts.append([])
        parts[-1].append(point)
    return parts
