"""The link that brings somebody else to the same numbers: which fields each Plan page's link carries, and its reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from playground.plan.packing import MAX_PACKED
from playground.plan.setup import CUSTOM, ScaleSetup
from playground.scaling.hardware import gpu_table
from playground.state.link_fields import Reading, link_of, read_link

MODEL_FIELDS = ("config", "own_config", "basis")
PAGE_FIELDS: dict[str, tuple[str, ...]] = {
    "scale_model": (
        *MODEL_FIELDS,
        *("weights", "purpose", "context", "batch", "gpu", "gpus", "optimizer", "zero", "recompute", "own_gpus"),
    ),
    "scale_training": (
        *MODEL_FIELDS,
        *("params", "dataset", "epochs", "gpu", "cluster", "mfu", "price", "pue", "grid", "attention", "own_gpus"),
    ),
    "scale_laws": ("basis", "law", "size", "tokens", "budget", "before", "after", "demand", "gpu", "price", "own_gpus"),
    "scale_serving": (
        *MODEL_FIELDS,
        *("weights", "gpu", "gpus", "batch", "prompt_tokens", "new_tokens", "samples", "compute_efficiency"),
        *("bandwidth_efficiency", "price", "api", "reasoning", "cached", "usable", "prices", "own_gpus"),
    ),
    "scale_data": ("basis", "language", "speakers", "web_share", "dataset", "epochs", "law", "before", "after"),
}


def plan_link(setup: ScaleSetup, page: str) -> dict[str, str]:
    """Query fields that reproduce ``page``: the model always, the rest where it differs from its default."""
    return {name: text for name, text in _query(setup, page).items() if len(text) <= MAX_PACKED}


def left_out(setup: ScaleSetup, page: str) -> tuple[str, ...]:
    """The fields that are too long for the page's link, by their names there."""
    return tuple(name for name, text in _query(setup, page).items() if len(text) > MAX_PACKED)


def _query(setup: ScaleSetup, page: str) -> dict[str, str]:
    used = setup if setup.config == CUSTOM else replace(setup, own_config=None)
    return link_of(used, PAGE_FIELDS[page])


def read_plan_link(query: Mapping[str, str], page: str, base: ScaleSetup | None = None) -> Reading[ScaleSetup]:
    """The setup of a link. Never raises: each bad value gives a sentence and keeps what ``base`` has."""
    start = base or ScaleSetup()
    if "own_gpus" in query and start.gpu not in gpu_table():  # a row that the link's rows take the place of
        start = replace(start, gpu=ScaleSetup().gpu)
    reading = read_link(ScaleSetup, query, start, only=PAGE_FIELDS[page])
    setup, problems = reading.state, list(reading.problems)
    if setup.config == CUSTOM and setup.own_config is None:
        problems.append("The link's own config.json is not in it; paste it again.")
        setup = replace(setup, config=start.config)
    return Reading(setup, tuple(problems))
