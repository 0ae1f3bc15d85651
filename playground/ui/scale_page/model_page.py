"""The page "Model and memory": what a model holds, whether it fits, and how memory grows with the context."""

from __future__ import annotations

import streamlit as st

from playground.charts.scale_bars import stacked_chart, stacked_description
from playground.charts.scale_lines import lines_chart, lines_description
from playground.plan.answers import answer_memory, fit_of
from playground.plan.model_pictures import context_data, memory_curves, memory_data, own_crossings
from playground.plan.scenarios import Scenarios
from playground.scaling.quantity import format_bytes, format_count
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.parameters_section import parameters_section
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.source import model_controls
from playground.ui.scale_page.store import WIDGETS


def controls() -> None:
    """Model, purpose, number format, lengths, GPUs; the training options only where they matter."""
    model_controls()
    WIDGETS.segmented("purpose")
    WIDGETS.choose("weights")
    WIDGETS.steps("context")
    WIDGETS.steps("batch")
    store.choose_gpu()
    WIDGETS.steps("gpus")
    if store.setup().purpose == "training":
        WIDGETS.choose("optimizer")
        WIDGETS.segmented("zero")
        WIDGETS.segmented("recompute")


def memory_section(scenarios: Scenarios) -> None:
    """Stacked bars against the GPU's memory, and what to change if it does not fit."""
    data = memory_data(scenarios)
    light_chart(stacked_chart(data), key="scale_memory_chart", alt=stacked_description(data))
    fit = fit_of(scenarios.now)
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


def context_section(scenarios: Scenarios) -> None:
    """Memory against context for the architectures that differ in it, with the points where they cross."""
    with_weights = st.toggle("Count the weights too", key="scale_with_weights")
    data = context_data(scenarios, with_weights)
    light_chart(lines_chart(data), key="scale_context_chart", alt=lines_description(data, "Memory"))
    for one in own_crossings(memory_curves(scenarios.now), with_weights)[:4]:
        st.markdown(
            f"- Beyond **{format_count(one.context)} tokens** {escape_markdown(one.grower)} needs "
            f"more than {escape_markdown(one.other)} "
            f"({one.gigabytes:.2f} GB each there)."
        )
    why_it_matters(
        "A cache grows with every token; a recurrent state does not. A window stops the growth of most layers, a latent "
        "makes it slow. The models differ in size: this compares what they hold, not how well they answer."
    )


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
        "Training takes eight times as much",
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
