"""The next token's candidates as paired bars: what each row shows, where the axis ends, where the cut-off falls.

The one picture that is not a plotly figure: it is repainted at every move of a slider (see ``ui/components/bars.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.charts.numbers import logprob, percent
from playground.engine.text.display import glyphs

if TYPE_CHECKING:  # the page is drawn before torch is imported, which these need
    import pandas

    from playground.engine.api import TextCodec
    from playground.generation import DrawnStep
    from playground.sampling.chain import NextToken

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
    """The rows on screen and everything else in one row, so that nothing of the vocabulary is left out.

    ``cut_after``: the number of likeliest tokens above the cut-off when what is kept is a prefix by rank, else None.
    """

    rows: tuple[BarRow, ...]
    others_count: int
    others_raw: float
    others_final: float
    kept: int
    vocab_size: int
    cut_after: int | None
    log: bool = False


def next_token_bars(view: NextToken, codec: TextCodec, count: int, *, log: bool = False) -> BarsData:
    """The ``count`` likeliest next tokens of a traced row."""
    from playground.inspection.next_token import CONTEXT_TAIL, kept_prefix
    from playground.numerics import top_ids

    trace, before = view.trace, view.ids[-CONTEXT_TAIL:]
    rows = (
        BarRow(
            id=token,
            label=glyphs(codec.piece(token, before)),
            rank=rank,
            raw_prob=float(trace.raw_probs[token]),
            raw_logprob=float(trace.raw_logprobs[token]),
            final_prob=float(trace.final_probs[token]),
            removed_by=None if (stage := int(trace.removed_by[token])) < 0 else trace.stages[stage].label,
            chosen=token == view.draw.id,
        )
        for rank, token in enumerate(top_ids(trace.raw_logits, count).tolist())
    )
    kept = int((trace.removed_by < 0).sum())
    return _with_others(rows, kept, int(trace.raw_probs.size), kept_prefix(view), log)


def recorded_bars(step: DrawnStep, codec: TextCodec, before: tuple[int, ...], vocab_size: int) -> BarsData:
    """What else could have come at a generated token, as recorded; ``before`` are the ids in front of it."""
    from playground.sampling.registry import SAMPLERS

    rows = (
        BarRow(
            id=other.id,
            label=glyphs(codec.piece(other.id, before)),
            rank=rank,
            raw_prob=other.raw_prob,
            raw_logprob=other.raw_logprob,
            final_prob=other.prob or 0.0,  # of a token drawn here it is always there
            removed_by=SAMPLERS[other.removed_by].label if other.removed_by else None,
            chosen=other.id == step.id,
        )
        for rank, other in enumerate(step.top)
    )
    return _with_others(rows, step.kept, vocab_size, None, False)


def _with_others(rows: Iterable[BarRow], kept: int, vocab_size: int, cut_after: int | None, log: bool) -> BarsData:
    shown = tuple(rows)
    others = vocab_size - len(shown)
    raw, final = 1.0 - sum(row.raw_prob for row in shown), 1.0 - sum(row.final_prob for row in shown)
    return BarsData(
        rows=shown,
        others_count=others,
        others_raw=max(0.0, raw) if others else 0.0,
        others_final=final if others and final > 1e-6 else 0.0,  # what float32 sums leave over is not a probability
        kept=kept,
        vocab_size=vocab_size,
        cut_after=cut_after,
        log=log,
    )


def bars_table(data: BarsData) -> pandas.DataFrame:
    """The same rows as a table."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    return pd.DataFrame(
        {
            "rank": [row.rank + 1 for row in data.rows],
            "token": [row.label for row in data.rows],
            "id": [row.id for row in data.rows],
            "raw": [percent(row.raw_prob) for row in data.rows],
            "log-probability": [row.raw_logprob for row in data.rows],
            "final": ["–" if row.removed_by else percent(row.final_prob) for row in data.rows],
            "removed by": [row.removed_by or "" for row in data.rows],
            "drawn": ["▶" if row.chosen else "" for row in data.rows],
        }
    )


