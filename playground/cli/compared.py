"""``--compare-model``: the models beside the first; and of ``next``, how far their next token of the same text is from its."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.engine.types import NextRow, TokenIds
    from playground.inspection.compared import ModelComparison, ModelRow
    from playground.inspection.distances import Bounds
    from playground.models.naming import ComparedModel

MOST = 3


def add_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare the flag. ``what`` is done by this model too."""
    parser.add_argument(
        "--compare-model",
        action="append",
        metavar="NAME",
        help=f"also {what} by this model: as --model, then @ and a dtype, a device, chat or raw where they differ "
        "(@bfloat16, gpt2@raw); up to three",
    )


def read_options(args: argparse.Namespace) -> list[ComparedModel]:
    """The models to compare with. Raises BadInput naming the flag, before a model is loaded."""
    from playground.models.naming import read_compared

    names = args.compare_model or []
    if len(names) > MOST:
        raise BadInput(f"--compare-model: at most {MOST} models can be compared with.", "compare_model")
    if names and getattr(args, "ids", None) is not None:
        raise BadInput(
            "--compare-model cannot be used with --ids: another model may mean other tokens.", "compare_model"
        )
    if names and getattr(args, "logits", None) is not None:
        raise BadInput("--compare-model cannot be used with --logits: no model is loaded.", "compare_model")
    try:
        compared = [read_compared(name) for name in names]
        for each in compared:
            each.names(args.model, args.device, args.dtype)
    except BadInput as error:
        raise BadInput(f"--compare-model: {error}", "compare_model") from None
    return compared


def compare(
    args: argparse.Namespace, engine: Engine, row: NextRow, generated: TokenIds, others: list[ComparedModel]
) -> list[dict[str, Any]]:
    """One entry for each of ``others``, opened one after the other so that one at a time is in memory beside the first."""
    from playground.inspection.compared import ModelRow, compare_rows

    first, entries = ModelRow(engine.info, engine.codec, row), []
    for other in others:
        read = _read(args, other, engine, generated)
        entries.append(_entry(other, first, read, compare_rows(first, read)))
    return entries


@contextmanager
def opened(args: argparse.Namespace, other: ComparedModel, first: Engine) -> Iterator[tuple[Engine, TokenIds]]:
    """The other model, in memory for the block unless it is the first one, and the prompt's ids as it reads it."""
    from playground.engine.text.prompt import encode_prompt

    wanted = other.names(args.model, args.device, args.dtype)
    own = wanted == (args.model, args.device, args.dtype)
    engine = first if own else options.open_engine(args, wanted, first)
    chat = args.chat if other.chat is None else other.chat
    try:
        yield (
            engine,
            encode_prompt(
                engine.codec,
                options.read_text(args),
                chat=chat,
                system=args.system if chat else None,
                parse_special=args.parse_special,
            ),
        )
    finally:
        if not own:
            engine.close()


def _read(args: argparse.Namespace, other: ComparedModel, first: Engine, generated: TokenIds) -> ModelRow:
    from playground.engine.api import NextTokens
    from playground.engine.facets import require
    from playground.inspection.compared import ModelRow, carry_over

    with opened(args, other, first) as (engine, ids):
        ids += carry_over(generated, first.codec, first.info.vocab_size, engine.codec, engine.info.vocab_size)
        return ModelRow(engine.info, engine.codec, require(engine, NextTokens).next_logits(ids))


def _entry(other: ComparedModel, first: ModelRow, read: ModelRow, comparison: ModelComparison) -> dict[str, Any]:
    gaps, whole = comparison.distances, output.finite
    return {
        "compared": other.text,
        "model": read.info.id,
        "dtype": read.info.dtype,
        "device": read.info.device,
        "server": None if read.info.server is None else read.info.server.kind,
        "prompt_ids": list(read.row.ids),
        "vocab_size": read.row.vocab_size,
        "same_vocabulary": comparison.same_vocabulary,
        "kl": _bounds(gaps.kl_pq),
        "kl_reverse": _bounds(gaps.kl_qp),
        "total_variation": _bounds(gaps.total_variation),
        "jensen_shannon": _bounds(gaps.jensen_shannon),
        "not_in_other": gaps.only_p,
        "not_in_first": gaps.only_q,
        "moved": [{"text": each.text, "prob": each.p, "prob_compared": each.q} for each in comparison.moved],
        "weights_bytes": read.info.weights_bytes,
        "read_ms": read.row.elapsed_ms,
        "tokens_per_s": None if read.tokens_per_s is None else whole(read.tokens_per_s),
        "first": {
            "weights_bytes": first.info.weights_bytes,
            "read_ms": first.row.elapsed_ms,
            "tokens_per_s": None if first.tokens_per_s is None else whole(first.tokens_per_s),
        },
    }


def _bounds(figure: Bounds | None) -> dict[str, float | None] | None:
    """{"low", "high"}, equal where it is exact; null where it is not defined, "high" null where there is no bound."""
    if figure is None:
        return None
    return {"low": output.finite(figure.low), "high": None if figure.high is None else output.finite(figure.high)}


def print_readable(entries: list[dict[str, Any]]) -> None:
    """A line and a table for each model."""
    from playground.charts.numbers import percent

    for entry in entries:
        where = entry["server"] or entry["device"] or "unknown"
        print(f"compared with {entry['compared']}: {entry['model']}, {entry['dtype'] or 'unknown'}, {where}")
        if entry["same_vocabulary"]:
            kl, back = (_figure(entry[name]) for name in ("kl", "kl_reverse"))
            print(f"  KL(first ‖ compared) {kl} nats, KL(compared ‖ first) {back} nats")
        else:
            shares = percent(entry["not_in_other"]), percent(entry["not_in_first"])
            print(
                f"  another vocabulary, aligned by text: {shares[0]} and {shares[1]} have no token in the other model"
            )
        print(
            f"  total variation {_figure(entry['total_variation'])}, Jensen–Shannon {_figure(entry['jensen_shannon'])} nats"
        )
        rows = ((each["text"], percent(each["prob"]), percent(each["prob_compared"])) for each in entry["moved"])
        output.print_table(("largest differences", "first", "compared"), rows)


def _figure(bounds: dict[str, float | None]) -> str:
    low, high = bounds["low"], bounds["high"]
    if low is None:
        return "∞"
    if low == high:
        return f"{low:.6f}"
    return f"at least {low:.6f}" if high is None else f"{low:.6f} to {high:.6f}"
