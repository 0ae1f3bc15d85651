"""Section "One weight": q·k for every key, scaled, and the softmax that makes the weights of one query."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts.attention_parts import SHOWN_KEYS, WeightBars, weight_description, weight_figure
from playground.charts.numbers import scientific
from playground.engine.text.display import glyphs
from playground.errors import CapabilityMissing
from playground.inspection.attention import layer_of
from playground.inspection.attention_parts import WeightParts, weight_parts
from playground.ui.attention_page.heads import lock_head
from playground.ui.attention_page.view import SHOWN, AttentionPageView, bind_fields, change
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import plotly_picture


def weight_section(view: AttentionPageView) -> None:
    """One head, one query."""
    if not view.attention.shows_scores:
        raise CapabilityMissing(
            f"{view.info.name} ({view.info.architecture}) does not show its queries and keys: its weights stand under Heads."
        )
    layer, head = view.lock
    if layer < 0:
        st.info(
            "Several heads are chosen: one weight belongs to one head. Choose one at the left.", icon=":material/info:"
        )
        return
    names = _names(view)
    places = list(range(view.text.start, view.text.end))
    st.selectbox(
        "Query",
        places,
        index=view.query - view.text.start,
        format_func=lambda place: names[place],
        key="attention_query",
        on_change=bind_fields("attention_query", view.query, lambda place: change(query=place), PICTURES),
    )
    parts = weight_parts(view.attention, layer, head, view.query)
    _sharing(view, parts)
    st.markdown(_formula(parts, names))
    data = WeightBars(
        query=names[view.query],
        names=tuple(names[: view.query + 1]),
        dots=parts.dots,
        scores=np.where(parts.visible, parts.scores, np.nan).astype(np.float32),
        weights=parts.weights,
    )
    if len(parts.dots) > SHOWN_KEYS:
        st.caption(f"The {SHOWN_KEYS} keys with the most weight, of {len(parts.dots):,}; the table below has all.")
    plotly_picture(
        weight_figure(data), key="attention_parts", alt=weight_description(data), config={"displayModeBar": False}
    )
    _table(parts, names)
    why_it_matters(
        f"The softmax of these scores and the weight the model used differ by at most {scientific(parts.error)}. Adding the same "
        "amount to every score changes no weight: only differences count, and a lead of 1 is a factor of 2.72."
    )


def _names(view: AttentionPageView) -> list[str]:
    return [f"{place} {glyphs(piece)}" for place, piece in enumerate(view.text.pieces[: view.text.end])]


def _formula(parts: WeightParts, names: list[str]) -> str:
    """The sum for the heaviest key, with the values in it."""
    key = int(np.argmax(parts.weights))
    usual = abs(parts.scale * parts.depth**0.5 - 1) < 1e-6
    scaled = f"/ √{parts.depth}" if usual else f"× {parts.scale:.4g}"
    capped = (
        f", capped to {float(parts.scores[key]):.3f} by {parts.softcap:g}·tanh(x / {parts.softcap:g})"
        if parts.softcap
        else ""
    )
    product = float(parts.dots[key]) * parts.scale
    name = names[key].replace("`", "'")
    return (
        f"Heaviest key `{name}`: q·k = {float(parts.dots[key]):.3f}, {scaled} = **{product:.3f}**{capped}; "
        f"e to that power over the sum of all is **{float(parts.weights[key]):.4f}**. Vectors have {parts.depth} numbers; "
        "positions are in them already."
    )


def _sharing(view: AttentionPageView, parts: WeightParts) -> None:
    """Which heads look at the same keys, each a button."""
    layer = layer_of(view.attention, parts.layer)
    if layer.key_heads == layer.heads:
        st.caption(f"Every one of this model's {layer.heads} heads has keys of its own.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            f"Grouped queries: {layer.heads} query heads share {layer.key_heads} key-value heads. These use key-value head "
            f"{parts.key_head}:",
            width="content",
        )
        for head in parts.sharing:
            st.button(
                f"Head {head}",
                key=f"attention_share_{head}",
                disabled=head == parts.head,
                type="tertiary",
                on_click=rerun_callback(lock_head, *SHOWN),
                args=(parts.layer, head),
            )


def _table(parts: WeightParts, names: list[str]) -> None:
    import pandas as pd  # only a table needs it, and a page opens without it

    frame = pd.DataFrame(
        {
            "key": names[: len(parts.dots)],
            "q·k": parts.dots,
            "score": np.where(parts.visible, parts.scores, np.nan),
            "weight": parts.weights,
            "used by the model": parts.recorded,
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=min(320, 38 + 35 * len(frame)),
        key="attention_parts_table",
        column_config={
            "q·k": st.column_config.NumberColumn(format="%.3f"),
            "score": st.column_config.NumberColumn(format="%.3f", help="Blank: the mask forbids this key."),
            "weight": st.column_config.NumberColumn(format="%.4g"),
            "used by the model": st.column_config.NumberColumn(format="%.4g", help="Blank before the window."),
        },
    )
