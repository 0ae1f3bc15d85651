"""``python -m playground generate``: a text with every step recorded."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from playground.cli import compared, generate_compared, options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.constraint import ConstraintKind
    from playground.engine.api import Engine, TextCodec
    from playground.engine.types import TokenIds
    from playground.generation import Generation, GenerationRequest, TokenStep

T = TypeVar("T")
DEFAULT_NEW_TOKENS = 128
_CONSTRAINTS: dict[ConstraintKind, str] = {
    "json_schema": "the text is JSON that this schema takes",
    "grammar": "the text is of this grammar in GBNF",
    "regex": "the text matches this regular expression",
    "choice": "the text is one of these lines",
}
_REASONS = {"stop_id": "stop"}  # cli.md knows three reasons; ``stopped_by`` tells a stop id from a stop string


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the command's flags."""
    parser = subparsers.add_parser("generate", parents=[common], help="a text, every step recorded", allow_abbrev=False)
    options.add_model_options(parser)
    options.add_text_options(parser)
    options.add_sampler_options(parser)
    parser.add_argument("--max-new-tokens", help=f"end after so many (default: {DEFAULT_NEW_TOKENS})")
    parser.add_argument("--stop", action="append", metavar="TEXT", help="end before this text; may be repeated")
    parser.add_argument("--stop-token-id", action="append", metavar="ID", help="end at this token; may be repeated")
    parser.add_argument("--ignore-eos", action="store_true", help="go on after an end-of-sequence token")
    bound = parser.add_mutually_exclusive_group()
    for kind, what in _CONSTRAINTS.items():
        bound.add_argument(f"--{kind.replace('_', '-')}", metavar="TEXT", help=f"{what}; servers that have it")
    compared.add_options(parser, "write a text from the prompt")
    parser.add_argument("--top", help="how many alternatives to record a step (default: 10)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Generate and print."""
    fields, others = _read_fields(args), compared.read_options(args)
    options.read_text(args)  # refuse a missing prompt before a model is loaded
    engine = options.open_engine(args)
    from playground.generation import GenerationRequest

    options.refuse_unknown_biases(fields["settings"], engine.info.vocab_size)
    for token in fields["stop_ids"]:
        if token >= engine.info.vocab_size:
            last = engine.info.vocab_size - 1
            raise BadInput(f"--stop-token-id: there is no token {token}; ids go from 0 to {last:,}.", "stop_ids")
    prompt_ids = options.encode_arguments(engine.codec, args)
    asked = GenerationRequest(prompt_ids=prompt_ids, **fields)
    write = partial(_generate, stream=not args.json)
    generation = write(engine, asked)
    beside = generate_compared.write_beside(args, engine, generation.rows[0], others, write)
    if args.json:
        texts = [about | _result(own, written) for about, own, written in beside]
        output.print_json(_result(engine, generation) | ({"compared": texts} if others else {}))
        return 0
    _print_end(engine, generation)
    for about, own, written in beside:
        generate_compared.print_head(about)
        _print_end(own, written)
    return 0


def _read_fields(args: argparse.Namespace) -> dict[str, Any]:
    """The request's fields but the prompt. A refusal names the flag."""
    from playground.constraint import Constraint
    from playground.generation import GenerationRequest
    from playground.generation.types import MOST_ALTERNATIVES, MOST_NEW_TOKENS

    limit = options.read_number(args.max_new_tokens, "--max-new-tokens", 1, MOST_NEW_TOKENS, DEFAULT_NEW_TOKENS)
    stop_ids = tuple(options.read_number(text, "--stop-token-id", 0, 2**31 - 1, 0) for text in args.stop_token_id or ())
    fields: dict[str, Any] = {
        "settings": options.read_settings(args),
        "seed": options.read_seed_option(args),
        "max_new_tokens": limit,
        "stop_strings": tuple(args.stop or ()),
        "stop_ids": stop_ids,
        "ignore_eos": args.ignore_eos,
        "top": options.read_number(args.top, "--top", 0, MOST_ALTERNATIVES, 10),
        "constraint": next((Constraint(kind, text) for kind in _CONSTRAINTS if (text := getattr(args, kind))), None),
    }
    try:
        GenerationRequest(prompt_ids=(0,), **fields)
    except BadInput as error:
        raise BadInput(f"--{str(error)}", error.field) from None
    return fields


def _generate(engine: Engine, asked: GenerationRequest, *, stream: bool) -> Generation:
    """Run to the end; ``stream`` shows on stderr how far it is, where stderr is a terminal."""
    from playground.generation import generate

    return output.run_counted(generate(engine, [asked]), asked.max_new_tokens, shown=stream and sys.stderr.isatty())


def _result(engine: Engine, generation: Generation) -> dict[str, Any]:
    from playground.generation import samples_here
    from playground.generation.document import ids_before, step_pieces

    row, codec, here = generation.rows[0], engine.codec, samples_here(engine)
    prompt = row.request.prompt_ids
    return {
        "model": engine.info.id,
        "sampled_by": "playground" if here else "engine",
        "text": row.text,
        "hidden_text": row.hidden_text,
        "finish_reason": _REASONS.get(row.finish_reason, row.finish_reason),
        "stopped_by": row.stopped_by,
        "prompt_ids": list(prompt),
        "seed": row.request.seed,
        "order": list(row.request.settings.active()) if here else None,  # the engine has an order of its own
        "steps": [
            _step(codec, step, text, ids_before(prompt, row.steps, place))
            for place, (step, text) in enumerate(zip(row.steps, step_pieces(codec, row.steps, prompt), strict=True))
        ],
        "timings": {
            "prefill_s": generation.prefill_ms / 1000,
            "decode_s": generation.decode_ms / 1000,
            "new_tokens": generation.new_tokens,
        },
    }


def _step(codec: TextCodec, step: TokenStep, text: str, before: TokenIds) -> dict[str, Any]:
    return {
        "id": step.id,
        "text": text,
        "raw_logprob": _finite(step.raw_logprob),
        "prob": step.prob,
        "rank": step.rank,
        "entropy": step.entropy,
        "kept": step.kept,
        "u": step.u,
        "top": [
            {
                "id": other.id,
                "text": codec.piece(other.id, before),
                "raw_logprob": output.finite(other.raw_logprob),
                "prob": other.prob,
                "removed_by": other.removed_by,
            }
            for other in step.top
        ],
    }


def _finite(value: float | None) -> float | None:
    return None if value is None else output.finite(value)


def _print_end(engine: Engine, generation: Generation) -> None:
    from playground.generation import samples_here
    from playground.generation.document import step_pieces

    row = generation.rows[0]
    texts = step_pieces(engine.codec, row.steps, row.request.prompt_ids)
    output.print_table(("step", "id", "text", "log-prob", "final", "rank", "kept", "u"), map(_cells, row.steps, texts))
    by = f" at {row.stopped_by!r}" if row.stopped_by else ""
    hidden = f"; hidden: {row.hidden_text!r}" if row.hidden_text else ""
    print(f"ended by {row.finish_reason}{by}{hidden}")
    if not samples_here(engine):
        print("sampled by the engine: – is what it does not tell")
    seconds = generation.decode_ms / 1000
    rate = f", {generation.new_tokens / seconds:.1f} tokens/s" if seconds else ""
    print(
        f"{generation.new_tokens} tokens in {seconds:.2f} s after {generation.prefill_ms / 1000:.2f} s of prefill{rate}"
    )
    print()
    print("".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in row.text))


def _cells(step: TokenStep, text: str) -> tuple[str, ...]:
    """A step's line; "–" is what the engine that sampled by itself did not tell."""
    from playground.charts.numbers import logprob, percent

    def cell(value: T | None, write: Callable[[T], str]) -> str:
        return "–" if value is None else write(value)

    return (
        str(step.index + 1),
        cell(step.id, str),
        text,
        cell(step.raw_logprob, logprob),
        cell(step.prob, percent),
        cell(step.rank, lambda rank: str(rank + 1)),
        cell(step.kept, lambda kept: f"{kept:,}"),
        cell(step.u, lambda u: f"{u:.6f}"),
    )
