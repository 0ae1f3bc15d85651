"""The next token's candidates as paired bars: raw probability in grey, final probability in the accent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from playground.charts.numbers import logprob, percent
from playground.charts.palette import CHOSEN_EDGE, CUT, FINAL, GRID, RAW

ROW_PX = 30
LOG_FLOOR = 1e-8  # where the logarithmic axis begins: nothing on screen needs less


@dataclass(frozen=True, slots=True)
class BarRow:
    """One candidate. ``removed_by`` is the label of the stage that dropped it, None when it is still in the race."""

    id: int
    label: str  # what it adds, with glyphs for what cannot be seen
    rank: int  # by raw probability, 0 first
    raw_prob: float
    raw_logprob: float
    final_prob: float
    removed_by: str | None = None
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class BarsData:
    """The rows on screen and everything else in one row, so that nothing of the vocabulary is left out."""

    rows: tuple[BarRow, ...]
    others_count: int
    others_raw: float
    others_final: float
    kept: int
    vocab_size: int
    cut_after: int | None  # rows above the cut when what is kept is a prefix by rank, else None
    log: bool = False


def bars_figure(data: BarsData) -> go.Figure:
    """Horizontal paired bars, likeliest on top, "others" last. Integer axis: equal labels stay apart."""
    rows, count = data.rows, len(data.rows) + 1
    raw = np.array([row.raw_prob for row in rows] + [data.others_raw], dtype=np.float32)
    final = np.array([row.final_prob for row in rows] + [data.others_final], dtype=np.float32)
    floor = LOG_FLOOR if data.log else 0.0
    y = np.arange(count, dtype=np.float32)
    hover = [_hover(row) for row in rows] + [_others_hover(data)]
    dropped = [row.removed_by is not None for row in rows] + [data.others_final == 0]
    ids = [[row.id] for row in rows] + [[-1]]
    shared = {"orientation": "h", "width": 0.38, "hovertext": hover, "hoverinfo": "text", "customdata": ids}
    raw_bar = go.Bar(
        x=np.maximum(raw, floor),
        y=y - 0.2,
        name="Raw",
        marker={
            "color": ["rgba(0,0,0,0)" if gone else RAW for gone in dropped],
            "line": {"color": RAW, "width": [1.4 if gone else 0 for gone in dropped]},
        },
        text=[_raw_text(row) for row in rows] + [percent(data.others_raw)],
        textposition="outside",
        textfont={"size": 11},
        cliponaxis=False,
        **shared,
    )
    final_bar = go.Bar(
        x=np.maximum(final, floor),
        y=y + 0.2,
        name="Final",
        marker={
            "color": FINAL,
            "line": {"color": CHOSEN_EDGE, "width": [2.5 if row.chosen else 0 for row in rows] + [0]},
        },
        text=[_final_text(row) for row in rows] + ["" if data.others_final == 0 else percent(data.others_final)],
        textposition="outside",
        textfont={"size": 11},
        cliponaxis=False,
        **shared,
    )
    figure = go.Figure([raw_bar, final_bar])
    labels = [f"{'▶ ' if row.chosen else ''}{escaped(row.label)}" for row in rows]
    figure.update_layout(
        **_layout(data, [*labels, f"others ({data.others_count:,})"], float(max(raw.max(), final.max())))
    )
    return figure


def bars_description(data: BarsData) -> str:
    """What the picture shows, with its numbers, for readers who do not see it."""
    first = ", ".join(
        f"{row.label} {percent(row.raw_prob)} raw, {percent(row.final_prob)} final" for row in data.rows[:5]
    )
    return (
        f"Bar chart of the {len(data.rows)} likeliest next tokens of {data.vocab_size:,}; {data.kept:,} are kept. {first}. "
        f"The other {data.others_count:,} tokens have {percent(data.others_raw)} raw and {percent(data.others_final)} final."
    )


def _layout(data: BarsData, labels: list[str], widest: float) -> dict[str, object]:
    count = len(labels)
    x_range = [np.log10(LOG_FLOOR), 0.6] if data.log else [0, min(widest * 1.22, 1.3)]
    layout: dict[str, object] = {
        "height": 70 + ROW_PX * count,
        "margin": {"l": 8, "r": 16, "t": 34, "b": 28},
        "bargap": 0.12,
        "barmode": "overlay",
        "dragmode": False,
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        "xaxis": {
            "range": x_range,
            "type": "log" if data.log else "linear",
            "tickformat": ".0e" if data.log else ".0%",
            "nticks": 6,
            "gridcolor": GRID,
            "fixedrange": True,
            "title": {"text": "probability (logarithmic)" if data.log else "probability", "font": {"size": 11}},
        },
        "yaxis": {
            "range": [count - 0.45, -0.55],
            "tickvals": np.arange(count),
            "ticktext": labels,
            "tickfont": {"family": "monospace", "size": 13},
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
        "hoverlabel": {"align": "left", "font": {"family": "monospace"}},
        "uirevision": "bars",
        "clickmode": "event+select",
    }
    if data.cut_after is not None and data.cut_after < data.vocab_size:
        layout |= _cut(data)
    return layout


def _cut(data: BarsData) -> dict[str, object]:
    """The line between the last kept and the first removed token, or a note that it lies below the rows shown."""
    assert data.cut_after is not None
    shown = len(data.rows)
    inside = data.cut_after <= shown
    where = data.cut_after - 0.5 if inside else shown - 0.5
    text = f"cut: {data.kept:,} kept" if inside else f"cut further down, after rank {data.cut_after:,}"
    line = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": where,
        "y1": where,
        "line": {"color": CUT, "width": 1.5, "dash": "dash"},
    }
    note = {
        "xref": "paper",
        "x": 1,
        "xanchor": "right",
        "yref": "y",
        "y": where,
        "yanchor": "bottom" if inside else "top",
        "text": text,
        "showarrow": False,
        "font": {"size": 11, "color": CUT},
    }
    return {"shapes": [line], "annotations": [note]}


def _raw_text(row: BarRow) -> str:
    if row.removed_by is None:
        return percent(row.raw_prob)
    return f"{percent(row.raw_prob)} · removed by {row.removed_by}"


def _final_text(row: BarRow) -> str:
    return "" if row.removed_by is not None else percent(row.final_prob)


def escaped(text: str) -> str:
    """Plotly reads a little HTML in labels; a token is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _hover(row: BarRow) -> str:
    state = f"removed by {row.removed_by}" if row.removed_by else f"final {percent(row.final_prob)}"
    return (
        f"<b>{escaped(row.label)}</b><br>id {row.id} · rank {row.rank + 1:,}<br>"
        f"raw {percent(row.raw_prob)} · log-probability {logprob(row.raw_logprob)}<br>{state}"
    )


def _others_hover(data: BarsData) -> str:
    return f"{data.others_count:,} other tokens<br>raw {percent(data.others_raw)}<br>final {percent(data.others_final)}"
