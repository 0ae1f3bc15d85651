"""Rows of the hardware table that a reader edited: checked, and written into a link. Knows no streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from playground.errors import BadInput, PlaygroundError
from playground.scaling.hardware import Gpu, custom_gpu, gpu_table
from playground.scaling.quantity import parse_number

MAX_OWN_GPUS = 20
COLUMNS = ("GPU", "TFLOP/s (dense bf16)", "GB", "TB/s", "W", "USD per GPU-hour", "date")
Row = tuple[str | float | None, ...]  # one cell a column, None for an empty one
EMPTY: Row = (None,) * len(COLUMNS)
Cells = tuple[str, float, float, float, float, float | None, str]


def cells_of(gpu: Gpu) -> Cells:
    """(name, TFLOP/s, GB, TB/s, W, USD per hour, date) of one GPU."""
    sizes = (gpu.peak_flops / 1e12, gpu.memory_bytes / 1e9, gpu.bandwidth / 1e12, gpu.watts)
    return (gpu.name, *sizes, gpu.price_middle, gpu.as_of)


def edited_rows(base: Sequence[Row], edits: Mapping[str, Any]) -> tuple[Row, ...]:
    """``base`` after what a browser's editor says was done: ``edited_rows`` by place, ``deleted_rows``, ``added_rows``.

    A stranger's data: what is neither text nor number where it belongs is an empty cell.
    """
    edited, deleted = edits.get("edited_rows") or {}, set(edits.get("deleted_rows") or ())
    kept = [_edited(row, edited.get(place, {})) for place, row in enumerate(base) if place not in deleted]
    return (*kept, *(_edited(EMPTY, values) for values in edits.get("added_rows") or ()))


def _edited(row: Row, values: Mapping[str, Any]) -> Row:
    return tuple(_cell(name, values[name]) if name in values else cell for name, cell in zip(COLUMNS, row, strict=True))


def _cell(name: str, value: object) -> str | float | None:
    if name in (COLUMNS[0], COLUMNS[-1]):
        return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else None
    return float(value) if isinstance(value, int | float) and abs(value) < math.inf else None


def own_rows(rows: Sequence[Row]) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """The GPUs among ``rows`` that the built-in table does not have like this, and a sentence on what is not taken.

    Rows without any text or number are no matter.
    """
    gpus, problems = [], []
    for row in rows:
        try:
            gpu = _own(row) if any(cell is not None for cell in row) else None
        except BadInput as error:
            problems.append(str(error))
        else:
            gpus += [gpu] if gpu else []
    names = {_title(row[0]) for row in rows}
    missing = [name for name in gpu_table() if name not in names]
    if missing:
        problems.append(f"Built-in rows stay to be chosen: {', '.join(missing)}.")
    return tuple(gpus), tuple(problems)


def _own(row: Row) -> Gpu | None:
    """None for a built-in row as it is. Raises BadInput naming the row and column at fault."""
    name, *sizes, as_of = row
    table, title = gpu_table(), _title(name)
    if not title:
        raise BadInput("A row of the hardware table has no name; name the GPU.", "own_gpus")
    cells = [float(str(size)) if size is not None and size == size else 0.0 for size in sizes]
    if title in table and cells == [size or 0.0 for size in cells_of(table[title])[1:6]]:
        return None
    if title in table and table[title].price_middle is None and not cells[4]:
        raise BadInput(f"{title}: price per GPU-hour must be above 0.", "own_gpus")
    try:
        return make_gpu(title, cells, "" if as_of is None or as_of != as_of else str(as_of))
    except PlaygroundError as error:
        raise BadInput(f"{title}: {error}", "own_gpus") from None


def _title(name: object) -> str:
    return "" if name is None or name != name else str(name).strip()


def make_gpu(name: str, sizes: list[float], as_of: str) -> Gpu:
    """An edited row from (TFLOP/s, GB, TB/s, W, USD per hour). Raises BadInput naming the column at fault."""
    if any(sign in name + as_of for sign in "~;") or len(name) > 60 or len(as_of) > 20:
        raise BadInput("A GPU's name has at most 60 characters and its date 20, none of them ~ or ;.", "own_gpus")
    tflops, memory, bandwidth, watts, price = sizes
    return custom_gpu(name, tflops, memory, bandwidth, watts, price, as_of)


def write_gpus(gpus: Sequence[Gpu]) -> str:
    """Rows for a link: values parted by ~, rows by ;."""
    rows = (cells_of(gpu) for gpu in gpus)
    return ";".join("~".join((name, *(f"{size or 0:.10g}" for size in sizes), as_of)) for name, *sizes, as_of in rows)


def read_gpus(text: str) -> tuple[Gpu, ...]:
    """The rows of a link. Raises BadInput."""
    rows = [row.split("~") for row in text.split(";") if row]
    if len(rows) > MAX_OWN_GPUS:
        raise BadInput(f"own_gpus holds more than {MAX_OWN_GPUS} rows.", "own_gpus")
    gpus = []
    for row in rows:
        if len(row) != 7:
            raise BadInput("own_gpus must have seven values a GPU, parted by ~.", "own_gpus")
        name, *sizes, as_of = row
        gpus.append(make_gpu(name, [parse_number(size, "own_gpus") for size in sizes], as_of))
    return tuple(gpus)
