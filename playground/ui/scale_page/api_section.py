"""Section "API or own GPU": from how many tokens a day on renting a GPU is cheaper than paying by the token."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart, lines_description
from playground.errors import BadInput, PlaygroundError
from playground.plan.answers import price_of, serving_of
from playground.plan.setup import ScaleSetup
from playground.plan.wording import Row, row
from playground.scaling.api_prices import (
    MAX_CSV_CHARS,
    ApiPrice,
    BreakEven,
    PriceTable,
    Query,
    break_even,
    packaged_prices,
    read_price_csv,
)
from playground.scaling.figures import given
from playground.scaling.quantity import format_count
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.scale_page.store import WIDGETS

FIRST_PROVIDERS = ("openai", "anthropic", "google", "mistral", "deepseek", "groq", "together")


def api_section() -> None:
    """The price list's model, the query, the break-even and its picture."""
    table = price_table()
    price = _choose_price(table)
    with st.container(horizontal=True):
        WIDGETS.steps("reasoning")
        WIDGETS.slider("cached", format="percent")
        WIDGETS.slider("usable", format="percent")
    setup = store.setup()
    found, query = compare(setup, price)
    pinned = dict(store.each_pin(lambda each: compare(each, price)))
    columns = {letter: rows_of(store.pins()[letter], price, table, *pair) for letter, pair in pinned.items()}
    figure_table(
        {"Now": rows_of(setup, price, table, found, query), **columns}, key="scale_api", label="API or own GPU"
    )
    data = break_even_data(found, query, pinned)
    light_chart(lines_chart(data), key="scale_api_chart", alt=lines_description(data, "Cost of a day"))
    why_it_matters(
        "A GPU is paid around the clock, an API by the token. The GPU's capacity is its roofline at this batch, times the "
        "share of the day that demand fills; people, redundancy and a model's quality are not in it. Reasoning tokens are "
        "written, and billed, like an answer."
    )
    _upload()


def price_table() -> PriceTable:
    """The uploaded table, or the one that ships with the price package."""
    uploaded = store.setup().prices
    if uploaded is not None:
        return uploaded
    try:
        return packaged_prices()
    except ImportError:
        raise BadInput(
            "The package genai-prices is not installed; install it or upload a price table.", "api"
        ) from None


def _choose_price(table: PriceTable) -> ApiPrice:
    names = list(dict.fromkeys(price.provider for price in table.prices))
    providers = [name for name in FIRST_PROVIDERS if name in names]
    providers += sorted(name for name in names if name not in providers)
    chosen = store.setup().api
    known = {f"{price.provider}/{price.model}": price for price in table.prices}
    if chosen and chosen not in known:
        show_problem(f"The price table has no {chosen[:60]!r}; another model is shown in its place.")
        chosen = ""
    with st.container(horizontal=True):
        start = known[chosen].provider if chosen else providers[0]
        provider = st.selectbox("Provider", providers, index=providers.index(start), key=f"scale_provider_{start}")
        models = [name for name, price in known.items() if price.provider == provider]
        current = chosen if chosen in models else _usual(models)
        name = st.selectbox(
            "API model",
            models,
            index=models.index(current),
            key=f"scale_api_{provider}_{current}",
            format_func=lambda key: key.split("/", 1)[1],
        )
    if name != chosen:
        session.change(ScaleSetup, api=name)
    return known[name]


def _usual(models: list[str]) -> str:
    """A well-known small model where the provider has one."""
    wanted = ("gpt-5-mini", "gpt-4o-mini", "claude-haiku-4-5", "gemini-2.5-flash")
    return next((name for name in models if name.split("/", 1)[1] in wanted), models[0])


def compare(setup: ScaleSetup, price: ApiPrice) -> tuple[BreakEven, Query]:
    """The break-even of the present setup. Raises BadInput without a GPU price."""
    rent = price_of(setup)[0]
    if rent is None:
        raise BadInput("This GPU has no price in the table; type one on the left to compare.", "price")
    query = Query(setup.prompt_tokens, setup.new_tokens, setup.reasoning, setup.cached)
    speed = serving_of(setup).end_to_end_tokens_per_s
    return break_even(price, query, rent, setup.gpus, speed, setup.usable), query


