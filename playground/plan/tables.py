"""A table of rows as its script takes it: columns with their colours, a value a line, formula and source. Knows no page."""

from __future__ import annotations

from playground.charts.palette import FINAL, PINS, RAW
from playground.plan.setup import AS_IN_NOTES, CHECKED
from playground.plan.wording import Columns, merged_names

NOW = "Now"
PUBLISHED, COMPUTED = "Published", "Computed"
_COLOURS = {NOW: FINAL, CHECKED: FINAL, AS_IN_NOTES: RAW, PUBLISHED: RAW, COMPUTED: FINAL, **PINS}


def table_payload(columns: Columns, label: str) -> dict[str, object]:
    """What the script is given. Plain lists and texts."""
    by_name = {title: {row.name: row for row in rows} for title, rows in columns.items()}
    lines = []
    for name in merged_names(columns):
        across = [rows.get(name) for rows in by_name.values()]
        first = next(row for row in across if row is not None)
        how = None
        if first.figure is not None:
            shown = first.figure
            read = shown.formula == shown.name  # a value from a table or a count, with nothing to fill in
            how = {
                "formula": f"none: the value is read, in {_unit(shown.unit)}"
                if read
                else f"{shown.name} [{_unit(shown.unit)}] = {shown.formula}",
                "filled": f"{shown.filled} = {first.text}",
                "source": shown.source,
            }
        cells = [["–", ""] if row is None else [row.text, row.note] for row in across]
        lines.append({"name": name, "lead": first.lead, "cells": cells, "how": how})
    return {"columns": [[title, _COLOURS[title]] for title in columns], "rows": lines, "label": label}


def _unit(unit: str) -> str:
    return "a plain number" if unit == "1" else unit
