"""``python -m playground next``: one position's whole distribution, its stages, its draw."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.cli import compared, next_partial, options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from playground.engine.api import Engine, TextCodec
    from playground.engine.types import TopTokens
    from playground.inspection.next_token import Candidate
    from playground.sampling.chain import NextToken
    from playground.sampling.settings import SamplerSettings

MAX_TOP = 1_000_000
TEXT_FLAGS = ("prompt", "prompt_file", "chat", "system")


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser("next", parents=[common], help="the next token's distribution", allow_abbrev=False)
    options.add_model_options(parser)
    options.add_text_options(parser)
    options.add_sampler_options(parser)
    parser.add_argument("--ids", help="token ids to continue, instead of a prompt: 1,2,3")
    parser.add_argument("--logits", help="a .npy file with a (vocab,) float array; no model is loaded")
    parser.add_argument("--history", help="with --logits: prompt token ids, for the penalties")
    parser.add_argument(
        "--generated", help="token ids accepted after the prompt: the position looked at comes after them"
    )
    parser.add_argument("--top", help="how many candidates to list (default: 20)")
    parser.add_argument("--find", help="also list the tokens of this text")
    compared.add_options(parser, "read the text")
    parser.add_argument("--out", help="write the final probabilities to this .npy file: (vocab,) float32")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine one position and print it."""
    settings, seed = options.read_settings(args), options.read_seed_option(args)
    top = options.read_number(args.top, "--top", 1, MAX_TOP, 20)
    args.others, args.compared = compared.read_options(args), []
    examined = _from_model(args, settings, seed) if args.logits is None else _from_logits(args, settings, seed)
    if len(examined) == 2:
        engine, row = examined
        prompt_ids = row.ids[: len(row.ids) - len(options.read_ids(args.generated or "", "--generated"))]
        result = next_partial.examine(args, engine, row, prompt_ids, settings, seed, top)
        _print(args, result, next_partial.print_readable)
        return 0
    view, codec, model, find_ids = examined
    if args.out:
        _write_probabilities(args.out, view.trace.final_probs)
    result = _result(view, codec, model, top, seed, find_ids)
    _print(args, result, _print_readable)
    return 0


def _print(args: argparse.Namespace, result: dict[str, Any], readable: Callable[[dict[str, Any]], None]) -> None:
    if args.json:
        output.print_json(result | ({"compared": args.compared} if args.compare_model else {}))
    else:
        readable(result)
        compared.print_readable(args.compared)


Examined = tuple["NextToken", "TextCodec | None", "str | None", "tuple[int, ...]"]


def _from_model(args: argparse.Namespace, settings: SamplerSettings, seed: int) -> Examined | tuple[Engine, TopTokens]:
    from playground.engine.api import NextTokens
    from playground.engine.facets import require, require_level, whole_row
    from playground.engine.text.prompt import continuation_ids
    from playground.engine.types import TopTokens
    from playground.inspection.next_token import breaker_ids, mirostat_mu
    from playground.sampling.chain import examine

    _refuse_together(args, ("history",), "is only for --logits: elsewhere the prompt itself is the history")
    if args.ids is None:
        options.read_text(args)  # refuse a missing prompt before a model is loaded
    else:
        _refuse_together(args, (*TEXT_FLAGS, "parse_special"), "cannot be used with --ids: they are the whole input")
        options.read_ids(args.ids, "--ids")
    options.read_ids(args.generated or "", "--generated")
    if args.find == "":
        raise BadInput("--find: an empty text has no tokens; write one such as ' Paris'.", "find")
    engine = options.open_engine(args)
    codec = engine.codec
    vocab_size = engine.info.vocab_size
    options.refuse_unknown_biases(settings, vocab_size)
    ids = options.encode_arguments(codec, args) if args.ids is None else options.read_ids(args.ids, "--ids", vocab_size)
    generated = options.read_ids(args.generated or "", "--generated", vocab_size)
    reader = require(engine, NextTokens)
    row = reader.next_logits(ids + generated)
    args.compared = compared.compare(args, engine, row, generated, args.others)
    if isinstance(row, TopTokens):
        return engine, row
    require_level(row, settings.repetition_penalty != 1)

    def logits(before: tuple[int, ...]) -> npt.NDArray[np.float32]:
        return whole_row(reader.next_logits(before), "Mirostat").logits

    mu = mirostat_mu(logits, settings, ids, generated, seed, codec)
    breakers = breaker_ids(codec, settings, ids + generated)
    view = examine(
        row.logits, settings, prompt_ids=ids, generated_ids=generated, seed=seed, mirostat_mu=mu, breakers=breakers
    )
    find_ids: tuple[int, ...] = ()
    if args.find:
        find_ids = continuation_ids(codec, args.find, parse_special=args.parse_special)
    return view, codec, engine.info.id, find_ids


