"""What each command of ``calc`` answers: its values by name, and the figures with their formulas. Prints nothing.

Every answer takes the parsed words of its command and raises BadInput, naming the flag, for what cannot be used.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from playground.errors import BadInput
from playground.scaling.built_specs import spec_of_config
from playground.scaling.configs import load_config
from playground.scaling.figures import Figure
from playground.scaling.fitting import check_fit
from playground.scaling.hardware import Gpu, find_gpu
from playground.scaling.inference import ServingPlan, predict_serving
from playground.scaling.laws import explain_loss, find_law, optimal_for_flops, optimal_for_params
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.memory import MemoryPlan, measure_memory
from playground.scaling.meta import count_on_meta
from playground.scaling.parameters import count_parameters, explain_parameters
from playground.scaling.quantity import MIN_UTILISATION, parse_count, parse_number
from playground.scaling.specs import ArchitectureSpec
from playground.scaling.training import TrainingPlan, cost_training, training_tokens

Answer = tuple[dict[str, Any], Sequence[Figure]]


def _spec(name: str) -> ArchitectureSpec:
    """By the formula, at once; what has none, and vision or audio beside the text, is built on the meta device."""
    return spec_of_config(load_config(name))


def answer_params(args: argparse.Namespace) -> Answer:
    """Parameters by component, with what a config left out."""
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


def answer_memory(args: argparse.Namespace) -> Answer:
    """Bytes of everything a model keeps, and whether that fits a GPU where one is named."""
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


def answer_train(args: argparse.Namespace) -> Answer:
    """A training run's bill."""
    gpu = find_gpu(args.gpu, "--gpu")
    plan = TrainingPlan(
        _params(args),
        _train_tokens(args),
        gpu,
        parse_count(args.count, "--count", maximum=10**9),
        _share(args.mfu, "--mfu"),
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


def _share(text: str, flag: str) -> float:
    return parse_number(text, flag, minimum=MIN_UTILISATION, maximum=1.0, above_minimum=False)


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


def answer_optimal(args: argparse.Namespace) -> Answer:
    """The compute-optimal model of a budget, or the budget of a model."""
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


def answer_loss(args: argparse.Namespace) -> Answer:
    """What a scaling law predicts."""
    law = find_law(args.law)
    shown = explain_loss(law, _params(args), _tokens(args.tokens, "--tokens"))
    return {"loss": shown.value, "law": law.name}, (shown,)


def answer_lifetime(args: argparse.Namespace) -> Answer:
    """The cheapest model over training and serving."""
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


def answer_infer(args: argparse.Namespace) -> Answer:
    """Speed and price of serving by roofline."""
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
        _share(args.compute_efficiency, "--compute-efficiency"),
        _share(args.bandwidth_efficiency, "--bandwidth-efficiency"),
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
