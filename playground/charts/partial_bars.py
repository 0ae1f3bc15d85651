"""The bars of a row that is listed in part: what each final bar reaches at least and at most, and one bar for all others.

The same component paints them as those of a whole row (``charts/bars.py``); between the two bounds a bar is hatched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.charts.bars import axis_share, axis_ticks
from playground.charts.numbers import logprob, percent, percent_between
from playground.engine.text.display import glyphs
from playground.sampling.registry import SAMPLERS

if TYPE_CHECKING:  # the page is drawn before these are needed
    import pandas

    from playground.engine.api import TextCodec
    from playground.inspection.partial import PartialCandidate, RestOfRow
    from playground.sampling.partial_chain import PartialNext


@dataclass(frozen=True, slots=True)
class PartialBar:
    """One listed token. ``drawn``: it is for certain; ``may_be_drawn``: the bounds leave it open."""

    token: PartialCandidate
    label: str
    drawn: bool
    may_be_drawn: bool

    @property
    def removed_by(self) -> str | None:
        """The label of the stage that removed it."""
        return None if self.token.removed_by is None else SAMPLERS[self.token.removed_by].label


@dataclass(frozen=True, slots=True)
class PartialBarsData:
    """``rows`` are on screen; ``listed`` further tokens are told and not shown, with ``listed_raw`` and ``listed_final`` of the
    probability. ``has_final``: anything can be said of the final distribution.
    """

    rows: tuple[PartialBar, ...]
    listed: int
    listed_raw: float
    listed_final: tuple[float, float]
    rest: RestOfRow
    may_draw_rest: bool
    has_final: bool
    exact: bool
    vocab_size: int
    log: bool


def partial_bars(view: PartialNext, codec: TextCodec, count: int, *, log: bool) -> PartialBarsData:
    """The ``count`` likeliest listed tokens, the other listed ones, and the rest."""
    from playground.inspection.partial import listed_candidates, rest_of_row

    draw, trace = view.draw, view.trace
    listed = listed_candidates(view, codec, len(trace.raw.ids))
    has_final = trace.final is not None
    rows = tuple(
        PartialBar(row, glyphs(row.text), draw.id == row.id, has_final and draw.id is None and row.id in draw.ids)
        for row in listed[:count]
    )
    more = listed[count:]
    return PartialBarsData(
        rows=rows,
        listed=len(more),
        listed_raw=sum(row.raw_prob or 0.0 for row in more),
        listed_final=(sum(row.final[0] for row in more), min(1.0, sum(row.final[1] for row in more))),
        rest=rest_of_row(view),
        may_draw_rest=has_final and draw.rest,
        has_final=has_final,
        exact=trace.verdict == "exact",
        vocab_size=trace.raw.vocab_size,
        log=log,
    )


def partial_bars_table(data: PartialBarsData) -> pandas.DataFrame:
    """The same rows as a table, the rest last."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    rows = [
        (
            row.token.rank,
            row.label,
            str(row.token.id),
            percent(row.token.raw_prob or 0.0),
            row.token.raw_logprob,
            "–" if row.removed_by else _final(data, row.token.final),
            row.removed_by or ("may be removed" if data.has_final and row.token.kept is None else ""),
            _mark(row.drawn, row.may_be_drawn).strip(),
        )
        for row in data.rows
    ]
    final = "–" if data.rest.kept[1] == 0 else _final(data, data.rest.final)
    name = f"not told by this engine ({data.rest.count:,})"
    rows.append(
        (None, name, "", percent(data.rest.raw_prob), None, final, "", _mark(False, data.may_draw_rest).strip())
    )
    columns = ["rank", "token", "id", "raw", "log-probability", "final", "removed by", "drawn"]
    table = pd.DataFrame(rows, columns=columns)
    table["rank"] = (table["rank"] + 1).astype("Int64")
    return table