def _from_logits(args: argparse.Namespace, settings: SamplerSettings, seed: int) -> Examined:
    from playground.sampling.chain import examine

    flags = (*TEXT_FLAGS, "parse_special", "ids", "find", "model", "device", "dtype", "api_key_env")
    _refuse_together(args, flags, "cannot be used with --logits: no model is loaded")
    row = _read_logits(args.logits)
    prompt = options.read_ids(args.history or "", "--history", row.size)
    generated = options.read_ids(args.generated or "", "--generated", row.size)
    options.refuse_unknown_biases(settings, row.size)
    view = examine(row, settings, prompt_ids=prompt, generated_ids=generated, seed=seed)
    return view, None, None, ()


def _refuse_together(args: argparse.Namespace, flags: tuple[str, ...], why: str) -> None:
    """Raise BadInput for the first of ``flags`` that was given: to ignore it would answer another question."""
    for flag in flags:
        if getattr(args, flag) not in (None, False):
            raise BadInput(f"--{flag.replace('_', '-')} {why}.", flag)


def _read_logits(name: str) -> npt.NDArray[np.float32]:
    import numpy as np

    try:
        with Path(name).open("rb") as file:
            row = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise BadInput(f"--logits: {name!r} is not a readable .npy file ({error}).", "logits") from None
    if row.ndim != 1 or row.size < 1 or row.dtype.kind not in "fiu":
        raise BadInput("--logits: the file must hold one (vocab,) array of numbers.", "logits")
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, which the chain refuses by name
        return row.astype(np.float32)


def _write_probabilities(name: str, probabilities: npt.NDArray[np.float32]) -> None:
    import numpy as np

    try:
        with Path(name).open("wb") as file:
            np.save(file, probabilities.astype(np.float32), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadInput(f"--out: {name!r} cannot be written ({error}).", "out") from None


def _result(
    view: NextToken, codec: TextCodec | None, model: str | None, top: int, seed: int, find_ids: tuple[int, ...]
) -> dict[str, Any]:
    from playground.inspection.next_token import CONTEXT_TAIL, candidate, top_candidates

    trace = view.trace
    shown = top_candidates(view, codec, top)
    listed = [item.id for item in shown]
    count = int(trace.raw_probs.size) - len(shown)
    text = None if codec is None else codec.piece(view.draw.id, view.ids[-CONTEXT_TAIL:])
    result: dict[str, Any] = {
        "model": model,
        "vocab_size": int(trace.raw_probs.size),
        "told": int(trace.raw_probs.size),
        "raw": True,
        "prompt_ids": list(view.ids[: view.prompt_length]),
        "generated_ids": list(view.ids[view.prompt_length :]),
        "order": [stage.name for stage in trace.stages],
        "stages": [
            {
                "name": stage.name,
                "params": json.loads(json.dumps(dict(stage.params))),
                "kept": stage.kept,
                "removed_mass": output.finite(stage.removed_mass),
                "entropy": output.finite(stage.entropy),
            }
            for stage in trace.stages
        ],
        "candidates": [_candidate_row(item) for item in shown],
        "others": {
            "count": count,
            "prob": max(0.0, 1.0 - sum(float(trace.final_probs[i]) for i in listed)) if count else 0.0,
        },
        "draw": {"seed": seed, "u": view.draw.u, "id": view.draw.id, "text": text},
        "note": trace.note,
    }
    if find_ids:
        result["found"] = [_candidate_row(candidate(view, token_id, codec)) for token_id in find_ids]
    return result


def _candidate_row(item: Candidate) -> dict[str, Any]:
    return {
        "id": item.id,
        "text": item.text,
        "rank": item.rank,
        "raw_logprob": output.finite(item.raw_logprob),
        "prob": item.final_prob,
        "kept": item.kept,
        "removed_by": item.removed_by,
    }


def _print_readable(result: dict[str, Any]) -> None:
    from playground.charts.numbers import percent

    print(f"{result['model'] or 'logits from a file'}: {result['vocab_size']:,} tokens")
    for stage in result["stages"]:
        print(
            f"  {output.stage_words(stage)}: {stage['kept']:,} kept, "
            f"{percent(stage['removed_mass'] or 0)} removed, entropy {stage['entropy'] or 0:.3f} nats"
        )
    if result["note"]:
        print(f"  note: {result['note']}")
    output.print_table(("rank", "id", "text", "log-prob", "final", "removed by"), map(_table_row, result["candidates"]))
    print(f"others: {result['others']['count']:,} tokens, {percent(result['others']['prob'])}")
    if "found" in result:
        print("found:")
        output.print_table(("rank", "id", "text", "log-prob", "final", "removed by"), map(_table_row, result["found"]))
    draw = result["draw"]
    print(f"drawn with seed {draw['seed']}: u = {draw['u']:.6f} gives token {draw['id']} {draw['text'] or ''!r}")


def _table_row(row: dict[str, Any]) -> tuple[str, ...]:
    from playground.charts.numbers import logprob, percent

    value = float("-inf") if row["raw_logprob"] is None else row["raw_logprob"]
    return (
        str(row["rank"] + 1),
        str(row["id"]),
        row["text"],
        logprob(value),
        percent(row["prob"]) if row["kept"] else "",
        row["removed_by"] or "",
    )
