"""The page "Serving": what bounds it, how speed and price move with batch, context and samples, API or own GPU."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.charts.scale_lines import lines_chart, lines_description
from playground.plan.answers import answer_serving, price_of
from playground.plan.scenarios import Scenarios
from playground.plan.serving_pictures import HEIGHTS, SWEEPS, roofline_data, roofline_sentence, sweep_data
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.api_section import api_section
from playground.ui.scale_page.machine_section import machine_section
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.source import model_controls
from playground.ui.scale_page.store import WIDGETS


def controls() -> None:
    """Model, machine, lengths, and how much of the machine's peak is reached."""
    model_controls()
    WIDGETS.choose("weights")
    with st.container(horizontal=True):
        store.choose_gpu()
        WIDGETS.text("price", placeholder=price_of(replace(store.setup(), price=None))[1])
    WIDGETS.steps("gpus")
    WIDGETS.steps("batch")
    WIDGETS.steps("prompt_tokens")
    WIDGETS.steps("new_tokens")
    WIDGETS.steps("samples")
    WIDGETS.slider("compute_efficiency", format="percent")
    WIDGETS.slider("bandwidth_efficiency", format="percent")


def roofline_section(scenarios: Scenarios) -> None:
    """Where reading the prompt and writing the answer stand under the machine's roof."""
    data, said = roofline_data(scenarios), roofline_sentence(scenarios.now)
    light_chart(lines_chart(data), key="scale_roofline_chart", alt=lines_description(data, "Roofline"), below=said)
    why_it_matters(
        "Below the slope the memory is the limit, below the flat part the arithmetic. One row writes at a tiny share of the "
        "peak, because all weights are read for a single token; a larger batch shares that reading. A roofline is a bound "
        "from below on time: real servers add launches, scheduling and talk between GPUs."
    )


def sweep_section(scenarios: Scenarios) -> None:
    """Speed or price against batch, prompt length or samples."""
    with st.container(horizontal=True):
        against = st.segmented_control("Against", list(SWEEPS), default="batch", key="scale_sweep", required=True)
        what = st.segmented_control(
            "Show",
            list(HEIGHTS),
            default="tokens per second",
            key="scale_sweep_of",
            required=True,
            format_func=HEIGHTS.__getitem__,
        )
    data = sweep_data(scenarios, str(against), str(what))
    light_chart(lines_chart(data), key="scale_sweep_chart", alt=lines_description(data, "Serving"))
    why_it_matters(
        {
            "batch": "More rows share one reading of the weights, until the cache or the arithmetic is the limit; each single "
            "answer becomes slower. Beyond the memory the curve goes dotted: it would not fit.",
            "context": "Each row reads its whole cache at every step, so long contexts slow all rows down.",
            "samples": "N answers share one reading of the prompt and the weights, so N samples cost less than N queries: "
            "what best-of-N or voting adds to the bill.",
        }[str(against)]
    )


EXPERIMENTS = {
    "batch": experiment(
        "One reader or a hundred",
        "What a batch is worth.",
        "A writes 128 answers at once and 77 times as many tokens a second: the weights are read once for all rows, each "
        "row's cache by itself.",
        "Batch and context",
        {"batch": 1},
        ({"batch": 128},),
    ),
    "experts": experiment(
        "Experts and batches",
        "A mixture of experts is fast only for few rows or very many.",
        "At 8 rows nearly all experts are read, so a step costs like the whole 47B model though it computes like 13B.",
        "Roofline",
        {"config": "Mixtral-8x7B", "gpus": 2, "batch": 8},
        ({"config": "Mixtral-8x7B", "gpus": 2, "batch": 1},),
    ),
    "samples": experiment(
        "Thinking in parallel",
        "64 answers a query do not cost 64 queries.",
        "A draws 64 samples from one reading of the prompt and of the weights: a query costs 2.1 times as much, not 64 times.",
        "Batch and context",
        {"batch": 1, "prompt_tokens": 2048},
        ({"batch": 1, "prompt_tokens": 2048, "samples": 64},),
    ),
}
PLAN = PlanPage(
    "scale_serving",
    "Serving",
    ":material/dns:",
    "Speed and price of answering: by roofline, by API, and as measured on this machine.",
    "How fast and at what price a model answers: bounds by roofline, against an API's price list, and measured here.",
    controls,
    answer_serving,
    {
        "Roofline": roofline_section,
        "Batch and context": sweep_section,
        "API or own GPU": api_section,
        "This machine": machine_section,
    },
    EXPERIMENTS,
    ("Memory of Mixtral 8x7B",),
)
