"""``python -m playground tune``: which settings could have written given references, and a plan of settings run and compared."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from playground.cli import options, output

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.sampling.settings import SamplerSettings
    from playground.tuning.examples import Example


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the commands' flags."""
    parser = subparsers.add_parser("tune", help="what settings could write")
    inner = parser.add_subparsers(dest="tune_command", required=True, metavar="COMMAND")
    reach = inner.add_parser(
        "reach", parents=[common], help="whether settings could have written references", allow_abbrev=False
    )
    options.add_model_options(reach)
    reach.add_argument(
        "--examples", required=True, metavar="F.jsonl", help="lines with prompt and reference, and maybe system"
    )
    reach.add_argument("--chat", action="store_true", help="wrap each prompt as one user message in the chat template")
    options.add_sampler_options(reach, seed=False)
    reach.set_defaults(run=run_reach)
    plan = inner.add_parser("run", parents=[common], help="settings compared on examples", allow_abbrev=False)
    options.add_model_options(plan)
    plan.add_argument(
        "--plan", required=True, metavar="F.yaml|json", help="examples, settings, samples, measures, require"
    )
    plan.add_argument("--out", metavar="F.json", help="write the results and all texts there")
    plan.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="F.md|html",
        help="write a report with the texts there; repeatable",
    )
    plan.set_defaults(run=run_plan)


def run_plan(args: argparse.Namespace) -> int:
    """Run a plan and print what may be said of it; 1 where its ``require`` is not met."""
    from playground.cli.tune_plan import run

    return run(args)


def run_reach(args: argparse.Namespace) -> int:
    """Follow every reference under the settings and print what they make of it."""
    from playground.tuning.examples import read_examples

    settings = options.read_settings(args)
    data = options.read_file(args.examples, "--examples")
    examples, notes = read_examples(data, args.examples, needed=("prompt", "reference"))
    engine = options.open_engine(args)
    options.refuse_unknown_biases(settings, engine.info.vocab_size)
    reaches = []
    for number, example in enumerate(examples, 1):
        reaches.append(_reach(engine, example, settings, args.chat, number))
        if sys.stderr.isatty():
            print(f"\r{number} of {len(examples)} references", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    result = {
        "model": engine.info.id,
        "settings": settings.to_mapping(),
        "order": list(settings.active()),
        "examples": reaches,
        "notes": list(notes),
    }
    if args.json:
        output.print_json(result)
    else:
        _print_readable(result)
    return 0


def _reach(engine: Engine, example: Example, settings: SamplerSettings, chat: bool, number: int) -> dict[str, Any]:
    from playground.errors import BadInput
    from playground.inspection.next_token import CONTEXT_TAIL
    from playground.tuning.following import follow_reference

    try:
        prompt_ids, reach = follow_reference(engine, example, settings, chat=chat)
    except BadInput as error:
        raise BadInput(f"--examples: example {number}: {error}", "examples") from None
    first = reach.first_forbidden
    forbidden = None
    if first is not None:
        before = (*prompt_ids, *reach.ids[: first.position])[-CONTEXT_TAIL:]
        text = engine.codec.piece(first.id, before)
        forbidden = {"position": first.position, "id": first.id, "text": text, "by": first.by}
    return {
        "prompt": example.prompt,
        "reference": example.reference,
        "tokens": len(reach.ids),
        "kept_share": reach.kept_share,
        "first_forbidden": forbidden,
        "raw_logprob": output.finite(float(reach.raw_logprobs.sum())),
        "logprob": output.finite(float(reach.logprobs.sum())),
        "choices": float(reach.choices.mean()),
    }


def _print_readable(result: dict[str, Any]) -> None:
    from playground.charts.numbers import logprob, percent

    def cells(number: int, example: dict[str, Any]) -> tuple[str, ...]:
        first = example["first_forbidden"]
        stopped = "" if first is None else f"{first['text']!r} at {first['position']} by {first['by'] or 'the model'}"
        return (
            *(str(number), example["reference"][:40], str(example["tokens"]), percent(example["kept_share"])),
            stopped or "nothing",
            "none" if example["raw_logprob"] is None else logprob(example["raw_logprob"]),
            "forbidden" if example["logprob"] is None else logprob(example["logprob"]),
            f"{example['choices']:,.1f}",
        )

    print(f"samplers in order: {', '.join(result['order']) or 'none'}")
    head = ("", "reference", "tokens", "kept", "first forbidden", "raw log-prob", "log-prob", "effective choices")
    output.print_table(head, [cells(number, example) for number, example in enumerate(result["examples"], 1)])
    written = sum(example["logprob"] is not None for example in result["examples"])
    print(f"{written} of {len(result['examples'])} references could have been written under these settings")
