"""The page "Model and memory": what a model holds, whether it fits, and how memory grows with the context."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from playground.charts.scale_bars import StackedData, stacked_chart, stacked_description
from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart, lines_description
from playground.errors import PlaygroundError
from playground.plan.answers import answer_memory, fit_of, spec_of
from playground.plan.setup import ScaleSetup, gpu_of
from playground.scaling.configs import load_preset
from playground.scaling.curves import MemoryCurve, find_crossings, memory_curve
from playground.scaling.hardware import gpu_table
from playground.scaling.quantity import format_bytes, format_count
from playground.scaling.specs import ArchitectureSpec
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.parameters_section import parameters_section
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.source import model_controls
from playground.ui.scale_page.store import WIDGETS

PARTS = ("weights", "key-value cache", "recurrent state", "gradients", "optimizer", "activations")
COMPARED = ("Llama-2-7B", "Llama-3-8B", "Gemma-3-12B", "DeepSeek-V3", "Jamba-v0.1", "Mamba-2.8B")
KINDS = {
    "Llama-2-7B": "all heads cached",
    "Llama-3-8B": "grouped queries",
    "Gemma-3-12B": "sliding window",
    "DeepSeek-V3": "latent (MLA)",
    "Jamba-v0.1": "hybrid",
    "Mamba-2.8B": "state space",
}


def gpu_choices() -> dict[str, str]:
    """The table's GPUs and those the reader added."""
    return {name: name for name in (*gpu_table(), *(gpu.name for gpu in store.setup().own_gpus))}


def controls() -> None:
    """Model, purpose, number format, lengths, GPUs; the training options only where they matter."""
    model_controls()
    WIDGETS.segmented("purpose")
    WIDGETS.choose("weights")
    WIDGETS.steps("context")
    WIDGETS.steps("batch")
    WIDGETS.choose("gpu", choices=gpu_choices())
    WIDGETS.steps("gpus")
    if store.setup().purpose == "training":
        WIDGETS.choose("optimizer")
        WIDGETS.segmented("zero")
        WIDGETS.segmented("recompute")


def scenarios() -> Iterator[tuple[str, ScaleSetup]]:
    """The present setup under "now", then the pinned ones that can be computed."""
    yield NOW, store.setup()
    yield from store.pins().items()


def memory_section() -> None:
    """Stacked bars against the GPU's memory, and what to change if it does not fit."""
    bars, limits = [], {}
    for letter, setup in scenarios():
        try:
            fit, gpu = fit_of(setup), gpu_of(setup)
        except PlaygroundError:
            continue
        share = setup.gpus if setup.purpose == "serving" else 1
        parts = tuple((name, size / share / 1e9) for name, size in fit.report.parts)
        bars.append((("Now" if letter == NOW else letter), parts))
        limits[f"{gpu.name}, {fit.available_bytes / 1e9:.0f} GB usable"] = fit.available_bytes / 1e9
    data = StackedData(tuple(bars), PARTS, "GB on one GPU", tuple(limits.items()))
    light_chart(stacked_chart(data), key="scale_memory_chart", alt=stacked_description(data))
    fit = fit_of(store.setup())
    if fit.fits:
        left = fit.available_bytes - fit.needed_bytes
        why_it_matters(
            f"It fits, with {format_bytes(left)} to spare on each GPU. Weights are paid once, the cache for every token of "
            "every sequence. Not counted: the runtime's own buffers, for which a tenth of the memory is left free."
        )
    else:
        over = fit.needed_bytes - fit.available_bytes
        advice = "; or ".join(fit.advice)
        st.warning(
            escape_markdown(f"It does not fit: {format_bytes(over)} too much on each GPU. To make it fit, {advice}.")
        )


