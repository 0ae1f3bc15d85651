"""Bits per byte as pictures: points with intervals, and a text's tokens coloured by surprise. Knows no streamlit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.charts.figure import Trace, make_figure, shortened
from playground.charts.interval_lines import interval_layout, interval_trace
from playground.charts.palette import BESIDE, FINAL
from playground.charts.table import TableColumn, TableData
from playground.charts.token_colours import TokenFigures, token_colours
from playground.charts.token_strip import StripToken
from playground.corpus.bits import BitsInterval, TextBits
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import FloatArray

_LN2 = math.log(2)
_NO_IDEA = 8.0  # bits of a byte drawn at random
_TAIL = 8  # tokens before one that may begin its character


@dataclass(frozen=True, slots=True)
class IntervalRows:
    """``rows`` of names; by model (its letter, "" the one in use) an interval a row.

    ``waiting``: names of rows whose figures are to come.
    """

    rows: tuple[str, ...]
    values: Mapping[str, tuple[BitsInterval, ...]]
    unit: str = "bits per byte"
    waiting: tuple[str, ...] = ()


def intervals_figure(data: IntervalRows) -> go.Figure:
    """A line a row, a point a model with its 95% interval."""
    traces: list[Trace] = []
    for place, (letter, intervals) in enumerate(data.values.items()):
        value, low, high = (
            np.array([getattr(each, name) for each in intervals], dtype=np.float32) for name in ("value", "low", "high")
        )
        trace = interval_trace(
            value,
            low,
            high,
            [f"{letter} {each.value:.2f}".strip() for each in intervals],
            BESIDE.get(letter, FINAL),
            symbol=("circle", "diamond", "square", "cross")[place % 4],
        )
        trace["y"] = trace["y"] + np.float32(0.28 * place - 0.14 * (len(data.values) - 1))
        traces.append(trace)
        if (
            len(data.values) > 1
        ):  # lines are close: a figure above one would lie on the next, so it stands behind its end
            traces.append(_behind(trace, high))
    axis: dict[str, Any] = {"title": {"text": data.unit}, "rangemode": "tozero"}
    if not data.rows:
        axis["range"] = [0, _NO_IDEA]
    names = [shortened(name) for name in (*data.rows, *data.waiting)]
    return make_figure(traces, interval_layout(names, 34 if len(data.values) == 1 else 52, axis, 44))


def _behind(trace: Trace, high: FloatArray) -> Trace:
    """The figures of a trace as one of their own, to the right of its intervals."""
    text, trace["text"] = trace["text"], None
    trace["mode"] = "markers"
    return {
        "type": "scatter",
        "mode": "text",
        "x": high,
        "y": trace["y"],
        "text": [f"  {each}" for each in text],
        "textposition": "middle right",
        "textfont": {"size": 11},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def intervals_description(data: IntervalRows) -> str:
    """Every figure in words."""
    said = []
    for letter, intervals in data.values.items():
        model = f"Model {letter}: " if letter else ""
        figures = "; ".join(
            f"{name} {each.value:.2f} ({each.low:.2f} to {each.high:.2f})"
            for name, each in zip(data.rows, intervals, strict=True)
        )
        said.append(model + figures)
    waiting = f" To come: {', '.join(data.waiting)}." if data.waiting else ""
    return f"{data.unit.capitalize()} with 95% intervals. " + ". ".join(filter(None, said)) + f".{waiting}"


def surprise_tokens(codec: TextCodec, text_bits: TextBits) -> list[StripToken]:
    """The text's tokens, coloured by surprise; what each is and how many bits it cost on hover."""
    tokens = []
    for place, token in enumerate(text_bits.ids):
        piece = codec.piece(token, text_bits.ids[max(0, place - _TAIL) : place])
        shown, bits = glyphs(piece), float(text_bits.bits[place])
        if math.isnan(bits):
            lines: tuple[str, ...] = (f"{shown}  ·  id {token}", "nothing comes before it: not counted")
        else:
            size = int(text_bits.sizes[place])
            lines = (
                f"{shown}  ·  id {token}",
                f"{bits:.2f} bits over {size} bytes",
                f"probability {2.0**-bits:.2%}",
            )
        ground, ink = token_colours("bits", TokenFigures(-bits * _LN2, None, None))
        tokens.append(StripToken(shown, ", ".join(lines), "prompt", lines, (), ground, ink, piece.endswith("\n")))
    return tokens


def bits_table(names: Sequence[str], text_bits: Sequence[TextBits]) -> TableData:
    """A row a text: bits a byte, bits a token, bytes a token."""
    columns = (
        TableColumn("text", "Text", 170, pinned=True),
        TableColumn("byte", "Bits per byte", 110, "Comparable between models.", decimals=3),
        TableColumn("token", "Bits per token", 110, "Depends on how the tokenizer cuts.", decimals=2),
        TableColumn("size", "Bytes per token", 110, "How the tokenizer cuts this text.", decimals=2),
        TableColumn("tokens", "Tokens", 80, decimals=0),
    )
    rows = tuple(
        {
            "text": name,
            "byte": each.per_byte,
            "token": each.per_token,
            "size": each.bytes / max(each.tokens, 1),
            "tokens": len(each.ids),
        }
        for name, each in zip(names, text_bits, strict=True)
    )
    return TableData(columns, rows)


def gap_sentence(name: str, first: TextBits, other: TextBits, models: tuple[str, str]) -> str:
    """Why two models differ on a text, as plain text: bits a byte = bits a token × tokens a byte, each as a ratio.

    The tokens' ratio belongs to the tokenizers alone; bits a token mix the model with how long its tokens are.
    """
    ratio = other.per_byte / first.per_byte
    tokens = (other.tokens / other.bytes) / (first.tokens / first.bytes)
    more = "more" if ratio > 1 else "fewer"
    if math.isclose(tokens, 1, rel_tol=1e-9) and first.ids == other.ids:
        cause = "Both cut the text alike, so that all of it is what the models know"
    else:
        cause = (
            f"Tokens a byte × {tokens:.3f} (tokenizer), bits a token × {ratio / tokens:.3f} (model, on its own tokens)"
        )
    return (
        f"{name}: {models[1]} needs {abs(ratio - 1):.1%} {more} bits a byte than {models[0]} "
        f"({other.per_byte:.3f} against {first.per_byte:.3f}). {cause}."
    )
