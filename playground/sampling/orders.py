"""In which order the samplers run: three engines' habits, and any permutation a person makes.

The order is part of the setting because it changes the result: z = [3, 2, 1] with T = 0.5 and top_p = 0.8 keeps one
token with temperature first and two with temperature last. The presets follow from the registry's rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.errors import BadSetting
from playground.sampling.registry import ORDERS, PUBLISHED, SAMPLERS, complete_order

__all__ = ["ORDERS", "PUBLISHED", "appended", "order_name", "resolve_order"]


def appended(order_name: str) -> tuple[str, ...]:
    """Which samplers the named engine does not have: ``ORDERS[order_name]`` runs them at the end of their group."""
    if order_name not in PUBLISHED:
        raise BadSetting(f"order: unknown order {order_name!r}; choose one of {', '.join(PUBLISHED)}.", "order")
    return tuple(name for name in ORDERS[order_name] if name not in PUBLISHED[order_name])


def order_name(order: Sequence[str]) -> str | None:
    """The name of the preset that ``order`` equals, or None for one of a person's own."""
    return next((name for name, preset in ORDERS.items() if preset == tuple(order)), None)


def resolve_order(spec: object) -> tuple[str, ...]:
    """A full order from "hf", "vllm", "llama.cpp", "a,b,c" or a sequence of sampler names.

    Samplers not mentioned are added at the end of their group. Raises BadSetting for an unknown or repeated name, or
    for what is neither a string nor a list or tuple of strings.
    """
    if isinstance(spec, str) and spec.strip().lower() in ORDERS:
        return ORDERS[spec.strip().lower()]
    parts = spec.split(",") if isinstance(spec, str) else spec
    if not isinstance(parts, (list, tuple)):
        raise BadSetting("order: give names of samplers separated by commas.", "order")
    names: list[str] = []
    for part in parts:
        if not isinstance(part, str):
            raise BadSetting("order: give names of samplers separated by commas.", "order")
        name = _full_name(part.strip().lower().replace("-", "_"))
        if name not in SAMPLERS:
            raise BadSetting(
                f"order: unknown sampler {part.strip()[:40]!r}; use {', '.join(ORDERS)} or names out of "
                f"{', '.join(SAMPLERS)}.",
                "order",
            )
        if name in names:
            raise BadSetting(f"order: {name} is there twice; name each sampler once.", "order")
        names.append(name)
    return complete_order(names)


def _full_name(alias: str) -> str:
    return next((sampler.name for sampler in SAMPLERS.values() if alias in sampler.aliases), alias)
