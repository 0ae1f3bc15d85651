"""Rows of the hardware table that a reader edited: checked, and written into a link. Knows no streamlit."""

from __future__ import annotations

from collections.abc import Sequence

from playground.errors import BadInput, PlaygroundError
from playground.scaling.hardware import Gpu, custom_gpu, gpu_table
from playground.scaling.quantity import parse_number

MAX_OWN_GPUS = 20
Cells = tuple[str, float, float, float, float, float | None, str]


def cells_of(gpu: Gpu) -> Cells:
    """(name, TFLOP/s, GB, TB/s, W, USD per hour, date) of one GPU."""
    sizes = (gpu.peak_flops / 1e12, gpu.memory_bytes / 1e9, gpu.bandwidth / 1e12, gpu.watts)
    return (gpu.name, *sizes, gpu.price_middle, gpu.as_of)


def changed_rows(rows: Sequence[tuple[object, ...]]) -> tuple[Gpu, ...]:
    """The GPUs among ``rows`` (cells as ``cells_of`` gives them) that the built-in table does not have like this.

    Raises BadInput naming the row and column at fault.
    """
    table = gpu_table()
    gpus = []
    for name, *sizes, as_of in rows:
        title = "" if name is None or name != name else str(name).strip()
        if not title:
            raise BadInput("A row of the hardware table has no name; name the GPU.", "own_gpus")
        cells = [float(str(size)) if size is not None and size == size else 0.0 for size in sizes]
        if title in table and (title, *cells) == cells_of(table[title])[:6]:
            continue
        if title in table and table[title].price_middle is None and not cells[4]:
            raise BadInput(f"{title}: price per GPU-hour must be above 0.", "own_gpus")
        try:
            gpus.append(make_gpu(title, cells, "" if as_of is None or as_of != as_of else str(as_of)))
        except PlaygroundError as error:
            raise BadInput(f"{title}: {error}", "own_gpus") from None
    return tuple(gpus)


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
