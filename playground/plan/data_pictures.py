"""What the page Data and limits shows beside its table, as charts and tables take it. Knows no streamlit."""

from __future__ import annotations

import numpy as np

from playground.charts.scale_bars import BarsOf, PlainBar
from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.plan.law_answers import HUMAN_TEXT_TOKENS
from playground.plan.scenarios import Scenarios, lettered
from playground.plan.wording import Row, row, write_figure
from playground.scaling.facts import Topic, scaling_topics
from playground.scaling.figures import Figure, given
from playground.scaling.languages import LANGUAGES, MASSIVE_MEDIAN_TOKENS, token_ratios, under_representation
from playground.scaling.laws import PUBLISHED_MODELS
from playground.scaling.published import published_cases

SHOWN_MODELS = ("GPT-3", "Chinchilla", "LLaMA-65B", "Llama-2-70B", "Llama-3-8B", "Qwen2.5-72B")


def language_data(scenarios: Scenarios) -> BarsOf:
    """Share of speakers over share of the web: the scenarios' languages, then the listed ones."""
    languages = [
        (each.language + ("" if letter == NOW else f" ({letter})"), each.speakers, each.web_share, letter)
        for letter, each in scenarios
    ]
    languages += [
        (each.name, each.speakers, each.web_share, "") for each in LANGUAGES if each.name != scenarios.now.language
    ]
    bars = []
    for name, speakers, share, kind in languages:
        times = under_representation(speakers, share).value
        bars.append(PlainBar(name, times, f"{times:,.2f}×", kind))
    return BarsOf(tuple(bars), "share of speakers over share of the crawl (1 is fair)", log=True)


def token_data() -> BarsOf:
    """Tokens that the same sentence takes in several languages."""
    ratios = token_ratios(tuple(MASSIVE_MEDIAN_TOKENS.values()))
    named = zip(MASSIVE_MEDIAN_TOKENS, ratios, strict=True)
    return BarsOf(
        tuple(PlainBar(name, times, f"{times:.2f}×") for name, times in named),
        "tokens for the same sentence, against English",
    )


def stock_data(scenarios: Scenarios) -> BarsOf:
    """Training sets of the scenarios and of published models against the stock of human text."""
    bars = []
    for letter, each in scenarios:
        text = write_figure(given("", each.dataset, "token", ""))
        bars.append(PlainBar(lettered("This data set", letter), each.dataset, text, letter))
    for model in PUBLISHED_MODELS:
        if model.name in SHOWN_MODELS:
            bars.append(PlainBar(model.name, model.tokens, f"{model.tokens / 1e12:g}T tokens"))
    bars.append(PlainBar("All public human text", HUMAN_TEXT_TOKENS, "about 300T"))
    return BarsOf(tuple(bars), "tokens", log=True)


def power_data() -> LinesData:
    """Data centres' demand for electricity, now and expected, under the world's supply."""
    years = np.array([2024.0, 2030.0])
    growth = (945 / 415) ** (1 / 6)
    later = np.linspace(2024, 2050, 27)
    world = 415 / 0.015
    return LinesData(
        Axis("year", log=False),
        Axis("TWh a year"),
        (
            Series("IEA, to 2030", years, np.array([415.0, 945.0]), NOW),
            Series("the same pace", later, 415 * growth ** (later - 2024)),
        ),
        (Mark("415 TWh", 2024, 415.0), Mark("945 TWh", 2030, 945.0)),
        (("all the world's electricity in 2024", world),),
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


def published_columns() -> dict[str, list[Row]]:
    """Every published number that these pages reproduce, beside the same computed now."""
    columns: dict[str, list[Row]] = {"Published": [], "Computed": []}
    for case in published_cases():
        value = write_figure(Figure(case.compute(), case.unit, case.name, "", "", case.source))
        expected = write_figure(Figure(case.expected, case.unit, case.name, "", "", case.source))
        source = case.source + (f"; {case.note}" if case.note else "")
        how = Figure(case.expected, case.unit, case.name, case.given, case.given, source)
        columns["Published"].append(Row(case.name, ("at most " if case.at_most else "") + expected, how))
        columns["Computed"].append(Row(case.name, value, None, False, "holds" if case.holds() else "differs"))
    return columns


def topic_named(name: str) -> Topic:
    """One of the topics that have figures of their own."""
    return next(topic for topic in scaling_topics() if topic.name == name)


def topic_rows(topic: Topic) -> list[Row]:
    """Its figures, shares as percent and energy in TWh."""
    rows = []
    for shown in topic.figures:
        if shown.unit == "1" and 0 < shown.value < 1:
            rows.append(Row(shown.name, f"{shown.value:.0%}", shown))
        elif shown.unit == "kWh":
            rows.append(Row(shown.name, f"{shown.value / 1e9:,.0f} TWh", shown))
        else:
            rows.append(row(shown))
    return rows
