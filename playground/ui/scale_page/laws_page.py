"""The page "Scaling laws": the loss surface, budgets, all constant sets at once, over-training, returns, lifetime."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart, lines_description
from playground.charts.scale_surface import LABELLED, SurfaceData, surface_description, surface_figure
from playground.errors import BadInput
from playground.plan.answers import price_of
from playground.plan.law_answers import answer_laws, answer_lifetime, law_of, lifetime_of
from playground.plan.setup import ScaleSetup
from playground.scaling.curves import (
    LossSurface,
    OptimumCurve,
    data_for_drop,
    iso_flop_curve,
    loss_surface,
    optimum_curves,
    over_training_curve,
)
from playground.scaling.laws import LAWS, PUBLISHED_MODELS, optimal_for_flops, optimal_for_params
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.quantity import format_count
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.scale_page.model_page import gpu_choices, scenarios
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.store import WIDGETS

BUDGETS = (1e20, 1e22, 1e24, 1e26)
LAW_WORDS = {
    "rule-20": "The rule of thumb: 20 tokens for each parameter.",
    "hoffmann-printed": "Chinchilla's fit (Hoffmann et al. 2022, approach 3) with its constants as printed, rounded.",
    "hoffmann-tex": "Chinchilla's fit (Hoffmann et al. 2022, approach 3) with more digits than were printed.",
    "sardana": "Chinchilla's fit as Sardana et al. 2024 use it to count inference in.",
    "besiroglu": "Besiroglu et al. 2024: Chinchilla's own runs fitted again.",
}


def controls() -> None:
    """The law, a model to rate, a budget; below, what the returns and the lifetime take."""
    WIDGETS.choose("law")
    law = LAWS[store.setup().law]
    st.caption(escape_markdown(f"{LAW_WORDS[law.name]} Source: {law.source}."))
    with st.container(horizontal=True):
        WIDGETS.text("size")
        WIDGETS.text("tokens")
    WIDGETS.text("budget")
    st.caption("For the tab Returns")
    WIDGETS.slider("before")
    WIDGETS.slider("after")
    st.caption("For the tab Lifetime")
    WIDGETS.text("demand")
    with st.container(horizontal=True):
        WIDGETS.choose("gpu", choices=gpu_choices())
        WIDGETS.text("price")


def surface_section() -> None:
    """Loss over N and D with the reader's model, the optimum and published models."""
    data = surface_data()
    st.plotly_chart(surface_figure(data), key="scale_surface_chart", alt=surface_description(data))
    why_it_matters(
        "Darker is a lower loss. White dots are published models; the diamonds are your N and D, and the optimum for your "
        "compute C. Dotted lines are equal compute (1e20, 1e22, 1e24 and 1e26 FLOPs from left to right), the violet line is "
        "the best on each. Models above it are over-trained: smaller and cheaper to serve than the compute-optimal one. The "
        "law was fitted below 16B parameters; the rest is extrapolation, and data and recipes differ between these models."
    )


def surface_data() -> SurfaceData:
    setup = store.setup()
    law = law_of(setup, setup.basis)
    surface = _surface(law.name)
    best = [optimal_for_flops(law, float(budget)) for budget in np.geomspace(1e17, 1e28, 12)]
    here = optimal_for_flops(law, setup.budget)
    return SurfaceData(
        surface.params,
        surface.tokens,
        surface.loss,
        np.array([(each.params, each.tokens) for each in best]),
        BUDGETS,
        tuple((model.name, model.params, model.tokens) for model in PUBLISHED_MODELS),
        (setup.size, setup.tokens),
        (here.params, here.tokens),
        tuple((letter, each.size, each.tokens) for letter, each in store.pins().items()),
    )


@lru_cache(maxsize=8)
def _surface(law: str) -> LossSurface:
    return loss_surface(LAWS[law], (1e8, 1e12), (1e9, 1e14), 48)


def iso_flop_section() -> None:
    """Loss against size at the reader's budget and a tenth and ten times of it."""
    setup = store.setup()
    law = law_of(setup, setup.basis)
    series, marks = [], []
    for letter, each in scenarios():
        curve = iso_flop_curve(law, each.budget)
        label = f"{format_count(each.budget)} FLOPs" + ("" if letter == NOW else f", {letter}")
        series.append(Series(label, curve.params, curve.loss, letter))
        best = optimal_for_flops(law, each.budget)
        marks.append(Mark(f"best: {format_count(best.params)}", best.params, best.loss, strong=True))
    for times in (0.1, 10.0):
        curve = iso_flop_curve(law, setup.budget * times)
        series.append(Series(f"{format_count(setup.budget * times)} FLOPs", curve.params, curve.loss))
    data = LinesData(Axis("parameters"), Axis("loss in nats", log=False), tuple(series), tuple(marks))
    light_chart(lines_chart(data), key="scale_iso_chart", alt=lines_description(data, "Loss at equal compute"))
    why_it_matters(
        "Too small a model cannot use the data, too large a one sees too little of it. The valley is flat: a model of half "
        "the best size loses little and is twice as cheap to serve."
    )


