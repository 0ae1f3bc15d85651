"""Published numbers of training: its compute, time and money, and what the scaling laws ask for."""

from __future__ import annotations

from functools import partial

from playground.scaling.configs import load_preset
from playground.scaling.hardware import find_gpu
from playground.scaling.laws import LAWS, optimal_for_flops, optimal_for_params
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.parameters import count_parameters
from playground.scaling.published_case import PublishedCase
from playground.scaling.training import (
    TrainingPlan,
    attention_flops,
    cost_training,
    throughput_days,
    training_flops,
    utilisation,
)


def _total(name: str) -> float:
    return count_parameters(load_preset(name).spec).total


def _rule_tokens(params: float) -> float:
    return optimal_for_params(LAWS["rule-20"], params).tokens


def _nanogpt_mfu() -> float:
    """Its notebook leaves the position table out of N and keeps the whole, not the causal, attention term."""
    spec = load_preset("GPT-2-small").spec
    params = count_parameters(spec).total - spec.position_rows * spec.hidden_size
    flops = training_flops(params, 100 * 1024, attention_flops(spec, 1024))
    return utilisation(flops, 0.755, find_gpu("A100-80"), 1)[0]


def mpt_plan() -> TrainingPlan:
    """MPT-7B (6.65B parameters, 1T tokens) at the utilisation that its 9.5 days on 440 A100 make."""
    gpu = find_gpu("A100-80")
    mfu, _ = utilisation(training_flops(6.65e9, 1e12), 9.5 * 86400, gpu, 440)
    return TrainingPlan(6.65e9, 1e12, gpu, 440, mfu, price=2.0)


def _mpt_cost() -> float:
    cost = cost_training(mpt_plan()).cost_usd
    return cost.value if cost else 0.0


def compute_cases() -> tuple[PublishedCase, ...]:
    """What runs took."""
    return (
        PublishedCase(
            "GPT-3 training compute",
            "175B (exactly 174.6B), 300B tokens",
            3.14e23,
            "FLOP",
            2e-3,
            "Brown et al., table D.1",
            lambda: training_flops(_total("GPT-3-175B"), 300e9),
        ),
        PublishedCase(
            "Llama-3.1-405B training compute",
            "405B, 15.6T tokens",
            3.8e25,
            "FLOP",
            2e-3,
            "2407.21783",
            lambda: training_flops(_total("Llama-3.1-405B"), 15.6e12),
        ),
        PublishedCase(
            "nanoGPT utilisation",
            "124M, batch 100, 0.755 s an iteration, A100",
            0.371,
            "1",
            3e-3,
            "nanoGPT, transformer_sizing notebook",
            _nanogpt_mfu,
        ),
        PublishedCase(
            "LLaMA-65B training days",
            "380 tokens/s/GPU, 2048 GPUs, 1.4T tokens",
            20.8,
            "day",
            3e-3,
            "2302.13971",
            lambda: throughput_days(1.4e12, 380, 2048)[0],
        ),
        PublishedCase(
            "LLaMA-65B GPU-hours",
            "380 tokens/s/GPU, 2048 GPUs, 1.4T tokens",
            1.02e6,
            "GPU·h",
            5e-3,
            "2302.13971",
            lambda: throughput_days(1.4e12, 380, 2048)[1],
        ),
        PublishedCase(
            "MPT-7B GPU-hours",
            "440 A100, 9.5 days",
            100_320,
            "GPU·h",
            1e-9,
            "vendor blog",
            lambda: cost_training(mpt_plan()).gpu_hours.value,
        ),
        PublishedCase(
            "MPT-7B cost", "440 A100, 9.5 days, $2", 200_000, "USD", 5e-3, "vendor blog (about $200k)", _mpt_cost
        ),
    )


def law_cases() -> tuple[PublishedCase, ...]:
    """Compute-optimal and lifetime-optimal models."""
    late = "the table prints 1.5T, but its own C/(6N) gives 1.43T; 20 tokens a parameter give 1.34T, so 11% are allowed"
    approach = tuple(
        PublishedCase(
            f"Compute-optimal tokens of {params / 1e9:g}B",
            "rule of 20 tokens a parameter",
            tokens,
            "token",
            0.11 if note else 0.03,
            "2203.15556, table 3 (approach 1)",
            partial(_rule_tokens, params),
            note=note,
        )
        for params, tokens, note in ((4e8, 8.0e9, ""), (1e9, 20.2e9, ""), (1e10, 205.1e9, ""), (67e9, 1.5e12, late))
    )
    chinchilla = 5.76e23
    return (
        *approach,
        PublishedCase(
            "Compute-optimal size, hoffmann-tex",
            "C = 5.76·10²³",
            40e9,
            "param",
            0.01,
            "2203.15556, approach 3",
            lambda: optimal_for_flops(LAWS["hoffmann-tex"], chinchilla).params,
        ),
        PublishedCase(
            "Compute-optimal size, besiroglu",
            "C = 5.76·10²³",
            72e9,
            "param",
            0.01,
            "2404.10102; arithmetic",
            lambda: optimal_for_flops(LAWS["besiroglu"], chinchilla).params,
        ),
        PublishedCase(
            "Tokens per parameter, besiroglu",
            "C = 5.76·10²³",
            18.4,
            "1",
            3e-3,
            "2404.10102; arithmetic",
            lambda: optimal_for_flops(LAWS["besiroglu"], chinchilla).tokens_per_param,
        ),
        PublishedCase(
            "Lifetime-optimal size",
            "a 30B model's loss, 10¹³ inference tokens, law sardana",
            13.6e9,
            "param",
            3e-3,
            "2401.00448",
            lambda: optimise_lifetime(LAWS["sardana"], 30e9, 1e13).params,
        ),
        PublishedCase(
            "Lifetime-optimal data ratio",
            "a 30B model's loss, 10¹³ inference tokens, law sardana",
            2.84,
            "1",
            3e-3,
            "2401.00448",
            lambda: optimise_lifetime(LAWS["sardana"], 30e9, 1e13).data_ratio,
        ),
        PublishedCase(
            "Lifetime FLOPs saved",
            "a 30B model's loss, 10¹³ inference tokens, law sardana",
            -0.28,
            "1",
            3e-3,
            "2401.00448",
            lambda: optimise_lifetime(LAWS["sardana"], 30e9, 1e13).flops_change,
        ),
    )
