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

    def needed(candidate: MemoryPlan) -> float:
        return measure_memory(candidate).per_gpu_bytes

    return Fit(
        report.per_gpu_bytes <= available,
        report.per_gpu_bytes,
        available,
        _largest(lambda batch: needed(replace(plan, batch=batch)), available, MAX_BATCH),
        _largest(lambda context: needed(replace(plan, context=context)), available, MAX_CONTEXT),
        () if report.per_gpu_bytes <= available else _advise(plan, needed, available),
        report,
    )


def _largest(needed: Callable[[int], float], available: float, limit: int) -> int:
    """The largest n in 0..limit whose need is at most ``available``, given that the need never falls as n grows.

    The need is nearly a straight line, so the place is read off the line between two known points; every third look
    halves the range, so that a bent one takes no more than three times the looks of plain bisection.
    """
    low, high = 1, limit
    below, above = needed(low), needed(high)
    if below > available:
        return 0
    if above <= available:
        return limit
    look = 0
    while high - low > 1:
        look += 1
        share = 0.5 if look % 3 == 0 else (available - below) / (above - below)
        middle = min(max(low + int(share * (high - low)), low + 1), high - 1)
        size = needed(middle)
        if size <= available:
            low, below = middle, size
        else:
            high, above = middle, size
    return low


def _advise(plan: MemoryPlan, needed: Callable[[MemoryPlan], float], available: float) -> tuple[str, ...]:
    def fits(candidate: MemoryPlan) -> bool:
        return needed(candidate) <= available

    options: list[tuple[str, MemoryPlan]] = []
    if plan.training is None:
        options += [(f"quantise the weights to {kind}", replace(plan, dtype=kind)) for kind in ("int8", "int4")]
    else:
        options += [(f"use ZeRO stage {stage}", replace(plan, zero=stage)) for stage in range(plan.zero + 1, 4)]
        options += [
            (f"recompute activations ({kind})", replace(plan, recompute=kind)) for kind in ("selective", "full")
        ]
        options.append(("use ZeRO stage 3 and recompute all activations", replace(plan, zero=3, recompute="full")))
    batch = _largest(lambda size: needed(replace(plan, batch=size)), available, plan.batch)
    context = _largest(lambda size: needed(replace(plan, context=size)), available, plan.context)
    if batch:
        options.append((f"lower the batch to {batch}", replace(plan, batch=batch)))
    if context:
        options.append((f"lower the context to {context:,} tokens", replace(plan, context=context)))
    count = next((2**power for power in range(1, 15) if fits(replace(plan, gpus=2**power))), None)
    if count and count > plan.gpus:
        options.append((f"use {count} GPUs", replace(plan, gpus=count)))
    working = tuple(text for text, candidate in options if fits(candidate))
    return working or (f"no single change is enough: choose a smaller model, one GPU has {format_bytes(available)}",)
