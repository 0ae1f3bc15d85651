"""Everything a reader can set on the Plan pages: what it is called, how its text is read, what it means.

FIELDS is the registry; PAGE_FIELDS says which of them a page's link carries. Knows no streamlit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playground.errors import BadInput
from playground.plan.packing import unpack, unpack_prices
from playground.scaling.built_specs import spec_of_config
from playground.scaling.configs import load_preset, parse_config
from playground.scaling.hardware import Gpu, custom_gpu
from playground.scaling.laws import find_law
from playground.scaling.memory import OPTIMIZERS, RECOMPUTE, WEIGHT_BYTES
from playground.scaling.quantity import parse_count, parse_number

CUSTOM = "custom"  # the config that was pasted, uploaded or taken from the loaded model
MAX_OWN_GPUS = 20
BASES = ("checked", "notes")
PURPOSES = ("serving", "training")


@dataclass(frozen=True, slots=True)
class Field:
    """One input: what it is called, how its text is read (raises BadInput), and what it means."""

    label: str
    read: Callable[[str], Any]
    help: str
    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0


def _choice(name: str, options: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in options:
            raise BadInput(f"{name} must be one of {', '.join(options)}; {text[:40]!r} is not.", name)
        return text

    return read


def _number(name: str, low: float, high: float, *, above: bool = True) -> Callable[[str], float]:
    return lambda text: parse_number(text, name, minimum=low, maximum=high, above_minimum=above)


def _count(name: str, high: int) -> Callable[[str], int]:
    return lambda text: parse_count(text, name, maximum=high)


def _read_preset(text: str) -> str:
    return text if text == CUSTOM else load_preset(text).name


def _read_json(text: str) -> str:
    """A config as a link carries it: packed, or (short ones, in older links) as it is."""
    config = text if text.lstrip().startswith("{") else unpack(text, "config.json")
    spec_of_config(parse_config(config, "the link's config"))  # refused now if it cannot be built
    return config


def _read_flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise BadInput(f"attention must be 0 or 1; {text[:20]!r} is not.", "attention")
    return text == "1"


def _read_zero(text: str) -> int:
    if text not in ("0", "1", "2", "3"):
        raise BadInput(f"zero must be a stage from 0 to 3; {text[:20]!r} is not.", "zero")
    return int(text)


def _read_gpu(text: str) -> str:
    if not text.strip() or len(text) > 60:
        raise BadInput("gpu must be a name from the hardware table.", "gpu")
    return text


def _read_language(text: str) -> str:
    if not text.strip() or len(text) > 60:
        raise BadInput("language must be a name of at most 60 characters.", "language")
    return text.strip()


def _optional(read: Callable[[str], float]) -> Callable[[str], float | None]:
    return lambda text: None if not text.strip() else read(text)


def _powers(low: int, high: int) -> tuple[int, ...]:
    return tuple(2**power for power in range(low, high + 1))


FIELDS: dict[str, Field] = {
    "config": Field("Model", _read_preset, "A published model, or a config.json of your own."),
    "json": Field("config.json", _read_json, "A transformers config.json. Code it points to is never run."),
    "basis": Field(
        "Numbers",
        _choice("basis", BASES),
        "Checked: against papers and data sheets. Notes: as the course notes have them. Where they differ, both are shown.",
        BASES,
    ),
    "weights": Field(
        "Weights (dtype)",
        _choice("weights", tuple(WEIGHT_BYTES)),
        "Number format of the weights: 4, 2, 2, 1 or half a byte a parameter. The cache stays in 16 bits.",
        tuple(WEIGHT_BYTES),
    ),
    "purpose": Field(
        "Purpose", _choice("purpose", PURPOSES), "What the memory is for: answering, or learning.", PURPOSES
    ),
    "context": Field("Context (tokens)", _count("context", 10**9), "Tokens of each sequence.", _powers(9, 20)),
    "batch": Field(
        "Batch (sequences)",
        _count("batch", 10**6),
        "Sequences at once: all of them when serving, per GPU in training.",
        _powers(0, 12),
    ),
    "gpu": Field("GPU", _read_gpu, "Peaks are dense bf16; every row can be edited on the Training page."),
    "gpus": Field("GPUs", _count("gpus", 10**5), "GPUs that share the model.", _powers(0, 10)),
    "optimizer": Field(
        "Optimizer",
        _choice("optimizer", tuple(OPTIMIZERS)),
        "Adam in mixed precision keeps 16 bytes a parameter, 18 with gradients in 32 bits.",
        tuple(OPTIMIZERS),
    ),
    "zero": Field(
        "ZeRO stage", _read_zero, "1 shards the optimizer, 2 the gradients too, 3 the weights too.", (0, 1, 2, 3)
    ),
    "recompute": Field(
        "Recompute activations",
        _choice("recompute", RECOMPUTE),
        "Keep fewer activations and compute them again in the backward pass.",
        RECOMPUTE,
    ),
    "params": Field(
        "Parameters",
        _optional(_number("params", 0, 1e18)),
        "Empty: the model's own, the active ones for a mixture of experts. Or a number such as 7B.",
    ),
    "dataset": Field("Dataset (tokens)", _number("dataset", 0, 1e21), "Tokens of the data set, such as 15T."),
    "epochs": Field(
        "Epochs",
        _number("epochs", 0, 1e6),
        "Times the data set is seen: training tokens = dataset tokens × epochs.",
        low=0.5,
        high=10.0,
        step=0.5,
    ),
    "cluster": Field("GPUs in training", _count("cluster", 10**7), "GPUs that train together.", _powers(0, 15)),
    "mfu": Field(
        "MFU",
        _number("mfu", 0, 1.0),
        "Model FLOPs utilisation: the share of the dense peak that the model's own arithmetic reaches. Published runs: "
        "GPT-3 21%, MT-NLG 30%, Gopher 33%, Llama 3.1 41–43%, PaLM 46%.",
        low=0.05,
        high=1.0,
        step=0.01,
    ),
    "price": Field(
        "Price (USD per GPU-hour)",
        _optional(_number("price", 0, 1e6)),
        "Empty: the middle of the range in the table, with its date.",
    ),
    "pue": Field(
        "PUE",
        _number("pue", 1.0, 10.0, above=False),
        "Power usage effectiveness: what a data centre draws for each watt its machines use.",
        low=1.0,
        high=2.0,
        step=0.01,
    ),
    "grid": Field(
        "Grid (kg CO₂ per kWh)",
        _number("grid", 0.0, 10.0, above=False),
        "Carbon intensity of the electricity; the world's average is about 0.4.",
        low=0.0,
        high=1.0,
        step=0.01,
    ),
    "attention": Field("Count attention", _read_flag, "Add the scores and weighted sums that 6ND leaves out."),
    "law": Field("Law", lambda text: find_law(text).name, "A set of constants; the pages show how far they disagree."),
    "size": Field("Parameters N", _number("size", 1e5, 1e16), "Size of the model to rate, such as 70B."),
    "tokens": Field("Training tokens D", _number("tokens", 1e6, 1e18), "Tokens it is trained on, such as 1.4T."),
    "budget": Field("Compute C (FLOPs)", _number("budget", 1e15, 1e32), "Training compute, such as 5.76e23."),
    "before": Field("Loss before (nats)", _number("before", 0.1, 20), "", low=2.0, high=5.0, step=0.05),
    "after": Field("Loss after (nats)", _number("after", 0.1, 20), "", low=1.8, high=4.9, step=0.05),
    "demand": Field(
        "Inference demand (tokens)",
        _number("demand", 0, 1e24, above=False),
        "Tokens the model will read and write over its life.",
    ),
    "prompt_tokens": Field("Prompt (tokens)", _count("prompt_tokens", 10**8), "Tokens of each prompt.", _powers(4, 17)),
    "new_tokens": Field(
        "Answer (tokens)", _count("new_tokens", 10**8), "Tokens written for each prompt.", _powers(0, 15)
    ),
    "samples": Field(
        "Samples a query (N)",
        _count("samples", 10**5),
        "Answers drawn for each query from one reading of the prompt: test-time compute.",
        _powers(0, 10),
    ),
    "compute_efficiency": Field(
        "Share of peak arithmetic",
        _number("compute_efficiency", 0, 1.0),
        "1 is the roofline itself: a bound that nothing real beats.",
        low=0.05,
        high=1.0,
        step=0.01,
    ),
    "bandwidth_efficiency": Field(
        "Share of peak bandwidth",
        _number("bandwidth_efficiency", 0, 1.0),
        "1 is the roofline itself: a bound that nothing real beats.",
        low=0.05,
        high=1.0,
        step=0.01,
    ),
    "api": Field("API model", _read_language, "Whose price list the GPU is compared with."),
    "reasoning": Field(
        "Reasoning tokens",
        lambda text: int(parse_number(text, "reasoning", maximum=1e8, above_minimum=False)),
        "Written before the answer, billed as output.",
        (0, *_powers(6, 15)),
    ),
    "cached": Field(
        "Cached share of the prompt",
        _number("cached", 0, 1.0, above=False),
        "Prompt tokens that the provider bills at its cache price.",
        low=0.0,
        high=1.0,
        step=0.05,
    ),
    "usable": Field(
        "Share of the day in use",
        _number("usable", 0, 1.0),
        "A GPU is rented around the clock; demand fills only a part of it.",
        low=0.05,
        high=1.0,
        step=0.05,
    ),
    "language": Field("Language", _read_language, "A language to look at."),
    "speakers": Field("Speakers", _number("speakers", 0, 8e9), "People who speak it, such as 113M."),
    "web_share": Field(
        "Share of the crawl", _number("web_share", 0, 1.0), "Fraction of Common Crawl: 0.000061 is 0.0061%."
    ),
    "own_gpus": Field("Edited GPUs", lambda text: _read_gpus(text), "Rows of the hardware table that were changed."),
}

FIELDS["prices"] = Field("Price table", unpack_prices, "An uploaded table of API prices.")
MODEL_FIELDS = ("config", "json", "basis")
PAGE_FIELDS: dict[str, tuple[str, ...]] = {
    "scale_model": (
        *MODEL_FIELDS,
        "weights",
        "purpose",
        "context",
        "batch",
        "gpu",
        "gpus",
        "optimizer",
        "zero",
        "recompute",
        "own_gpus",
    ),
    "scale_training": (
        *MODEL_FIELDS,
        "params",
        "dataset",
        "epochs",
        "gpu",
        "cluster",
        "mfu",
        "price",
        "pue",
        "grid",
        "attention",
        "own_gpus",
    ),
    "scale_laws": ("basis", "law", "size", "tokens", "budget", "before", "after", "demand", "gpu", "price", "own_gpus"),
    "scale_serving": (
        *MODEL_FIELDS,
        "weights",
        "gpu",
        "gpus",
        "batch",
        "prompt_tokens",
        "new_tokens",
        "samples",
        "compute_efficiency",
        "bandwidth_efficiency",
        "price",
        "api",
        "reasoning",
        "cached",
        "usable",
        "prices",
        "own_gpus",
    ),
    "scale_data": ("basis", "language", "speakers", "web_share", "dataset", "epochs", "law", "before", "after"),
}


def write_gpu(gpu: Gpu) -> str:
    sizes = (gpu.peak_flops / 1e12, gpu.memory_bytes / 1e9, gpu.bandwidth / 1e12, gpu.watts, gpu.price_middle or 0)
    return "~".join((gpu.name, *(f"{size:.10g}" for size in sizes), gpu.as_of))


def _read_gpus(text: str) -> tuple[Gpu, ...]:
    rows = [row.split("~") for row in text.split(";") if row]
    if len(rows) > MAX_OWN_GPUS:
        raise BadInput(f"own_gpus holds more than {MAX_OWN_GPUS} rows.", "own_gpus")
    gpus = []
    for row in rows:
        if len(row) != 7:
            raise BadInput("own_gpus must have seven values a GPU, parted by ~.", "own_gpus")
        name, *sizes, as_of = row
        gpus.append(make_gpu(name, [parse_number(size, "own_gpus") for size in sizes], as_of))
    return tuple(gpus)


def make_gpu(name: str, sizes: list[float], as_of: str) -> Gpu:
    """An edited row from (TFLOP/s, GB, TB/s, W, USD per hour). Raises BadInput naming the column at fault."""
    if any(sign in name + as_of for sign in "~;") or len(name) > 60 or len(as_of) > 20:
        raise BadInput("A GPU's name has at most 60 characters and its date 20, none of them ~ or ;.", "own_gpus")
    tflops, memory, bandwidth, watts, price = sizes
    return custom_gpu(name, tflops, memory, bandwidth, watts, price, as_of)
