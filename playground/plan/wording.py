"""How a figure's value is written: its unit decides. Knows no streamlit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from playground.scaling.figures import Figure
from playground.scaling.quantity import format_bytes, format_count, format_duration, format_money, significant


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page's table. ``figure`` carries the working; a row without one is a plain statement.

    ``lead`` rows stand at the top, larger.
    """

    name: str
    text: str
    figure: Figure | None = None
    lead: bool = False
    note: str = ""


def write_figure(shown: Figure) -> str:
    """A value with its unit, bytes as GB and GiB, money as money, large counts short and exact."""
    value = shown.value
    match shown.unit:
        case "B":
            return format_bytes(value)
        case "B/token":
            return f"{value:,.0f} B a token" if value < 1000 else f"{format_bytes(value)} a token"
        case "s":
            return format_duration(value)
        case "day":
            return format_duration(value * 86400)
        case "USD" | "USD/day":
            return format_money(value) + (" a day" if shown.unit == "USD/day" else "")
        case "FLOP":
            return f"{significant(value, 3)} FLOPs"
        case "param" | "token":
            word = "parameters" if shown.unit == "param" else "tokens"
            exact = f"{value:,.0f}" if value < 1e15 else ""
            return f"{format_count(value)} {word}" + (
                f" ({exact})" if exact and value == int(value) and float(f"{value:.3g}") != value else ""
            )
        case "1/day":
            return f"{_plain(value)} a day"
        case "token/s":
            return f"{value:,.0f} tokens/s" if value >= 10 else f"{value:.3g} tokens/s"
        case "GPU·h":
            return f"{format_count(value)} GPU-hours"
        case "kg":
            return f"{format_count(value / 1000)} t" if value >= 1000 else f"{value:.3g} kg"
        case "1":
            return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else _plain(value)
        case unit:
            return f"{_plain(value)} {unit}"


def _plain(value: float) -> str:
    return format_count(value, 4) if abs(value) >= 1e4 else significant(value, 4) if abs(value) < 1 else f"{value:,.4g}"


def counted_row(shown: Figure, what: str, *, name: str = "", lead: bool = False, note: str = "") -> Row:
    """A figure whose own unit is a plain number, followed by ``what`` it counts: "4.575 times"."""
    return Row(name or shown.name, f"{_plain(shown.value)} {what}", shown, lead, note)


def row(shown: Figure, *, name: str = "", lead: bool = False, note: str = "") -> Row:
    """A figure as a row."""
    return Row(name or shown.name, write_figure(shown), shown, lead, note)


Columns = Mapping[str, Sequence[Row]]
"""Rows by the title of their column."""


def merged_names(columns: Columns) -> list[str]:
    """Row names of all columns, lead rows first, else in the order of the fullest column."""
    fullest_first = sorted(columns.values(), key=len, reverse=True)
    lead = {row.name: None for rows in fullest_first for row in rows if row.lead}
    return [*lead, *{row.name: None for rows in fullest_first for row in rows if row.name not in lead}]