def partial_bars_description(data: PartialBarsData) -> str:
    """What the picture shows, with its numbers, for readers who do not see it."""
    first = ", ".join(
        f"{row.label} {percent(row.token.raw_prob or 0.0)} raw, {_fate(data, row)}" for row in data.rows[:5]
    )
    rest = f"{percent(data.rest.raw_prob)} raw, {_final(data, data.rest.final)} final"
    return (
        f"Bar chart of the {len(data.rows)} likeliest next tokens, of the {len(data.rows) + data.listed} of {data.vocab_size:,} "
        f"that this engine tells. {first}. The {data.rest.count:,} tokens not told by this engine have {rest}."
    )


def partial_bars_payload(data: PartialBarsData) -> dict[str, Any]:
    """``data`` as the component paints it; plain JSON values."""
    values = [data.rest.raw_prob, data.listed_raw, *(row.token.raw_prob or 0.0 for row in data.rows)]
    if data.has_final:
        values += [data.rest.final[1], data.listed_final[1], *(row.token.final[1] for row in data.rows)]
    top = 1.0 if data.log else max(*values, 1e-9)
    rows = [_row(data, row, top) for row in data.rows]
    if data.listed:
        name = f"told, not shown ({data.listed:,})"
        rows.append(_summary(data, name, data.listed_raw, data.listed_final, top, gone=data.listed_final[1] == 0))
    if data.rest.count:
        name, gone = f"not told by this engine ({data.rest.count:,})", data.rest.kept[1] == 0
        rows.append(
            _summary(data, name, data.rest.raw_prob, data.rest.final, top, gone=gone, may_be=data.may_draw_rest)
        )
    return {
        "rows": tuple(rows),
        "ticks": tuple(axis_ticks(top, data.log)),
        "cutRow": -1,
        "cutText": "",
        "bounded": data.has_final and not data.exact,
        "description": partial_bars_description(data),
    }


def _row(data: PartialBarsData, row: PartialBar, top: float) -> dict[str, Any]:
    token, raw = row.token, percent(row.token.raw_prob or 0.0)
    state = " (drawn)" if row.drawn else " (may be drawn)" if row.may_be_drawn else ""
    return {
        "pick": token.id,
        "label": row.label,
        "raw": axis_share(token.raw_prob or 0.0, top, log=data.log),
        **_final_bar(data, token.final, top),
        "rawText": f"{raw} · removed by {row.removed_by}" if row.removed_by else raw,
        "finalText": "" if row.removed_by else _final(data, token.final),
        "removed": row.removed_by is not None,
        "chosen": row.drawn,
        "maybe": row.may_be_drawn,
        "lines": [
            row.label + state,
            f"id {token.id}, rank {(token.rank or 0) + 1:,}",
            f"raw {raw}, log-probability {logprob(token.raw_logprob or 0.0)}",
            _fate(data, row),
        ],
        "table": [],
    }


def _summary(
    data: PartialBarsData,
    name: str,
    raw: float,
    final: tuple[float, float],
    top: float,
    *,
    gone: bool,
    may_be: bool = False,
) -> dict[str, Any]:
    """A bar of many tokens, which no click can accept."""
    said = "all removed" if gone else f"final {_final(data, final)}"
    return {
        "pick": -1,
        "label": name,
        "raw": axis_share(raw, top, log=data.log),
        **_final_bar(data, final, top),
        "rawText": f"{percent(raw)} · all removed" if gone else percent(raw),
        "finalText": "" if gone else _final(data, final),
        "removed": gone,
        "chosen": False,
        "maybe": may_be,
        "lines": [name + (" (may be drawn)" if may_be else ""), f"raw {percent(raw)}", said],
        "table": [],
    }


def _final_bar(data: PartialBarsData, final: tuple[float, float], top: float) -> dict[str, float]:
    low, high = (axis_share(bound, top, log=data.log) if data.has_final else 0.0 for bound in final)
    return {"final": low, "finalHigh": high}


def _final(data: PartialBarsData, final: tuple[float, float]) -> str:
    return percent_between(*final) if data.has_final else "not known"


def _fate(data: PartialBarsData, row: PartialBar) -> str:
    if row.removed_by:
        return f"removed by {row.removed_by}"
    final = f"final {_final(data, row.token.final)}"
    return f"{final}, may be removed" if data.has_final and row.token.kept is None else final


def _mark(drawn: bool, may_be: bool) -> str:
    return "▶ " if drawn else "▷ " if may_be else ""
