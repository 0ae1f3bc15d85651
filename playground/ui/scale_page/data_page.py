"""The page "Data and languages": who is left out, how much text there is, and what bounds scaling beside money."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts.scale_bars import BarsOf, PlainBar, plain_chart, plain_description
from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart, lines_description
from playground.plan.law_answers import HUMAN_TEXT_TOKENS, TEXT_SOURCE, answer_data
from playground.plan.wording import Row, row, write_figure
from playground.scaling.facts import Topic, scaling_topics
from playground.scaling.figures import Figure, given
from playground.scaling.languages import LANGUAGES, MASSIVE_MEDIAN_TOKENS, token_ratios, under_representation
from playground.scaling.laws import PUBLISHED_MODELS
from playground.scaling.published import published_cases
from playground.ui.components.light_chart import light_chart
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.scale_page import store
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


def languages_section() -> None:
    """Share of speakers over share of the web; tokens for the same meaning."""
    setup = store.setup()
    named = [(each.name, each.speakers, each.web_share) for each in LANGUAGES if each.name != setup.language]
    bars = []
    for letter, each in ((NOW, setup), *store.pins().items()):
        name = each.language + ("" if letter == NOW else f" ({letter})")
        shown = under_representation(each.speakers, each.web_share)
        bars.append(PlainBar(name, shown.value, f"{shown.value:,.2f}×", letter))
    for name, speakers, share in named:
        shown = under_representation(speakers, share)
        bars.append(PlainBar(name, shown.value, f"{shown.value:,.2f}×"))
    data = BarsOf(tuple(bars), "share of speakers over share of the crawl (1 is fair)", log=True)
    light_chart(plain_chart(data), key="scale_language_chart", alt=plain_description(data))
    st.caption(
        escape_markdown("; ".join(f"{each.name}: {each.source}" for each in LANGUAGES) + ". World: 8,000M people.")
    )
    ratios = token_ratios(tuple(MASSIVE_MEDIAN_TOKENS.values()))
    tokens = BarsOf(
        tuple(
            PlainBar(name, times, f"{times:.2f}×") for name, times in zip(MASSIVE_MEDIAN_TOKENS, ratios, strict=True)
        ),
        "tokens for the same sentence, against English",
    )
    light_chart(plain_chart(tokens), key="scale_token_chart", alt=plain_description(tokens))
    why_it_matters(
        "A language above 1 has more speakers than text in the crawl; what a model has read little of it knows little of. "
        "More tokens for the same sentence are paid three times: in price, in waiting, and in context used up. Scarce data "
        "is not the whole reason: scripts and grammar differ too."
    )


def data_section() -> None:
    """Training sets of published models against the stock of human text."""
    setup = store.setup()
    bars = [
        PlainBar(
            "This data set" + ("" if letter == NOW else f", {letter}"),
            each.dataset,
            write_figure(given("", each.dataset, "token", "")),
            letter,
        )
        for letter, each in ((NOW, setup), *store.pins().items())
    ]
    shown = ("GPT-3", "Chinchilla", "LLaMA-65B", "Llama-2-70B", "Llama-3-8B", "Qwen2.5-72B")
    for model in PUBLISHED_MODELS:
        if model.name in shown:
            bars.append(PlainBar(model.name, model.tokens, f"{model.tokens / 1e12:g}T tokens"))
    bars.append(PlainBar("All public human text", HUMAN_TEXT_TOKENS, "about 300T tokens (100T to 1,000T)"))
    data = BarsOf(tuple(bars), "tokens", log=True)
    light_chart(plain_chart(data), key="scale_stock_chart", alt=plain_description(data))
    st.caption(escape_markdown(TEXT_SOURCE))
    _topic(_named("Data"), "data")


def electricity_section() -> None:
    """Data centres' demand, now and expected, under the world's supply."""
    years = np.array([2024.0, 2030.0])
    growth = (945 / 415) ** (1 / 6)
    later = np.linspace(2024, 2050, 27)
    world = 415 / 0.015
    data = LinesData(
        Axis("year", log=False),
        Axis("TWh a year"),
        (
            Series("IEA, to 2030", years, np.array([415.0, 945.0]), NOW),
            Series("the same pace", later, 415 * growth ** (later - 2024)),
        ),
        (Mark("415 TWh", 2024, 415.0), Mark("945 TWh", 2030, 945.0)),
        (("all the world's electricity in 2024", world),),
    )
    light_chart(lines_chart(data), key="scale_power_chart", alt=lines_description(data, "Data centres' electricity"))
    st.caption(
        "IEA, Energy and AI, 2025. The dotted pace is arithmetic, not a forecast: it only shows where the ceiling is."
    )
    _topic(_named("Electricity"), "electricity")


def limits_section() -> None:
    """Hyperparameter transfer and inverse scaling, with the shape of each."""
    _topic(_named("Hyperparameter transfer"), "transfer")
    transfer = transfer_data()
    light_chart(lines_chart(transfer), key="scale_transfer_chart", alt=lines_description(transfer, "Transfer"))
    why_it_matters(
        "The rule and not a measurement: under the usual parametrisation the best learning rate of Adam falls about as one "
        "over the width; maximal-update parametrisation (µP) takes that factor into the layers, so that the tuned number "
        "stays. Abilities that only large models show cannot be tuned for on a small one."
    )
    _topic(_named("Inverse scaling"), "inverse")
    inverse = inverse_data()
    light_chart(plain_chart(inverse), key="scale_inverse_chart", alt=plain_description(inverse))
    why_it_matters(
        "Larger is not better on every task: 11 tasks won a third prize for getting worse, none showed it strongly enough "
        "for a first or second one. Some of them get better again in still larger models (2211.02011), so it must be measured."
    )


def transfer_data() -> LinesData:
    """Learning rate against width, relative to the one tuned at width 256: 1/width, or constant under µP (2203.03466)."""
    width = np.geomspace(128, 8192, 13)
    return LinesData(
        Axis("width of the model"),
        Axis("best learning rate, relative"),
        (Series("usual, falls", width, 256 / width), Series("µP, stays", width, np.ones(width.size), NOW)),
        (Mark("tuned on 40M", 256, 1.0, strong=True), Mark("used for 6.7B", 4096, 1.0, strong=True)),
    )


def inverse_data() -> BarsOf:
    """Prizes given to tasks on which larger models do worse."""
    prizes = {"third prize": 11, "second prize": 0, "first prize": 0}
    bars = tuple(PlainBar(name, float(count), str(count), NOW) for name, count in prizes.items())
    return BarsOf(bars, "tasks (Inverse Scaling Prize, 2306.09479)")


def published_section() -> None:
    """Every published number that these pages reproduce, recomputed now."""
    columns: dict[str, list[Row]] = {"Published": [], "Computed": []}
    held = 0
    for case in published_cases():
        good = case.holds()
        held += good
        value = write_figure(Figure(case.compute(), case.unit, case.name, "", "", case.source))
        expected = write_figure(Figure(case.expected, case.unit, case.name, "", "", case.source))
        source = case.source + (f"; {case.note}" if case.note else "")
        how = Figure(case.expected, case.unit, case.name, case.given, case.given, source)
        columns["Published"].append(Row(case.name, ("at most " if case.at_most else "") + expected, how))
        columns["Computed"].append(Row(case.name, value, None, False, "holds" if good else "differs"))
    st.markdown(
        f"**{held} of {len(columns['Published'])}** published cases are reproduced, each to its source's rounding."
    )
    figure_table(columns, key="scale_published", label="Published cases")


def _named(name: str) -> Topic:
    return next(topic for topic in scaling_topics() if topic.name == name)


def _topic(topic: Topic, key: str) -> None:
    st.markdown(f"**{topic.name}.** {escape_markdown(topic.lesson)}")
    rows = []
    for shown in topic.figures:
        if shown.unit == "1" and 0 < shown.value < 1:
            rows.append(Row(shown.name, f"{shown.value:.0%}", shown))
        elif shown.unit == "kWh":
            rows.append(Row(shown.name, f"{shown.value / 1e9:,.0f} TWh", shown))
        else:
            rows.append(row(shown))
    figure_table({"Now": rows}, key=f"scale_topic_{key}", label=topic.name)


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
    "Data and languages",
    ":material/language:",
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
