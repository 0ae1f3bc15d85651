"""How many bytes a model takes: weights, cache, recurrent state, and what training adds. Bytes are exact, GB are 10^9.

Sources: ZeRO (1910.02054) for optimizer states, Korthikanti et al. 2022 (2205.05198, equation 2) for activations, the
architectures' papers for caches. Knows nothing of GPUs; ``fitting`` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import BadInput
from playground.scaling.figures import Figure, figure, given
from playground.scaling.parameters import count_parameters
from playground.scaling.quantity import check_number
from playground.scaling.specs import (
    ArchitectureSpec,
    Attention,
    LatentAttention,
    Mamba,
    Mamba2,
    Mixer,
    Recurrent,
    RwkvTimeMix,
)

WEIGHT_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0, "int4": 0.5}
RECOMPUTE = ("none", "selective", "full")


@dataclass(frozen=True, slots=True)
class Optimizer:
    """Bytes per parameter of mixed-precision training: working weights, gradients, and all the optimizer keeps."""

    weights: float
    gradients: float
    states: float


OPTIMIZERS = {
    "adam": Optimizer(2, 2, 12),
    "adam-fp32-gradients": Optimizer(2, 4, 12),
    "adam-8bit": Optimizer(2, 2, 6),
    "sgd-momentum": Optimizer(2, 2, 8),
}


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What is to be held. ``context`` in tokens; ``batch`` in sequences: all of them when serving, per GPU in training.

    ``training`` is a key of OPTIMIZERS or None for inference; ``zero`` the ZeRO stage over ``gpus``.
    """

    spec: ArchitectureSpec
    dtype: str = "bfloat16"
    context: int = 4096
    batch: int = 1
    training: str | None = None
    zero: int = 0
    gpus: int = 1
    recompute: str = "none"

    def __post_init__(self) -> None:
        if self.dtype not in WEIGHT_BYTES:
            raise BadInput(f"dtype {self.dtype!r} is unknown; choose one of {', '.join(WEIGHT_BYTES)}.", "dtype")
        if self.training is not None and self.training not in OPTIMIZERS:
            raise BadInput(f"training {self.training!r} is unknown; choose one of {', '.join(OPTIMIZERS)}.", "training")
        if self.training is not None and self.dtype in ("int8", "int4"):
            raise BadInput("dtype int8 and int4 are for serving; training keeps bfloat16 or float16 weights.", "dtype")
        if self.zero not in (0, 1, 2, 3):
            raise BadInput(f"zero must be a stage from 0 to 3, not {self.zero}.", "zero")
        if self.recompute not in RECOMPUTE:
            raise BadInput(f"recompute must be one of {', '.join(RECOMPUTE)}, not {self.recompute!r}.", "recompute")
        check_number(self.context, "context", maximum=1e12)
        check_number(self.batch, "batch", maximum=1e9)
        check_number(self.gpus, "gpus", maximum=1e7)

    @property
    def cache_bytes_per_number(self) -> float:
        """The cache stays in 16 bits when weights are quantised."""
        return 4.0 if self.dtype == "float32" else 2.0


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """Bytes of each kind. In training the parts are those of ONE GPU; in serving they are shared by all ``gpus``."""

    plan: MemoryPlan
    weights_bytes: float
    kv_bytes_per_token: float
    kv_bytes: float
    state_bytes: float
    gradient_bytes: float
    optimizer_bytes: float
    activation_bytes: float
    total_bytes: float
    per_gpu_bytes: float
    figures: tuple[Figure, ...]

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """Name and bytes of every part that takes memory, for a stacked bar."""
        named = (
            ("weights", self.weights_bytes),
            ("key-value cache", self.kv_bytes),
            ("recurrent state", self.state_bytes),
            ("gradients", self.gradient_bytes),
            ("optimizer", self.optimizer_bytes),
            ("activations", self.activation_bytes),
        )
        return tuple((name, size) for name, size in named if size)


