"""GPUs: dense bf16 peak, memory, bandwidth, power and dated price ranges, from ``data/hardware.json``.

Peaks are dense: the sparse ones in some data sheets are twice as high and no training run reaches for them. Prices
are ranges with a date, shown as such; a caller's own price always wins. Knows nothing of models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground.errors import BadInput
from playground.scaling.quantity import check_number

DATA = Path(__file__).parent / "data" / "hardware.json"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One accelerator. Units: FLOP/s (dense bf16), bytes (10^9 per GB), bytes/s, watts, USD per GPU-hour."""

    name: str
    peak_flops: float
    memory_bytes: float
    bandwidth: float
    watts: float
    price_low: float | None
    price_high: float | None
    as_of: str
    source: str

    @property
    def price_middle(self) -> float | None:
        """The middle of the range seen, or None where no price was seen."""
        return None if self.price_low is None or self.price_high is None else (self.price_low + self.price_high) / 2


@lru_cache(maxsize=1)
def gpu_table() -> dict[str, Gpu]:
    """All GPUs by name, in the table's order."""
    raw = json.loads(DATA.read_text(encoding="utf-8"))
    return {
        row["name"]: Gpu(
            row["name"],
            row["dense_bf16_tflops"] * 1e12,
            row["memory_gb"] * 1e9,
            row["bandwidth_tbps"] * 1e12,
            row["watts"],
            row["price_low_usd"],
            row["price_high_usd"],
            raw["as_of"],
            raw["source"],
        )
        for row in raw["gpus"]
    }


def find_gpu(name: str, field: str = "gpu") -> Gpu:
    """The GPU whose name begins with ``name``, in any case. Raises BadInput when none or several do."""
    wanted = " ".join(name.lower().split())
    table = gpu_table()
    exact = [gpu for key, gpu in table.items() if key.lower() == wanted]
    matches = exact or [gpu for key, gpu in table.items() if wanted and key.lower().startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise BadInput(f"{field} {name!r} could be {', '.join(gpu.name for gpu in matches)}; write more of it.", field)
    raise BadInput(f"{field} {name[:40]!r} is not in the table; it has {', '.join(table)}.", field)


def custom_gpu(
    name: str, tflops: float, memory_gb: float, bandwidth_tbps: float, watts: float, price: float, as_of: str
) -> Gpu:
    """A row the user edited. Raises BadInput naming the column at fault."""

    def size(value: float, column: str) -> float:
        return check_number(value, column, minimum=1e-6, maximum=1e9, above_minimum=False)

    return Gpu(
        name.strip() or "my GPU",
        size(tflops, "TFLOP/s") * 1e12,
        size(memory_gb, "memory in GB") * 1e9,
        size(bandwidth_tbps, "bandwidth in TB/s") * 1e12,
        size(watts, "watts"),
        check_number(price, "price per GPU-hour", maximum=1e6),
        price,
        as_of,
        "entered by hand",
    )
