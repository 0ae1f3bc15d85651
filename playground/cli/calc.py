"""``python -m playground calc …``: the calculator without a browser. Loads no model and imports no torch.

Every command is a row of COMMANDS: its help, what adds its flags, and what answers it as a plain dict. ``--json``
prints the dict, else a table and the formulas behind it. Longer than most files: seven small commands of one shape, side
by side.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from playground.errors import BadInput
from playground.scaling.built_specs import spec_of_config
from playground.scaling.configs import load_config
from playground.scaling.figures import Figure
from playground.scaling.fitting import check_fit
from playground.scaling.hardware import Gpu, find_gpu
from playground.scaling.inference import ServingPlan, predict_serving
from playground.scaling.laws import DEFAULT_LAW, explain_loss, find_law, optimal_for_flops, optimal_for_params
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.memory import OPTIMIZERS, RECOMPUTE, WEIGHT_BYTES, MemoryPlan, measure_memory
from playground.scaling.meta import count_on_meta
from playground.scaling.parameters import count_parameters, explain_parameters
from playground.scaling.quantity import (
    MIN_UTILISATION,
    format_bytes,
    format_count,
    format_duration,
    parse_count,
    parse_number,
)
from playground.scaling.specs import ArchitectureSpec
from playground.scaling.training import (
    DEFAULT_GRID,
    DEFAULT_MFU,
    DEFAULT_PUE,
    TrainingPlan,
    cost_training,
    training_tokens,
)

Answer = tuple[dict[str, Any], Sequence[Figure]]
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


def _spec(name: str) -> ArchitectureSpec:
    """By the formula, at once; what has none, and vision or audio beside the text, is built on the meta device."""
    return spec_of_config(load_config(name))


def _answer_params(args: argparse.Namespace) -> Answer:
    loaded = load_config(args.config)
    spec = spec_of_config(loaded)
    count = count_parameters(spec)
    values = {
        "config": loaded.name,
        "total": count.total,
        "active": count.active,
        "active_without_tables": count.active_without_tables,
        "sparsity": count.sparsity,
        "components": {part.name: part.total for part in count.components},
        "active_components": {part.name: part.active for part in count.components},
        "parts": {"text": count.text, **{part.name: part.total for part in count.others}},
        "defaults": dict(spec.assumed),
        "notes": list(spec.notes),
    }
    if args.meta:
        values["meta_total"] = count_on_meta(loaded.config).total
    return values, explain_parameters(spec)


def _answer_memory(args: argparse.Namespace) -> Answer:
    plan = MemoryPlan(
        _spec(args.config),
        args.dtype or "bfloat16",
        parse_count(args.context, "--context"),
        parse_count(args.batch, "--batch", maximum=10**9),
        args.training,
        args.zero,
        parse_count(args.gpus, "--gpus", maximum=10**7),
        args.recompute,
    )
    report = measure_memory(plan)
    values: dict[str, Any] = {
        "config": plan.spec.name,
        "weights_bytes": round(report.weights_bytes),
        "kv_bytes_per_token": round(report.kv_bytes_per_token),
        "kv_bytes": round(report.kv_bytes),
        "state_bytes": round(report.state_bytes),
        "gradient_bytes": round(report.gradient_bytes),
        "optimizer_bytes": round(report.optimizer_bytes),
        "activation_bytes": round(report.activation_bytes),
        "total_bytes": round(report.total_bytes),
        "per_gpu_bytes": round(report.per_gpu_bytes),
    }
    if args.gpu:
        fit = check_fit(plan, find_gpu(args.gpu, "--gpu"))
        values |= {
            "fits": fit.fits,
            "largest_batch": fit.largest_batch,
            "largest_context": fit.largest_context,
            "advice": list(fit.advice),
        }
    return values, report.figures


def _price(text: str | None, gpu: Gpu) -> float | None:
    return gpu.price_middle if text is None else parse_number(text, "--price", maximum=1e6)


def _price_note(text: str | None, gpu: Gpu) -> str | None:
    if text is not None:
        return "given"
    if gpu.price_middle is None:
        return None
    return f"middle of {gpu.price_low}–{gpu.price_high} USD, seen {gpu.as_of}"


def _answer_train(args: argparse.Namespace) -> Answer:
    gpu = find_gpu(args.gpu, "--gpu")
    plan = TrainingPlan(
        _params(args),
        _train_tokens(args),
        gpu,
        parse_count(args.count, "--count", maximum=10**9),
        parse_number(args.mfu, "--mfu", minimum=MIN_UTILISATION, maximum=1.0, above_minimum=False),
        _price(args.price, gpu),
        parse_number(args.pue, "--pue", minimum=1.0, maximum=10.0, above_minimum=False),
        parse_number(args.grid, "--grid", maximum=10.0, above_minimum=False),
    )
    cost = cost_training(plan)
    values = {
        "params": plan.params,
        "tokens": plan.tokens,
        "gpu": gpu.name,
        "flops": cost.flops.value,
        "seconds": cost.seconds.value,
        "days": cost.days.value,
        "gpu_hours": cost.gpu_hours.value,
        "cost_usd": cost.cost_usd.value if cost.cost_usd else None,
        "price_usd_per_gpu_hour": plan.price,
        "price_source": _price_note(args.price, gpu),
        "energy_kwh": cost.energy_kwh.value,
        "co2_kg": cost.co2_kg.value,
    }
    return values, cost.figures


def _params(args: argparse.Namespace) -> float:
    return parse_number(args.params, "--params", minimum=1.0, maximum=1e18, above_minimum=False)


def _tokens(text: str, flag: str) -> float:
    return parse_number(text, flag, minimum=1.0, maximum=1e21, above_minimum=False)


def _train_tokens(args: argparse.Namespace) -> float:
    if args.tokens is not None:
        if args.dataset_tokens is not None:
            raise BadInput("--tokens and --dataset-tokens exclude each other; give one of them.", "tokens")
        return _tokens(args.tokens, "--tokens")
    if args.dataset_tokens is None:
        raise BadInput("--tokens is missing; give it, or --dataset-tokens with --epochs.", "tokens")
    dataset = _tokens(args.dataset_tokens, "--dataset-tokens")
    return training_tokens(dataset, parse_number(args.epochs, "--epochs", maximum=1e6))


def _answer_optimal(args: argparse.Namespace) -> Answer:
    law = find_law(args.law)
    if (args.flops is None) == (args.params is None):
        raise BadInput("--flops or --params is needed, and only one of them.", "flops")
    if args.flops is not None:
        best = optimal_for_flops(
            law, parse_number(args.flops, "--flops", minimum=1.0, maximum=1e40, above_minimum=False)
        )
    else:
        best = optimal_for_params(law, _params(args))
    values = {
        "flops": best.flops,
        "params": best.params,
        "tokens": best.tokens,
        "tokens_per_param": best.tokens_per_param,
        "loss": best.loss,
        "law": best.law,
    }
    return values, best.figures


def _answer_loss(args: argparse.Namespace) -> Answer:
    law = find_law(args.law)
    shown = explain_loss(law, _params(args), _tokens(args.tokens, "--tokens"))
    return {"loss": shown.value, "law": law.name}, (shown,)


def _answer_lifetime(args: argparse.Namespace) -> Answer:
    demand = parse_number(args.inference_tokens, "--inference-tokens", maximum=1e24, above_minimum=False)
    best = optimise_lifetime(find_law(args.law), _params(args), demand)
    values = {
        "params": best.params,
        "train_tokens": best.train_tokens,
        "total_flops": best.total_flops,
        "baseline_params": best.baseline_params,
        "baseline_tokens": best.baseline_tokens,
        "baseline_flops": best.baseline_flops,
        "data_ratio": best.data_ratio,
        "flops_change": best.flops_change,
        "loss": best.loss,
        "law": best.law,
    }
    return values, best.figures


def _answer_infer(args: argparse.Namespace) -> Answer:
    gpu = find_gpu(args.gpu, "--gpu")
    plan = ServingPlan(
        _spec(args.config),
        gpu,
        parse_count(args.count, "--count", maximum=10**7),
        args.dtype or "bfloat16",
        parse_count(args.batch, "--batch", maximum=10**9),
        parse_count(args.prompt_tokens, "--prompt-tokens"),
        parse_count(args.new_tokens, "--new-tokens"),
        _price(args.price, gpu),
        samples=parse_count(args.samples, "--samples", maximum=10**9),
    )
    result = predict_serving(plan)
    values = {
        "config": plan.spec.name,
        "gpu": gpu.name,
        "prefill_s": result.prefill_s,
        "prefill_bound": result.prefill_bound,
        "decode_s_per_token": result.decode_s_per_token,
        "tokens_per_s": result.tokens_per_s,
        "bound": result.bound,
        "cost_per_million_tokens": result.cost_per_million_tokens,
        "price_usd_per_gpu_hour": plan.price,
        "price_source": _price_note(args.price, gpu),
        "fits": result.fits,
        "needed_bytes": round(result.needed_bytes),
        "available_bytes": round(result.available_bytes),
    }
    return values, result.figures


def _flags(*names: str) -> Callable[[argparse.ArgumentParser], None]:
    def add(parser: argparse.ArgumentParser) -> None:
        for name in names:
            parser.add_argument(name, **FLAGS[name])

    return add


FLAGS: dict[str, dict[str, Any]] = {
    "--config": {"required": True, "metavar": "NAME|F.json", "help": "a preset's name or a transformers config.json"},
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
    "--inference-tokens": {"required": True, "help": "tokens served over the model's life"},
    "--prompt-tokens": {"default": "512", "help": "tokens of each prompt"},
    "--new-tokens": {"default": "256", "help": "tokens written for each prompt"},
    "--samples": {"default": "1", "help": "answers drawn for each prompt"},
}


def _required(parser_flags: Callable[[argparse.ArgumentParser], None], *names: str) -> Callable[..., None]:
    def add(parser: argparse.ArgumentParser) -> None:
        parser_flags(parser)
        for action in parser._actions:
            if set(action.option_strings) & set(names):
                action.required = True

    return add


COMMANDS: Mapping[str, tuple[str, Callable[..., None], Callable[[argparse.Namespace], Answer]]] = {
    "params": ("parameters by component, total and active", _flags("--config", "--meta"), _answer_params),
    "memory": (
        "bytes of weights, cache, state and training",
        _flags("--config", "--dtype", "--context", "--batch", "--training", "--zero", "--gpus", "--recompute", "--gpu"),
        _answer_memory,
    ),
    "train": (
        "compute, time, money and energy of a training run",
        _required(
            _flags(
                "--params",
                "--tokens",
                "--dataset-tokens",
                "--epochs",
                "--gpu",
                "--count",
                "--mfu",
                "--price",
                "--pue",
                "--grid",
            ),
            "--params",
            "--gpu",
        ),
        _answer_train,
    ),
    "optimal": ("the compute-optimal model", _flags("--flops", "--params", "--law"), _answer_optimal),
    "loss": (
        "the loss a scaling law predicts",
        _required(_flags("--params", "--tokens", "--law"), "--params", "--tokens"),
        _answer_loss,
    ),
    "lifetime": (
        "the cheapest model over training and serving",
        _required(_flags("--params", "--inference-tokens", "--law"), "--params"),
        _answer_lifetime,
    ),
    "infer": (
        "speed and price of serving",
        _required(
            _flags(
                "--config",
                "--gpu",
                "--count",
                "--dtype",
                "--batch",
                "--prompt-tokens",
                "--new-tokens",
                "--price",
                "--samples",
            ),
            "--gpu",
        ),
        _answer_infer,
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
