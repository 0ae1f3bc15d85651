"""Section "Compare": up to four pinned settings over the very same logits, beside the present ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    import pandas

from playground.charts.compare import NOW, CompareData, compare_description, compare_figure
from playground.charts.numbers import choices
from playground.charts.palette import PINS
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.numerics import top_ids
from playground.sampling.chain import NextToken
from playground.sampling.compare import compare
from playground.sampling.orders import ORDERS, order_name
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings
from playground.state.sampling import Pins
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.sampling_page.view import SamplingView, examine_row
from playground.ui.workspace.setup import setup

TOKENS = 10
NAMED_TOKENS = 8
WIDTHS = {"": 45, "order": 75, "kept": 65, "exp H": 60, "KL, nats": 70, "gained now": 110, "lost now": 110}  # pixels


def pins() -> Pins:
    """This session's pinned settings by letter."""
    return session.get(Pins)


def compare_section(view: SamplingView) -> None:
    """Buttons to pin, the overlay, and a table of what differs."""
    _buttons(view)
    if not pins():
        st.info(
            "Nothing is pinned yet. **Pin the present settings**, then move a slider: both are drawn over the same "
            "logits. Or let one click compare the orders of three engines."
        )
        return
    views = {NOW: view.next} | {letter: _pinned(view, settings) for letter, settings in pins().items()}
    data = compare_data(view, views)
    st.plotly_chart(
        compare_figure(data), key="compare", config={"displayModeBar": False}, alt=compare_description(data)
    )
    st.dataframe(
        difference_table(view, views),
        hide_index=True,
        key="compare_table",
        column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
    )
    why_it_matters(
        "KL divergence, KL(now ‖ pin), says how far the present settings are from the pin, in nats: 0 when they are the "
        "same, infinite when the present ones allow a token that the pin forbids. Gained and lost are meant from the pin's "
        "side to now. exp H: effective choices.",
        "KL divergence",
        "Effective choices",
        "Chain",
    )


def _buttons(view: SamplingView) -> None:
    with st.container(horizontal=True):
        st.button(
            "Pin the present settings",
            icon=":material/keep:",
            on_click=pin,
            args=(view.setup.settings,),
            disabled=len(pins()) >= len(PINS),
            help="Up to four pins, A to D. Press a pin to let it go."
            if len(pins()) < len(PINS)
            else "Four are pinned.",
        )
        st.button(
            "Compare hf, vllm and llama.cpp",
            icon=":material/swap_vert:",
            on_click=pin_orders,
            help="Pins A, B, C: the present values in the orders of three engines.",
        )
        for letter, settings in list(pins().items()):
            st.button(f"✕ {letter}", key=f"unpin_{letter}", on_click=unpin, args=(letter,), help=describe(settings))


def pin(settings: SamplerSettings) -> None:
    """Keep ``settings`` under the first free letter."""
    free = next((letter for letter in PINS if letter not in pins()), None)
    if free is not None:
        session.put(Pins(sorted((pins() | {free: settings}).items())))


def unpin(letter: str) -> None:
    """Let a pin go; the others keep their letters and colours."""
    session.put(Pins({other: found for other, found in pins().items() if other != letter}))


def pin_orders() -> None:
    """Pins A, B, C become the present values in the three engines' orders."""
    settings = setup().settings
    session.put(Pins({letter: settings.replace(order=order) for letter, order in zip(PINS, ORDERS, strict=False)}))


def describe(settings: SamplerSettings) -> str:
    """Settings in a few words: what is on, and in which order."""
    on = [
        f"{SAMPLERS[name].label} {getattr(settings, SAMPLERS[name].parameters[0].name)}" for name in settings.active()
    ]
    return escape_markdown(" → ".join(on) or "everything off")


def _pinned(view: SamplingView, settings: SamplerSettings) -> NextToken:
    return examine_row(view.worker, view.row, view.prompt_ids, settings, view.setup.seed)


def compare_data(view: SamplingView, views: dict[str, NextToken]) -> CompareData:
    """The likeliest tokens of any of the settings, by the largest final probability among them."""
    rows = np.stack([item.trace.final_probs for item in views.values()])  # (settings, vocab)
    best = rows.max(axis=0)
    ids = [token for token in top_ids(best, TOKENS) if best[token] > 0]
    labels = tuple(glyphs(view.codec.piece(int(token), view.ids[-CONTEXT_TAIL:])) for token in ids)
    return CompareData(tuple(views), labels, rows[:, ids])


def difference_table(view: SamplingView, views: dict[str, NextToken]) -> pandas.DataFrame:
    """One row a setting: how uncertain it is, how far the present one is from it, and which tokens differ."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    rows = []
    for name, item in views.items():
        trace = item.trace
        change = None if name == NOW else compare(trace, view.next.trace)
        rows.append(
            {
                "": "Now" if name == NOW else name,
                "order": order_name(item.settings.order) or "own",
                "kept": f"{int((trace.final_probs > 0).sum()):,}",
                "exp H": choices(trace.final_entropy),
                "KL, nats": "" if change is None else "∞" if math.isinf(change.kl_qp) else f"{change.kl_qp:.4f}",
                "gained now": "" if change is None else _named(view, change.gained),
                "lost now": "" if change is None else _named(view, change.lost),
                "H, nats": f"{trace.final_entropy:.3f}",
                "chain": describe(item.settings).replace("\\", ""),
            }
        )
    return pd.DataFrame(rows)


def _named(view: SamplingView, ids: tuple[int, ...]) -> str:
    names = [glyphs(view.codec.piece(token, view.ids[-CONTEXT_TAIL:])) for token in ids[:NAMED_TOKENS]]
    more = f" and {len(ids) - NAMED_TOKENS:,} more" if len(ids) > NAMED_TOKENS else ""
    return f"{len(ids):,}: {' '.join(names)}{more}" if ids else "0"
