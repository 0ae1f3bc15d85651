"""All of a page's numbers as one element: a value a line, its formula, filled formula and source a click away.

One component and not a widget a number, because each element of a page costs time at every move of a slider.
"""

from __future__ import annotations

from playground.plan.tables import table_payload
from playground.plan.wording import Columns
from playground.ui.components.declare import Component

_TABLE = Component(
    "figure_table",
    html='<div class="table" role="group">\n</div>\n<!-- rows are made by the script -->\n',
    styles=("figure_table.css",),
    script="figure_table.js",
)


def figure_table(columns: Columns, *, key: str, label: str) -> None:
    """Show ``columns`` side by side; a column lacks a row by not having one of its name.

    The working shown is that of the first column that has the row.
    """
    _TABLE(data=table_payload(columns, label), key=key)
