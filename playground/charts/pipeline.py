"""How the distribution changes from stage to stage: one stacked column a stage, the likeliest tokens as its bands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import LABELS_FIT, Trace, escaped, make_figure
from playground.charts.numbers import between, choices, count, percent, percent_between
from playground.charts.palette import FINAL, GRID, RAW, ink_on, sequential
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.numerics import top_ids
from playground.sampling.chain import NextToken, RowTrace
from playground.sampling.partial_chain import PartialNext, PartialTrace

if TYPE_CHECKING:
    import pandas

BANDS = 8
VERDICTS = {
    "exact": "exact",
    "bounded": "bounded",
    "unknown": "not known",
}  # what is known of a row told in part, in words


@dataclass(frozen=True, slots=True)
class PipelineData:
    """``probabilities``: (tokens, columns) of the likeliest tokens by raw rank; ``others``: (columns,) of all the rest.

    ``columns`` are the stages' labels with "Raw" first; ``kept``: (columns,) tokens still in the race, in words.
    Of a row that is listed in part the probabilities are lower bounds: ``unlisted`` (columns,) is that of the tokens that the
    engine does not tell, and ``open`` (columns,) what lies between the bounds.
    """

    columns: tuple[str, ...]
    tokens: tuple[str, ...]
    probabilities: npt.NDArray[np.float32]
    others: npt.NDArray[np.float32]
    kept: tuple[str, ...]
    unlisted: npt.NDArray[np.float32] | None = None
    open: npt.NDArray[np.float32] | None = None


def pipeline_data(view: NextToken | PartialNext, codec: TextCodec) -> PipelineData:
    """The likeliest tokens by raw probability, followed through every stage; by their lower bounds where only those are known."""
    if isinstance(view, PartialNext):
        return _lower_bounds(view, codec)
    trace = view.trace
    ids = top_ids(trace.raw_logits, BANDS)
    rows = [trace.raw_logits, *(stage.logits for stage in trace.stages)]
    columns = np.stack([_probabilities_of(row, ids) for row in rows], axis=1)  # (tokens, columns)
    kept = (np.isfinite(trace.raw_logits).sum(), *(stage.kept for stage in trace.stages))
    others = np.clip(1.0 - columns.sum(axis=0), 0.0, 1.0)
    return PipelineData(_columns(view), _names(view, codec, ids), columns, others, tuple(f"{n:,} kept" for n in kept))


def _lower_bounds(view: PartialNext, codec: TextCodec) -> PipelineData:
    trace = view.trace
    rows = [trace.raw, *(stage.row for stage in trace.stages)]
    lows = [np.zeros(len(trace.raw.ids)) if row is None else row.probabilities()[0] for row in rows]
    rest = np.array([0.0 if row is None else row.rest_probability()[0] for row in rows])
    columns = np.stack([low[:BANDS] for low in lows], axis=1)  # (tokens, columns)
    others = np.array([low[BANDS:].sum() for low in lows])
    left_open = np.clip(1.0 - columns.sum(axis=0) - others - rest, 0.0, 1.0)
    left_open[left_open < 2e-6] = 0.0
    return PipelineData(
        columns=_columns(view),
        tokens=_names(view, codec, trace.raw.ids[:BANDS]),
        probabilities=columns.astype(np.float32),
        others=others.astype(np.float32),
        kept=("exact", *(VERDICTS[stage.verdict] for stage in trace.stages)),
        unlisted=rest.astype(np.float32),
        open=left_open.astype(np.float32),
    )


def _columns(view: NextToken | PartialNext) -> tuple[str, ...]:
    return ("Raw", *(stage.label for stage in view.trace.stages))


def _names(view: NextToken | PartialNext, codec: TextCodec, ids: npt.NDArray[np.integer]) -> tuple[str, ...]:
    return tuple(glyphs(codec.piece(int(token), view.ids[-CONTEXT_TAIL:])) for token in ids)


def _probabilities_of(logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Softmax of ``logits`` (vocab,) at ``ids`` only."""
    top = logits.max()
    return np.asarray(np.exp(logits[ids] - top) / np.exp(logits - top).sum(dtype=np.float64), dtype=np.float32)


