"""Writes ``data/land.json`` from the npm package world-atlas (ISC): the coasts of Natural Earth, public domain.

``npm pack world-atlas@2.0.2`` and then ``python -m playground.corpus.build_land world-atlas-2.0.2.tgz``. Plotly's own maps fetch
their coasts from a server elsewhere. Lines of [longitude, latitude] in tenths of a degree, a point for at least half a degree;
the Antarctic, where no language of ours has its place, is left out.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import tarfile
from pathlib import Path

from playground.corpus.land import DATA_FILE

PACKAGE_SHA256 = "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97"
STEP, SOUTH = 0.5, -60.0  # degrees
Line = list[tuple[float, float]]


def decode(arc: list[list[int]], scale: tuple[float, float], origin: tuple[float, float]) -> Line:
    """An arc of TopoJSON in degrees: whole numbers, each the difference to the one before.

    >>> decode([[1, 1], [2, 0]], (0.5, 0.5), (-10.0, 0.0))
    [(-9.5, 0.5), (-8.5, 0.5)]
    """
    x = y = 0
    line = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        line.append((origin[0] + x * scale[0], origin[1] + y * scale[1]))
    return line


def thinned(line: Line, step: float = STEP) -> Line:
    """Both ends and what lies at least ``step`` from the last point that stays."""
    kept = line[:1]
    for point in line[1:-1]:
        if math.dist(point, kept[-1]) >= step:
            kept.append(point)
    return [*kept, line[-1]]


def build(package: Path, target: Path) -> int:
    """Write the coasts; returns how many points they have."""
    if hashlib.sha256(package.read_bytes()).hexdigest() != PACKAGE_SHA256:
        raise ValueError("this is not the package world-atlas 2.0.2 from the npm registry")
    with tarfile.open(package) as archive:
        file = archive.extractfile("package/land-110m.json")
        assert file is not None
        topology = json.load(file)
    scale, origin = tuple(topology["transform"]["scale"]), tuple(topology["transform"]["translate"])
    lines = [thinned(decode(arc, scale, origin)) for arc in topology["arcs"]]
    lines = [line for line in lines if max(latitude for _, latitude in line) > SOUTH]
    rounded = [[[round(10 * east), round(10 * north)] for east, north in line] for line in lines]
    target.write_text(json.dumps(rounded, separators=(",", ":")) + "\n", encoding="utf-8")
    return sum(map(len, rounded))


if __name__ == "__main__":
    written = build(Path(sys.argv[1]), DATA_FILE)
    sys.stderr.write(f"{written:,} points, {DATA_FILE.stat().st_size:,} bytes\n")