def rows_of(setup: ScaleSetup, price: ApiPrice, table: PriceTable, found: BreakEven, query: Query) -> tuple[Row, ...]:
    """The comparison with its prices, their source and date."""
    if found.tokens_per_day is None:
        lead = Row("Break-even", "out of reach", None, True, "these GPUs cannot serve as many tokens as would pay")
    else:
        per_day = given("Break-even", found.tokens_per_day, "token", "queries a day × tokens of a query")
        lead = row(per_day, lead=True, note="tokens a day, read and written")
    dated = f"{table.source}, newest date {table.as_of or 'unknown'}"
    cached = price.input if price.cached_input is None else price.cached_input
    return (
        lead,
        row(found.api_usd_per_query),
        row(found.gpu_usd_per_day, note=price_of(setup)[1]),
        row(found.queries_per_day),
        row(given("Capacity a day", found.capacity_tokens_per_day, "token", "roofline × share of the day in use")),
        Row(
            "API price of 1M tokens",
            f"${price.input:g} read, ${cached:g} cached, ${price.output:g} written",
            None,
            False,
            dated,
        ),
    )


def break_even_data(found: BreakEven, query: Query, pinned: Mapping[str, tuple[BreakEven, Query]]) -> LinesData:
    """USD a day against tokens a day: the API's line, and the GPU's until its capacity ends; pinned ones by letter."""
    centre = found.queries_per_day.value * query.tokens
    tokens = np.geomspace(
        min(centre, found.capacity_tokens_per_day) / 100, max(centre, found.capacity_tokens_per_day) * 10, 60
    )
    api = tokens / query.tokens * found.api_usd_per_query.value
    gpu = np.where(tokens <= found.capacity_tokens_per_day, found.gpu_usd_per_day.value, np.nan)
    marks = (
        ()
        if found.tokens_per_day is None
        else (Mark(format_count(found.tokens_per_day), found.tokens_per_day, found.gpu_usd_per_day.value, strong=True),)
    )
    series = [Series("API", tokens, api), Series("own GPU", tokens, gpu, NOW)]
    for letter, (other, asked) in pinned.items():
        line = np.where(tokens <= other.capacity_tokens_per_day, other.gpu_usd_per_day.value, np.nan)
        series.append(
            Series(store.lettered("API", letter), tokens, tokens / asked.tokens * other.api_usd_per_query.value, letter)
        )
        series.append(Series(store.lettered("own GPU", letter), tokens, line, letter))
    return LinesData(
        Axis("tokens a day"),
        Axis("USD a day"),
        tuple(series),
        marks,
        (),
        (("capacity", found.capacity_tokens_per_day),),
    )


def _upload() -> None:
    with st.expander("Use another price table", on_change="rerun", key="scale_prices_box") as box:
        if not box.open:
            return
        st.caption(
            "CSV with the columns model, input, output in USD per 1M tokens; cached_input and provider if you like."
        )
        as_of = st.text_input("Date of the prices", key="scale_prices_date", placeholder="YYYY-MM-DD", max_chars=10)
        file = st.file_uploader("Price table", type="csv", key="scale_prices_file", max_upload_size=2)
        left, right = st.columns(2)
        if left.button("Use this table", key="scale_prices_use", disabled=file is None) and file is not None:
            try:
                text = file.getvalue()[: MAX_CSV_CHARS + 1].decode("utf-8")
                uploaded = read_price_csv(text, as_of.strip() or None)
            except UnicodeDecodeError:
                show_problem("The price table is not text; save it as CSV in UTF-8.")
                return
            except PlaygroundError as error:
                show_problem(error)
                return
            session.change(ScaleSetup, api="", prices=uploaded)
            st.rerun()
        if right.button("Back to the packaged table", key="scale_prices_back"):
            session.change(ScaleSetup, api="", prices=None)
            st.rerun()
        used = store.setup().prices
        if used is not None:
            st.caption(
                escape_markdown(f"In use: {len(used.prices)} uploaded prices of {used.as_of or 'unknown date'}.")
            )