def _cached_numbers(mixer: Mixer) -> int:
    """Numbers of keys and values that one layer adds to the cache for one token, up to its window."""
    match mixer:
        case Attention():
            return (1 if mixer.shared_kv else 2) * mixer.kv_heads * mixer.head_dim
        case LatentAttention():
            return mixer.kv_rank + mixer.rope_dim
        case _:
            return 0


def _beside(mixer: Mixer) -> float:
    """Numbers that one layer adds for one token beside keys and values, whatever its window."""
    return mixer.beside if isinstance(mixer, Attention | LatentAttention) else 0.0


def _state_numbers(mixer: Mixer) -> int:
    """Numbers one layer's recurrent state holds for one sequence, whatever its length."""
    match mixer:
        case Attention() | Recurrent():
            return mixer.state
        case Mamba():
            return mixer.inner * (mixer.state + mixer.conv)
        case Mamba2():
            return mixer.inner * mixer.state + mixer.conv * (mixer.inner + 2 * mixer.groups * mixer.state)
        case RwkvTimeMix():
            return 5 * mixer.inner
        case _:
            return 0


def kv_bytes_per_token(spec: ArchitectureSpec, bytes_per_number: float = 2.0) -> float:
    """Bytes the cache grows by for one more token while no window is full: 2·L_attn·k·dh·b, or L·(c+dr)·b for MLA."""
    return bytes_per_number * sum(
        block.count * (_cached_numbers(block.mixer) + _beside(block.mixer)) for block in spec.blocks
    )


def kv_bytes(spec: ArchitectureSpec, context: float, batch: float = 1, bytes_per_number: float = 2.0) -> float:
    """Bytes of the cache for ``batch`` sequences of ``context`` tokens. Windowed layers stop growing at the window."""
    numbers = 0.0
    for block in spec.blocks:
        window = block.mixer.window if isinstance(block.mixer, Attention) else None
        held = context if window is None else min(context, window)
        numbers += block.count * (_cached_numbers(block.mixer) * held + _beside(block.mixer) * context)
    return numbers * batch * bytes_per_number


def state_bytes(spec: ArchitectureSpec, batch: float = 1, bytes_per_number: float = 2.0) -> float:
    """Bytes of the recurrent state, constant in the context."""
    return batch * bytes_per_number * sum(block.count * _state_numbers(block.mixer) for block in spec.blocks)


def activation_bytes(spec: ArchitectureSpec, context: float, batch: float, recompute: str = "none") -> float:
    """Bytes kept for the backward pass, Korthikanti et al. 2022: s·B·d·(34 + 5·h·s/d) a layer, 34 or 2 recomputed."""
    total = 0.0
    for block in spec.blocks:
        heads = block.mixer.heads if isinstance(block.mixer, Attention | LatentAttention) else 0
        quadratic = 5 * heads * context / spec.hidden_size if recompute == "none" else 0.0
        per_number = 2.0 if recompute == "full" else 34.0 + quadratic
        total += block.count * context * batch * spec.hidden_size * per_number
    return total


def zero_bytes(params: float, optimizer: Optimizer, stage: int, gpus: int) -> tuple[float, float, float]:
    """(weights, gradients, optimizer states) in bytes on one GPU; ZeRO 1/2/3 shard the last one, two, three."""
    return (
        params * optimizer.weights / (gpus if stage >= 3 else 1),
        params * optimizer.gradients / (gpus if stage >= 2 else 1),
        params * optimizer.states / (gpus if stage >= 1 else 1),
    )


def sparse_weights_bytes(params: float, sparsity: float, value_bytes: float = 2.0, index_bytes: float = 2.0) -> float:
    """Bytes of weights of which ``sparsity`` are zero, in a format that stores a value and an index for each other one.

    In the usual dense format zeros take as much as any number: sparsity saves memory only beyond
    index / (value + index), and compute only where kernels skip the zeros.
    """
    check_number(params, "params", maximum=1e18)
    check_number(sparsity, "sparsity", maximum=1.0, above_minimum=False)
    return params * (1 - sparsity) * (value_bytes + index_bytes)


def measure_memory(plan: MemoryPlan) -> MemoryReport:
    """Every part of ``plan`` in bytes, with its working."""
    return _training_memory(plan) if plan.training else _serving_memory(plan)