@lru_cache(maxsize=1)
def _optima() -> tuple[OptimumCurve, ...]:
    return optimum_curves(1e18, 1e27, 28)


def laws_section() -> None:
    """Tokens per parameter by every constant set: their spread is how little is known."""
    setup = store.setup()
    chosen = law_of(setup, setup.basis).name
    series = [
        Series(curve.law, curve.flops, curve.tokens / curve.params, NOW if curve.law == chosen else "")
        for curve in _optima()
    ]
    marks = [
        Mark(m.name if m.name in LABELLED else "", 6 * m.params * m.tokens, m.tokens / m.params)
        for m in PUBLISHED_MODELS
    ]
    data = LinesData(
        Axis("training compute in FLOPs", range=(1e18, 1e27)),
        Axis("tokens per parameter", range=(0.4, 3000)),
        tuple(series),
        tuple(marks),
        (("20 tokens a parameter", 20.0),),
        tuple(
            (store.lettered("budget", letter), each.budget)
            for letter, each in scenarios()
            if 1e18 <= each.budget <= 1e27
        ),
    )
    optima = [optimal_for_flops(law, setup.budget) for law in LAWS.values()]
    low, high = min(optima, key=lambda o: o.params), max(optima, key=lambda o: o.params)
    said = (
        f"For {format_count(setup.budget)} FLOPs the laws ask for {format_count(low.params)} ({low.law}) to "
        f"{format_count(high.params)} ({high.law}) parameters, {low.tokens_per_param:.0f} to {high.tokens_per_param:.0f} "
        "tokens for each."
    )
    light_chart(
        lines_chart(data), key="scale_laws_chart", alt=lines_description(data, "Compute-optimal ratio"), below=said
    )
    why_it_matters(
        "20 tokens a parameter is the result of Hoffmann's approach 1; the printed constants of approach 3 drift away from "
        "it, and a refit of the same data (besiroglu) comes back to it. No set is known to hold at large budgets."
    )


def over_training_section() -> None:
    """Models of equal loss: how many more tokens, and how much more compute, a smaller one takes."""
    setup = store.setup()
    law = LAWS[setup.law]
    curve = over_training_curve(law, setup.size)
    best = optimal_for_params(law, setup.size)
    data = LinesData(
        Axis("parameters"),
        Axis("times the compute-optimal run"),
        (
            Series("training tokens", curve.params, curve.tokens / best.tokens),
            Series("training compute", curve.params, curve.flops / best.flops, NOW),
            Series("compute an answer", curve.params, curve.params / best.params),
            *_pinned_training(),
        ),
        (Mark("compute-optimal", best.params, 1.0, strong=True),),
    )
    light_chart(lines_chart(data), key="scale_over_chart", alt=lines_description(data, "Equal loss"))
    why_it_matters(
        f"Every point reaches {curve.loss:.3f} nats. Half the size costs a little more to train and half as much to serve; "
        "that is why models for use are trained far beyond the compute-optimal ratio. Towards the left the data it takes "
        "grows without bound."
    )


def _pinned_training() -> list[Series]:
    """The training compute of each pinned scenario's size, against its own compute-optimal run."""

    def training(scenario: ScaleSetup) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        law = LAWS[scenario.law]
        curve = over_training_curve(law, scenario.size)
        return curve.params, curve.flops / optimal_for_params(law, scenario.size).flops

    return [
        Series(store.lettered("training compute", letter), sizes, times, letter)
        for letter, (sizes, times) in store.each_pin(training)
    ]


