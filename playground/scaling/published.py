"""Every published number that this package must reproduce, as data: what was published, and how it is computed here.

Tests run all of them and a page shows them. A case that a source rounds or that cannot be met exactly says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from playground.scaling.configs import load_preset
from playground.scaling.hardware import Gpu, find_gpu
from playground.scaling.inference import ServingPlan, predict_serving
from playground.scaling.languages import LANGUAGES, MASSIVE_MEDIAN_TOKENS, token_ratios, under_representation
from playground.scaling.laws import LAWS, optimal_for_flops, optimal_for_params
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.memory import OPTIMIZERS, kv_bytes, kv_bytes_per_token, zero_bytes
from playground.scaling.parameters import ParameterCount, count_parameters
from playground.scaling.training import (
    TrainingPlan,
    attention_flops,
    cost_training,
    throughput_days,
    training_flops,
    utilisation,
)

A100_40 = Gpu("A100-40 SXM", 312e12, 40e9, 1.555e12, 400, None, None, "2020", "NVIDIA A100 data sheet, dense")


@dataclass(frozen=True, slots=True)
class PublishedCase:
    """One number. ``tolerance`` is relative; ``at_most``: the computed value is a bound that must not exceed it."""

    name: str
    given: str
    expected: float
    unit: str
    tolerance: float
    source: str
    compute: Callable[[], float]
    at_most: bool = False
    note: str = ""

    def holds(self) -> bool:
        """Whether the computed value agrees with the published one."""
        value = self.compute()
        if self.at_most:
            return 0 < value <= self.expected
        return abs(value - self.expected) <= self.tolerance * abs(self.expected)


def _count(name: str) -> ParameterCount:
    return count_parameters(load_preset(name).spec)


def _total(name: str) -> float:
    return _count(name).total


def _rule_tokens(params: float) -> float:
    return optimal_for_params(LAWS["rule-20"], params).tokens


def _cache_bytes(name: str, context: int | None = None) -> float:
    spec = load_preset(name).spec
    return kv_bytes_per_token(spec) if context is None else kv_bytes(spec, context)


def _token_ratio(place: int) -> float:
    return token_ratios(tuple(MASSIVE_MEDIAN_TOKENS.values()))[place]


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


def _zero_gb(stage: int) -> float:
    return sum(zero_bytes(7.5e9, OPTIMIZERS["adam"], stage, 64)) / 1e9


def _serving_13b() -> tuple[float, float]:
    result = predict_serving(ServingPlan(load_preset("Llama-2-13B").spec, A100_40, prompt_tokens=512, new_tokens=100))
    return result.prefill_s, result.decode_s_per_token


def _language(name: str) -> float:
    row = next(row for row in LANGUAGES if row.name == name)
    return under_representation(row.speakers, row.web_share).value


def _counts() -> tuple[PublishedCase, ...]:
    rows = (
        ("Llama-2-7B", 6_738_415_616, "config; hub metadata counts 2,048 RoPE buffer values more"),
        ("Llama-3-8B", 8_030_261_248, "hub metadata"),
        ("Mixtral-8x7B", 46_702_792_704, "hub metadata; published as 46.7B"),
        ("GPT-2-small", 124_439_808, "config"),
    )
    exact = tuple(
        PublishedCase(f"{name} parameters", "config", float(size), "param", 0, source, partial(_total, name))
        for name, size, source in rows
    )
    active = PublishedCase(
        "Mixtral-8x7B active parameters",
        "2 of 8 experts",
        12.88e9,
        "param",
        5e-4,
        "12.9B published, 2401.04088",
        lambda: _count("Mixtral-8x7B").active,
    )
    return (*exact, active)


def _compute() -> tuple[PublishedCase, ...]:
    return (
        PublishedCase(
            "GPT-3 training compute",
            "175B (exactly 174.6B), 300B tokens",
            3.14e23,
            "FLOP",
            2e-3,
            "Brown et al., table D.1",
            lambda: training_flops(_count("GPT-3-175B").total, 300e9),
        ),
        PublishedCase(
            "Llama-3.1-405B training compute",
            "405B, 15.6T tokens",
            3.8e25,
            "FLOP",
            2e-3,
            "2407.21783",
            lambda: training_flops(_count("Llama-3.1-405B").total, 15.6e12),
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


def _scaling() -> tuple[PublishedCase, ...]:
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
            "C = 5.76e23",
            40e9,
            "param",
            0.01,
            "2203.15556, approach 3",
            lambda: optimal_for_flops(LAWS["hoffmann-tex"], chinchilla).params,
        ),
        PublishedCase(
            "Compute-optimal size, besiroglu",
            "C = 5.76e23",
            72e9,
            "param",
            0.01,
            "2404.10102; arithmetic",
            lambda: optimal_for_flops(LAWS["besiroglu"], chinchilla).params,
        ),
        PublishedCase(
            "Tokens per parameter, besiroglu",
            "C = 5.76e23",
            18.4,
            "1",
            3e-3,
            "2404.10102; arithmetic",
            lambda: optimal_for_flops(LAWS["besiroglu"], chinchilla).tokens_per_param,
        ),
        PublishedCase(
            "Lifetime-optimal size",
            "a 30B model's loss, 1e13 inference tokens, law sardana",
            13.6e9,
            "param",
            3e-3,
            "2401.00448",
            lambda: optimise_lifetime(LAWS["sardana"], 30e9, 1e13).params,
        ),
        PublishedCase(
            "Lifetime-optimal data ratio",
            "a 30B model's loss, 1e13 inference tokens, law sardana",
            2.84,
            "1",
            3e-3,
            "2401.00448",
            lambda: optimise_lifetime(LAWS["sardana"], 30e9, 1e13).data_ratio,
        ),
        PublishedCase(
            "Lifetime FLOPs saved",
            "a 30B model's loss, 1e13 inference tokens, law sardana",
            -0.28,
            "1",
            3e-3,
            "2401.00448",
            lambda: optimise_lifetime(LAWS["sardana"], 30e9, 1e13).flops_change,
        ),
    )


def _memory() -> tuple[PublishedCase, ...]:
    per_token = tuple(
        PublishedCase(
            f"{name} cache per token",
            "bfloat16",
            size,
            "B/token",
            0,
            "published or config",
            partial(_cache_bytes, name),
        )
        for name, size in (("Llama-2-7B", 524_288.0), ("Llama-3-8B", 131_072.0), ("DeepSeek-V3", 70_272.0))
    )
    long = tuple(
        PublishedCase(
            f"{name} cache at 262,144 tokens",
            "bfloat16",
            size * 2**30,
            "B",
            0,
            "2403.19887, table 1",
            partial(_cache_bytes, name, 262_144),
        )
        for name, size in (("Jamba-v0.1", 4.0), ("Mixtral-8x7B", 32.0))
    )
    zero = tuple(
        PublishedCase(
            f"ZeRO stage {stage}, 7.5B on 64 GPUs",
            "Adam, 16 bytes a parameter",
            size,
            "1",
            0.02,
            "1910.02054, figure 1, in GB",
            partial(_zero_gb, stage),
        )
        for stage, size in enumerate((120.0, 31.4, 16.6, 1.9))
    )
    return (*per_token, *long, *zero)


def _serving() -> tuple[PublishedCase, ...]:
    source = "kipply, via llm-analysis: measured"
    return (
        PublishedCase(
            "13B prefill on A100-40", "512 tokens", 0.063, "s", 0, source, lambda: _serving_13b()[0], at_most=True
        ),
        PublishedCase(
            "13B decode step on A100-40", "one row", 0.022, "s", 0, source, lambda: _serving_13b()[1], at_most=True
        ),
    )


def _tongues() -> tuple[PublishedCase, ...]:
    ratios = tuple(
        PublishedCase(
            f"MASSIVE tokens of {name}",
            "median tokens 7 / 32 / 72",
            ratio,
            "1",
            2e-3,
            "course notes",
            partial(_token_ratio, place),
        )
        for place, (name, ratio) in enumerate(zip(MASSIVE_MEDIAN_TOKENS, (1.0, 4.57, 10.29), strict=True))
    )
    return (
        PublishedCase(
            "Under-representation of Punjabi",
            "113M of 8,000M speakers, .0061% of the crawl",
            231.6,
            "1",
            1e-3,
            "course notes",
            lambda: _language("Punjabi"),
        ),
        PublishedCase(
            "Under-representation of English",
            "1,452M of 8,000M speakers, 45.88% of the crawl",
            0.40,
            "1",
            0.0125,
            "course notes; speakers: Ethnologue, 25th edition (2022)",
            lambda: _language("English"),
        ),
        *ratios,
    )


def published_cases() -> tuple[PublishedCase, ...]:
    """All cases, by topic."""
    return (*_counts(), *_compute(), *_scaling(), *_memory(), *_serving(), *_tongues())
