"""The page "Serving": what bounds it, how speed and price move with batch, context and samples, API or own GPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart, lines_description
from playground.errors import BadInput, PlaygroundError
from playground.plan.answers import answer_serving, price_of, serving_of, serving_plan, spec_of
from playground.scaling.figures import Figure
from playground.scaling.inference import Serving, ServingPlan, sweep_batch, sweep_context, sweep_samples
from playground.scaling.specs import MixtureOfExperts
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.api_section import api_section
from playground.ui.scale_page.machine_section import machine_section
from playground.ui.scale_page.model_page import gpu_choices, scenarios
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.source import model_controls
from playground.ui.scale_page.store import WIDGETS

POWERS = tuple(2**power for power in range(13))
SHORT = {"tokens per second": "tokens/s", "seconds per query": "s per query"}  # all three fit on a phone
SWEEPS = {"batch": sweep_batch, "context": sweep_context, "samples": sweep_samples}


def controls() -> None:
    """Model, machine, lengths, and how much of the machine's peak is reached."""
    model_controls()
    WIDGETS.choose("weights")
    with st.container(horizontal=True):
        WIDGETS.choose("gpu", choices=gpu_choices())
        WIDGETS.text("price", placeholder=price_of(replace(store.setup(), price=None))[1])
    WIDGETS.steps("gpus")
    WIDGETS.steps("batch")
    WIDGETS.steps("prompt_tokens")
    WIDGETS.steps("new_tokens")
    WIDGETS.steps("samples")
    WIDGETS.slider("compute_efficiency", format="percent")
    WIDGETS.slider("bandwidth_efficiency", format="percent")


def roofline_section() -> None:
    """Where reading the prompt and writing the answer stand under the machine's roof."""
    found = serving_of(store.setup())
    data = roofline_data(found)
    said = f"Reading the prompt is bound by {found.prefill_bound}, writing by {found.bound}."
    experts = [block.feed_forward for block in spec_of(store.setup()).blocks]
    routed = [part for part in experts if isinstance(part, MixtureOfExperts)]
    if routed:
        rows = found.plan.rows
        touched = routed[0].experts * (1 - (1 - routed[0].top_k / routed[0].experts) ** rows)
        said += f" A step of {rows} rows reads {touched:.1f} of {routed[0].experts} experts in each layer."
    light_chart(lines_chart(data), key="scale_roofline_chart", alt=lines_description(data, "Roofline"), below=said)
    why_it_matters(
        "Below the slope the memory is the limit, below the flat part the arithmetic. One row writes at a tiny share of the "
        "peak, because all weights are read for a single token; a larger batch shares that reading. A roofline is a bound "
        "from below on time: real servers add launches, scheduling and talk between GPUs."
    )


def _work(shown: Figure) -> tuple[float, float]:
    """(FLOPs, bytes) of a prefill or decode step, from the symbols of its figure."""
    known = {symbol.name: symbol.value for symbol in shown.symbols}
    tokens = known.get("tokens", known.get("rows", 0.0))
    return 2 * known["N"] * tokens + known["attention"], known["weights"] + known.get("cache", 0.0)


def roofline_data(found: Serving) -> LinesData:
    """Attainable FLOP/s against FLOPs per byte; the two phases as marks on the roof."""
    ridge = found.plan.peak / found.plan.bandwidth
    intensity = np.geomspace(0.5, max(ridge * 30, 1e4), 60)
    series, marks = list[Series](), list[Mark]()
    for letter, each in ((NOW, found), *store.each_pin(serving_of)):
        plan, by_name = each.plan, {shown.name: shown for shown in each.figures}
        roof = np.minimum(intensity * plan.bandwidth, plan.peak)
        series.append(Series(store.lettered("roof", letter), intensity, roof, letter))
        for label, name in (("prompt", "Prefill"), ("one decode step", "One decode step")):
            flops, traffic = _work(by_name[name])
            at = min(max(flops / traffic, 0.5), float(intensity[-1]))
            height = min(at * plan.bandwidth, plan.peak)
            marks.append(Mark(store.lettered(label, letter), at, height, strong=True))
    return LinesData(
        Axis("arithmetic intensity in FLOPs per byte"),
        Axis("FLOP/s"),
        tuple(series),
        tuple(marks),
        (),
        ((f"ridge at {ridge:,.0f}", ridge),),
    )


def sweep_section() -> None:
    """Speed or price against batch, prompt length or samples."""
    with st.container(horizontal=True):
        against = st.segmented_control("Against", list(SWEEPS), default="batch", key="scale_sweep", required=True)
        what = st.segmented_control(
            "Show",
            ["tokens per second", "USD per 1M tokens", "seconds per query"],
            default="tokens per second",
            key="scale_sweep_of",
            required=True,
            format_func=lambda what: SHORT.get(what, what),
        )
    data = sweep_data(str(against), str(what))
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


def sweep_data(against: str, what: str) -> LinesData:
    """One curve a scenario, broken off where the memory ends."""
    values = tuple(64 * x for x in POWERS) if against == "context" else POWERS
    series, cuts = [], []
    for letter, setup in scenarios():
        try:
            plan = serving_plan(setup)
            found = SWEEPS[against](plan, values)
        except PlaygroundError:
            continue
        heights = np.array([_height(each, what) for each in found])
        inside = np.array([each.fits for each in found])
        name = "Now" if letter == NOW else letter
        series.append(Series(name, np.array(values, dtype=float), np.where(inside, heights, np.nan), letter))
        if not inside.all():
            beyond = heights.copy()
            beyond[: max(int(inside.sum()) - 1, 0)] = np.nan
            series.append(Series(f"{name}, too large", np.array(values, dtype=float), beyond))
        if letter == NOW:
            cuts.append(("now", float(_position(plan, against))))
    if not any(np.isfinite(each.y).any() for each in series):
        raise BadInput("This GPU has no price in the table; type one on the left to see costs.", "price")
    titles = {"batch": "queries at once", "context": "prompt tokens", "samples": "samples a query"}
    return LinesData(Axis(titles[against]), Axis(what), tuple(series), (), (), tuple(cuts))


def _height(found: Serving, what: str) -> float:
    if what == "tokens per second":
        return found.tokens_per_s
    if what == "seconds per query":
        return found.prefill_s + found.plan.new_tokens * found.decode_s_per_token
    return float("nan") if found.cost_per_million_tokens is None else found.cost_per_million_tokens


def _position(plan: ServingPlan, against: str) -> int:
    return {"batch": plan.batch, "context": plan.prompt_tokens, "samples": plan.samples}[against]


EXPERIMENTS = {
    "batch": experiment(
        "One reader or a hundred",
        "What a batch is worth.",
        "From 1 to 128 rows the speed grows nearly as fast as the batch: the weights are read once for all rows.",
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
        "A draws 64 samples from one reading of the prompt: compare the cost of one query in the table.",
        "Batch and context",
        {"batch": 4, "prompt_tokens": 2048},
        ({"batch": 4, "prompt_tokens": 2048, "samples": 64},),
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