def _serving_memory(plan: MemoryPlan) -> MemoryReport:
    spec, number = plan.spec, plan.cache_bytes_per_number
    params = count_parameters(spec).total
    weights = params * WEIGHT_BYTES[plan.dtype]
    cache, state = kv_bytes(spec, plan.context, plan.batch, number), state_bytes(spec, plan.batch, number)
    total = weights + cache + state
    figures = [
        figure("Weights", "B", "N · b", "bytes of the dtype", N=(params, "param"), b=(weights / params, "B/param")),
        *_explain_cache(plan, cache),
    ]
    if state:
        figures.append(given("Recurrent state", state, "B", "2312.00752, 2405.21060, 2305.13048: constant in length"))
    return MemoryReport(
        plan, weights, kv_bytes_per_token(spec, number), cache, state, 0, 0, 0, total, total / plan.gpus, tuple(figures)
    )


def _explain_cache(plan: MemoryPlan, cache: float) -> list[Figure]:
    if not cache:
        return []
    source = "keys and values of every attention layer; GQA keeps k heads, MLA one latent"
    windowed = any(isinstance(block.mixer, Attention) and block.mixer.window for block in plan.spec.blocks)
    per_token = kv_bytes_per_token(plan.spec, plan.cache_bytes_per_number)
    figures = []
    attention = [block for block in plan.spec.blocks if _cached_numbers(block.mixer)]
    mixer = attention[0].mixer if len(attention) == 1 else None
    if isinstance(mixer, Attention) and not mixer.shared_kv and not mixer.beside:
        symbols = {
            "L": (float(attention[0].count), "1"),
            "k": (float(mixer.kv_heads), "1"),
            "dh": (float(mixer.head_dim), "1"),
            "b": (plan.cache_bytes_per_number, "B/token"),
        }
        figures.append(figure("Cache per token", "B/token", "2·L·k·dh·b", source, **symbols))
    else:
        figures.append(given("Cache per token", per_token, "B/token", source))
    if windowed:
        figures.append(given("Key-value cache", cache, "B", source + "; windowed layers stop growing at the window"))
    else:
        growth = {
            "T": (float(plan.context), "token/seq"),
            "B": (float(plan.batch), "seq"),
            "kv": (per_token, "B/token"),
        }
        figures.append(figure("Key-value cache", "B", "kv · T · B", source, **growth))
    return figures


def _optimizer(plan: MemoryPlan) -> Optimizer:
    """The plan's optimizer; in plain float32 the 4-byte working weights are the master copy, and gradients have 4."""
    optimizer = OPTIMIZERS[plan.training or "adam"]
    return Optimizer(4, 4, optimizer.states - 4) if plan.dtype == "float32" else optimizer


def _training_memory(plan: MemoryPlan) -> MemoryReport:
    optimizer, params = _optimizer(plan), count_parameters(plan.spec).total
    weights, gradients, states = zero_bytes(params, optimizer, plan.zero, plan.gpus)
    activations = activation_bytes(plan.spec, plan.context, plan.batch, plan.recompute)
    activations *= plan.cache_bytes_per_number / 2  # the formula counts 16-bit activations
    total = weights + gradients + states + activations
    source = "ZeRO, 1910.02054, section 3"
    shards = [plan.gpus if plan.zero >= stage else 1 for stage in (3, 2, 1)]
    figures = [
        figure(name, "B", "N · bytes / shards", source, N=(params, "param"), bytes=(size, "B/param"), shards=(cut, "1"))
        for name, size, cut in zip(
            ("Weights per GPU", "Gradients per GPU", "Optimizer states per GPU"),
            (optimizer.weights, optimizer.gradients, optimizer.states),
            shards,
            strict=True,
        )
    ]
    note = f"Korthikanti et al. 2022, 2205.05198; recompute {plan.recompute}; {plan.dtype} activations"
    figures.append(given("Activations per GPU", activations, "B", note))
    return MemoryReport(plan, weights, 0, 0, 0, gradients, states, activations, total, total, tuple(figures))
