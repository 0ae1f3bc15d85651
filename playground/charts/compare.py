"""Several settings over one row of logits: grouped bars, one colour and one letter for each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.numbers import between, choices, count, percent_between
from playground.charts.palette import BESIDE, FINAL, GRID, PINS
from playground.charts.pipeline import VERDICTS
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import TokenIds
from playground.inspection.next_token import CONTEXT_TAIL
from playground.numerics import top_ids
from playground.sampling.chain import NextToken
from playground.sampling.compare import compare
from playground.sampling.orders import order_name
from playground.sampling.partial_chain import PartialNext
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings

if TYPE_CHECKING:
    import pandas

AnyNext = NextToken | PartialNext
NOW = "now"
_TALLEST, _ALL_BARS = 400, 252  # pixels: within the first screen, and what axis, legend and gaps leave of it
TOKENS = 10
THINNEST = 9  # pixels of a bar: thinner ones have texts that overlap
NAMED_TOKENS = 8


@dataclass(frozen=True, slots=True)
class CompareData:
    """``settings``: "now", the pinned letters, those of models beside; ``probabilities``: (settings, tokens), final ones.

    ``open``: of a row that is listed in part, how far above that each may lie, (settings, tokens). ``colours``: where the
    settings are no letters, one each; their names stand as they are.
    """

    settings: tuple[str, ...]
    tokens: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    open: npt.NDArray[np.float32] | None = None
    colours: tuple[str, ...] = ()

    @property
    def largest(self) -> npt.NDArray[np.float32]:
        """The largest value that each may have."""
        return self.probabilities if self.open is None else self.probabilities + self.open


def shown_tokens(settings: int) -> int:
    """How many tokens fit within the first screen with bars of ``settings`` each that can be told apart."""
    return min(TOKENS, _ALL_BARS // (THINNEST * settings))


def compare_data(views: Mapping[str, AnyNext], codec: TextCodec) -> CompareData:
    """The tokens that can be likeliest under any of the settings of which something is known, by final probability.

    What an engine does not tell stands last, as one.
    """
    distributions = {
        name: distribution for name, item in views.items() if (distribution := item.trace.distribution()) is not None
    }
    if not distributions:
        empty = np.zeros((0, 0), dtype=np.float32)
        return CompareData((), (), empty, empty)
    whole = all(isinstance(item, NextToken) for item in views.values())
    low, high = (
        np.stack(rows) for rows in zip(*((each.low, each.high) for each in distributions.values()), strict=True)
    )
    best = high.max(axis=0)  # (k,)
    places = [place for place in top_ids(best, shown_tokens(len(distributions)) - (not whole)) if best[place] > 0]
    ids, before = next(iter(distributions.values())).ids, views[NOW].ids[-CONTEXT_TAIL:]
    labels = tuple(glyphs(codec.piece(int(ids[place]), before)) for place in places)
    low, high = low[:, places], high[:, places]
    if whole:
        return CompareData(tuple(distributions), labels, low)
    rest = np.array([each.rest for each in distributions.values()])  # (settings, 2)
    low, high = np.column_stack([low, rest[:, 0]]), np.column_stack([high, rest[:, 1]])
    return CompareData(
        tuple(distributions), (*labels, "not told"), low.astype(np.float32), (high - low).clip(0).astype(np.float32)
    )


def difference_table(views: Mapping[str, AnyNext], codec: TextCodec) -> pandas.DataFrame:
    """One row a setting: how uncertain it is, how far the present one is from it, and which tokens differ; each as far as it
    is certain."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    now, rows = views[NOW].trace.distribution(), []
    for name, item in views.items():
        distribution, own = item.trace.distribution(), name == NOW
        change = compare(distribution, now)
        rows.append(
            {
                "": "Now" if own else name,
                "order": order_name(item.settings.order) or "own",
                "final": "" if isinstance(item, NextToken) else VERDICTS[item.trace.verdict],
                "kept": "" if distribution is None else between(distribution.left, count),
                "exp H": "" if distribution is None else between(distribution.entropy, choices),
                "KL, nats": "" if own else _divergence(change.kl_qp),
                "gained now": "" if own else named_tokens(change.gained, codec, item.ids),
                "lost now": "" if own else named_tokens(change.lost, codec, item.ids),
                "H, nats": "" if distribution is None else between(distribution.entropy, "{:.3f}".format),
                "chain": settings_words(item.settings),
            }
        )
    table = pd.DataFrame(rows)
    return table if table["final"].any() else table.drop(columns="final")


def _divergence(value: float | None) -> str:
    return "open" if value is None else "∞" if math.isinf(value) else f"{value:.4f}"


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
    traces: list[Trace] = []
    for index, name in enumerate(data.settings):
        row, most = data.probabilities[index], data.largest[index]
        colour = data.colours[index] if data.colours else FINAL if name == NOW else (PINS | BESIDE)[name]
        texts = [percent_between(float(p), float(high)) if high > 0 else "" for p, high in zip(row, most, strict=True)]
        shared = {
            "y": y + (index - (len(data.settings) - 1) / 2) * thickness,
            "width": thickness * 0.92,
            "orientation": "h",
            "name": name if data.colours else _legend(name),
        }
        traces.append(
            dict(
                **shared,
                type="bar",
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
            traces.append(dict(**shared, type="bar", x=row, marker={"color": colour}, hoverinfo="skip"))
    end = min(float(data.largest.max()) * (1.2 if data.open is None else 1.7), 1.25 if data.open is None else 1.7)
    layout = dict(
        barmode="overlay",
        height=min(_TALLEST, 80 + len(data.tokens) * (10 + 13 * len(data.settings))),
        margin={"l": 8, "r": 16, "t": 34, "b": 8},
        dragmode=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        xaxis={
            "tickformat": ".0%" if end > 0.05 else ".2%",
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
    return make_figure(traces, layout)


def _legend(name: str) -> str:
    return "Now" if name == NOW else f"Model {name}" if name in BESIDE else f"Pin {name}"


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
    return (
        f"{'Probabilities' if data.colours else 'Final probabilities under several settings'}. "
        + "; ".join(parts)
        + "."
    )
