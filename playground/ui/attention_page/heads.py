"""Section "Heads": all heads at once, then the chosen ones on the text and as heatmaps."""

from __future__ import annotations

import streamlit as st

from playground.charts.attention_map import HeadMap, overview_map, thumbnails
from playground.charts.attention_view import AttentionView, MatrixPanel
from playground.charts.numbers import percent
from playground.inspection.attention import (
    AttentionMatrix,
    Selection,
    attention_matrix,
    layer_of,
)
from playground.ui.attention_page.view import (
    OVERVIEW,
    SHOWN,
    AttentionPageView,
    change,
    figures_of,
    load_view_or_nothing,
    remembered,
)
from playground.ui.components.attention import attention_map, attention_view
from playground.ui.kit.fragments import PICTURES, fragment, rerun_callback
from playground.ui.kit.messages import why_it_matters


def lock_head(layer: int, head: int) -> None:
    """A head chosen on a map."""
    change(heads=Selection(layer, (head,)).text)


def overview() -> None:
    """The composed image of all heads. Drawn anew when the text changes, not when a head or a colour scale is chosen."""
    fragment(OVERVIEW, _overview)


def _overview() -> None:
    view = load_view_or_nothing(OVERVIEW)
    if view is None:
        return  # the pictures below say why
    attention_map(
        overview_data(view),
        key="attention_overview",
        locked=view.lock,
        on_lock=rerun_callback(lock_head, *SHOWN),
    )


def overview_data(view: AttentionPageView) -> HeadMap:
    """A thumbnail of every head."""
    hide = view.options.hide_first
    tiles = remembered(view.attention, f"tiles:{hide}", lambda: thumbnails(view.attention, hide_first=hide))
    return overview_map(view.attention, figures_of(view.attention), tiles, name=view.info.name)


def heads_section(view: AttentionPageView) -> None:
    """The text and up to two heatmaps of the chosen heads."""
    selections = [view.selection] + ([view.beside] if view.beside else [])
    matrices = [matrix_of(view, selection) for selection in selections]
    _sink_line(view, matrices[0])
    data = AttentionView(
        tokens=view.text.tokens,
        start=view.text.start,
        panels=tuple(MatrixPanel(m.selection.title, m.values, panel_note(view, m)) for m in matrices),
        query=view.query,
        locked=view.lock,
    )
    attention_view(data, key="attention_view", on_pick=rerun_callback(pick_query, PICTURES))


def heads_reading() -> None:
    """How to read them. Outside of what another head repaints."""
    why_it_matters(
        "A row is a query: how it shares out its attention, 100% in all, over the tokens up to itself. "
        "**Attention is not an explanation**: a weight says where a head took its average from, not what the model "
        "made of it; other weights can give the same answer (Jain and Wallace 2019). Values on hover are within 0.002 "
        "percentage points."
    )


def pick_query(position: int) -> None:
    """A query chosen on the text or in a heatmap."""
    change(query=position)


def matrix_of(view: AttentionPageView, selection: Selection) -> AttentionMatrix:
    """What is shown of a selection. A single head is worked out each time, merged ones are remembered."""
    hide = view.options.hide_first
    if selection.single:
        return attention_matrix(view.attention, selection, hide_first=hide)
    return remembered(
        view.attention,
        f"matrix:{selection.text}:{hide}",
        lambda: attention_matrix(view.attention, selection, hide_first=hide),
    )


def panel_note(view: AttentionPageView, matrix: AttentionMatrix) -> str:
    """What must be known to read a heatmap rightly."""
    notes = []
    chosen = matrix.selection
    if chosen.single and chosen.layer is not None:
        layer = layer_of(view.attention, chosen.layer)
        group = layer.heads // layer.key_heads
        if group > 1:
            key_head = chosen.heads[0] // group
            shared = ", ".join(str(head) for head in range(key_head * group, (key_head + 1) * group))
            notes.append(f"Heads {shared} share key-value head {key_head}.")
    elif chosen.how != "mean":
        notes.append("Rows of a smallest or largest weight need not sum to 100%.")
    if matrix.first_hidden:
        notes.append("First token hidden, the rest renormalised.")
    if matrix.before.any():
        notes.append(f"{percent(float(matrix.before.mean()))} goes to tokens before the window.")
    return " ".join(notes)


def _sink_line(view: AttentionPageView, matrix: AttentionMatrix) -> None:
    share = matrix.sink_share
    if share != share:
        st.caption("One token can only look at itself: 100% goes to it, by force.")
        return
    hidden = " It is **hidden here, and the rest of each row renormalised to 100%**." if matrix.first_hidden else ""
    single = matrix.selection.single
    who = f"**{matrix.selection.title}** gives" if single else "These heads together give"
    over = "the queries after it" if single else "heads and the queries after it"
    st.markdown(f"{who} **{percent(share)}** to the first token, the sink, on average over {over}.{hidden}")
    if not _rows_are_whole(view):
        st.caption("The rows of this model sum to less than 100%: it has learnt sinks that stand for no token.")


def _rows_are_whole(view: AttentionPageView) -> bool:
    layer = view.attention.layers[0]
    coarse = 1e-3 if view.info.dtype == "float32" else 0.05
    return bool(abs(layer.weights[:, -1].sum(-1) + layer.before[:, -1] - 1).max() < coarse)
