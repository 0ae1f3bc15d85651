"""All samplers, as one visible dict, and the tables that follow from it: parameters, orders, panels of controls.

A new sampler is a pure function, a row in its family's module and a parametrised test. This module applies nothing
(``chain.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

from playground.sampling.adaptive_rows import ADAPTIVE
from playground.sampling.penalty_rows import LOGIT_BIAS, PENALTIES
from playground.sampling.sampler import Group, Parameter, Sampler
from playground.sampling.temperature_rows import TEMPERATURES
from playground.sampling.truncation_rows import TRUNCATIONS

__all__ = ["ORDERS", "PANELS", "PARAMETERS", "PUBLISHED", "SAMPLERS", "Group", "Parameter", "Sampler"]

SAMPLERS: dict[str, Sampler] = {
    row.name: row for row in (LOGIT_BIAS, *PENALTIES, *TEMPERATURES, *TRUNCATIONS, *ADAPTIVE)
}

# Each follows from SAMPLERS alone; ``derive_tables`` fills them.
PARAMETERS: dict[str, Parameter] = {}
PANELS: dict[str, tuple[str, ...]] = {"Main": (), "Penalties": (), "Truncation": (), "Adaptive": ()}
PUBLISHED: dict[str, tuple[str, ...]] = {"hf": (), "vllm": (), "llama.cpp": ()}  # as each engine documents or codes it
ORDERS: dict[str, tuple[str, ...]] = {}  # the same with what an engine lacks at the end of its group


def derive_tables() -> None:
    """Fill the tables from ``SAMPLERS``: once here, and again by whoever adds a row at run time."""
    rows = tuple(SAMPLERS.values())
    PARAMETERS.clear()
    PARAMETERS.update({parameter.name: parameter for row in rows for parameter in row.parameters})
    for panel in PANELS:
        PANELS[panel] = tuple(each.name for row in rows if row.panel == panel for each in row.parameters)
    for order in PUBLISHED:
        placed = [row for row in rows if order in row.places]
        PUBLISHED[order] = tuple(row.name for row in sorted(placed, key=lambda row: row.places[order]))
        ORDERS[order] = complete_order(PUBLISHED[order])


def complete_order(listed: Sequence[str]) -> tuple[str, ...]:
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


derive_tables()
