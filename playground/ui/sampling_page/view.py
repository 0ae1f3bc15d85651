"""What every section of the Sampling page looks at, the model's row and the chain traced over it; and the bars drawn from it.

The way of a slider's value from the session to the picture leads through this one file of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import ref

import streamlit as st
from cachetools import LRUCache, cached

from playground.charts.bars import bars_payload, bars_table, next_token_bars
from playground.charts.partial_bars import partial_bars, partial_bars_payload, partial_bars_table
from playground.engine.api import TextCodec
from playground.engine.facets import require_level
from playground.engine.serving.worker import Worker
from playground.engine.types import NextLogits, NextRow, TokenIds, TopTokens
from playground.glossary import define
from playground.inspection.next_token import breaker_ids, distribution_csv, mirostat_mu
from playground.inspection.partial import examine_top, partial_csv
from playground.sampling.chain import NextToken, examine
from playground.sampling.partial_chain import PartialNext
from playground.sampling.settings import SamplerSettings
from playground.state.sampling import SamplingState
from playground.state.setup import Setup
from playground.ui.components.bars import PROBABILITY_BARS, on_picked
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.marks import follow_marks, show_open_draw, show_verdict
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import available_row, next_row, text_ids
from playground.ui.workspace.setup import accept

if TYPE_CHECKING:
    import pandas

REMEMBERED_BYTES = 128 * 1024 * 1024
OPTIONS = Bound(SamplingState)


@dataclass(frozen=True, slots=True)
class SamplingView:
    """One moment of the page. ``ids`` are prompt and accepted tokens; ``next`` is the distribution after them, as far as the
    engine tells it."""

    setup: Setup
    worker: Worker
    prompt_ids: TokenIds
    row: NextRow
    next: NextToken | PartialNext

    @property
    def ids(self) -> TokenIds:
        return self.row.ids

    @property
    def codec(self) -> TextCodec:
        return self.worker.engine.codec

    def under(self, settings: SamplerSettings) -> NextToken | PartialNext:
        """Other settings on the same row."""
        return examine_row(self.worker, self.row, self.prompt_ids, settings, self.setup.seed)

    def after(self, tokens: TokenIds, slot: str) -> NextToken | PartialNext:
        """The present settings after some tokens more. Raises Pending; ``slot``: one request of each at a time."""
        row = available_row(self.worker, self.ids + tokens, slot)
        return examine_row(self.worker, row, self.prompt_ids, self.setup.settings, self.setup.seed)


def load_view() -> SamplingView:
    """Everything the sections need. Raises Pending, or a PlaygroundError that says what to change."""
    worker = loaded_model()
    prompt_ids, taken = text_ids(worker)
    row, setup = available_row(worker, prompt_ids + taken), session.get(Setup)
    return SamplingView(
        setup, worker, prompt_ids, row, examine_row(worker, row, prompt_ids, setup.settings, setup.seed)
    )


def examine_row(
    worker: Worker, row: NextRow, prompt_ids: TokenIds, settings: SamplerSettings, seed: int
) -> NextToken | PartialNext:
    """The chain over ``row`` and the draw."""
    if isinstance(row, TopTokens):  # takes about a millisecond, so nothing is remembered
        return examine_top(row, settings, prompt_ids, seed, worker.engine.codec)
    return examine_whole(worker, row, prompt_ids, settings, seed)


def with_marks(section: Callable[[SamplingView], None]) -> Callable[[SamplingView], None]:
    """A section's drawing, after which the controls are redrawn if the marks beside the samplers are no longer true."""

    def draw(view: SamplingView) -> None:
        section(view)
        follow_marks(view.next)

    return draw


def _bytes(next_token: NextToken) -> int:
    """About what a trace takes: four rows beside the raw one, and one of each stage."""
    return (5 + len(next_token.trace.stages)) * int(next_token.trace.raw_logits.nbytes)


def _asked(
    worker: Worker, row: NextLogits, prompt_ids: TokenIds, settings: SamplerSettings, seed: int
) -> tuple[Hashable, ...]:
    return ref(worker), row.ids, len(prompt_ids), settings, seed


