"""The draw on a row that is listed in part: where each token's band may lie between 0 and 1, and where it lies for certain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.palette import CUT, FINAL, GRID
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.partial_chain import PartialNext
from playground.sampling.partial_order import by_weight, least_before_rest, shares_before, shares_through

BANDS = 12


@dataclass(frozen=True, slots=True, eq=False)
class BandsData:
    """``starts`` and ``ends`` (n, 2): bounds of where each token's band begins and ends; the last may be the rest's."""

    labels: tuple[str, ...]
    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]
    u: float
    hidden: int  # listed tokens that are not shown


def bands_data(view: PartialNext, codec: TextCodec) -> BandsData | None:
    """Tokens by descending final probability, then the rest; None where nothing is known."""
    row = view.trace.final
    if row is None:
        return None
    order = by_weight(row, equals="by id")
    starts, ends = np.stack(shares_before(row, order), axis=1), np.stack(shares_through(row, order), axis=1)
    left = np.flatnonzero(row.possible)
    shown = left[np.argsort(-row.high[left], kind="stable")][:BANDS]
    labels = [glyphs(codec.piece(int(row.ids[place]), view.ids[-CONTEXT_TAIL:])) for place in shown]
    starts, ends = starts[shown], ends[shown]
    rest = row.rest_probability()
    if not row.rest.gone:
        labels.append("not told")
        starts = np.vstack([starts, [least_before_rest(row, order), 1.0 - rest[0]]])
        ends = np.vstack([ends, [1.0, 1.0]])
    return BandsData(tuple(labels), starts, ends, view.draw.u, len(left) - len(shown))


def bands_figure(data: BandsData) -> go.Figure:
    """One line a token: hatched where its band may lie, solid where it lies for certain; a line at u."""
    y = np.arange(len(data.labels), dtype=np.float32)
    open_from, open_to = data.starts[:, 0], data.ends[:, 1]
    core_from, core_to = data.starts[:, 1], np.maximum(data.ends[:, 0], data.starts[:, 1])
    texts = [
        f"<b>{escaped(label)}</b><br>begins at {_between(start)}<br>ends at {_between(end)}"
        for label, start, end in zip(data.labels, data.starts, data.ends, strict=True)
    ]
    both = {"orientation": "h", "y": y, "hovertext": texts, "hoverinfo": "text", "width": 0.72}
    pattern = {"shape": "/", "size": 6, "fgcolor": FINAL, "bgcolor": "rgba(0,0,0,0)"}
    traces: list[Trace] = [
        dict(
            type="bar",
            base=open_from,
            x=open_to - open_from,
            name="may lie here",
            marker={"pattern": pattern, "color": FINAL, "line": {"color": FINAL, "width": 1}},
            **both,
        ),
        dict(type="bar", base=core_from, x=core_to - core_from, name="lies here", marker={"color": FINAL}, **both),
    ]
    line = {"type": "line", "x0": data.u, "x1": data.u, "yref": "paper", "y0": 0, "y1": 1}
    layout = dict(
        barmode="overlay",
        height=110 + 24 * len(data.labels),
        margin={"l": 8, "r": 8, "t": 30, "b": 60},
        dragmode=False,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        xaxis={"range": [0, 1], "tickformat": ".1f", "fixedrange": True, "gridcolor": GRID},
        yaxis={
            "range": [len(data.labels) - 0.45, -0.55],
            "tickvals": y,
            "ticktext": [escaped(label) for label in data.labels],
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
        shapes=[{**line, "line": {"color": CUT, "width": 3}}],
        annotations=[
            {
                "x": data.u,
                "yref": "paper",
                "y": 1.0,
                "yanchor": "bottom",
                "xanchor": "left" if data.u < 0.5 else "right",
                "showarrow": False,
                "text": f"u = {data.u:.4f}",
                "font": {"size": 13},
            }
        ],
    )
    return make_figure(traces, layout)


def bands_description(data: BandsData) -> str:
    """The picture in words and numbers."""
    parts = "; ".join(
        f"{label} begins at {_between(start)} and ends at {_between(end)}"
        for label, start, end in zip(data.labels[:5], data.starts, data.ends, strict=False)
    )
    return f"Where each token's band lies between 0 and 1, likeliest first: {parts}. u = {data.u:.4f}."


def _between(bounds: npt.NDArray[np.float64]) -> str:
    low, high = bounds.tolist()
    return f"{(low + high) / 2:.4f}" if high - low < 5e-5 else f"{low:.4f} to {high:.4f}"
