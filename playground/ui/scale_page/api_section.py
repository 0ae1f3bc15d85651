"""Section "API or own GPU": from how many tokens a day on renting a GPU is cheaper than paying by the token."""

from __future__ import annotations

import streamlit as st

from playground.charts.scale_lines import lines_chart, lines_description
from playground.errors import PlaygroundError
from playground.plan.api_answers import break_even_data, compare, price_table, providers_of, rows_of, usual_model
from playground.plan.scenarios import Scenarios
from playground.plan.setup import ScaleSetup
from playground.scaling.api_prices import MAX_CSV_CHARS, ApiPrice, PriceTable, read_price_csv
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.scale_page.store import WIDGETS
from playground.ui.workspace.shared import file_uploader


def api_section(scenarios: Scenarios) -> None:
    """The price list's model, the query, the break-even and its picture."""
    table = price_table(scenarios.now)
    price = _choose_price(table, scenarios.now.api)
    with st.container(horizontal=True):
        WIDGETS.steps("reasoning")
        WIDGETS.slider("cached", format="percent")
        WIDGETS.slider("usable", format="percent")
    setup = scenarios.now
    break_even, query = compare(setup, price)
    pinned = dict(scenarios.each_pin(lambda each: compare(each, price)))
    columns = {letter: rows_of(scenarios.pins[letter], price, table, *pair) for letter, pair in pinned.items()}
    figure_table(
        {"Now": rows_of(setup, price, table, break_even, query), **columns}, key="scale_api", label="API or own GPU"
    )
    data = break_even_data(break_even, query, pinned)
    light_chart(lines_chart(data), key="scale_api_chart", alt=lines_description(data, "Cost of a day"))
    why_it_matters(
        "A GPU is paid around the clock, an API by the token. The GPU's capacity is its roofline at this batch, times the "
        "share of the day that demand fills; people, redundancy and a model's quality are not in it. Reasoning tokens are "
        "written, and billed, like an answer."
    )
    _upload()


def _choose_price(table: PriceTable, chosen: str) -> ApiPrice:
    """``chosen``: provider/model, "" for none. What is chosen here is written to the setup."""
    providers = providers_of(table)
    prices = {f"{price.provider}/{price.model}": price for price in table.prices}
    if chosen and chosen not in prices:
        show_problem(f"The price table has no {chosen[:60]!r}; another model is shown in its place.")
        chosen = ""
    with st.container(horizontal=True):
        start = prices[chosen].provider if chosen else providers[0]
        provider = st.selectbox("Provider", providers, index=providers.index(start), key=f"scale_provider_{start}")
        models = [name for name, price in prices.items() if price.provider == provider]
        current = chosen if chosen in models else usual_model(models)
        name = st.selectbox(
            "API model",
            models,
            index=models.index(current),
            key=f"scale_api_{provider}_{current}",
            format_func=lambda key: key.split("/", 1)[1],
        )
    if name != chosen:
        session.change(ScaleSetup, api=name)
    return prices[name]


def _upload() -> None:
    with st.expander("Use another price table", on_change="rerun", key="scale_prices_box") as box:
        if not box.open:
            return
        st.caption(
            "CSV with the columns model, input, output in USD per 1M tokens; cached_input and provider if you like."
        )
        as_of = st.text_input("Date of the prices", key="scale_prices_date", placeholder="YYYY-MM-DD", max_chars=10)
        file = file_uploader("Price table", type="csv", key="scale_prices_file", max_upload_size=2)
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
        used = session.get(ScaleSetup).prices
        if used is not None:
            st.caption(
                escape_markdown(f"In use: {len(used.prices)} uploaded prices of {used.as_of or 'unknown date'}.")
            )
