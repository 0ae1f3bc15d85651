"""In which order the samplers run: three engines' habits, and any permutation a person makes.

The order is part of the setting because it changes the result: z = [3, 2, 1] with T = 0.5 and top_p = 0.8 keeps one
token with temperature first and two with temperature last.
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.errors import BadSetting
from playground.sampling.registry import SAMPLERS

# As each engine documents or codes it; what an engine lacks is added by ``_complete``.
PUBLISHED: dict[str, tuple[str, ...]] = {
    "hf": (
        "logit_bias",
        "repetition_penalty",
        "no_repeat_ngram_size",
        "frequency_penalty",
        "presence_penalty",
        "dry",
        "temperature",
        "top_h",
        "top_k",
        "top_p",
        "min_p",
        "typical_p",
        "epsilon_cutoff",
        "eta_cutoff",
    ),
    "vllm": (
        "logit_bias",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "temperature",
        "min_p",
        "top_k",
        "top_p",
    ),
    "llama.cpp": (
        "logit_bias",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "dry",
        "top_n_sigma",
        "top_k",
        "typical_p",
        "top_p",
        "min_p",
        "xtc",
        "temperature",
        "dynatemp",
    ),
}

# Short names people use for a sampler in an order.
ALIASES = {
    "typical": "typical_p",
    "epsilon": "epsilon_cutoff",
    "eta": "eta_cutoff",
    "no_repeat_ngram": "no_repeat_ngram_size",
    "bias": "logit_bias",
}


def _complete(listed: Sequence[str]) -> tuple[str, ...]:
    """``listed`` with every sampler it lacks at the end of its group.

    Biases go first, penalties after the last penalty that precedes temperature, temperatures after the last
    temperature, and truncation last of all.
    """
    order = list(listed)
    for name, sampler in SAMPLERS.items():
        if name in order:
            continue
        if sampler.group == "bias":
            order.insert(0, name)
        elif sampler.group == "penalty":
            order.insert(_end_of_penalties(order), name)
        elif sampler.group == "temperature":
            order.insert(_end_of_temperature(order), name)
        else:
            order.append(name)
    return tuple(order)


def _end_of_penalties(order: Sequence[str]) -> int:
    groups = [SAMPLERS[name].group for name in order]
    first_temperature = groups.index("temperature") if "temperature" in groups else len(groups)
    before = [i for i in range(first_temperature) if groups[i] in ("bias", "penalty")]
    return before[-1] + 1 if before else 0


def _end_of_temperature(order: Sequence[str]) -> int:
    groups = [SAMPLERS[name].group for name in order]
    temperatures = [i for i, group in enumerate(groups) if group == "temperature"]
    if temperatures:
        return temperatures[-1] + 1
    return groups.index("truncation") if "truncation" in groups else len(groups)


ORDERS: dict[str, tuple[str, ...]] = {name: _complete(published) for name, published in PUBLISHED.items()}


def appended(order_name: str) -> tuple[str, ...]:
    """Which samplers the named engine does not have: ``ORDERS[order_name]`` runs them at the end of their group."""
    if order_name not in PUBLISHED:
        raise BadSetting(f"order: unknown order {order_name!r}; choose one of {', '.join(PUBLISHED)}.", "order")
    return tuple(name for name in ORDERS[order_name] if name not in PUBLISHED[order_name])


def order_name(order: Sequence[str]) -> str | None:
    """The name of the preset that ``order`` equals, or None for one of a person's own."""
    return next((name for name, preset in ORDERS.items() if preset == tuple(order)), None)


def resolve_order(spec: str | Sequence[str]) -> tuple[str, ...]:
    """A full order from "hf", "vllm", "llama.cpp", "a,b,c" or a sequence of sampler names.

    Samplers not mentioned are added at the end of their group. Raises BadSetting for an unknown or repeated name.
    """
    if isinstance(spec, str) and spec.strip().lower() in ORDERS:
        return ORDERS[spec.strip().lower()]
    parts: object = spec.split(",") if isinstance(spec, str) else spec
    if not isinstance(parts, (list, tuple)):
        raise BadSetting("order: give names of samplers separated by commas.", "order")
    names: list[str] = []
    for part in parts:
        if not isinstance(part, str):
            raise BadSetting("order: give names of samplers separated by commas.", "order")
        name = part.strip().lower().replace("-", "_")
        name = ALIASES.get(name, name)
        if name not in SAMPLERS:
            raise BadSetting(
                f"order: unknown sampler {part.strip()[:40]!r}; use {', '.join(ORDERS)} or names out of "
                f"{', '.join(SAMPLERS)}.",
                "order",
            )
        if name in names:
            raise BadSetting(f"order: {name} is there twice; name each sampler once.", "order")
        names.append(name)
    return _complete(names)
