"""What each rule removes: all that fail it, and those that fail it alone."""

from __future__ import annotations

from dataclasses import dataclass

from playground.charts.light import Bar, LightAxis, LightChart, Scale
from playground.charts.palette import FINAL, RAW

ROW_PX = 22
MOST_ROWS = 14


@dataclass(frozen=True, slots=True)
class RemovedRow:
    """``removed``: documents that fail the rule; ``only``: those that fail no other."""

    name: str
    removed: int
    only: int


@dataclass(frozen=True, slots=True)
class RemovedData:
    """``total`` documents, ``kept`` of them kept. Rules that remove none have no row."""

    rows: tuple[RemovedRow, ...]
    kept: int
    total: int


def removed_chart(data: RemovedData) -> LightChart:
    """One bar for what is kept, then one a rule, the rules that remove most first; what a rule alone removes in the accent."""
    shown = sorted((row for row in data.rows if row.removed), key=lambda row: -row.removed)[:MOST_ROWS]
    names = ["Kept", *(row.name for row in shown)]
    x, rows = Scale(0, max(data.total, 1) * 1.3), Scale(len(names) - 0.45, -0.55)

    def bar(place: int, start: float, end: float, colour: str, text: str, said: tuple[str, str, str]) -> Bar:
        edges = rows.share(place + 0.36), rows.share(place - 0.36)
        return Bar((x.share(start), x.share(end)), edges, colour, text, False, "#000000", False, said)

    share = data.kept / data.total if data.total else 0.0
    bars = [bar(0, 0, data.kept, FINAL, f"{data.kept:,} · {share:.1%}", ("Kept", "documents", f"{data.kept:,}"))]
    for place, row in enumerate(shown, 1):
        bars.append(bar(place, 0, row.only, FINAL, "", (row.name, "this rule alone", f"{row.only:,}")))
        text = f"{row.removed:,}" + (f" · {row.only:,} alone" if row.only else "")
        bars.append(bar(place, row.only, row.removed, RAW, text, (row.name, "removed", f"{row.removed:,}")))
    room = min(16 + 7 * max(map(len, names)), 190)
    return LightChart(
        64 + ROW_PX * len(names),
        (room, 8, 16, 40),
        LightAxis("documents", x.even_ticks()),
        LightAxis("", rows.ticks(range(len(names)), names), grid=False),
        bars=tuple(bars),
        legend=(("removed by this rule alone, or kept", FINAL), ("removed by others too", RAW)),
    )


def removed_description(data: RemovedData) -> str:
    """The picture in words and numbers."""
    said = [f"{row.name} removes {row.removed:,}, {row.only:,} of them alone" for row in data.rows if row.removed]
    return "; ".join([f"{data.kept:,} of {data.total:,} documents are kept", *said]) + "."
