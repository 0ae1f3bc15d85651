"""Does it fit, how far could it go, and what would make it fit. Joins ``memory`` and ``hardware``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from playground.scaling.hardware import Gpu
from playground.scaling.memory import MemoryPlan, MemoryReport, measure_memory
from playground.scaling.quantity import check_number, format_bytes

USABLE = 0.9  # of a GPU's memory; the rest goes to the runtime, buffers and fragmentation
MAX_BATCH, MAX_CONTEXT = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a plan fits. Bytes are for one GPU. ``advice``: single changes, each of which makes it fit."""

    fits: bool
    needed_bytes: float
    available_bytes: float
    largest_batch: int
    largest_context: int
    advice: tuple[str, ...]
    report: MemoryReport


def check_fit(plan: MemoryPlan, gpu: Gpu, usable: float = USABLE) -> Fit:
    """Compare ``plan`` with ``plan.gpus`` of ``gpu``. ``largest_*`` are 0 when not even one sequence or token fits."""
    check_number(usable, "usable share of memory", maximum=1.0)
    available = gpu.memory_bytes * usable
    report = measure_memory(plan)

    def fits(candidate: MemoryPlan) -> bool:
        return measure_memory(candidate).per_gpu_bytes <= available

    return Fit(
        report.per_gpu_bytes <= available,
        report.per_gpu_bytes,
        available,
        _largest(lambda batch: fits(replace(plan, batch=batch)), MAX_BATCH),
        _largest(lambda context: fits(replace(plan, context=context)), MAX_CONTEXT),
        () if fits(plan) else _advise(plan, fits, available),
        report,
    )


def _largest(fits: Callable[[int], bool], limit: int) -> int:
    """The largest n in 0..limit that fits, given that less always fits when more does."""
    if not fits(1):
        return 0
    low, high = 1, limit + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _advise(plan: MemoryPlan, fits: Callable[[MemoryPlan], bool], available: float) -> tuple[str, ...]:
    options: list[tuple[str, MemoryPlan]] = []
    if plan.training is None:
        options += [(f"quantise the weights to {kind}", replace(plan, dtype=kind)) for kind in ("int8", "int4")]
    else:
        options += [(f"use ZeRO stage {stage}", replace(plan, zero=stage)) for stage in range(plan.zero + 1, 4)]
        options += [
            (f"recompute activations ({kind})", replace(plan, recompute=kind)) for kind in ("selective", "full")
        ]
        options.append(("use ZeRO stage 3 and recompute all activations", replace(plan, zero=3, recompute="full")))
    batch = _largest(lambda size: fits(replace(plan, batch=size)), plan.batch)
    context = _largest(lambda size: fits(replace(plan, context=size)), plan.context)
    if batch:
        options.append((f"lower the batch to {batch}", replace(plan, batch=batch)))
    if context:
        options.append((f"lower the context to {context:,} tokens", replace(plan, context=context)))
    count = next((2**power for power in range(1, 15) if fits(replace(plan, gpus=2**power))), None)
    if count and count > plan.gpus:
        options.append((f"use {count} GPUs", replace(plan, gpus=count)))
    working = tuple(text for text, candidate in options if fits(candidate))
    return working or (f"no single change is enough: choose a smaller model, one GPU has {format_bytes(available)}",)
