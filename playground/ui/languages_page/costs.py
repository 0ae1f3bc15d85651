"""Section "What the premium costs": waiting, context and money for the same text in another language."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence

import streamlit as st

from playground.charts.language_pictures import premium_text
from playground.charts.scale_bars import BarsOf, PlainBar, plain_chart, plain_description
from playground.corpus.costs import CostRow, cost_rows
from playground.corpus.counting import LanguageCount
from playground.engine.api import CancelToken, Engine, Rows, Weights
from playground.engine.facets import offers
from playground.engine.serving.worker import Worker
from playground.inspection.timing import Progress, Timing, time_machine
from playground.plan.api_answers import FIRST_PROVIDERS
from playground.scaling.api_prices import PriceTable, packaged_prices
from playground.scaling.quantity import format_duration, format_money
from playground.state.inside import QUICK
from playground.state.languages import LanguagesState
from playground.ui.components.light_chart import light_chart
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.languages_page.premiums import language_names
from playground.ui.languages_page.session import chosen, counted, looked_at, parallel
from playground.ui.runtime import session_id
from playground.ui.workspace.speed import cached_timing, timings

_WIDGETS = Bound(LanguagesState)
_FIELD, _BAR_PX = 180, 64


def costs_section(worker: Worker) -> None:
    """A text of so many English tokens, in the chosen language, under two vocabularies."""
    token_counts, text = counted(), parallel()
    counts, named = token_counts.rows, token_counts.named
    looked_at(text)
    state, prices = session.get(LanguagesState), packaged_prices()
    pair = tuple(dict.fromkeys((chosen("tokenizer", named), chosen("beside", named))))
    with st.container(horizontal=True, vertical_alignment="bottom", key="tab_controls"):
        _WIDGETS.choose("language", choices=language_names(text), width=_FIELD)
        _WIDGETS.choose("tokenizer", choices=named, width=_FIELD)
        _WIDGETS.choose("beside", choices=named, width=_FIELD)
        _WIDGETS.slider("amount", width=_FIELD)
        _WIDGETS.choose("price", choices=_priced(prices), width=_FIELD)
    own = next(each for each in counts if each.text.code == state.language)
    base = next(each for each in counts if each.text.code == text.baseline)
    _bars((base, own), pair, named, state.amount)
    with problems_shown_here():
        _table(worker, (base, own), pair, named, state, prices)
    said = ", ".join(f"**{premium_text(own.premium(name))}** with {escape_markdown(named[name])}" for name in pair)
    languages = escape_markdown(own.text.name), escape_markdown(base.text.name)
    st.markdown(f"The same text in {languages[0]} takes, against its tokens in {languages[1]}: {said}.")
    why_it_matters(
        "A reader of this language waits longer, pays more and is forgotten sooner, for the same words, on the same model. "
        "The speed is this model's on this machine; a tokenizer of another model is held against it only to show what the "
        "vocabulary alone would change. Prices differ by model as well: the one chosen is taken for both.",
        "Premium",
    )


def _bars(counts: tuple[LanguageCount, ...], pair: tuple[str, ...], named: Mapping[str, str], amount: int) -> None:
    """Tokens of the same text: what all that it costs grows with. They wait for no measurement."""
    base = counts[0].text.code
    rows = cost_rows(counts, pair, amount, seconds_per_token=None, context_length=None, usd_per_million=None)
    bars = [
        PlainBar(
            row.language if row.code == base else f"{row.language}, {named[row.tokenizer].partition(' (')[0]}",
            row.tokens,
            f"{row.tokens:,.0f}",
            "" if row.code == base else "now",
        )
        for row in rows
        if row.code != base or row is rows[0]
    ]
    data = BarsOf(tuple(bars), "tokens for the same text")
    light_chart(plain_chart(data, _BAR_PX), key="languages_cost_bars", alt=plain_description(data))


def _table(
    worker: Worker,
    counts: tuple[LanguageCount, ...],
    pair: tuple[str, ...],
    named: Mapping[str, str],
    state: LanguagesState,
    prices: PriceTable,
) -> None:
    timing, info = _timing(worker), worker.engine.info
    speed = None if timing is None else timing.speed.seconds(1, min(state.amount, info.context_length - 1))
    provider, _, model = state.price.partition("/")
    price = prices.find(model, provider)
    rows = cost_rows(
        counts,
        pair,
        state.amount,
        seconds_per_token=speed,
        context_length=info.context_length,
        usd_per_million=price.output,
    )
    with st.container(key="languages_costs"):
        st.markdown(_written_out(rows, counts[0].text.code, named))
    seconds = "its speed is not known here" if speed is None else f"{1 / speed:.1f} tokens a second, measured here"
    again = "" if speed is None else " (once: Inside the model, Timing, measures it again)"
    st.caption(
        escape_markdown(
            f"{info.name}: {seconds}{again}; context {info.context_length:,} tokens. {price.provider} {price.model}: "
            f"{format_money(price.output)} per million tokens written ({prices.source}, {prices.as_of or 'no date'})."
        )
    )


def _written_out(rows: Sequence[CostRow], base: str, named: Mapping[str, str]) -> str:
    """A table in Markdown, a row a figure, so that it fits a phone. The baseline costs alike with every tokenizer: one column."""
    shown = [rows[0], *(row for row in rows if row.code != base)]
    heads = [row.language if row.code == base else f"{row.language} with {named[row.tokenizer]}" for row in shown]
    lines = [["", *map(_cell, heads)], ["---", *["--:"] * len(shown)]]
    lines += [[label, *(_cell(of(row)) for row in shown)] for label, of in _FIGURES.items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return escape_markdown(" ".join(text.split()))


def _share(row: CostRow) -> str:
    share = row.context_share
    return "not known" if share is None else f"{share:.0%}" + (": does not fit" if share > 1 else "")


_FIGURES: Mapping[str, Callable[[CostRow], str]] = {
    "Premium": lambda row: premium_text(row.premium),
    "Tokens": lambda row: f"{row.tokens:,.0f}",
    "Written in": lambda row: "not known" if row.seconds is None else format_duration(row.seconds),
    "Of the context": _share,
    "1,000 texts": lambda row: "not known" if row.usd is None else format_money(row.usd),
}


def _priced(prices: PriceTable) -> dict[str, str]:
    """The best-known providers' models."""
    return {
        f"{each.provider}/{each.model}": f"{each.model} ({each.provider})"
        for provider in FIRST_PROVIDERS
        for each in prices.prices
        if each.provider == provider and each.output > 0
    }


def _timing(worker: Worker) -> Timing | None:
    """This model's speed, measured once on this server. Raises Pending; None for an engine that cannot be timed so."""
    info = worker.engine.info
    stored_timing = cached_timing(info)
    if stored_timing is not None:
        return stored_timing
    if not offers(worker.engine, Rows) or not offers(worker.engine, Weights):
        return None

    def job(engine: Engine, cancel: CancelToken) -> Generator[Progress, None, Timing]:
        return time_machine(engine, cancel, QUICK)

    timing = result_of(
        "timing",
        (info.revision, QUICK, "costs"),
        lambda: worker.submit(session_id(), "timing", job),
        "Its speed is measured, once",
        share=lambda step: step.share if isinstance(step, Progress) else 0.0,
    )
    timings()[info.revision] = (timing, time.time())
    return timing
