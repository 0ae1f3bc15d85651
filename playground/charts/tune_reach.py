"""What settings make of references: a table of the settings, a reference's tokens, a map of two parameters.

Knows no browser, page or data frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from playground.charts.numbers import logprob, percent
from playground.charts.palette import ink_on, sequential
from playground.charts.table import TableColumn, TableData, clipped
from playground.charts.token_strip import StripToken
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.registry import PARAMETERS, SAMPLERS
from playground.tuning.reach import Reach
from playground.tuning.reach_axes import Grid
from playground.tuning.reach_map import MapCell

_STOPPED = 330  # pixels


# -- one line a setting ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SettingReach:
    """What one setting leaves: along the references (None where there are none) and of the prompts' next tokens.

    ``stopped``: the first forbidden token in words, "" for none.
    """

    name: str
    along: MapCell | None
    openings: MapCell | None
    stopped: str = ""


def reach_table(rows: Sequence[SettingReach]) -> TableData:
    """What could have been written, what stopped it, and how much choice is left."""
    has_references = any(row.along is not None for row in rows)
    along = (
        TableColumn(
            "kept", "Tokens kept", 100, "Of the references' tokens, those that no sampler removes.", decimals=2
        ),
        TableColumn("written", "Could write", 110, "References of which no token is removed."),
        TableColumn("stopped", "First forbidden", _STOPPED, "Of the first reference that could not be written."),
        TableColumn(
            "logprob", "⌀ log p", 80, "Of a reference's kept token under the setting, in nats: its mean.", decimals=3
        ),
        TableColumn("choices", "Choices", 90, "Effective choices left along the references, their mean.", decimals=1),
    )
    columns = (
        TableColumn("name", "Setting", 150, pinned=True),
        *(along if has_references else ()),
        TableColumn(
            "next",
            "First token: choices",
            150,
            "Effective choices left for an answer's first token, their mean.",
            decimals=1,
        ),
        TableColumn(
            "likeliest", "First token: likeliest", 160, "Its probability under the setting, in percent.", decimals=2
        ),
    )
    return TableData(columns, tuple(_row(row) for row in rows), tall=has_references)


def _row(row: SettingReach) -> dict[str, object]:
    cells: dict[str, object] = {"name": clipped(row.name, 150)}
    if row.along is not None:
        kept = np.concatenate([each.logprobs[each.kept] for each in row.along.references])
        cells |= {
            "kept": row.along.kept_share * 100,
            "written": f"{row.along.reached} of {len(row.along.references)}",
            "stopped": clipped(row.stopped or "nothing", _STOPPED),
            "logprob": float(kept.mean()) if len(kept) else None,
            "choices": mean_choices(row.along),
        }
    if row.openings is not None:
        cells |= {"next": mean_choices(row.openings), "likeliest": mean_probability(row.openings) * 100}
    return {name: cells.get(name) for name in (*_NAMES, *cells)}


_NAMES = ("name", "kept", "written", "stopped", "logprob", "choices", "next", "likeliest")


def mean_choices(cell: MapCell) -> float:
    """Effective choices left at a token, over all tokens of all references."""
    return float(np.concatenate([each.choices for each in cell.references]).mean())


def mean_probability(cell: MapCell) -> float:
    """The probability that the setting gives a reference's token, over all of them; 0 for a forbidden one."""
    return float(np.exp(np.concatenate([each.logprobs for each in cell.references])).mean())


def stopped_words(cell: MapCell, numbers: Sequence[int], codec: TextCodec, prompts: Sequence[tuple[int, ...]]) -> str:
    """The first forbidden token of the first reference that has one. ``numbers``: of the examples, from 0."""
    for number, prompt, reach in zip(numbers, prompts, cell.references, strict=True):
        first = reach.first_forbidden
        if first is not None:
            before = (*prompt, *reach.ids[: first.position])[-CONTEXT_TAIL:]
            by = SAMPLERS[first.by].label if first.by else "the model itself"
            return f"“{glyphs(codec.piece(first.id, before))}”, token {first.position + 1} of example {number + 1}, by {by}"
    return ""


# -- a reference's tokens ----------------------------------------------------------------------------------------------


def reach_tokens(reach: Reach, prompt_ids: tuple[int, ...], codec: TextCodec) -> list[StripToken]:
    """A reference coloured by what a setting gives each of its tokens; forbidden ones are outlined and struck through."""
    tokens = []
    for place, token in enumerate(reach.ids):
        text = codec.piece(token, (*prompt_ids, *reach.ids[:place])[-CONTEXT_TAIL:])
        shown, kept = glyphs(text) or "␀", bool(reach.kept[place])
        raw = float(reach.raw_logprobs[place])
        said = [
            f"{shown}  ·  id {token}",
            f"the model gives it {percent(math.exp(raw))}, log-probability {logprob(raw)}",
        ]
        if kept:
            probability = math.exp(float(reach.logprobs[place]))
            said.append(
                f"the setting gives it {percent(probability)} among {reach.choices[place]:,.1f} effective choices"
            )
            ground = sequential(probability)
        else:
            by = reach.removed_by[place]
            said.append(
                f"forbidden: {f'{SAMPLERS[by].label} removes it' if by else 'the model itself never writes it'}"
            )
            ground = ""
        tokens.append(
            StripToken(
                shown,
                ", ".join(said),
                "step" if kept else "step forbidden",
                tuple(said),
                background=ground,
                ink=ink_on(ground) if ground else "",
                breaks=text.endswith("\n"),
            )
        )
    return tokens