def context_section() -> None:
    """Memory against context for the architectures that differ in it, with the points where they cross."""
    setup = store.setup()
    with_weights = st.toggle("Count the weights too", key="scale_with_weights")
    curves = [_curve(spec_of(setup), setup.batch, setup.weights)]
    curves += [_curve(load_preset(name).spec, setup.batch, setup.weights) for name in COMPARED if name != setup.config]
    pinned = dict(store.each_pin(lambda each: _curve(spec_of(each), each.batch, each.weights)))
    data = context_data(curves, with_weights, pinned)
    light_chart(lines_chart(data), key="scale_context_chart", alt=lines_description(data, "Memory"))
    own = spec_of(setup).name
    crossings = [one for one in find_crossings(curves, weights=with_weights) if own in (one.grower, one.other)]
    for one in crossings[:4]:
        st.markdown(
            f"- Beyond **{format_count(one.context)} tokens** {escape_markdown(one.grower)} needs "
            f"more than {escape_markdown(one.other)} "
            f"({one.gigabytes:.2f} GB each there)."
        )
    why_it_matters(
        "A cache grows with every token; a recurrent state does not. A window stops the growth of most layers, a latent "
        "makes it slow. The models differ in size: this compares what they hold, not how well they answer."
    )


@lru_cache(maxsize=64)
def _curve(spec: ArchitectureSpec, batch: int, dtype: str) -> MemoryCurve:
    return memory_curve(spec, np.geomspace(256, 2**20, 49), batch, dtype)


def context_data(curves: list[MemoryCurve], with_weights: bool, pinned: dict[str, MemoryCurve]) -> LinesData:
    """The first curve is the reader's model. Crossings with it are marked. ``pinned``: by letter."""

    def size_of(curve: MemoryCurve) -> np.ndarray[Any, Any]:
        size: np.ndarray[Any, Any] = (curve.total_bytes if with_weights else curve.cache_bytes) / 1e9
        return size

    series = [
        Series(store.lettered(curve.name, letter), curve.contexts, size_of(curve), letter)
        for letter, curve in pinned.items()
    ]
    for index, curve in enumerate(curves):
        kind = KINDS.get(curve.name, "")
        name = curve.name + (f", {kind}" if kind else "")
        series.append(Series(name, curve.contexts, size_of(curve), NOW if index == 0 else ""))
    marks = [
        Mark("", one.context, one.gigabytes)
        for one in find_crossings(curves, weights=with_weights)
        if curves[0].name in (one.grower, one.other)
    ]
    return LinesData(Axis("context in tokens"), Axis("memory in GB"), tuple(series), tuple(marks))


EXPERIMENTS = {
    "gqa": experiment(
        "Four times the cache",
        "Llama 2 caches every head, Llama 3 one in four.",
        "Both have 32 layers and nearly the same weights; A, with grouped queries, needs a quarter of the cache.",
        "Memory",
        {"config": "Llama-2-7B", "context": 32768, "batch": 8, "gpu": "H200"},
        ({"config": "Llama-3-8B", "context": 32768, "batch": 8, "gpu": "H200"},),
    ),
    "experts": experiment(
        "All experts stay in memory",
        "Mixtral computes like 13B and is stored like 47B.",
        "A token passes through 12.9B parameters, but any token may ask for any expert: 93 GB must be resident.",
        "Parameters",
        {"config": "Mixtral-8x7B", "context": 4096, "batch": 1, "gpus": 2},
    ),
    "training": experiment(
        "Training eats eight times as much",
        "Adam keeps 16 bytes a parameter where serving keeps 2.",
        "Without sharding an 8B model does not fit eight H100; A shards everything over them and recomputes activations.",
        "Memory",
        {"purpose": "training", "gpus": 8, "batch": 1, "context": 4096},
        ({"purpose": "training", "gpus": 8, "batch": 1, "context": 4096, "zero": 3, "recompute": "full"},),
    ),
}

PLAN = PlanPage(
    "scale_model",
    "Model and memory",
    ":material/memory:",
    "Parameters and memory of any model: what fits, and what to change if it does not.",
    "What a model is made of, how much memory it takes to serve or to train, and what to change if that does not fit.",
    controls,
    answer_memory,
    {"Memory": memory_section, "Parameters": parameters_section, "Against context": context_section},
    EXPERIMENTS,
    ("Memory of a 7B model", "Memory of Mixtral 8x7B"),
)
