"""``python -m playground arch``: architectures raced over contexts, and small models trained on synthetic tasks."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from playground.architectures.families import DEFAULT, FAMILIES
from playground.architectures.race import CONTEXTS, RaceRow, read_contexts
from playground.architectures.tasks import LEARNERS, TASKS
from playground.cli import options, output
from playground.errors import BadInput

if TYPE_CHECKING:
    from playground.architectures.request import LearnRequest
    from playground.architectures.types import Learnt


def add_parser(subparsers: options.Commands, common: argparse.ArgumentParser) -> None:
    """Declare the commands' flags."""
    parser = subparsers.add_parser("arch", help="architectures beside the transformer")
    inner = parser.add_subparsers(dest="arch_command", required=True, metavar="COMMAND")
    racing = inner.add_parser(
        "race", parents=[common], help="bytes and times against the context, random weights", allow_abbrev=False
    )
    racing.add_argument(
        "--config",
        action="append",
        metavar="NAME|F.json",
        help=f"{', '.join(FAMILIES)}, a preset's name or a transformers config.json; repeatable "
        f"(default: {', '.join(DEFAULT)})",
    )
    racing.add_argument(
        "--contexts",
        default=",".join(map(str, CONTEXTS)),
        metavar="128,512,…",
        help="tokens of the texts that are read",
    )
    racing.add_argument("--seed", default="0", help="of weights and texts (default: 0)")
    racing.set_defaults(run=run_race)
    learning = inner.add_parser(
        "learn", parents=[common], help="a small model trained on a synthetic task", allow_abbrev=False
    )
    learning.add_argument("--task", required=True, metavar="NAME", help=f"one of {', '.join(TASKS)}")
    learning.add_argument("--model", metavar="NAME", help=f"of {', '.join(LEARNERS)}; which fit depends on the task")
    learning.add_argument("--length", metavar="NUMBER", help="the longest text that is trained on")
    learning.add_argument("--pairs", metavar="NUMBER", help="the most pairs that are trained on, for the task mqar")
    learning.add_argument("--width", metavar="NUMBER", help="of the model (default: the task's)")
    learning.add_argument("--steps", metavar="NUMBER", help="of training, each of 64 texts (default: the task's)")
    learning.add_argument("--learning-rate", metavar="NUMBER", help="at its highest (default: 0.003)")
    learning.add_argument("--seed", default="0", help="of weights and texts (default: 0)")
    learning.set_defaults(run=run_learn)


# -- race --------------------------------------------------------------------------------------------------------------


def run_race(args: argparse.Namespace) -> int:
    """Race the models and print every point."""
    from playground.architectures.race import race, racers_of
    from playground.scaling.configs import load_config

    contexts, seed = read_contexts(args.contexts), options.read_seed_option(args)
    racers = racers_of(args.config or DEFAULT, load_config)
    steps, shown = race(racers, contexts, seed), sys.stderr.isatty()
    while True:
        try:
            progress = next(steps)
        except StopIteration as end:
            rows: tuple[RaceRow, ...] = end.value
            break
        if shown:
            print(f"\r{progress.share:4.0%} {progress.doing:<60}", end="", file=sys.stderr, flush=True)
    if shown:
        print(file=sys.stderr)
    exponents = _exponents(rows)
    if args.json:
        output.print_json({"rows": [asdict(row) for row in rows], "exponents": exponents})
    else:
        _print_race(rows, exponents)
    return 0


def _exponents(rows: tuple[RaceRow, ...]) -> dict[str, dict[str, float | None]]:
    from playground.architectures.results import exponents_of

    return {
        name: exponents_of([row for row in rows if row.config == name])
        for name in dict.fromkeys(r.config for r in rows)
    }


def _print_race(rows: tuple[RaceRow, ...], exponents: dict[str, dict[str, float | None]]) -> None:
    from playground.architectures.growth import exponents_said
    from playground.charts.numbers import milliseconds

    def cells(row: RaceRow) -> tuple[str, ...]:
        kept = "" if row.state_bytes is None else f"{row.state_bytes + (row.cache_bytes or 0):,}"
        times = [("" if each is None else milliseconds(1e3 * each)) for each in (row.prefill_s, row.decode_s_per_token)]
        return row.config, f"{row.context:,}", f"{row.predicted_bytes:,}", kept, *times, row.note

    output.print_table(
        ("model", "context", "bytes by formula", "measured", "read in", "a token in", ""), map(cells, rows)
    )
    print()
    for name, by_quantity in exponents.items():
        print(f"{name}: grows with the power of the context: {exponents_said(by_quantity) or 'too few points'}")


# -- learn -------------------------------------------------------------------------------------------------------------


def run_learn(args: argparse.Namespace) -> int:
    """Train one model and print what came of it."""
    request = learn_request(args)
    learnt = _train(request)
    result: dict[str, Any] = {
        "task": request.task,
        "model": request.model,
        "width": request.width,
        "seed": request.seed,
        "size": request.size,
        "steps": [asdict(step) for step in learnt.steps],
        "accuracies": [{TASKS[request.task].axis: size, "accuracy": share} for size, share in learnt.accuracies],
        "accuracy": learnt.accuracy,
        "parameters": learnt.parameters,
        "seconds": learnt.seconds,
    }
    if args.json:
        output.print_json(result)
        return 0
    axis = TASKS[request.task].axis
    output.print_table(
        ("step", "loss", "accuracy"),
        [(f"{step.step:,}", f"{step.loss:.3f}", f"{step.accuracy:.1%}") for step in learnt.steps],
    )
    print()
    output.print_table((axis, "accuracy"), [(str(size), f"{share:.1%}") for size, share in learnt.accuracies])
    print(f"{learnt.parameters:,} parameters, {learnt.seconds:.0f} s; {TASKS[request.task].expects}")
    return 0


def learn_request(args: argparse.Namespace) -> LearnRequest:
    """The training that the flags ask for. Raises BadInput."""
    from playground.architectures.request import MOST_STEPS, usual_request

    task = TASKS.get(args.task)
    if task is None:
        raise BadInput(f"--task: there is no task {args.task[:40]!r}; choose one of {', '.join(TASKS)}.", "task")
    wrong = "pairs" if task.axis == "length" else "length"
    if getattr(args, wrong) is not None:
        raise BadInput(f"--{wrong}: the task {task.name} has a --{task.axis}; leave --{wrong} out.", wrong)
    usual = usual_request(task.name, args.model or task.shown[0], options.read_seed_option(args))
    rate = args.learning_rate
    try:
        learning_rate = usual.learning_rate if rate is None else float(rate)
    except ValueError:
        raise BadInput(f"--learning-rate must be a number, not {rate[:40]!r}.", "learning_rate") from None
    from dataclasses import replace

    return replace(
        usual,
        size=options.read_number(getattr(args, task.axis), f"--{task.axis}", task.sizes[0], task.most, usual.size),
        width=options.read_number(args.width, "--width", 8, 256, usual.width),
        steps=options.read_number(args.steps, "--steps", 1, MOST_STEPS, usual.steps),
        learning_rate=learning_rate,
    )


def _train(request: LearnRequest) -> Learnt:
    from playground.architectures.learning import learn

    steps, shown = learn(request), sys.stderr.isatty()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            if shown:
                print(file=sys.stderr)
            learnt: Learnt = end.value[0]
            return learnt
        if shown and step is not None:
            print(f"\rstep {step.step:,} of at most {request.steps:,}", end="", file=sys.stderr, flush=True)
