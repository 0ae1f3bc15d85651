"""From a setup to the plans of ``playground.scaling`` and the rows each page shows. Pure; knows no streamlit.

``answer_*`` functions give a page's table in one basis ("checked" or "notes"). Every number in it is a ``Figure``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from playground.plan.setup import CUSTOM, ScaleSetup, gpu_of
from playground.plan.wording import Row, row
from playground.scaling.configs import load_preset
from playground.scaling.figures import figure, given
from playground.scaling.fitting import Fit, check_fit
from playground.scaling.hardware import Gpu
from playground.scaling.inference import Serving, ServingPlan, predict_serving
from playground.scaling.memory import MemoryPlan
from playground.scaling.notes import NOTES, NOTES_FLOPS_PER_S
from playground.scaling.parameters import ParameterCount, count_parameters, explain_parameters
from playground.scaling.specs import ArchitectureSpec
from playground.scaling.training import TrainingCost, TrainingPlan, attention_flops, cost_training, training_tokens

SEQUENCE = 4096  # tokens of a training sequence, for the attention term


@lru_cache(maxsize=64)
def _preset_spec(name: str) -> ArchitectureSpec:
    return load_preset(name).spec


@lru_cache(maxsize=64)
def _count(spec: ArchitectureSpec) -> ParameterCount:
    return count_parameters(spec)


@lru_cache(maxsize=128)
def _fit(plan: MemoryPlan, gpu: Gpu) -> Fit:
    return check_fit(plan, gpu)


def spec_of(setup: ScaleSetup) -> ArchitectureSpec:
    """The model's shapes. Raises BadInput."""
    own = setup.own_config
    return own.spec if own and setup.config == CUSTOM else _preset_spec(setup.config)


def config_of(setup: ScaleSetup) -> Mapping[str, object]:
    """The model's config.json, the reader's own or the preset's."""
    own = setup.own_config
    return own.config if own and setup.config == CUSTOM else load_preset(setup.config).config


def count_of(setup: ScaleSetup) -> ParameterCount:
    return _count(spec_of(setup))


def price_of(setup: ScaleSetup) -> tuple[float | None, str]:
    """USD per GPU-hour, and where it comes from."""
    gpu = gpu_of(setup)
    if setup.price is not None:
        return setup.price, "price as typed"
    if gpu.price_middle is None:
        return None, f"no price known for {gpu.name}; type one"
    if gpu.price_low == gpu.price_high:
        return gpu.price_middle, f"${gpu.price_middle:.2f}, {gpu.as_of}"
    return gpu.price_middle, f"middle of ${gpu.price_low:.2f}–{gpu.price_high:.2f}, seen {gpu.as_of}"


# -- model and memory ----------------------------------------------------------------------------------------------


def memory_plan(setup: ScaleSetup) -> MemoryPlan:
    training = setup.purpose == "training"
    return MemoryPlan(
        spec_of(setup),
        setup.weights if setup.weights == "float32" or not training else "bfloat16",
        setup.context,
        setup.batch,
        setup.optimizer if training else None,
        setup.zero if training else 0,
        setup.gpus,
        setup.recompute if training else "none",
    )


def fit_of(setup: ScaleSetup) -> Fit:
    return _fit(memory_plan(setup), gpu_of(setup))


def answer_memory(setup: ScaleSetup, basis: str = "checked") -> tuple[Row, ...]:
    """Parameters, every part of the memory, the sum for one GPU, and how far it could go."""
    if basis == "notes":
        count = float(count_of(setup).active)
        weights = figure("Weights", "B", "N · 2{B/param}", f"{NOTES}; 16 bits, active parameters", N=(count, "param"))
        return (row(weights),)
    count_all, fit = count_of(setup), fit_of(setup)
    report = fit.report
    parts = {name.replace(" ", "_").replace("-", "_"): (size, "B") for name, size in report.parts}
    if setup.purpose == "serving":
        formula, parts["GPUs"] = f"({' + '.join(parts)}) / GPUs", (float(setup.gpus), "1")
    else:
        formula = " + ".join(parts)
    total = figure("Memory per GPU", "B", formula, "sum of the parts below", **parts)
    verdict = "fits" if fit.fits else "does not fit"
    available = figure(
        "Usable per GPU",
        "B",
        "memory · usable",
        f"{gpu_of(setup).name}; a tenth is left to the runtime",
        memory=(gpu_of(setup).memory_bytes, "B"),
        usable=(fit.available_bytes / gpu_of(setup).memory_bytes, "1"),
    )
    rows = [
        row(total, lead=True, note=verdict),
        row(explain_parameters(spec_of(setup))[0], lead=True),
        row(available),
    ]
    if count_all.active != count_all.total:
        rows.append(row(explain_parameters(spec_of(setup))[1]))
    rows += [row(shown) for shown in report.figures]
    rows.append(Row("Largest batch that fits", _limit(fit.largest_batch, "sequences")))
    rows.append(Row("Longest context that fits", _limit(fit.largest_context, "tokens")))
    return tuple(rows)


def _limit(count: int, word: str) -> str:
    if not count:
        return f"none: even one of the {word} is too many"
    return f"no limit in reach ({word})" if count >= 1 << 20 and count & (count - 1) == 0 else f"{count:,} {word}"


