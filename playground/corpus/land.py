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
    gap = [[np.nan, np.nan]]
    rows = [row for line in json.loads(DATA_FILE.read_text(encoding="utf-8")) for row in [*line, *gap]]
    found = (np.array(rows[:-1], dtype=np.float32) / np.float32(10)).astype(np.float32)
    found.setflags(write=False)
    return found
