"""What each rule removes: all that fail it, and those that fail it alone. As data: ``removed_bars.js`` draws it.

One dial's places can be told beforehand, so that the browser redraws by itself while that dial is moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.charts.light import LightAxis, Scale
from playground.charts.palette import FINAL, RAW


@dataclass(frozen=True, slots=True)
class RemovedRow:
    """``removed``: documents that fail the rule; ``only``: those that fail no other."""

    name: str
    removed: int
    only: int


@dataclass(frozen=True, slots=True)
class RemovedData:
    """``total`` documents, ``kept`` of them kept. ``lead``: what stands above, in bold and plain."""

    rows: tuple[RemovedRow, ...]
    kept: int
    total: int
    lead: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class RemovedSweep:
    """The counts at every place of one dial: ``low``, ``low + step`` and so on.

    ``dial``: its slider's key; ``row``: its place in ``RemovedData.rows``. ``only``: by row, of those where it changes.
    """

    dial: str
    row: int
    low: float
    step: float
    kept: tuple[int, ...]
    removed: tuple[int, ...]
    only: Mapping[int, tuple[int, ...]]
    lead: tuple[tuple[str, str], ...]


def removed_payload(data: RemovedData, sweep: RemovedSweep | None = None) -> dict[str, Any]:
    """Plain numbers and texts for the script."""
    axis = LightAxis("documents", Scale(0, max(data.total, 1) * 1.3).even_ticks())
    return {
        "total": data.total,
        "kept": data.kept,
        "lead": data.lead,
        "rows": [(row.name, row.removed, row.only) for row in data.rows],
        "colours": (FINAL, RAW),
        "room": min(16 + 7 * max(len(row.name) for row in (*data.rows, RemovedRow("Kept", 0, 0))), 190),
        "x": {"title": axis.title, "ticks": axis.ticks, "grid": axis.grid},
        "sweep": None
        if sweep is None
        else {
            "dial": sweep.dial,
            "row": sweep.row,
            "low": sweep.low,
            "step": sweep.step,
            "kept": sweep.kept,
            "removed": sweep.removed,
            "only": {str(row): counts for row, counts in sweep.only.items()},
            "lead": sweep.lead,
        },
    }


def removed_description(data: RemovedData) -> str:
    """The picture in words and numbers."""
    said = [f"{row.name} removes {row.removed:,}, {row.only:,} of them alone" for row in data.rows if row.removed]
    return "; ".join([f"{data.kept:,} of {data.total:,} documents are kept", *said]) + "."
