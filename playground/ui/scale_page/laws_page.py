"""The page "Scaling laws": the loss surface, budgets, all constant sets at once, over-training, returns, lifetime."""

from __future__ import annotations

import streamlit as st

from playground.charts.scale_lines import lines_chart, lines_description
from playground.charts.scale_surface import surface_description, surface_figure
from playground.plan.law_answers import LAW_WORDS, answer_laws, answer_lifetime
from playground.plan.law_pictures import (
    iso_flop_data,
    laws_data,
    laws_sentence,
    lifetime_data,
    lifetime_sentence,
    over_training_data,
    returns_data,
    returns_sentence,
    surface_data,
)
from playground.plan.scenarios import Scenarios
from playground.scaling.curves import over_training_curve
from playground.scaling.laws import LAWS
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import plotly_picture
from playground.ui.scale_page import store
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.store import WIDGETS


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
        store.choose_gpu()
        WIDGETS.text("price")


def surface_section(scenarios: Scenarios) -> None:
    """Loss over N and D with the reader's model, the optimum and published models."""
    data = surface_data(scenarios)
    plotly_picture(surface_figure(data), key="scale_surface_chart", alt=surface_description(data))
    why_it_matters(
        "Darker is a lower loss. White dots are published models; the diamonds are your N and D, and the optimum for your "
        "compute C. Dotted lines are equal compute (10²⁰, 10²², 10²⁴ and 10²⁶ FLOPs from left to right), the violet line is "
        "the best on each. Models above it are over-trained: smaller and cheaper to serve than the compute-optimal one. The "
        "law was fitted below 16B parameters; the rest is extrapolation, and data and recipes differ between these models."
    )


def iso_flop_section(scenarios: Scenarios) -> None:
    """Loss against size at the reader's budget and a tenth and ten times of it."""
    data = iso_flop_data(scenarios)
    light_chart(lines_chart(data), key="scale_iso_chart", alt=lines_description(data, "Loss at equal compute"))
    why_it_matters(
        "Too small a model cannot use the data, too large a one sees too little of it. The valley is flat: a model of half "
        "the best size loses little and is twice as cheap to serve."
    )


def laws_section(scenarios: Scenarios) -> None:
    """Tokens per parameter by every constant set: their spread is how little is known."""
    data, said = laws_data(scenarios), laws_sentence(scenarios.now)
    light_chart(
        lines_chart(data), key="scale_laws_chart", alt=lines_description(data, "Compute-optimal ratio"), below=said
    )
    why_it_matters(
        "20 tokens a parameter is the result of Hoffmann's approach 1; the printed constants of approach 3 drift away from "
        "it, and a refit of the same data (besiroglu) comes back to it. No set is known to hold at large budgets."
    )


def over_training_section(scenarios: Scenarios) -> None:
    """Models of equal loss: how many more tokens, and how much more compute, a smaller one takes."""
    data = over_training_data(scenarios)
    loss = over_training_curve(LAWS[scenarios.now.law], scenarios.now.size).loss
    light_chart(lines_chart(data), key="scale_over_chart", alt=lines_description(data, "Equal loss"))
    why_it_matters(
        f"Every point reaches {loss:.3f} nats. Half the size costs a little more to train and half as much to serve; "
        "that is why models for use are trained far beyond the compute-optimal ratio. Towards the left the data it takes "
        "grows without bound."
    )


def returns_section(scenarios: Scenarios) -> None:
    """Times the data that a drop in loss takes, by law."""
    data, said = returns_data(scenarios), returns_sentence(scenarios.now)
    light_chart(
        lines_chart(data), key="scale_returns_chart", alt=lines_description(data, "Data for a lower loss"), below=said
    )
    why_it_matters(
        "Each further tenth of a nat costs a larger factor than the one before. Kaplan's law has no floor; the others end at "
        "a loss that no data removes, because text is not fully predictable. A lower loss need not mean a better answer."
    )


def lifetime_section(scenarios: Scenarios) -> None:
    """Training and serving together: the size that costs least over a life."""
    data, said = lifetime_data(scenarios), lifetime_sentence(scenarios.now)
    light_chart(
        lines_chart(data), key="scale_lifetime_chart", alt=lines_description(data, "Lifetime optimum"), below=said
    )
    why_it_matters(
        "The more a model will be used, the smaller it should be and the longer it should train, at the same loss. In money "
        "the effect is stronger: writing a token keeps a GPU busy at about 1% of its peak, training at about 50%."
    )
    columns = {"Now": answer_lifetime(scenarios.now), **dict(scenarios.each_pin(answer_lifetime))}
    figure_table(columns, key="scale_lifetime", label="Lifetime optimum")


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
        "At 3.8·10²⁵ FLOPs the printed constants ask for 139 tokens a parameter, their refit for fewer than 20.",
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
