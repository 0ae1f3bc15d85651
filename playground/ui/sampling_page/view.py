"""What every section of the Sampling page looks at, the model's row and the chain traced over it; and the bars drawn from it.

The way of a slider's value from the session to the picture leads through this one file of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import ref

import streamlit as st
from cachetools import LRUCache, cached

from playground.charts.bars import bars_payload, bars_table, next_token_bars
from playground.engine.api import TextCodec
from playground.engine.facets import require_level
from playground.engine.serving.worker import Worker
from playground.engine.types import NextLogits, TokenIds, TopTokens
from playground.glossary import define
from playground.inspection.next_token import breaker_ids, distribution_csv, mirostat_mu
from playground.sampling.chain import NextToken, examine
from playground.sampling.settings import SamplerSettings
from playground.state.sampling import SamplingState
from playground.state.setup import Setup
from playground.ui.components.bars import PROBABILITY_BARS, on_picked
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.partial_view import PartialView, partial_view
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import next_row, text_ids, told_row
from playground.ui.workspace.setup import accept

REMEMBERED_BYTES = 128 * 1024 * 1024
OPTIONS = Bound(SamplingState)


@dataclass(frozen=True, slots=True)
class SamplingView:
    """One moment of the page. ``ids`` are prompt and accepted tokens; ``next`` is the distribution after them."""

    setup: Setup
    worker: Worker
    prompt_ids: TokenIds
    row: NextLogits
    next: NextToken

    @property
    def ids(self) -> TokenIds:
        return self.row.ids

    @property
    def codec(self) -> TextCodec:
        return self.worker.engine.codec


def load_view() -> SamplingView | PartialView:
    """Everything the sections need. Raises Pending, or a PlaygroundError that says what to change."""
    worker = loaded_model()
    prompt_ids, taken = text_ids(worker)
    row = told_row(worker, prompt_ids + taken)
    setup = session.get(Setup)
    if isinstance(row, TopTokens):
        return partial_view(worker, row, prompt_ids, setup)
    return SamplingView(
        setup, worker, prompt_ids, row, examine_row(worker, row, prompt_ids, setup.settings, setup.seed)
    )


def by_row(whole: Callable[[Any], None], partial: Callable[[PartialView], None]) -> Callable[[Any], None]:
    """A section's drawing: ``whole`` for a whole row, ``partial`` for one that is told in part."""

    def draw(view: SamplingView | PartialView) -> None:
        if isinstance(view, PartialView):
            partial(view)
        else:
            whole(view)

    return draw


def _bytes(found: NextToken) -> int:
    """About what a trace takes: four rows beside the raw one, and one of each stage."""
    return (5 + len(found.trace.stages)) * int(found.trace.raw_logits.nbytes)


def _asked(
    worker: Worker, row: NextLogits, prompt_ids: TokenIds, settings: SamplerSettings, seed: int
) -> tuple[Hashable, ...]:
    return ref(worker), row.ids, len(prompt_ids), settings, seed


@cached(LRUCache[Any, Any](REMEMBERED_BYTES, getsizeof=_bytes), key=_asked, lock=Lock())
def examine_row(
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
    """Raw and final probability of the likeliest tokens, side by side, or as a table, and the CSV of the whole vocabulary."""
    chosen, position = session.get(SamplingState), len(view.ids)
    data = next_token_bars(view.next, view.codec, chosen.rows, log=chosen.scale == "log")
    if chosen.shape == "table":
        st.dataframe(
            bars_table(data),
            hide_index=True,
            height=min(36 * (len(data.rows) + 1), 640),
            column_config={
                "rank": st.column_config.NumberColumn(help=define("Rank")),
                "raw": st.column_config.TextColumn(help=define("Probability, raw")),
                "log-probability": st.column_config.NumberColumn(format="%.3f", help=define("Log-probability")),
                "final": st.column_config.TextColumn(help=define("Probability, final")),
            },
        )
    else:
        pick = rerun_callback(lambda token: accept(token, position=view.setup.position))
        PROBABILITY_BARS(
            data={**bars_payload(data), "position": position},
            key="bars",
            on_picked_change=on_picked("bars", position, [row.id for row in data.rows], pick),
        )
    if view.next.trace.note:
        st.warning(escape_markdown(view.next.trace.note), icon=":material/info:")
    if view.next.draw.id in view.codec.eos_token_ids:
        st.caption("The drawn token ▶ ends the text: a generator would stop here. You may still accept it and go on.")
    file_button(
        f"CSV of all {view.next.trace.raw_probs.size:,} tokens",
        "next-token.csv",
        lambda: distribution_csv(view.next, view.codec),
        quiet=True,
    )