def bars_description(data: BarsData) -> str:
    """What the picture shows, with its numbers, for readers who do not see it."""
    first = ", ".join(
        f"{row.label} {percent(row.raw_prob)} raw, {percent(row.final_prob)} final" for row in data.rows[:5]
    )
    return (
        f"Bar chart of the {len(data.rows)} likeliest next tokens of {data.vocab_size:,}; {data.kept:,} are kept. {first}. "
        f"The other {data.others_count:,} tokens have {percent(data.others_raw)} raw and "
        f"{percent(data.others_final)} final."
    )


def axis_share(probability: float, top: float, *, log: bool) -> float:
    """How far along the axis a probability lies, 0 to 1. ``top`` is the axis' end; the log axis runs from 1e-8 to 1."""
    if not log:
        return min(max(probability / top, 0.0), 1.0) if top > 0 else 0.0
    if probability <= LOG_FLOOR:
        return 0.0
    return min(1.0 - math.log10(probability) / math.log10(LOG_FLOOR), 1.0)


def bars_payload(data: BarsData) -> dict[str, Any]:
    """``data`` as the component paints it: shares of the axis, texts, ticks. Plain JSON values."""
    probabilities = [data.others_raw, data.others_final]
    probabilities += [value for row in data.rows for value in (row.raw_prob, row.final_prob)]
    top = 1.0 if data.log else max(max(probabilities), 1e-9)
    rows = [_row(row, top, data.log) for row in data.rows]
    rows.append(_others(data, top))
    cut_row, cut_text = _cut(data)
    return {  # tuples: Streamlit looks through lists for data frames, and imports pandas to do so
        "rows": tuple(rows),
        "ticks": tuple(axis_ticks(top, data.log)),
        "cutRow": cut_row,
        "cutText": cut_text,
        "description": bars_description(data),
    }


def _row(row: BarRow, top: float, log: bool) -> dict[str, Any]:
    fate = f"removed by {row.removed_by}" if row.removed_by else f"final {percent(row.final_prob)}"
    raw_text = percent(row.raw_prob)
    return {
        "pick": row.id,
        "label": row.label,
        "raw": axis_share(row.raw_prob, top, log=log),
        "final": axis_share(row.final_prob, top, log=log),
        "rawText": f"{raw_text} · removed by {row.removed_by}" if row.removed_by else raw_text,
        "finalText": "" if row.removed_by else percent(row.final_prob),
        "removed": row.removed_by is not None,
        "chosen": row.chosen,
        "lines": [
            row.label + (" (drawn)" if row.chosen else ""),
            f"id {row.id}, rank {row.rank + 1:,}",
            f"raw {percent(row.raw_prob)}, log-probability {logprob(row.raw_logprob)}",
            fate,
        ],
        "table": [],
    }


def _others(data: BarsData, top: float) -> dict[str, Any]:
    gone = data.others_final == 0
    name = f"others ({data.others_count:,})"
    raw, final = percent(data.others_raw), percent(data.others_final)
    return {
        "pick": -1,
        "label": name,
        "raw": axis_share(data.others_raw, top, log=data.log),
        "final": axis_share(data.others_final, top, log=data.log),
        "rawText": f"{raw} · all removed" if gone and data.others_count else raw,
        "finalText": "" if gone else final,
        "removed": gone,
        "chosen": False,
        "lines": [name, f"raw {raw}", f"final {final}"],
        "table": [],
    }


def _cut(data: BarsData) -> tuple[int, str]:
    """The index of the row above which the cut-off line stands (-1: no line inside the rows) and its text."""
    if data.cut_after is None or data.cut_after >= data.vocab_size:
        return -1, ""
    if data.cut_after <= len(data.rows):
        return data.cut_after, f"cut-off: {data.kept:,} kept above"
    return len(data.rows), f"the cut-off falls further down, after rank {data.cut_after:,}"


def axis_ticks(top: float, log: bool) -> list[dict[str, Any]]:
    """Where the axis has its marks, as shares of it, and their texts."""
    if log:
        return [{"at": 1 - power / 8, "text": f"1e-{power}" if power else "100%"} for power in (8, 6, 4, 2, 0)]
    step = 10 ** math.floor(math.log10(top))
    step = next(candidate for candidate in (step / 5, step / 2, step, step * 2) if top / candidate <= 6)
    return [
        {"at": count * step / top, "text": f"{count * step * 100:.3g}%"} for count in range(int(top / step + 1e-9) + 1)
    ]