@cached(LRUCache[Any, Any](REMEMBERED_BYTES, getsizeof=_bytes), key=_asked, lock=Lock())
def examine_whole(
    worker: Worker, row: NextLogits, prompt_ids: TokenIds, settings: SamplerSettings, seed: int
) -> NextToken:
    """The chain over ``row`` and the draw. All readers share what is remembered; nothing here keeps a model alive."""
    codec, generated = worker.engine.codec, row.ids[len(prompt_ids) :]
    return examine(
        require_level(row, settings.repetition_penalty != 1).logits,
        settings,
        prompt_ids=prompt_ids,
        generated_ids=generated,
        seed=seed,
        mirostat_mu=mirostat_mu(lambda ids: next_row(worker, ids).logits, settings, prompt_ids, generated, seed, codec),
        breakers=breaker_ids(codec, settings, row.ids),
    )


# -- section "Bars" ----------------------------------------------------------------------------------------------------


def bars_options() -> None:
    """Rows, scale, chart or table, behind one button. Outside the picture, so that a moved sampler leaves them alone."""
    with st.popover("Rows and scale", icon=":material/tune:", on_change="rerun", key="bar_options") as box:
        if box.open:
            OPTIONS.slider("rows")
            OPTIONS.segmented("scale")
            OPTIONS.segmented("shape")


def bars_reading() -> None:
    """How to read them. Outside of what a moved slider repaints."""
    why_it_matters(
        "Grey is what the model said; violet is what is left to draw from after the samplers. An outlined bar was removed, "
        "by the stage it names. Click a bar to accept that token. A probability is not a truth: it says what text usually "
        "goes on like.",
        "Probability, raw",
        "Probability, final",
        "Log-probability",
        "Rank",
        "Token id",
    )


def bars_section(view: SamplingView) -> None:
    """Raw and final probability of the likeliest tokens, side by side, or as a table, and the CSV of all that is told."""
    chosen, position = session.get(SamplingState), len(view.ids)
    pictured = _pictured(view, chosen.rows, log=chosen.scale == "log")
    if chosen.shape == "table":
        table = pictured.table()
        st.dataframe(
            table,
            hide_index=True,
            height=min(36 * (len(table) + 1), 640),
            column_config={
                "rank": st.column_config.NumberColumn(help=define("Rank")),
                "raw": st.column_config.TextColumn(help=define("Probability, raw")),
                "log-probability": st.column_config.NumberColumn(format="%.3f", help=define("Log-probability")),
                "final": st.column_config.TextColumn(help=define("Probability, final")),
            },
        )
    else:
        payload = pictured.payload()
        pick = rerun_callback(lambda token: accept(token, position=view.setup.position))
        picks = [row["pick"] for row in payload["rows"] if row["pick"] >= 0]
        PROBABILITY_BARS(
            data={**payload, "position": position},
            key="bars",
            on_picked_change=on_picked("bars", position, picks, pick),
        )
    if isinstance(view.next, NextToken) and view.next.trace.note:
        st.warning(escape_markdown(view.next.trace.note), icon=":material/info:")
    show_verdict(view.next)
    show_open_draw(view.next, view.codec)
    if view.next.draw.id in view.codec.eos_token_ids:
        st.caption("The drawn token ▶ ends the text: a generator would stop here. You may still accept it and go on.")
    file_button(pictured.csv_name, "next-token.csv", pictured.csv, quiet=True)


@dataclass(frozen=True, slots=True)
class _Pictured:
    """The bars of a whole row, or of one told in part: as the browser paints them, as a table, and all that is told as a file."""

    payload: Callable[[], dict[str, Any]]
    table: Callable[[], pandas.DataFrame]
    csv: Callable[[], str]
    csv_name: str


def _pictured(view: SamplingView, rows: int, *, log: bool) -> _Pictured:
    next_token, codec = view.next, view.codec
    if isinstance(next_token, NextToken):
        whole = next_token_bars(next_token, codec, rows, log=log)
        name = f"CSV of all {next_token.trace.raw_probs.size:,} tokens"
        return _Pictured(
            partial(bars_payload, whole), partial(bars_table, whole), partial(distribution_csv, next_token, codec), name
        )
    bars = partial_bars(next_token, codec, rows, log=log)
    name = f"CSV of the {next_token.trace.raw.ids.size:,} tokens told, and the rest"
    return _Pictured(
        partial(partial_bars_payload, bars),
        partial(partial_bars_table, bars),
        partial(partial_csv, next_token, codec),
        name,
    )
