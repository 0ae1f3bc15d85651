"""Paying by the token or renting a GPU: the break-even as rows and a picture. Knows no streamlit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.errors import BadInput
from playground.plan.answers import price_of, serving_of
from playground.plan.scenarios import lettered
from playground.plan.setup import ScaleSetup
from playground.plan.wording import Row, row
from playground.scaling.api_prices import ApiPrice, BreakEven, PriceTable, Query, break_even, packaged_prices
from playground.scaling.figures import given
from playground.scaling.quantity import format_count

FIRST_PROVIDERS = ("openai", "anthropic", "google", "mistral", "deepseek", "groq", "together")
USUAL_MODELS = ("gpt-5-mini", "gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash")


def price_table(setup: ScaleSetup) -> PriceTable:
    """The uploaded table, or the one that ships with the price package. Raises BadInput without either."""
    if setup.prices is not None:
        return setup.prices
    try:
        return packaged_prices()
    except ImportError:
        raise BadInput(
            "The package genai-prices is not installed; install it or upload a price table.", "api"
        ) from None


def providers_of(table: PriceTable) -> list[str]:
    """The best known first, then by the alphabet."""
    names = {price.provider for price in table.prices}
    return [*(name for name in FIRST_PROVIDERS if name in names), *sorted(names - set(FIRST_PROVIDERS))]


def usual_model(models: list[str]) -> str:
    """A well-known small model where the provider has one. ``models``: provider/model."""
    return next((name for name in models if name.split("/", 1)[1] in USUAL_MODELS), models[0])


def compare(setup: ScaleSetup, price: ApiPrice) -> tuple[BreakEven, Query]:
    """The break-even of the present setup. Raises BadInput without a GPU price."""
    rent = price_of(setup)[0]
    if rent is None:
        raise BadInput("This GPU has no price in the table; type one on the left to compare.", "price")
    query = Query(setup.prompt_tokens, setup.new_tokens, setup.reasoning, setup.cached)
    speed = serving_of(setup).end_to_end_tokens_per_s
    return break_even(price, query, rent, setup.gpus, speed, setup.usable), query


def rows_of(
    setup: ScaleSetup, price: ApiPrice, table: PriceTable, even_point: BreakEven, query: Query
) -> tuple[Row, ...]:
    """The comparison with its prices, their source and date."""
    if even_point.tokens_per_day is None:
        lead = Row("Break-even", "out of reach", None, True, "these GPUs cannot serve as many tokens as would pay")
    else:
        per_day = given("Break-even", even_point.tokens_per_day, "token", "queries a day × tokens of a query")
        lead = row(per_day, lead=True, note="tokens a day, read and written")
    dated = f"{table.source}, newest date {table.as_of or 'unknown'}"
    cached = price.input if price.cached_input is None else price.cached_input
    return (
        lead,
        row(even_point.api_usd_per_query),
        row(even_point.gpu_usd_per_day, note=price_of(setup)[1]),
        row(even_point.queries_per_day),
        row(given("Capacity a day", even_point.capacity_tokens_per_day, "token", "roofline × share of the day in use")),
        Row(
            "API price of 1M tokens",
            f"${price.input:g} read, ${cached:g} cached, ${price.output:g} written",
            None,
            False,
            dated,
        ),
    )


def break_even_data(even_point: BreakEven, query: Query, pinned: Mapping[str, tuple[BreakEven, Query]]) -> LinesData:
    """USD a day against tokens a day: the API's line, and the GPU's until its capacity ends; pinned ones by letter."""
    centre = even_point.queries_per_day.value * query.tokens
    tokens = np.geomspace(
        min(centre, even_point.capacity_tokens_per_day) / 100, max(centre, even_point.capacity_tokens_per_day) * 10, 60
    )
    api = tokens / query.tokens * even_point.api_usd_per_query.value
    gpu = np.where(tokens <= even_point.capacity_tokens_per_day, even_point.gpu_usd_per_day.value, np.nan)
    marks = (
        ()
        if even_point.tokens_per_day is None
        else (
            Mark(
                format_count(even_point.tokens_per_day),
                even_point.tokens_per_day,
                even_point.gpu_usd_per_day.value,
                strong=True,
            ),
        )
    )
    series = [Series("API", tokens, api), Series("own GPU", tokens, gpu, NOW)]
    for letter, (other, asked) in pinned.items():
        line = np.where(tokens <= other.capacity_tokens_per_day, other.gpu_usd_per_day.value, np.nan)
        series.append(
            Series(lettered("API", letter), tokens, tokens / asked.tokens * other.api_usd_per_query.value, letter)
        )
        series.append(Series(lettered("own GPU", letter), tokens, line, letter))
    return LinesData(
        Axis("tokens a day"),
        Axis("USD a day"),
        tuple(series),
        marks,
        (),
        (("capacity", even_point.capacity_tokens_per_day),),
    )
