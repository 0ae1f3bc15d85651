"""What a room guessed beside what the model gives: for each token two bars, the room's share and the raw probability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from playground.charts.figure import escaped, make_figure
from playground.charts.numbers import logprob, percent
from playground.charts.palette import GRID, RAW, ROOM
from playground.charts.table import TableColumn, TableData
from playground.engine.text.display import glyphs
from playground.room.questions.guess import figures, histogram
from playground.room.questions.types import Guess, GuessResult, Round

MODEL_TOKENS, MOST_TOKENS, LONGEST_LABEL = 6, 14, 18


@dataclass(frozen=True, slots=True, eq=False)
class GuessBarsData:
    """``labels`` of the tokens, the model's likeliest first. ``room``, ``model``: (tokens,) float32, shares from 0 to 1.

    ``counts``: (tokens,) guesses of each. ``real``: the place of the real next token, -1 where none is known.
    """

    labels: tuple[str, ...]
    room: npt.NDArray[np.float32]
    model: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64]
    real: int = -1


def guess_bars(one: Round) -> GuessBarsData | None:
    """The tokens that were guessed, the commonest first to stay, and the model's likeliest; None before the reveal."""
    result = one.question.result
    if not isinstance(result, GuessResult):
        return None
    guessed = histogram(one)
    counts = {token.id: count for token, count in guessed}
    wanted = [*result.top[:MODEL_TOKENS], *([result.real] if result.real else []), *(token for token, _n in guessed)]
    tokens = {token.id: token for token in wanted}
    shown = sorted(list(tokens.values())[:MOST_TOKENS], key=lambda token: token.rank)
    number = np.array([counts.get(token.id, 0) for token in shown], dtype=np.int64)
    places = [place for place, token in enumerate(shown) if result.real is not None and token.id == result.real.id]
    return GuessBarsData(
        labels=tuple(_label(token.text) for token in shown),
        room=(number / max(1, sum(counts.values()))).astype(np.float32),
        model=np.array([math.exp(token.logprob) for token in shown], dtype=np.float32),
        counts=number,
        real=places[0] if places else -1,
    )


def _label(text: str) -> str:
    said = glyphs(text)
    return said if len(said) <= LONGEST_LABEL else said[: LONGEST_LABEL - 1] + "…"


def guess_figure(data: GuessBarsData) -> go.Figure:
    """Horizontal bars in pairs; the room's are striped, so that colour alone tells nothing. ✓ marks the real next token."""
    places = np.arange(len(data.labels), dtype=np.float32)
    room: dict[str, Any] = {
        "name": "the room",
        "x": data.room,
        "text": [f"{count}" if count else "" for count in data.counts],
        "marker": {
            "color": ROOM,
            "pattern": {"shape": "/", "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 7, "solidity": 0.2},
        },
    }
    model: dict[str, Any] = {
        "name": "the model",
        "x": data.model,
        "text": [percent(float(share)) for share in data.model],
        "marker": {"color": RAW},
    }
    common = {"type": "bar", "orientation": "h", "y": places, "textposition": "outside", "cliponaxis": False}
    names = [
        f"<b>{escaped(label)}</b> ✓" if place == data.real else escaped(label)
        for place, label in enumerate(data.labels)
    ]
    top = float(max(data.room.max(initial=0.0), data.model.max(initial=0.0), 0.01))
    layout: dict[str, Any] = {
        "height": 90 + 44 * len(names),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 32},
        "dragmode": False,
        "barmode": "group",
        "bargap": 0.25,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        "xaxis": {"tickformat": ".0%", "range": [0, top * 1.25], "gridcolor": GRID, "fixedrange": True},
        "yaxis": {
            "tickvals": places,
            "ticktext": names,
            "autorange": "reversed",
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
        },
    }
    return make_figure([{**common, **room, "hoverinfo": "skip"}, {**common, **model, "hoverinfo": "skip"}], layout)


def guess_description(data: GuessBarsData) -> str:
    """The picture in words and numbers."""
    rows = zip(data.labels, data.counts, data.room, data.model, strict=True)
    said = "; ".join(
        f"{label} {count} of the room's guesses ({float(room):.0%}), model {percent(float(model))}"
        for label, count, room, model in rows
    )
    real = f" The text's real next token is {data.labels[data.real]}." if data.real >= 0 else ""
    return f"Tokens, the model's likeliest first: {said}.{real}"


# -- several rounds --------------------------------------------------------------------------------------------------------

ROUND_COLUMNS = (
    TableColumn("round", "Round", 56, pinned=True),
    TableColumn("prompt", "Text", 150, "Its end, where the guess goes on."),
    TableColumn("real", "Real next", 80, "The text's real next word, where the leader set it."),
    TableColumn("right", "Room right", 84, "Guesses of the token that the real next word begins with."),
    TableColumn("model_right", "Model right", 84, "Whether the model's likeliest token is that token."),
    TableColumn("likeliest", "Guessed likeliest", 120, "Guesses of the model's likeliest token."),
    TableColumn("room", "Room's perplexity", 120, "exp of the mean negative log-probability of the guesses."),
    TableColumn("model", "Model's perplexity", 120, "exp of the entropy of the model's distribution."),
    TableColumn("guesses", "Guesses", 70),
)


def rounds_table(rounds: Sequence[Round]) -> TableData:
    """The revealed rounds of a series, one a row, and all of them together where there are several."""
    done = [one for one in rounds if isinstance(one.question.result, GuessResult)]
    rows = [_table_row(str(one.question.round), (one,)) for one in done]
    return TableData(ROUND_COLUMNS, (*rows, *([_table_row("all", done)] if len(done) > 1 else [])))


def _table_row(name: str, rounds: Sequence[Round]) -> dict[str, Any]:
    summary = figures(rounds)
    assert summary is not None
    alone = rounds[0].question.about if len(rounds) == 1 else None
    prompt, real = (alone.prompt, alone.real_next) if isinstance(alone, Guess) else ("", "")
    model_right = "" if summary.model_right is None else f"{summary.model_right:.0%}"
    if alone is not None and model_right:
        model_right = "yes" if summary.model_right else "no"
    return {
        "round": name,
        "prompt": f"…{prompt[-40:]}" if len(prompt) > 40 else prompt,
        "real": real,
        "right": _share(summary.right),
        "model_right": model_right,
        "likeliest": _share(summary.likeliest),
        "room": "" if summary.room_perplexity is None else perplexity(summary.room_perplexity),
        "model": perplexity(summary.model_perplexity),
        "guesses": f"{summary.guesses}",
    }


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


SCORE_COLUMNS = (
    TableColumn("token", "Token", 150, pinned=True),
    TableColumn("count", "Guesses", 80),
    TableColumn("probability", "Model", 100, "Raw probability."),
    TableColumn("logprob", "Score: ln p", 100, "What each of these guesses got: 0 is certainty."),
    TableColumn("rank", "Rank", 90, "1 is the model's likeliest token."),
)


def scores_table(one: Round) -> TableData:
    """The tokens guessed in a revealed round with what each guess scored, the commonest first."""
    rows = (
        {
            "token": _label(token.text),
            "count": f"{count}",
            "probability": percent(math.exp(token.logprob)),
            "logprob": logprob(token.logprob),
            "rank": f"{token.rank + 1:,}",
        }
        for token, count in histogram(one)
    )
    return TableData(SCORE_COLUMNS, tuple(rows))


def perplexity(value: float) -> str:
    """Of a model or a room: so many equally likely tokens would surprise as much.

    >>> perplexity(3.14159), perplexity(12345.6)
    ('3.14', '12,346')
    """
    return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"
