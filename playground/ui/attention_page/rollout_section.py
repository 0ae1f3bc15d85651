"""Section "Rollout": how much of each token could have reached each position, layer after layer."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts.attention_view import AttentionView, MatrixPanel
from playground.charts.numbers import percent
from playground.engine.types import FloatArray
from playground.inspection.attention import rollout
from playground.ui.attention_page.heads import pick_query
from playground.ui.attention_page.view import AttentionPageView, bind_fields, change, remembered
from playground.ui.components.attention import attention_view
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.messages import why_it_matters


def shown_rollout(step: FloatArray, *, hide: bool) -> FloatArray:
    """(T, T) with NaN above the diagonal; the first token's column blank and the rest of each row renormalised if asked."""
    values: FloatArray = np.where(np.tri(len(step), dtype=bool), step, np.nan).astype(np.float32)
    if hide:
        left = np.nansum(values[:, 1:], axis=1, keepdims=True)
        values /= np.where(left > 0, left, np.nan)
        values[:, 0] = np.nan
    return values


def rollout_section(view: AttentionPageView) -> None:
    """One heatmap with a slider over the layers."""
    steps = remembered(view.attention, "rollout", lambda: rollout(view.attention))  # (layers, T, T)
    last = len(steps) - 1
    hide = view.options.hide_first
    note = "First token hidden, the rest renormalised." if hide else ""
    depth = last if view.options.depth < 0 else min(view.options.depth, last)
    if last:
        st.slider(
            "Up to layer",
            0,
            last,
            value=depth,
            key="attention_depth",
            on_change=bind_fields("attention_depth", depth, lambda value: change(depth=value), PICTURES),
        )
    number = view.attention.layers[depth].index
    data = AttentionView(
        tokens=view.text.tokens,
        start=view.text.start,
        panels=(MatrixPanel(f"Rollout up to layer {number}", shown_rollout(steps[depth], hide=hide), note),),
        query=view.query,
        verbs=("can draw on", "can reach"),
    )
    attention_view(data, key="attention_rollout", on_pick=rerun_callback(pick_query, PICTURES))
    share = float(steps[depth][1:, 0].mean()) if view.attention.width > 1 else 1.0
    if share > 0.9 and not hide:
        st.caption(
            f"{percent(share)} comes from the first token: the sinks of all layers add up. Hide it to see the rest."
        )
    skipped = view.info.layers - len(view.attention.layers)
    why_it_matters(
        "Attention rollout ([Abnar and Zuidema 2020](https://arxiv.org/abs/2005.00928)): each layer passes on half of what "
        "stood at a position and half of what its heads, averaged, fetched; multiplied up through the layers. It ignores what "
        "the values and the feed-forward parts do, so it bounds where information may have come from and does not explain "
        "the answer." + (f" {skipped} layers have no attention and pass everything on." if skipped > 0 else "")
    )
