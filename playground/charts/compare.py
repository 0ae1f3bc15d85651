"""Several settings over one row of logits: grouped bars, one colour and one letter for each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped
from playground.charts.numbers import choices, percent_between
from playground.charts.palette import BESIDE, FINAL, GRID, PINS
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import TokenIds
from playground.inspection.next_token import CONTEXT_TAIL
from playground.numerics import top_ids
from playground.sampling.chain import NextToken
from playground.sampling.compare import compare
from playground.sampling.orders import order_name
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings

if TYPE_CHECKING:
    import pandas

NOW = "now"
_TALLEST, _ALL_BARS = 400, 252  # pixels: within the first screen, and what axis, legend and gaps leave of it
TOKENS = 10
THINNEST = 9  # pixels of a bar: thinner ones have texts that overlap
NAMED_TOKENS = 8


@dataclass(frozen=True, slots=True)
class CompareData:
    """``settings``: "now", the pinned letters, those of models beside; ``probabilities``: (settings, tokens), final ones.

    ``open``: of a row that is listed in part, how far above that each may lie, (settings, tokens).
    """

    settings: tuple[str, ...]
    tokens: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    open: npt.NDArray[np.float32] | None = None

    @property
    def largest(self) -> npt.NDArray[np.float32]:
        """The largest value that each may have."""
        return self.probabilities if self.open is None else self.probabilities + self.open


def shown_tokens(settings: int) -> int:
    """How many tokens fit within the first screen with bars of ``settings`` each that can be told apart."""
    return min(TOKENS, _ALL_BARS // (THINNEST * settings))


def compare_data(views: Mapping[str, NextToken], codec: TextCodec) -> CompareData:
    """The likeliest tokens of any of the settings, by the largest final probability among them."""
    before = views[NOW].ids[-CONTEXT_TAIL:]
    rows = np.stack([item.trace.final_probs for item in views.values()])  # (settings, vocab)
    best = rows.max(axis=0)
    ids = [token for token in top_ids(best, shown_tokens(len(views))) if best[token] > 0]
    labels = tuple(glyphs(codec.piece(int(token), before)) for token in ids)
    return CompareData(tuple(views), labels, rows[:, ids])


def difference_table(views: Mapping[str, NextToken], codec: TextCodec) -> pandas.DataFrame:
    """One row a setting: how uncertain it is, how far the present one is from it, and which tokens differ."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    rows = []
    for name, item in views.items():
        trace = item.trace
        change = None if name == NOW else compare(trace, views[NOW].trace)
        rows.append(
            {
                "": "Now" if name == NOW else name,
                "order": order_name(item.settings.order) or "own",
                "kept": f"{int((trace.final_probs > 0).sum()):,}",
                "exp H": choices(trace.final_entropy),
                "KL, nats": "" if change is None else "∞" if math.isinf(change.kl_qp) else f"{change.kl_qp:.4f}",
                "gained now": "" if change is None else named_tokens(change.gained, codec, item.ids),
                "lost now": "" if change is None else named_tokens(change.lost, codec, item.ids),
                "H, nats": f"{trace.final_entropy:.3f}",
                "chain": settings_words(item.settings),
            }
        )
    return pd.DataFrame(rows)


def settings_words(settings: SamplerSettings) -> str:
    """Settings in a few words: what is on, and in which order."""
    on = [f"{SAMPLERS[n].label} {getattr(settings, SAMPLERS[n].parameters[0].name)}" for n in settings.active()]
    return " → ".join(on) or "everything off"


def named_tokens(ids: tuple[int, ...], codec: TextCodec, before: TokenIds) -> str:
    names = [glyphs(codec.piece(token, before[-CONTEXT_TAIL:])) for token in ids[:NAMED_TOKENS]]
    more = f" and {len(ids) - NAMED_TOKENS:,} more" if len(ids) > NAMED_TOKENS else ""
    return f"{len(ids):,}: {' '.join(names)}{more}" if ids else "0"


def compare_figure(data: CompareData) -> go.Figure:
    """One group of bars a token, one bar a setting; a removed token's bar is missing."""
    y = np.arange(len(data.tokens), dtype=np.float32)
    thickness = 0.84 / len(data.settings)
    traces = []
    for index, name in enumerate(data.settings):
        row, most = data.probabilities[index], data.largest[index]
        colour = FINAL if name == NOW else (PINS | BESIDE)[name]
        texts = [percent_between(float(p), float(high)) if high > 0 else "" for p, high in zip(row, most, strict=True)]
        shared = {
            "y": y + (index - (len(data.settings) - 1) / 2) * thickness,
            "width": thickness * 0.92,
            "orientation": "h",
            "name": "Now" if name == NOW else f"Model {name}" if name in BESIDE else f"Pin {name}",
        }
        traces.append(
            go.Bar(
                **shared,
                x=most,
                marker={"color": colour} if data.open is None else _hatched(colour),
                showlegend=data.open is None,
                text=[text and f"{'' if name == NOW else name + ' '}{text}" for text in texts],
                textposition="outside",
                textfont={"size": 10},
                constraintext="none",  # the bars are thick enough, see ``shown_tokens``
                cliponaxis=False,
                hovertext=[
                    f"<b>{escaped(token)}</b><br>{name}: {text or 'removed'}"
                    for token, text in zip(data.tokens, texts, strict=True)
                ],
                hoverinfo="text",
            )
        )
        if data.open is not None:  # solid up to what is certain
            traces.append(go.Bar(**shared, x=row, marker={"color": colour}, hoverinfo="skip"))
    figure = go.Figure(traces)
    end = min(float(data.largest.max()) * (1.2 if data.open is None else 1.7), 1.25 if data.open is None else 1.7)
    figure.update_layout(
        barmode="overlay",
        height=min(_TALLEST, 80 + len(data.tokens) * (10 + 13 * len(data.settings))),
        margin={"l": 8, "r": 16, "t": 34, "b": 8},
        dragmode=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        xaxis={
            "tickformat": ".0%",
            "range": [0, end],
            "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1] if end > 1 else None,  # the room beyond is for the last bar's text
            "gridcolor": GRID,
            "fixedrange": True,
        },
        yaxis={
            "range": [len(data.tokens) - 0.45, -0.55],
            "tickvals": y,
            "ticktext": [escaped(token) for token in data.tokens],
            "tickfont": {"family": "monospace", "size": 13},
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
        hoverlabel={"align": "left", "font": {"family": "monospace"}},
    )
    return figure


def _hatched(colour: str) -> dict[str, object]:
    """What lies between two bounds."""
    pattern = {"shape": "/", "size": 4, "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)"}
    return {"color": colour, "pattern": pattern, "line": {"color": colour, "width": 1}}


def compare_description(data: CompareData) -> str:
    """The picture in words and numbers."""
    parts = [
        f"{name}: "
        + ", ".join(
            f"{token} {percent_between(float(p), float(high))}"
            for token, p, high in zip(data.tokens[:4], row, most, strict=False)
        )
        for name, row, most in zip(data.settings, data.probabilities, data.largest, strict=True)
    ]
    return "Final probabilities under several settings. " + "; ".join(parts) + "."
