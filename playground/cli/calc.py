"""``python -m playground calc …``: the calculator without a browser. Loads no model and imports no torch.

Every command is a row of COMMANDS: its help, what adds its flags, and what answers it as a plain dict. ``--json``
prints the dict, else a table and the formulas behind it. The answers are in ``calc_answers.py``.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground.cli import calc_answers
from playground.cli.calc_answers import Answer
from playground.scaling.figures import Figure
from playground.scaling.laws import DEFAULT_LAW
from playground.scaling.memory import OPTIMIZERS, RECOMPUTE, WEIGHT_BYTES
from playground.scaling.quantity import format_bytes, format_count, format_duration
from playground.scaling.training import DEFAULT_GRID, DEFAULT_MFU, DEFAULT_PUE

Subparsers = Any  # argparse's own type for what add_subparsers returns is private and generic


def add_parser(subparsers: Subparsers, common: argparse.ArgumentParser) -> None:
    """Add ``calc`` and its seven commands; each sets ``run``. ``common`` carries the options every command shares."""
    parser = subparsers.add_parser("calc", help="parameters, memory, training and serving costs, scaling laws")
    inner = parser.add_subparsers(dest="calc_command", required=True, metavar="COMMAND")
    for name, (summary, add_flags, _) in COMMANDS.items():
        own = copy.deepcopy(common)  # resolving a conflict empties the parent's action, which others still need
        command = inner.add_parser(name, help=summary, description=summary, parents=[own], conflict_handler="resolve")
        if not any(action.dest == "json" for action in command._actions):
            command.add_argument("--json", action="store_true", help="print one JSON object")
        add_flags(command)
        command.set_defaults(run=run, calc_command=name)


def run(args: argparse.Namespace) -> int:
    """Answer one command on stdout. Raises BadInput, naming the flag, for what cannot be used."""
    values, figures = COMMANDS[args.calc_command][2](args)
    if args.json:
        print(json.dumps(values, allow_nan=False))
    else:
        _print_table(values, figures)
    return 0


def _flags(*names: str, required: Sequence[str] = ()) -> Callable[[argparse.ArgumentParser], None]:
    """What adds the rows of FLAGS to a command's parser."""

    def add(parser: argparse.ArgumentParser) -> None:
        for name in (*required, *names):
            parser.add_argument(name, **{**FLAGS[name], "required": name in required})

    return add


FLAGS: dict[str, dict[str, Any]] = {
    "--config": {"metavar": "NAME|F.json", "help": "a preset's name or a transformers config.json"},
    "--meta": {"action": "store_true", "help": "hold a formula against the model built on the meta device too"},
    "--dtype": {"choices": tuple(WEIGHT_BYTES), "default": None, "help": "of the weights; bfloat16 unless given"},
    "--context": {"default": "4096", "help": "tokens a sequence"},
    "--batch": {"default": "1", "help": "sequences at once"},
    "--training": {"choices": tuple(OPTIMIZERS), "default": None, "help": "the optimizer; without it, serving"},
    "--zero": {"type": int, "choices": (0, 1, 2, 3), "default": 0, "help": "ZeRO stage"},
    "--gpus": {"default": "1", "help": "GPUs that share the memory"},
    "--recompute": {"choices": RECOMPUTE, "default": "none", "help": "activations recomputed in training"},
    "--params": {"default": None, "help": "parameters, such as 7B"},
    "--tokens": {"default": None, "help": "training tokens, such as 1.4T"},
    "--dataset-tokens": {"default": None, "help": "tokens of the data set, seen --epochs times"},
    "--epochs": {"default": "1", "help": "times the data set is seen"},
    "--gpu": {"default": None, "help": "a GPU's name or any unique prefix"},
    "--count": {"default": "1", "help": "number of GPUs"},
    "--mfu": {"default": str(DEFAULT_MFU), "help": "model FLOPs utilisation, above 0 and at most 1"},
    "--price": {"default": None, "help": "USD per GPU-hour; the middle of the dated range unless given"},
    "--pue": {"default": str(DEFAULT_PUE), "help": "power usage effectiveness of the data centre"},
    "--grid": {"default": str(DEFAULT_GRID), "help": "kg of CO2 per kWh"},
    "--flops": {"default": None, "help": "compute budget in FLOPs"},
    "--law": {"default": DEFAULT_LAW, "help": "a set of scaling-law constants"},
    "--inference-tokens": {"help": "tokens served over the model's life"},
    "--prompt-tokens": {"default": "512", "help": "tokens of each prompt"},
    "--new-tokens": {"default": "256", "help": "tokens written for each prompt"},
    "--samples": {"default": "1", "help": "answers drawn for each prompt"},
    "--compute-efficiency": {"default": "1", "help": "share of the peak arithmetic that is reached"},
    "--bandwidth-efficiency": {"default": "1", "help": "share of the peak bandwidth that is reached"},
}


COMMANDS: Mapping[str, tuple[str, Callable[..., None], Callable[[argparse.Namespace], Answer]]] = {
    "params": (
        "parameters by component, total and active",
        _flags("--meta", required=["--config"]),
        calc_answers.answer_params,
    ),
    "memory": (
        "bytes of weights, cache, state and training",
        _flags(
            *("--dtype", "--context", "--batch", "--training", "--zero", "--gpus", "--recompute", "--gpu"),
            required=["--config"],
        ),
        calc_answers.answer_memory,
    ),
    "train": (
        "compute, time, money and energy of a training run",
        _flags(
            *("--tokens", "--dataset-tokens", "--epochs", "--count", "--mfu", "--price", "--pue", "--grid"),
            required=["--params", "--gpu"],
        ),
        calc_answers.answer_train,
    ),
    "optimal": ("the compute-optimal model", _flags("--flops", "--params", "--law"), calc_answers.answer_optimal),
    "loss": (
        "the loss a scaling law predicts",
        _flags("--law", required=["--params", "--tokens"]),
        calc_answers.answer_loss,
    ),
    "lifetime": (
        "the cheapest model over training and serving",
        _flags("--law", required=["--params", "--inference-tokens"]),
        calc_answers.answer_lifetime,
    ),
    "infer": (
        "speed and price of serving",
        _flags(
            *("--count", "--dtype", "--batch", "--prompt-tokens", "--new-tokens", "--price", "--samples"),
            *("--compute-efficiency", "--bandwidth-efficiency"),
            required=["--config", "--gpu"],
        ),
        calc_answers.answer_infer,
    ),
}


def _print_table(values: Mapping[str, Any], figures: Sequence[Figure]) -> None:
    flat: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat += [(f"{name}.{key}", inner) for key, inner in value.items()]
        elif isinstance(value, list):
            flat += [(name, item) for item in value]
        else:
            flat.append((name, value))
    width = max(len(name) for name, _ in flat)
    lines = [f"{name:<{width}}  {_readable(name, value)}" for name, value in flat]
    for shown in figures:
        lines.append(f"\n{shown.name} [{shown.unit}]: {shown.formula}\n  = {shown.filled}\n  source: {shown.source}")
    print("\n".join(lines))


def _readable(name: str, value: float | str | None) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if name.endswith(("_bytes", "_bytes_per_token")):
        return f"{value:,.0f} B" if value < 1000 else f"{format_bytes(value)} = {value:,.0f} B"
    if name in ("seconds", "prefill_s", "decode_s_per_token"):
        return format_duration(value)
    if isinstance(value, int):
        return f"{value:,}"
    return format_count(value, 4) if abs(value) >= 1000 else f"{value:.4g}"
