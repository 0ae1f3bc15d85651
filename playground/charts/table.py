"""A table as data: its columns from left to right with their widths, and one dict a row.

A browser's table on a canvas cuts what is wider than its cell without a sign, and hides a column past its border. So widths
are counted before: the columns that matter come first and fit into ``WIDTH`` together, the others can be scrolled to, and a
text that is longer than its cell ends in "…". Knows no browser, no page and no data frame.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from dataclasses import dataclass
from typing import Any

WIDTH = 718  # pixels of a table in a window 1,280 wide
CHARACTER, WIDE_CHARACTER, PADDING = 6.8, 14.5, 18  # pixels, of the table's own font
LINES = 3  # of text in a tall row
LONGEST_TEXT = 400  # characters that are looked at for a cell


@dataclass(frozen=True, slots=True)
class TableColumn:
    """``name`` is its key in the rows. ``decimals``: of a number; None for a text. ``width`` in pixels."""

    name: str
    label: str
    width: int
    help: str = ""
    decimals: int | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class TableData:
    """Columns from left to right, and one dict a row. ``tall``: its rows have ``LINES`` lines of text."""

    columns: tuple[TableColumn, ...]
    rows: tuple[dict[str, Any], ...]
    tall: bool = False


def clipped(text: str, width: int, lines: int = LINES) -> str:
    """``text`` as far as it fits into so many lines of ``width`` pixels, with "…" where it goes on."""
    shown = re.sub(r"\s+", " ", text[: LONGEST_TEXT + 1].replace("\n", " ↵ ")).strip()
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in shown)
    letters = max(2, int((width - PADDING) / (WIDE_CHARACTER if wide else CHARACTER)))
    wrapped = textwrap.wrap(shown, letters, max_lines=lines, placeholder="…")
    if len(text) <= LONGEST_TEXT and "".join(wrapped).replace(" ", "") == shown.replace(" ", ""):
        return shown
    place = 0
    for line in wrapped:  # where the last line that fits ends
        whole = line.removesuffix("…")
        place = shown.index(whole, place) + len(whole)
    return shown[:place].rstrip() + "…"
