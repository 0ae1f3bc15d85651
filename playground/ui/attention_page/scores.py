"""Section "What heads do": standard scores of every head as a map and a sortable table; a click opens the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from playground.charts.attention_map import SHARES, score_map, score_text
from playground.inspection.attention import HeadFigures
from playground.inspection.attention_parts import repeated_random_ids
from playground.state.attention import SCORES, AttentionState
from playground.ui.attention_page.heads import lock_head
from playground.ui.attention_page.view import AttentionPageView, figures_of, load_pass, options, remembered
from playground.ui.components.attention import attention_map
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import redraw_page
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.widgets import Bound

if TYPE_CHECKING:
    import pandas as pd

OPTIONS = Bound(AttentionState)


def scores_section(view: AttentionPageView) -> None:
    """Map and table. Measured on repeated random tokens, or on the text itself."""
    chosen = view.options
    with st.container(horizontal=True, vertical_alignment="bottom"):
        OPTIONS.segmented("measured_on")
        OPTIONS.choose("score", width=220)
    figures = measured(view)
    values = np.array([getattr(figure, chosen.score) for figure in figures], np.float32)
    if np.isnan(values).all():
        st.info(_why_undefined(view, chosen.score), icon=":material/info:")
    else:
        _map(view, figures, values)
    _table(view, figures)
    why_it_matters(
        "Each score is the weight a head gives, on average, to the very token a head of that kind would look at "
        "([Olsson et al. 2022](https://arxiv.org/abs/2209.11895); induction heads in "
        "[Elhage et al. 2021](https://transformer-circuits.pub/2021/framework/index.html)). Random tokens repeated once "
        "leave no other habit to mistake for it: in `a b c a b c` an induction head at the second `a` looks at the first "
        "`b`. A high score says what a head does on such a text, not what it is for."
    )


class _RandomFigures(dict[str, tuple[HeadFigures, ...]]):
    """Every head's figures on repeated random tokens, of the model looked at last."""


def measured(view: AttentionPageView) -> tuple[HeadFigures, ...]:
    """The figures of every head on what the options name; random tokens cost one pass, remembered for the session."""
    if options().measured_on == "text":
        return figures_of(view.attention)
    engine = view.worker.engine
    key = f"random:{engine.info.revision}"
    held = session.get(_RandomFigures)
    if key not in held:
        ids = repeated_random_ids(engine.info, engine.codec)
        attention = load_pass(view.worker, ids, 0, len(ids), "attention_random")
        held.clear()
        held[key] = remembered(attention, "random_figures", lambda: figures_of(attention))
    return held[key]


def _map(view: AttentionPageView, figures: tuple[HeadFigures, ...], values: np.ndarray) -> None:
    score = options().score
    label, means = SCORES[score]
    best = figures[int(np.nanargmax(values))]
    st.markdown(
        f"**{label}**: {means}. Highest: layer {best.layer}, head {best.head} with "
        f"**{score_text(score, getattr(best, score))}**."
    )
    data = score_map(figures, score, label, means)
    attention_map(data, key="attention_score_map", locked=view.lock, on_lock=open_head)


def open_head(layer: int, head: int) -> None:
    """From a callback: show this head under Heads."""
    lock_head(layer, head)
    st.session_state["attention_section"] = "Heads"
    redraw_page()  # the tab this was asked in is about to close


def _why_undefined(view: AttentionPageView, score: str) -> str:
    if view.text.start and score in ("entropy", "distance"):
        return "Entropy and distance need every key: set the window's start to 0, or measure on repeated random tokens."
    if score in ("induction", "duplicate"):
        return "No token of this text stands in it twice, so there is nothing to look back at: measure on repeated random tokens."
    return "One token can only look at itself: type more text, or measure on repeated random tokens."


def score_table(figures: tuple[HeadFigures, ...]) -> pd.DataFrame:
    """One row a head."""
    import pandas as pd  # only a table needs it, and a page opens without it

    columns: dict[str, list[object]] = {
        "layer": [figure.layer for figure in figures],
        "head": [figure.head for figure in figures],
    }
    for name in SCORES:
        columns[name] = [getattr(figure, name) for figure in figures]
    return pd.DataFrame(columns)


def _table(view: AttentionPageView, figures: tuple[HeadFigures, ...]) -> None:
    frame = score_table(figures)
    shown = frame.sort_values(options().score, ascending=False, na_position="last").reset_index(drop=True)
    shown[list(SHARES)] *= 100  # Streamlit's own percent format drops zeros at the end
    config = {
        name: st.column_config.NumberColumn(label, format="%.2f%%" if name in SHARES else "%.2f", help=means)
        for name, (label, means) in SCORES.items()
    }

    def chosen() -> None:
        table = st.session_state.get("attention_table")
        if table is not None and (rows := table.selection.rows):
            open_head(int(shown["layer"][rows[0]]), int(shown["head"][rows[0]]))

    st.dataframe(
        shown,
        hide_index=True,
        height=320,
        column_config=config,
        key="attention_table",
        on_select=chosen,
        selection_mode="single-row",
    )
    st.caption("Sort by a column's head; mark a row at its left edge to open that head.")
    file_button(f"CSV of all {len(frame):,} heads", "heads.csv", lambda: frame.to_csv(index=False), quiet=True)
