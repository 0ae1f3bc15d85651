"""Published numbers of models at work: parameters, memory, speed, and the languages their data leave out."""

from __future__ import annotations

from functools import partial

from playground.scaling.configs import load_preset
from playground.scaling.hardware import Gpu
from playground.scaling.inference import ServingPlan, predict_serving
from playground.scaling.languages import LANGUAGES, MASSIVE_MEDIAN_TOKENS, token_ratios, under_representation
from playground.scaling.memory import OPTIMIZERS, kv_bytes, kv_bytes_per_token, zero_bytes
from playground.scaling.parameters import ParameterCount, count_parameters
from playground.scaling.published_case import PublishedCase

A100_40 = Gpu("A100-40 SXM", 312e12, 40e9, 1.555e12, 400, None, None, "2020", "NVIDIA A100 data sheet, dense")


def _count(name: str) -> ParameterCount:
    return count_parameters(load_preset(name).spec)


def _total(name: str) -> float:
    return _count(name).total


def _cache_bytes(name: str, context: int | None = None) -> float:
    spec = load_preset(name).spec
    return kv_bytes_per_token(spec) if context is None else kv_bytes(spec, context)


def _token_ratio(place: int) -> float:
    return token_ratios(tuple(MASSIVE_MEDIAN_TOKENS.values()))[place]


def _zero_gb(stage: int) -> float:
    return sum(zero_bytes(7.5e9, OPTIMIZERS["adam"], stage, 64)) / 1e9


def _serving_13b() -> tuple[float, float]:
    result = predict_serving(ServingPlan(load_preset("Llama-2-13B").spec, A100_40, prompt_tokens=512, new_tokens=100))
    return result.prefill_s, result.decode_s_per_token


def _language(name: str) -> float:
    row = next(row for row in LANGUAGES if row.name == name)
    return under_representation(row.speakers, row.web_share).value


def parameter_cases() -> tuple[PublishedCase, ...]:
    """Sizes of models."""
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


def memory_cases() -> tuple[PublishedCase, ...]:
    """Caches, and what training keeps."""
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


def serving_cases() -> tuple[PublishedCase, ...]:
    """Measured times, which a roofline must stay below."""
    source = "kipply, via llm-analysis: measured"
    return (
        PublishedCase(
            "13B prefill on A100-40", "512 tokens", 0.063, "s", 0, source, lambda: _serving_13b()[0], at_most=True
        ),
        PublishedCase(
            "13B decode step on A100-40", "one row", 0.022, "s", 0, source, lambda: _serving_13b()[1], at_most=True
        ),
    )


def language_cases() -> tuple[PublishedCase, ...]:
    """Languages and their tokens."""
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