def token_table(text: str, reaches: Mapping[str, Reach], place: int) -> TableData:
    """One token of a reference under every setting: the largest probability first, forbidden ones last."""
    rows: list[dict[str, object]] = []
    for name, reach in sorted(reaches.items(), key=lambda item: -item[1].logprobs[place]):
        by = reach.removed_by[place]
        rows.append(
            {
                "name": clipped(name, 240),
                "probability": math.exp(float(reach.logprobs[place])) * 100,
                "by": "" if reach.kept[place] else SAMPLERS[by].label if by else "the model itself",
                "choices": float(reach.choices[place]),
            }
        )
    return TableData(
        (
            TableColumn("name", f"{clipped(text, 90)} under", 240, pinned=True),
            TableColumn("probability", "Probability, %", 130, decimals=2),
            TableColumn("by", "Removed by", 180),
            TableColumn("choices", "Effective choices", 150, decimals=1),
        ),
        tuple(rows),
    )


# -- the map -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MapView:
    """One thing a map can show. ``value`` of a cell; ``write`` it into one; ``shade`` it, 0 to 1, given the largest."""

    label: str
    value: Callable[[MapCell], float]
    write: Callable[[float], str]
    shade: Callable[[float, float], float]
    about: str


def _share(value: float, largest: float) -> float:
    return value / largest if largest else 0.0


def _percents(value: float) -> str:
    return f"{value * 100:.0f}" if value in (0, 1) or value >= 0.1 else f"{value * 100:.1f}"


def _log_share(value: float, largest: float) -> float:
    return math.log(max(value, 1)) / math.log(largest) if largest > 1 else 0.0


_CHOICES = MapView(
    "Effective choices",
    mean_choices,
    lambda value: f"{value:.1f}" if value < 100 else f"{value:,.0f}",
    _log_share,
    "exp of the entropy that the settings leave at a token: how many equally likely tokens would be as uncertain; the "
    "colours by their logarithm",
)
ALONG_VIEWS: Mapping[str, MapView] = {
    "kept": MapView(
        "Tokens kept",
        lambda cell: cell.kept_share,
        _percents,
        lambda value, _largest: value,
        "of the references' tokens, in percent, those that no sampler removes",
    ),
    "reached": MapView(
        "References it could write",
        lambda cell: float(cell.reached),
        lambda value: f"{value:.0f}",
        _share,
        "how many references have no token that is removed",
    ),
    "probability": MapView(
        "Probability of a token",
        mean_probability,
        _percents,
        _share,
        "what the settings give a reference's token, in percent, its mean with 0 for forbidden ones",
    ),
    "choices": _CHOICES,
}
OPENING_VIEWS: Mapping[str, MapView] = {
    "choices": _CHOICES,
    "probability": MapView(
        "Probability of the likeliest",
        mean_probability,
        _percents,
        _share,
        "what the settings give the likeliest first token of an answer, in percent, its mean over the prompts",
    ),
}


def number_words(name: str, value: float) -> str:
    """An axis value; the one that switches a sampler off as "off"."""
    parameter = PARAMETERS[name]
    if value == parameter.neutral and name not in ("temperature", "dynatemp_exponent"):
        return "off"
    return f"{value:g}"


def map_html(grid: Grid, cells: Sequence[MapCell], view: MapView) -> str:
    """The grid as an HTML table, the largest value of the upright axis on top; the settings it was laid around framed."""
    values = [view.value(cell) for cell in cells]
    largest, width = max(values), len(grid.xs)
    across, up = PARAMETERS[grid.x].label, PARAMETERS[grid.y].label
    heads = "".join(f'<th scope="col">{number_words(grid.x, value)}</th>' for value in grid.xs)
    lines = []
    for row in reversed(range(len(grid.ys))):
        cells_html = []
        for column in range(width):
            value = values[row * width + column]
            ground = sequential(view.shade(value, largest))
            title = f"{up} {number_words(grid.y, grid.ys[row])}, {across} {number_words(grid.x, grid.xs[column])}"
            own = ' class="own"' if (row, column) == grid.own else ""
            cells_html.append(
                f'<td{own} style="background:{ground};color:{ink_on(ground)}" title="{escape(title)}">{view.write(value)}</td>'
            )
        lines.append(f'<tr><th scope="row">{number_words(grid.y, grid.ys[row])}</th>{"".join(cells_html)}</tr>')
    return (
        f'<table class="reach"><caption>{escape(view.label)}: {escape(up)} upwards, {escape(across)} across</caption>'
        f'{"".join(lines)}<tr><th scope="row"></th>{heads}</tr></table>'
    )


def map_description(grid: Grid, cells: Sequence[MapCell], view: MapView) -> str:
    """The map in words: where it is largest and smallest, and what the settings in question have."""
    values = [view.value(cell) for cell in cells]
    row, column = grid.own
    own = values[row * len(grid.xs) + column]
    high, low = int(np.argmax(values)), int(np.argmin(values))

    def place(index: int) -> str:
        y, x = grid.ys[index // len(grid.xs)], grid.xs[index % len(grid.xs)]
        return f"{PARAMETERS[grid.y].label} {number_words(grid.y, y)} and {PARAMETERS[grid.x].label} {number_words(grid.x, x)}"

    return (
        f"Shown: {view.about}. From {view.write(values[low])} at {place(low)} to {view.write(values[high])} at {place(high)}; "
        f"the framed cell, the setting itself, has {view.write(own)}."
    )