def returns_section() -> None:
    """Times the data that a drop in loss takes, by law."""
    setup = store.setup()
    if not setup.after < setup.before:
        raise BadInput("Loss after must be below loss before; move one of the sliders on the left.", "after")
    losses = np.linspace(setup.before, max(setup.after - 0.4, 1.72), 40)[1:]
    factors = data_for_drop(setup.before, [float(x) for x in losses])
    series = [Series(name, losses, times, NOW if name == setup.law else "") for name, times in factors.items()]
    data = LinesData(
        Axis("loss reached, in nats", log=False, range=(setup.before, float(losses[-1]))),
        Axis("times the data", range=(1, 1e4)),
        tuple(series),
        (),
        (("course notes: 10 times", 10.0),) if abs(setup.before - 3.4) < 1e-9 else (),
        tuple((store.lettered("loss after", letter), each.after) for letter, each in scenarios()),
    )
    at = data_for_drop(setup.before, [setup.after])
    by_law = ", ".join(f"{name} {times[0]:.1f}×" for name, times in at.items() if np.isfinite(times[0]))
    said = f"From {setup.before:g} to {setup.after:g} nats, with a model that is no limit: {by_law}."
    light_chart(
        lines_chart(data), key="scale_returns_chart", alt=lines_description(data, "Data for a lower loss"), below=said
    )
    why_it_matters(
        "Each further tenth of a nat costs a larger factor than the one before. Kaplan's law has no floor; the others end at "
        "a loss that no data removes, because text is not fully predictable. A lower loss need not mean a better answer."
    )


def lifetime_section() -> None:
    """Training and serving together: the size that costs least over a life."""
    setup = store.setup()
    columns = dict(store.each_pin(answer_lifetime))
    figure_table({"Now": answer_lifetime(setup), **columns}, key="scale_lifetime", label="Lifetime optimum")
    data = lifetime_data()
    light_chart(lines_chart(data), key="scale_lifetime_chart", alt=lines_description(data, "Lifetime optimum"))
    why_it_matters(
        "The more a model will be used, the smaller it should be and the longer it should train, at the same loss. In money "
        "the effect is stronger: writing a token keeps a GPU busy at about 1% of its peak, training at about 50%."
    )


def lifetime_data() -> LinesData:
    """Best size against demand, by FLOPs and by money."""
    demands = np.geomspace(1e10, 1e16, 19)
    series, marks, cuts, levels = list[Series](), list[Mark](), list[tuple[str, float]](), list[tuple[str, float]]()
    for letter, each in scenarios():
        law = LAWS[each.law]
        by_flops = np.array([optimise_lifetime(law, each.size, float(demand)).params for demand in demands])
        series.append(Series(store.lettered("least FLOPs", letter), demands, by_flops, letter))
        if price_of(each)[0] is not None:
            best = lifetime_of(each).optimum.params
            marks.append(Mark(store.lettered("least money", letter), max(each.demand, 1e10), best, strong=True))
        if 1e10 <= each.demand <= 1e16:
            cuts.append((store.lettered("demand", letter), each.demand))
        levels.append((store.lettered("compute-optimal", letter), each.size))
    return LinesData(
        Axis("tokens served over its life", range=(1e10, 1e16)),
        Axis("best size in parameters"),
        tuple(series),
        tuple(marks),
        tuple(levels),
        tuple(cuts),
    )


EXPERIMENTS = {
    "chinchilla": experiment(
        "Gopher's budget, spent better",
        "280B on 300B tokens against 70B on 1.4T.",
        "For the compute that trained Gopher the laws ask for a far smaller model and far more text: Chinchilla.",
        "Loss surface",
        {"size": 280e9, "tokens": 300e9, "budget": 5.76e23},
    ),
    "spread": experiment(
        "Four laws, four answers",
        "At Llama 3.1's budget the constants disagree by an order of magnitude.",
        "At 3.8e25 FLOPs the printed constants ask for 139 tokens a parameter, their refit for fewer than 20.",
        "All laws",
        {"law": "hoffmann-printed", "budget": 3.8e25, "size": 405e9, "tokens": 15.6e12},
    ),
    "lifetime": experiment(
        "A model that will be used",
        "The quality of 30B, with ten trillion tokens to serve.",
        "A 13.6B model trained on 2.84 times the tokens does the same for 28% fewer FLOPs: Sardana et al.'s case.",
        "Lifetime",
        {"law": "sardana", "size": 30e9, "demand": 1e13},
    ),
}
PLAN = PlanPage(
    "scale_laws",
    "Scaling laws",
    ":material/show_chart:",
    "What size and how much data a budget buys, over training and over a model's life.",
    "What size and how much data a budget buys, by every published set of constants, and what a lower loss costs.",
    controls,
    answer_laws,
    {
        "Loss surface": surface_section,
        "Equal compute": iso_flop_section,
        "All laws": laws_section,
        "Over-training": over_training_section,
        "Returns": returns_section,
        "Lifetime": lifetime_section,
    },
    EXPERIMENTS,
    ("Tokens per parameter", "Data for a loss of 2.8 in place of 3.4"),
)
