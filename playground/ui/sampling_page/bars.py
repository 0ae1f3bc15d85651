"""Section "Bars": raw and final probability of the likeliest tokens, side by side, over the whole vocabulary."""

from __future__ import annotations

import csv
import io

import streamlit as st

from playground.charts.bars import BarRow, BarsData
from playground.charts.numbers import percent
from playground.engine.text.display import glyphs
from playground.glossary import define
from playground.inspection.next_token import Candidate, kept_prefix, top_candidates
from playground.sampling.registry import SAMPLERS
from playground.state.sampling import SamplingState
from playground.ui.components.bars import probability_bars
from playground.ui.kit import session
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.view import SamplingView
from playground.ui.workspace.setup import accept

OPTIONS = Bound(SamplingState)


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
    """The chart (or the table) and the CSV of the whole vocabulary."""
    chosen = session.get(SamplingState)
    rows = top_candidates(view.next, view.codec, chosen.rows)
    data = bars_data(view, rows, log=chosen.scale == "log")
    if chosen.shape == "table":
        _table(rows, view)
    else:
        probability_bars(
            data,
            key="bars",
            position=len(view.ids),
            on_pick=rerun_callback(lambda token: accept(token, position=view.setup.position)),
        )
    if view.next.trace.note:
        st.warning(escape_markdown(view.next.trace.note), icon=":material/info:")
    if view.next.draw.id in view.codec.eos_token_ids:
        st.caption("The drawn token ▶ ends the text: a generator would stop here. You may still accept it and go on.")
    st.download_button(
        f"CSV of all {view.next.trace.raw_probs.size:,} tokens",
        data=lambda: distribution_csv(view),
        file_name="next-token.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def bars_data(view: SamplingView, rows: tuple[Candidate, ...], *, log: bool) -> BarsData:
    """The chart's data: the rows in view, and one row for all the others."""
    trace = view.next.trace
    raw_shown, final_shown = sum(row.raw_prob for row in rows), sum(row.final_prob for row in rows)
    others = int(trace.raw_probs.size) - len(rows)
    return BarsData(
        rows=tuple(bar_row(view, row) for row in rows),
        others_count=others,
        others_raw=max(0.0, 1.0 - raw_shown) if others else 0.0,
        others_final=_rest(1.0 - final_shown) if others else 0.0,
        kept=int((trace.removed_by < 0).sum()),
        vocab_size=int(trace.raw_probs.size),
        cut_after=kept_prefix(view.next),
        log=log,
    )


def _rest(value: float) -> float:
    """What float32 sums leave over is not a probability."""
    return value if value > 1e-6 else 0.0


def bar_row(view: SamplingView, row: Candidate) -> BarRow:
    """One candidate as a bar."""
    return BarRow(
        id=row.id,
        label=glyphs(row.text),
        rank=row.rank,
        raw_prob=row.raw_prob,
        raw_logprob=row.raw_logprob,
        final_prob=row.final_prob,
        removed_by=None if row.removed_by is None else SAMPLERS[row.removed_by].label,
        chosen=row.id == view.next.draw.id,
    )


def _table(rows: tuple[Candidate, ...], view: SamplingView) -> None:
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    frame = pd.DataFrame(
        {
            "rank": [row.rank + 1 for row in rows],
            "token": [glyphs(row.text) for row in rows],
            "id": [row.id for row in rows],
            "raw": [percent(row.raw_prob) for row in rows],
            "log-probability": [row.raw_logprob for row in rows],
            "final": [percent(row.final_prob) if row.kept else "–" for row in rows],
            "removed by": [SAMPLERS[row.removed_by].label if row.removed_by else "" for row in rows],
            "drawn": ["▶" if row.id == view.next.draw.id else "" for row in rows],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(36 * (len(rows) + 1), 640),
        column_config={
            "rank": st.column_config.NumberColumn(help=define("Rank")),
            "raw": st.column_config.TextColumn(help=define("Probability, raw")),
            "log-probability": st.column_config.NumberColumn(format="%.3f", help=define("Log-probability")),
            "final": st.column_config.TextColumn(help=define("Probability, final")),
        },
    )


def distribution_csv(view: SamplingView) -> str:
    """Every token, by raw rank: rank, id, text, raw probability, log-probability, final probability, stage."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["rank", "id", "text", "raw_probability", "raw_log_probability", "final_probability", "removed_by"])
    for row in top_candidates(view.next, view.codec, view.next.trace.raw_probs.size):
        writer.writerow(
            [
                row.rank + 1,
                row.id,
                _spreadsheet_safe(row.text),
                repr(row.raw_prob),
                repr(row.raw_logprob),
                repr(row.final_prob),
                row.removed_by or "",
            ]
        )
    return out.getvalue()


def _spreadsheet_safe(text: str) -> str:
    """A token that a spreadsheet would run as a formula is quoted with an apostrophe, as spreadsheets expect."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
