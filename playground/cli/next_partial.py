"""``python -m playground next`` on an engine that lists the likeliest tokens only: numbers where they are known, else bounds."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING, Any

from playground.cli import output

if TYPE_CHECKING:
    from playground.engine.api import Engine, TextCodec
    from playground.engine.types import TokenIds, TopTokens
    from playground.inspection.partial import PartialCandidate
    from playground.sampling.partial_chain import PartialNext, PartialStage
    from playground.sampling.partial_row import Interval
    from playground.sampling.settings import SamplerSettings


def examine(
    args: argparse.Namespace,
    engine: Engine,
    row: TopTokens,
    prompt_ids: TokenIds,
    settings: SamplerSettings,
    seed: int,
    top: int,
) -> dict[str, Any]:
    """The JSON object of the command. A field is null where only bounds are known, which stand beside it as ``_low`` and
    ``_high``. Raises CapabilityMissing for ``--out``, which needs the whole row.
    """
    from playground.engine.facets import whole_row
    from playground.engine.text.prompt import continuation_ids
    from playground.inspection.partial import (
        candidate_of,
        draw_sentence,
        examine_top,
        listed_candidates,
        rest_of_row,
        verdict_sentence,
    )

    if args.out:
        whole_row(row, "--out")
    view = examine_top(row, settings, prompt_ids, seed, engine.codec)
    listed, rest = listed_candidates(view, engine.codec, row.top_ids.size), rest_of_row(view)
    shown = listed[:top]
    server = engine.info.server
    result: dict[str, Any] = {
        "model": engine.info.id,
        "vocab_size": row.vocab_size,
        "told": int(row.top_ids.size),
        "raw": True if server is None else server.raw,
        "full": False,
        "prompt_ids": list(prompt_ids),
        "generated_ids": list(row.ids[len(prompt_ids) :]),
        "order": [stage.name for stage in view.trace.stages],
        "verdict": view.trace.verdict,
        "why": verdict_sentence(view),
        "stages": [_stage(stage) for stage in view.trace.stages],
        "candidates": [_candidate(item) for item in shown],
        "others": {
            "count": row.vocab_size - len(shown),
            **_bounds("prob", _together([item.final for item in listed[top:]], rest.final)),
        },
        "not_told": {
            "count": rest.count,
            "raw_prob": rest.raw_prob,
            **_bounds("prob", rest.final),
            **_counts("kept", rest.kept),
        },
        "draw": _draw(view, seed, engine.codec),
        "note": draw_sentence(view, {item.id: repr(item.text) for item in listed}),
    }
    if args.find:
        find_ids = continuation_ids(engine.codec, args.find, parse_special=args.parse_special)
        result["found"] = [_candidate(candidate_of(view, token, engine.codec)) for token in find_ids]
    return result


def _stage(stage: PartialStage) -> dict[str, Any]:
    return {
        "name": stage.name,
        "params": json.loads(json.dumps(dict(stage.params))),
        "verdict": stage.verdict,
        "why": stage.why,
        **_counts("kept", stage.kept),
        **_bounds("removed_mass", stage.removed_mass),
        **_bounds("entropy", stage.entropy),
    }


def _candidate(item: PartialCandidate) -> dict[str, Any]:
    return {
        "id": item.id,
        "text": item.text,
        "rank": item.rank,
        "raw_logprob": None if item.raw_logprob is None else output.finite(item.raw_logprob),
        **_bounds("prob", item.final),
        "kept": item.kept,
        "removed_by": item.removed_by,
    }


def _draw(view: PartialNext, seed: int, codec: TextCodec) -> dict[str, Any]:
    from playground.inspection.next_token import CONTEXT_TAIL

    token = view.draw.id
    text = None if token is None else codec.piece(token, view.ids[-CONTEXT_TAIL:])
    open_to = {"could_be": list(view.draw.ids), "could_be_not_told": view.draw.rest}
    return {"seed": seed, "u": view.draw.u, "id": token, "text": text, **open_to}


def _bounds(name: str, bounds: Interval) -> dict[str, float | None]:
    """``name`` as a number where both bounds are the same, else null, and the bounds."""
    from playground.inspection.partial import exact_or_none

    low, high = (output.finite(bound) for bound in bounds)
    number = exact_or_none(bounds) if math.isfinite(bounds[1]) else None
    return {name: number, f"{name}_low": low, f"{name}_high": high}


def _counts(name: str, bounds: Interval) -> dict[str, int | None]:
    low, high = (int(bound) if math.isfinite(bound) else None for bound in bounds)
    return {name: low if low == high else None, f"{name}_low": low, f"{name}_high": high}


def _together(listed: list[Interval], rest: Interval) -> Interval:
    """Bounds of a sum of probabilities."""
    low, high = rest[0] + sum(each[0] for each in listed), rest[1] + sum(each[1] for each in listed)
    return low, min(1.0, high)


def print_readable(result: dict[str, Any]) -> None:
    """The same as a table."""
    from playground.charts.numbers import percent

    print(
        f"{result['model']}: the {result['told']:,} likeliest of {result['vocab_size']:,} tokens, which is what this engine tells"
    )
    for stage in result["stages"]:
        print(f"  {output.stage_words(stage)}: {stage['verdict']}. {stage['why']}")
    print(result["why"])
    output.print_table(("rank", "id", "text", "log-prob", "final", "removed by"), map(_table_row, result["candidates"]))
    rest = result["not_told"]
    print(f"not told by this engine: {rest['count']:,} tokens, {percent(rest['raw_prob'])} raw, {_final(rest)} final")
    if "found" in result:
        print("found:")
        output.print_table(("rank", "id", "text", "log-prob", "final", "removed by"), map(_table_row, result["found"]))
    draw = result["draw"]
    if draw["id"] is None:
        print(f"not drawn with seed {draw['seed']}: {result['note']}")
    else:
        print(f"drawn with seed {draw['seed']}: u = {draw['u']:.6f} gives token {draw['id']} {draw['text'] or ''!r}")


def _final(row: dict[str, Any]) -> str:
    from playground.charts.numbers import percent_between

    return percent_between(row["prob_low"], row["prob_high"])


def _table_row(row: dict[str, Any]) -> tuple[str, ...]:
    from playground.charts.numbers import logprob

    value = float("-inf") if row["raw_logprob"] is None else row["raw_logprob"]
    return (
        "" if row["rank"] is None else str(row["rank"] + 1),
        str(row["id"]),
        row["text"],
        "not told" if row["rank"] is None else logprob(value),
        "" if row["kept"] is False else _final(row),
        row["removed_by"] or "",
    )
