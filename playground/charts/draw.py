"""The draw: u on the cumulative bar of the final distribution, and many draws against what was expected."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import LABELS_FIT, Trace, escaped, make_figure
from playground.charts.numbers import percent
from playground.charts.palette import CUT, FINAL, GRID, RAW, ink_on, sequential
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.chain import NextToken
from playground.sampling.draw import UniformStream, cumulative_distribution
from playground.sampling.partial_chain import PartialNext

BANDS = 24
WIDEST_LABELLED = 0.035  # narrower bands carry no text


@dataclass(frozen=True, slots=True)
class CumulativeData:
    """``labels`` and ``probabilities`` (n,) in descending final probability; ``rest`` is what the others share."""

    labels: tuple[str, ...]
    probabilities: npt.NDArray[np.float64]
    rest: float
    u: float
    chosen: int  # index into labels, len(labels) when the drawn token is among the rest


@dataclass(frozen=True, slots=True)
class HistogramData:
    """``observed``: (n,) counts of ``draws`` draws; ``expected``: (n,) counts the final distribution predicts."""

    labels: tuple[str, ...]
    observed: npt.NDArray[np.int64]
    expected: npt.NDArray[np.float64]
    draws: int


def _labels(view: NextToken | PartialNext, codec: TextCodec, ids: npt.NDArray[np.integer]) -> tuple[str, ...]:
    return tuple(glyphs(codec.piece(int(token), view.ids[-CONTEXT_TAIL:])) for token in ids)


def cumulative_data(view: NextToken, codec: TextCodec) -> CumulativeData:
    """The final distribution as bands, likeliest first."""
    distribution = cumulative_distribution(view.trace.final_probs)
    widths = np.diff(distribution.ends, prepend=0.0)
    shown = min(BANDS, len(distribution.ids))
    rank = view.draw.rank
    return CumulativeData(
        labels=_labels(view, codec, distribution.ids[:shown]),
        probabilities=widths[:shown],
        rest=float(widths[shown:].sum()),
        u=view.draw.u,
        chosen=min(rank, shown),
    )


def histogram_data(view: NextToken | PartialNext, codec: TextCodec, seed: int, draws: int) -> HistogramData:
    """``draws`` draws at this step, each with a random number of its own (rows 1, 2, … of the seed's streams).

    The final distribution must be exact; all tokens that are not told are one outcome, the last.
    """
    distribution = view.trace.distribution()
    assert distribution is not None and distribution.exact
    cumulative = cumulative_distribution(distribution.probs)
    ends = np.append(cumulative.ends * (1.0 - distribution.rest_prob), 1.0)
    us = [UniformStream(seed, row).at(view.step) for row in range(1, draws + 1)]
    drawn = np.bincount(np.searchsorted(ends, us, side="right"), minlength=len(ends))
    expected, shown, last = np.diff(ends, prepend=0.0) * draws, min(20, len(cumulative.ids)), len(cumulative.ids)
    labels = list(_labels(view, codec, distribution.ids[cumulative.ids[:shown]]))
    observed, wanted = list(drawn[:shown]), list(expected[:shown])
    others = "others told" if distribution.rest_prob > 0 else "others"
    for name, first, end in ((others, shown, last), ("not told", last, last + 1)):
        if expected[first:end].sum() > 0:
            labels.append(name)
            observed.append(drawn[first:end].sum())
            wanted.append(expected[first:end].sum())
    return HistogramData(tuple(labels), np.array(observed, np.int64), np.array(wanted), draws)


def cumulative_figure(data: CumulativeData) -> go.Figure:
    """One bar from 0 to 1, one band a token; a line at u shows whose band it falls into."""
    traces: list[Trace] = []
    count = len(data.labels)
    for index in range(count + (data.rest > 0)):
        rest = index == count
        label = "all others" if rest else data.labels[index]
        width = data.rest if rest else float(data.probabilities[index])
        shade = RAW if rest else sequential(1.0 - index / max(count - 1, 1))
        traces.append(
            dict(
                type="bar",
                x=[width],
                y=[0],
                orientation="h",
                marker={
                    "color": shade,
                    "line": {
                        "color": FINAL if index == data.chosen else "rgba(140,145,156,0.8)",
                        "width": 4 if index == data.chosen else 0.7,
                    },
                },
                text=[escaped(label) if width > WIDEST_LABELLED else ""],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"color": ink_on(shade), "size": 12, "family": "monospace"},
                hovertext=[f"<b>{escaped(label)}</b><br>{percent(width)}"],
                hoverinfo="text",
            )
        )
    layout = dict(
        barmode="stack",
        height=150,
        margin={"l": 8, "r": 8, "t": 34, "b": 28},
        showlegend=False,
        dragmode=False,
        uniformtext=LABELS_FIT,
        xaxis={"range": [0, 1], "tickformat": ".1f", "fixedrange": True, "gridcolor": GRID},
        yaxis={"visible": False, "fixedrange": True},
        shapes=[
            {
                "type": "line",
                "x0": data.u,
                "x1": data.u,
                "yref": "paper",
                "y0": -0.05,
                "y1": 1.05,
                "line": {"color": CUT, "width": 3},
            }
        ],
        annotations=[
            {
                "x": data.u,
                "yref": "paper",
                "y": 1.07,
                "yanchor": "bottom",
                "showarrow": False,
                "text": f"u = {data.u:.4f}",
                "font": {"size": 13},
            }
        ],
    )
    return make_figure(traces, layout)


def cumulative_description(data: CumulativeData) -> str:
    """The picture in words and numbers."""
    name = data.labels[data.chosen] if data.chosen < len(data.labels) else "one of the others"
    parts = ", ".join(
        f"{label} {percent(float(p))}" for label, p in zip(data.labels[:5], data.probabilities, strict=False)
    )
    rest = data.rest + float(data.probabilities[5:].sum())
    return (
        f"The final distribution laid out from 0 to 1, likeliest first: {parts}, all others together "
        f"{percent(rest)}; u = {data.u:.4f} falls into the band of {name}."
    )


def histogram_figure(data: HistogramData) -> go.Figure:
    """Observed counts as bars, expected counts as marks with a band of two standard deviations."""
    x = np.arange(len(data.labels), dtype=np.float32)
    share = data.expected / data.draws
    spread = 2 * np.sqrt(data.expected * (1 - share))
    observed = dict(
        type="bar",
        x=x,
        y=data.observed,
        name="drawn",
        marker={"color": FINAL},
        hovertemplate="%{y} drawn<extra></extra>",
    )
    expected = dict(
        type="scatter",
        x=x,
        y=data.expected,
        name="expected ± 2 standard deviations",
        mode="markers",
        marker={"symbol": "line-ew-open", "size": 18, "color": CUT, "line": {"width": 2.5}},
        error_y={"type": "data", "array": spread, "color": CUT, "thickness": 1.2},
        hovertemplate="%{y:.1f} expected<extra></extra>",
    )
    layout = dict(
        height=320,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        dragmode=False,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        xaxis={
            "tickvals": x,
            "ticktext": [escaped(label) for label in data.labels],
            "tickfont": {"family": "monospace"},
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={"gridcolor": GRID, "fixedrange": True, "title": {"text": f"times in {data.draws:,} draws"}},
    )
    return make_figure([observed, expected], layout)


def histogram_description(data: HistogramData) -> str:
    """The picture in words and numbers."""
    parts = [
        f"{label} {int(drawn)} drawn, {want:.0f} expected"
        for label, drawn, want in zip(data.labels[:6], data.observed, data.expected, strict=False)
    ]
    return f"{data.draws:,} draws against the final distribution: " + "; ".join(parts) + "."
