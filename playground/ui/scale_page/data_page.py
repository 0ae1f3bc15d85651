"""The page "Data and limits": who is left out, how much text there is, and what bounds scaling beside money."""

from __future__ import annotations

import streamlit as st

from playground.charts.scale_bars import plain_chart, plain_description
from playground.charts.scale_lines import lines_chart, lines_description
from playground.plan.data_pictures import (
    inverse_data,
    language_data,
    power_data,
    published_columns,
    stock_data,
    token_data,
    topic_named,
    topic_rows,
    transfer_data,
)
from playground.plan.law_answers import TEXT_SOURCE, answer_data
from playground.plan.scenarios import Scenarios
from playground.scaling.languages import LANGUAGES
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.scale_page.page import experiment
from playground.ui.scale_page.plan import PlanPage
from playground.ui.scale_page.store import WIDGETS


def controls() -> None:
    """A language, a data set, a drop in loss."""
    st.caption("A language")
    WIDGETS.text("language")
    with st.container(horizontal=True):
        WIDGETS.text("speakers")
        WIDGETS.text("web_share")
    st.caption("A data set")
    WIDGETS.text("dataset")
    WIDGETS.slider("epochs")
    st.caption("A drop in loss")
    WIDGETS.choose("law")
    WIDGETS.slider("before")
    WIDGETS.slider("after")


def languages_section(scenarios: Scenarios) -> None:
    """Share of speakers over share of the web; tokens for the same meaning."""
    data, tokens = language_data(scenarios), token_data()
    light_chart(plain_chart(data), key="scale_language_chart", alt=plain_description(data))
    light_chart(plain_chart(tokens), key="scale_token_chart", alt=plain_description(tokens))
    st.caption(
        escape_markdown("; ".join(f"{each.name}: {each.source}" for each in LANGUAGES) + ". World: 8,000M people.")
    )
    why_it_matters(
        "A language above 1 has more speakers than text in the crawl; what a model has read little of it knows little of. "
        "More tokens for the same sentence are paid three times: in price, in waiting, and in context used up. Scarce data "
        "is not the whole reason: scripts and grammar differ too."
    )


def data_section(scenarios: Scenarios) -> None:
    """Training sets of published models against the stock of human text."""
    data = stock_data(scenarios)
    light_chart(plain_chart(data), key="scale_stock_chart", alt=plain_description(data))
    st.caption(escape_markdown(TEXT_SOURCE))
    _topic("Data", "data")


def electricity_section(_: Scenarios) -> None:
    """Data centres' demand, now and expected, under the world's supply."""
    data = power_data()
    light_chart(lines_chart(data), key="scale_power_chart", alt=lines_description(data, "Data centres' electricity"))
    st.caption(
        "IEA, Energy and AI, 2025. The dotted pace is arithmetic, not a forecast: it only shows where the ceiling is."
    )
    _topic("Electricity", "electricity")


def limits_section(_: Scenarios) -> None:
    """Hyperparameter transfer and inverse scaling, with the shape of each."""
    _topic("Hyperparameter transfer", "transfer")
    transfer = transfer_data()
    light_chart(lines_chart(transfer), key="scale_transfer_chart", alt=lines_description(transfer, "Transfer"))
    why_it_matters(
        "The rule and not a measurement: under the usual parametrisation the best learning rate of Adam falls about as one "
        "over the width; maximal-update parametrisation (µP) takes that factor into the layers, so that the tuned number "
        "stays. Abilities that only large models show cannot be tuned for on a small one."
    )
    _topic("Inverse scaling", "inverse")
    inverse = inverse_data()
    light_chart(plain_chart(inverse), key="scale_inverse_chart", alt=plain_description(inverse))
    why_it_matters(
        "Larger is not better on every task: 11 tasks won a third prize for getting worse, none showed it strongly enough "
        "for a first or second one. Some of them get better again in still larger models (2211.02011), so it must be measured."
    )


def published_section(_: Scenarios) -> None:
    """Every published number that these pages reproduce, recomputed now."""
    columns = published_columns()
    held = sum(row.note == "holds" for row in columns["Computed"])
    st.markdown(
        f"**{held} of {len(columns['Published'])}** published cases are reproduced, each to its source's rounding."
    )
    figure_table(columns, key="scale_published", label="Published cases")


def _topic(name: str, key: str) -> None:
    topic = topic_named(name)
    st.markdown(f"**{topic.name}.** {escape_markdown(topic.lesson)}")
    figure_table({"Now": topic_rows(topic)}, key=f"scale_topic_{key}", label=topic.name)


EXPERIMENTS = {
    "punjabi": experiment(
        "113 million left out",
        "Punjabi against English on the web.",
        "Punjabi has 231.6 times fewer pages than its speakers' share; English has 2.5 times more than its own.",
        "Languages",
        {},
    ),
    "stock": experiment(
        "How much text is left",
        "Ten Llama 3s would take half of it.",
        "15T tokens are a twentieth of all public human text; ten times as much leaves no room for another tenfold.",
        "Data left",
        {"dataset": 150e12},
        ({"dataset": 15e12},),
    ),
    "returns": experiment(
        "From 3.4 to 2.8 nats",
        "Ten times the data, say the notes.",
        "Kaplan's law gives 7.7 times, the later ones 3.7 to 4.7: the more a law's floor, the less there is to gain.",
        "Notes or checked",
        {"law": "besiroglu", "before": 3.4, "after": 2.8},
    ),
}
PLAN = PlanPage(
    "scale_data",
    "Data and limits",
    ":material/data_usage:",
    "Who is left out of the data, how much of it is left, and what size does not buy.",
    "Who is left out of the data, how much of it is left, and what more size and power do not buy.",
    controls,
    answer_data,
    {
        "Languages": languages_section,
        "Data left": data_section,
        "Electricity": electricity_section,
        "Transfer and inverse scaling": limits_section,
        "Published cases": published_section,
    },
    EXPERIMENTS,
    ("Data for a loss of 2.8 in place of 3.4", "Electricity"),
)
