"""What a model knows of languages, as pictures: bits against premium, and the next token of one sentence in two languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, escaped, make_figure
from playground.charts.interval_lines import error_bars
from playground.charts.numbers import percent
from playground.charts.palette import FINAL
from playground.charts.scale_bars import BarsOf, PlainBar
from playground.charts.table import TableColumn, TableData
from playground.corpus.meaning import Knowledge
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import FloatArray, TokenIds
from playground.numerics import log_softmax, top_ids

_BARS = 8
_PREMIUMS = [0.2, 0.5, 1, 2, 5, 10, 20, 50]


def meaning_figure(knowledge: Sequence[Knowledge]) -> go.Figure:
    """A mark a language: premium across, bits per meaning upwards with its interval over articles."""
    values = np.array([each.per_meaning.value for each in knowledge], dtype=np.float32)
    low, high = (
        np.array([(each.per_meaning.low, each.per_meaning.high) for each in knowledge], dtype=np.float32)
        .reshape(-1, 2)
        .T
    )
    premiums = [each.premium for each in knowledge] or [1.0]
    middle = min(premiums) * max(premiums)  # the square of what lies halfway on a logarithmic axis
    marks: Trace = {
        "type": "scatter",
        "mode": "markers+text",
        "x": np.array([each.premium for each in knowledge], dtype=np.float32),
        "y": values,
        "text": [f"  {escaped(each.text.name)}  " for each in knowledge],
        # beside the mark, where its interval is not, and towards the middle
        "textposition": ["middle left" if each.premium**2 > middle else "middle right" for each in knowledge],
        "cliponaxis": False,
        "hoverinfo": "skip",
        "marker": {"size": 10, "color": FINAL},
        "error_y": error_bars(values, low, high, FINAL),
    }
    layout: dict[str, Any] = {
        "height": 400,
        "margin": {"l": 8, "r": 24, "t": 24, "b": 44},
        "dragmode": False,
        "xaxis": {
            "title": {"text": "premium under this model's tokenizer"},
            "type": "log",
            "fixedrange": True,
            "tickvals": _PREMIUMS,
            "ticktext": [f"{each:g}×" for each in _PREMIUMS],
        },
        "yaxis": {"title": {"text": "bits per meaning"}, "rangemode": "tozero", "fixedrange": True, "automargin": True},
    }
    return make_figure([marks], layout)


def meaning_description(knowledge: Sequence[Knowledge]) -> str:
    """Every language in words."""
    said = "; ".join(
        f"{each.text.name}: premium {each.premium:.2f}, {each.per_byte.value:.2f} bits a byte, "
        f"{each.per_meaning.value:.2f} bits per meaning ({each.per_meaning.low:.2f} to {each.per_meaning.high:.2f})"
        for each in knowledge
    )
    return f"Bits per meaning against the premium. {said}."


def knowledge_table(knowledge: Sequence[Knowledge]) -> TableData:
    """A row a language, with 95% intervals over articles in the texts."""
    columns = (
        TableColumn("language", "Language", 150, pinned=True),
        TableColumn("meaning", "Bits per meaning", 160, "Bits per byte × bytes against the baseline's."),
        TableColumn("premium", "Premium", 80, "Tokens against the baseline's, on the same articles.", decimals=2),
        TableColumn("byte", "Bits per byte", 160, "With its 95% interval over articles."),
        TableColumn("character", "Bits per character", 160, "With its 95% interval over articles."),
        TableColumn("tokens", "Tokens", 80, decimals=0),
    )
    rows = tuple(
        {
            "language": each.text.name,
            "premium": each.premium,
            **{
                name: f"{part.value:.2f} ({part.low:.2f} to {part.high:.2f})"
                for name, part in (
                    ("byte", each.per_byte),
                    ("character", each.per_character),
                    ("meaning", each.per_meaning),
                )
            },
            "tokens": each.tokens,
        }
        for each in knowledge
    )
    return TableData(columns, rows)


def next_bars(codec: TextCodec, ids: TokenIds, logits: FloatArray) -> BarsOf:
    """The likeliest next tokens. ``logits`` (vocab,)."""
    logprobs = log_softmax(logits)
    bars = []
    for token in top_ids(logits, _BARS):
        share = float(np.exp(logprobs[token]))
        bars.append(PlainBar(glyphs(codec.piece(int(token), ids[-8:])), share, percent(share), "now"))
    return BarsOf(tuple(bars), "probability of the next token")
