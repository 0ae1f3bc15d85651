"""All of a page's numbers as one element: a value a line, its formula, filled formula and source a click away.

One component and not a widget a number, because each element of a page costs time at every move of a slider.
"""

from __future__ import annotations

import streamlit as st

from playground.charts.palette import FINAL, PINS, RAW
from playground.plan.setup import AS_IN_NOTES, CHECKED
from playground.plan.wording import Columns, merged_names
from playground.ui.components.assets import script, style

_TABLE = st.components.v2.component(
    "figure_table",
    html='<div class="table" role="group">\n</div>\n<!-- rows are made by the script -->\n',
    css=style("figure_table.css"),
    js=script("figure_table.js"),
)
NOW = "Now"
PUBLISHED, COMPUTED = "Published", "Computed"
_COLOURS = {NOW: FINAL, CHECKED: FINAL, AS_IN_NOTES: RAW, PUBLISHED: RAW, COMPUTED: FINAL, **PINS}


def figure_table(columns: Columns, *, key: str, label: str) -> None:
    """Show ``columns`` side by side; a column lacks a row by not having one of its name.

    The working shown is that of the first column that has the row.
    """
    _TABLE(data=table_payload(columns, label), key=key)


def table_payload(columns: Columns, label: str) -> dict[str, object]:
    """What the script is given. Plain lists and texts."""
    by_name = {title: {row.name: row for row in rows} for title, rows in columns.items()}
    lines = []
    for name in merged_names(columns):
        found = [rows.get(name) for rows in by_name.values()]
        first = next(row for row in found if row is not None)
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
        cells = [["–", ""] if row is None else [row.text, row.note] for row in found]
        lines.append({"name": name, "lead": first.lead, "cells": cells, "how": how})
    return {"columns": [[title, _COLOURS[title]] for title in columns], "rows": lines, "label": label}


def _unit(unit: str) -> str:
    return "a plain number" if unit == "1" else unit
