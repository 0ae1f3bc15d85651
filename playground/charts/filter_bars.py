"""What each rule removes: all that fail it, and those that fail it alone. As data: ``removed_bars.js`` draws it.

The places of the dials in view can be told beforehand, so that the browser redraws by itself while one of them is moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Dial:
    """A slider in view at ``value``. ``others``: a mark of all that its sweep takes as given, the other dials among it."""

    value: float
    others: int


@dataclass(frozen=True, slots=True)
class RemovedData:
    """``total`` documents, ``kept`` of them kept, with ``tokens`` of ``all_tokens``, which are estimates unless ``exact``.

    ``dials``: by the key of its slider.
    """

    rows: tuple[RemovedRow, ...]
    kept: int
    total: int
    tokens: int = 0
    all_tokens: int = 0
    exact: bool = True
    dials: Mapping[str, Dial] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemovedSweep:
    """The counts at every place of one dial: ``low``, ``low + step`` and so on, while ``others`` is what ``Dial`` says.

    ``row``: its place in ``RemovedData.rows``. ``only``: by row, of those where it changes. ``tokens``: of what is kept.
    """

    row: int
    low: float
    step: float
    others: int
    kept: tuple[int, ...]
    removed: tuple[int, ...]
    only: Mapping[int, tuple[int, ...]]
    tokens: tuple[int, ...]


def removed_payload(data: RemovedData) -> dict[str, Any]:
    """Plain numbers and texts for the script."""
    axis = LightAxis("documents", Scale(0, max(data.total, 1) * 1.3).even_ticks())
    return {
        "total": data.total,
        "kept": data.kept,
        "tokens": data.tokens,
        "allTokens": data.all_tokens,
        "exact": data.exact,
        "rows": [(row.name, row.removed, row.only) for row in data.rows],
        "colours": (FINAL, RAW),
        "room": min(16 + 7 * max(len(row.name) for row in (*data.rows, RemovedRow("Kept", 0, 0))), 190),
        "x": {"title": axis.title, "ticks": axis.ticks, "grid": axis.grid},
        "dials": {key: {"value": dial.value, "others": dial.others} for key, dial in data.dials.items()},
    }


def sweep_payload(sweep: RemovedSweep) -> dict[str, Any]:
    """The same of one dial's places."""
    return {
        "row": sweep.row,
        "low": sweep.low,
        "step": sweep.step,
        "others": sweep.others,
        "kept": sweep.kept,
        "removed": sweep.removed,
        "only": {str(row): counts for row, counts in sweep.only.items()},
        "tokens": sweep.tokens,
    }


def removed_description(data: RemovedData) -> str:
    """The picture in words and numbers."""
    said = [f"{row.name} removes {row.removed:,}, {row.only:,} of them alone" for row in data.rows if row.removed]
    return "; ".join([f"{data.kept:,} of {data.total:,} documents are kept", *said]) + "."