def stage_table(trace: RowTrace | PartialTrace) -> pandas.DataFrame:
    """One row a stage, the raw distribution first; of a row told in part with what is known of it, and why."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    if isinstance(trace, RowTrace):
        rows = [_cells("Raw", {}, (trace.raw_probs.size,) * 2, "–", (trace.raw_entropy,) * 2)]
        for one in trace.stages:
            entered, left = percent(one.removed_mass), (one.kept,) * 2
            rows.append(_cells(one.label, one.params, left, entered, (one.entropy,) * 2))
        return pd.DataFrame(rows)
    raw = _cells("Raw", {}, (trace.raw.vocab_size,) * 2, "–", trace.raw.entropy())
    rows = [{**raw, "known": "exact", "why": ""}]
    for stage in trace.stages:
        removed = "not known" if stage.row is None else percent_between(*stage.removed_mass)
        verdict = {"known": VERDICTS[stage.verdict], "why": stage.why}
        rows.append({**_cells(stage.label, stage.params, stage.kept, removed, stage.entropy), **verdict})
    return pd.DataFrame(rows)[["stage", "values", "known", "kept", "removed", "H, nats", "exp H", "why"]]


def _cells(
    label: str, params: object, kept: tuple[float, float], removed: str, nats: tuple[float, float]
) -> dict[str, str]:
    return {
        "stage": label,
        "values": params_words(params),
        "kept": between(kept, count),
        "removed": removed,
        "H, nats": between(nats, "{:.3f}".format),
        "H, bits": between(nats, lambda value: f"{value / math.log(2):.3f}"),
        "exp H": between(nats, choices),
    }


def params_words(params: object) -> str:
    """A stage's values; a lone one is named by its stage already."""
    items = params.items() if isinstance(params, Mapping) else ()
    pairs = [(name, f"{value:g}" if isinstance(value, float) else str(value)) for name, value in items]
    return pairs[0][1] if len(pairs) == 1 else ", ".join(f"{name} = {value}" for name, value in pairs)


def pipeline_figure(data: PipelineData) -> go.Figure:
    """Stacked columns that always reach 100%: what one token loses the others share."""
    x = np.arange(len(data.columns), dtype=np.float32)
    traces: list[Trace] = []
    for index, token in enumerate(data.tokens):
        shade = sequential(1.0 - index / max(len(data.tokens) - 1, 1))
        row = data.probabilities[index]
        traces.append(
            dict(
                type="bar",
                x=x,
                y=row,
                name=escaped(token),
                marker={"color": shade, "line": {"color": "rgba(140,145,156,0.9)", "width": 0.7}},
                text=[f"{escaped(token)} {percent(float(p))}" if p > 0.045 else "" for p in row],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"color": ink_on(shade), "size": 11},
                hovertext=[f"<b>{escaped(token)}</b><br>{percent(float(p))}" for p in row],
                hoverinfo="text",
            )
        )
    traces.append(_band(x, data.others, "all other tokens" if data.open is None else "other tokens told", RAW, "/"))
    if data.open is not None and data.unlisted is not None:
        traces.append(_band(x, data.unlisted, "not told by this engine", RAW, "x"))
        traces.append(_band(x, data.open, "open: between the bounds", FINAL, ".", "rgba(0,0,0,0)"))
    layout = dict(
        barmode="stack",
        bargap=0.25,
        height=380,
        margin={"l": 8, "r": 8, "t": 30, "b": 8},
        dragmode=False,
        showlegend=False,
        uniformtext=LABELS_FIT,
        xaxis={
            "tickvals": x,
            "ticktext": [f"{name}<br>{kept}" for name, kept in zip(data.columns, data.kept, strict=True)],
            "fixedrange": True,
            "automargin": True,
        },
        yaxis={
            "tickformat": ".0%",
            "range": [0, 1.001],
            "gridcolor": GRID,
            "fixedrange": True,
        },
        hoverlabel={"align": "left", "font": {"family": "monospace"}},
    )
    return make_figure(traces, layout)


def _band(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    name: str,
    colour: str,
    shape: str,
    ground: str | None = None,
) -> Trace:
    """What is no single token, in a pattern."""
    pattern = {"shape": shape, "size": 5} | ({"fgcolor": colour, "bgcolor": ground} if ground else {})
    texts = [f"{name}<br>{percent(float(p))}" for p in y]
    return dict(
        type="bar", x=x, y=y, name=name, marker={"color": colour, "pattern": pattern}, hovertext=texts, hoverinfo="text"
    )


def pipeline_description(data: PipelineData) -> str:
    """The picture in words and numbers."""
    first = [
        f"{name}: {data.tokens[0]} {percent(float(p))}, {kept}"
        for name, p, kept in zip(data.columns, data.probabilities[0], data.kept, strict=True)
    ]
    said = "Stacked columns of the distribution after each stage. " + "; ".join(first) + "."
    if data.open is None or data.unlisted is None:
        return said
    ends = ", ".join(f"{percent(float(p))}" for p in (data.unlisted[-1], data.open[-1]))
    return f"{said} These are lower bounds. At the end, not told by this engine and open between the bounds: {ends}."