# -- training ------------------------------------------------------------------------------------------------------


def training_params(setup: ScaleSetup) -> float:
    """Parameters that training computes with: as typed, or the model's active ones."""
    return setup.params if setup.params is not None else float(count_of(setup).active)


def training_plan(setup: ScaleSetup, basis: str = "checked") -> TrainingPlan:
    gpu = gpu_of(setup)
    if basis == "notes" and gpu.name.startswith("H100"):
        gpu = replace(gpu, peak_flops=NOTES_FLOPS_PER_S)
    extra = attention_flops(spec_of(setup), SEQUENCE, causal=True) if setup.attention and setup.params is None else 0.0
    return TrainingPlan(
        training_params(setup),
        training_tokens(setup.dataset, setup.epochs),
        gpu,
        setup.cluster,
        setup.mfu,
        price_of(setup)[0],
        setup.pue,
        setup.grid,
        extra,
    )


def training_cost(setup: ScaleSetup, basis: str = "checked") -> TrainingCost:
    return cost_training(training_plan(setup, basis))


def answer_training(setup: ScaleSetup, basis: str = "checked") -> tuple[Row, ...]:
    """The bill, and the tokens it is for."""
    bill = training_cost(setup, basis)
    always: list[Row] = []
    if bill.cost_usd is not None:
        always.append(row(bill.cost_usd, lead=True, note=price_of(setup)[1]))
    always.append(row(bill.days, lead=True))
    moving = (bill.gpu_hours, bill.energy_kwh, bill.co2_kg)
    if basis == "notes":
        return (*always, *(row(shown) for shown in moving)) if gpu_of(setup).name.startswith("H100") else ()
    tokens = figure(
        "Training tokens",
        "token",
        "dataset · epochs",
        "tokens seen, repeats included",
        dataset=(setup.dataset, "token"),
        epochs=(setup.epochs, "1"),
    )
    ratio = figure(
        "Tokens per parameter",
        "1",
        "D / N",
        "20 is the rule of thumb of 2203.15556, approach 1",
        D=(tokens.value, "1"),
        N=(training_params(setup), "1"),
    )
    params = given("Parameters", training_params(setup), "param", "as typed" if setup.params else "active ones, config")
    rows = [row(shown) for shown in (bill.flops, bill.gpu_hours, bill.energy_kwh, bill.co2_kg, params, tokens, ratio)]
    return (*always, *rows)


# -- serving -------------------------------------------------------------------------------------------------------


def serving_plan(setup: ScaleSetup) -> ServingPlan:
    return ServingPlan(
        spec_of(setup),
        gpu_of(setup),
        setup.gpus,
        setup.weights,
        setup.batch,
        setup.prompt_tokens,
        setup.new_tokens,
        price_of(setup)[0],
        setup.compute_efficiency,
        setup.bandwidth_efficiency,
        setup.samples,
    )


def serving_of(setup: ScaleSetup) -> Serving:
    return predict_serving(serving_plan(setup))


def answer_serving(setup: ScaleSetup, basis: str = "checked") -> tuple[Row, ...]:
    """Prefill and decode with what bounds them, speed, money, and whether it fits."""
    if basis == "notes":
        return ()
    serving = serving_of(setup)
    by_name = {shown.name: shown for shown in serving.figures}
    rows = [
        row(by_name["Throughput"], lead=True),
        row(by_name["One decode step"], lead=True, note=f"bound by {serving.bound}"),
        row(by_name["Prefill"], note=f"bound by {serving.prefill_bound}"),
    ]
    whole = figure(
        "Whole answer",
        "s",
        "t_prefill + n · t_step",
        "the time one query takes",
        t_prefill=(serving.prefill_s, "s"),
        n=(setup.new_tokens, "1"),
        t_step=(serving.decode_s_per_token, "s"),
    )
    rows.append(row(whole))
    if "Price of 1M tokens" in by_name and serving.cost_per_query is not None:
        rows.append(row(by_name["Price of 1M tokens"], note=price_of(setup)[1]))
        query = figure(
            "One query",
            "USD",
            "price · GPUs · t / 3600{s/h} / batch",
            "all its samples, prefill included",
            price=(serving.plan.price or 0.0, "USD/GPU/h"),
            GPUs=(setup.gpus, "GPU"),
            t=(whole.value, "s"),
            batch=(setup.batch, "1"),
        )
        rows.append(row(query))
    held = figure(
        "Memory needed",
        "B",
        "weights + cache",
        "weights and the cache of full sequences",
        weights=(serving.needed_bytes - _cache(serving), "B"),
        cache=(_cache(serving), "B"),
    )
    rows.append(row(held, note="fits" if serving.fits else "does not fit: the times are for GPUs that could hold it"))
    rows.append(row(given("Memory of the GPUs", serving.available_bytes, "B", gpu_of(setup).source)))
    return tuple(rows)


def _cache(serving: Serving) -> float:
    weights = _count(serving.plan.spec).total * {"float32": 4.0, "int8": 1.0, "int4": 0.5}.get(serving.plan.dtype, 2.0)
    return serving.needed_bytes - weights
