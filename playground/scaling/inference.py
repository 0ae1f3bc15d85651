"""Serving by a roofline: what bounds a prompt and a step, tokens per second, and the price of a million tokens.

Every prediction is an ideal: at an efficiency of 1 nothing real is faster, but for the input table's share (2% of a
7B model), which is counted as read although a step looks up one row of it. Sources: Williams et al. 2009
(roofline), Pope et al. 2022 (2211.05102). GPUs are taken as one big one; what they say to one another is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from playground.errors import BadInput
from playground.scaling.figures import Figure, figure
from playground.scaling.hardware import Gpu
from playground.scaling.memory import WEIGHT_BYTES, kv_bytes, state_bytes
from playground.scaling.parameters import count_parameters
from playground.scaling.quantity import MIN_UTILISATION, check_number
from playground.scaling.specs import ArchitectureSpec, Attention, LatentAttention

ROOFLINE = "roofline: the slower of memory traffic and arithmetic"


@dataclass(frozen=True, slots=True)
class ServingPlan:
    """``batch`` sequences at once, each of ``prompt_tokens`` and ``new_tokens``. ``price`` in USD per GPU-hour.

    ``samples`` answers are drawn for each query from one prefill; ``batch`` counts queries, rows are batch × samples.
    """

    spec: ArchitectureSpec
    gpu: Gpu
    count: int = 1
    dtype: str = "bfloat16"
    batch: int = 1
    prompt_tokens: int = 512
    new_tokens: int = 256
    price: float | None = None
    compute_efficiency: float = 1.0
    bandwidth_efficiency: float = 1.0
    samples: int = 1

    def __post_init__(self) -> None:
        if self.dtype not in WEIGHT_BYTES:
            raise BadInput(f"dtype {self.dtype!r} is unknown; choose one of {', '.join(WEIGHT_BYTES)}.", "dtype")
        for name, limit in (
            ("count", 1e7),
            ("batch", 1e9),
            ("prompt_tokens", 1e12),
            ("new_tokens", 1e12),
            ("samples", 1e9),
        ):
            check_number(getattr(self, name), name.replace("_", "-"), maximum=limit)
        for name in ("compute_efficiency", "bandwidth_efficiency"):
            check_number(
                getattr(self, name), name.replace("_", " "), minimum=MIN_UTILISATION, maximum=1.0, above_minimum=False
            )
        if self.price is not None:
            check_number(self.price, "price", maximum=1e6)

    @property
    def rows(self) -> int:
        return self.batch * self.samples

    @property
    def mean_context(self) -> float:
        """Tokens a decode step looks back on, on average over the answer."""
        return self.prompt_tokens + self.new_tokens / 2

    @property
    def peak(self) -> float:
        return self.gpu.peak_flops * self.count * self.compute_efficiency

    @property
    def bandwidth(self) -> float:
        return self.gpu.bandwidth * self.count * self.bandwidth_efficiency


@dataclass(frozen=True, slots=True)
class Serving:
    """A prediction. ``bound`` and ``prefill_bound`` are "memory" or "compute". Costs are None without a price.

    ``tokens_per_s``: written tokens of all rows during decoding. ``end_to_end_tokens_per_s`` counts the prefill's time
    too. ``needed_bytes`` at the full context against ``available_bytes`` of all GPUs.
    """

    plan: ServingPlan
    prefill_s: float
    prefill_bound: str
    decode_s_per_token: float
    bound: str
    tokens_per_s: float
    end_to_end_tokens_per_s: float
    cost_per_million_tokens: float | None
    cost_per_query: float | None
    needed_bytes: float
    available_bytes: float
    figures: tuple[Figure, ...]

    @property
    def fits(self) -> bool:
        return self.needed_bytes <= self.available_bytes


def weights_read(spec: ArchitectureSpec, rows: float, bytes_per_param: float) -> float:
    """Bytes of weights one decode step reads: all of a dense model; of a mixture E·(1 − (1 − k/E)^rows) experts a layer."""
    count, part = count_parameters(spec), spec.experts
    total = float(count.text)
    if part is not None:
        touched = experts_read(part.experts, part.top_k, rows)
        total -= count.of("experts") * (1 - touched / part.experts)
    return total * bytes_per_param


def experts_read(experts: int, top_k: int, rows: float) -> float:
    """Expected number of different experts that ``rows`` tokens choose when each picks ``top_k`` at random."""
    return float(experts * (1 - (1 - top_k / experts) ** rows))


def attention_decode_flops(spec: ArchitectureSpec, context: float) -> float:
    """FLOPs one new token spends on scores and weighted sums over ``context`` tokens: 4·L·h·dh·T; MLA in latent space."""
    total = 0.0
    for block in spec.blocks:
        match block.mixer:
            case Attention(heads=heads, head_dim=size) as mixer:
                total += block.count * 4 * heads * size * mixer.context_at(context)
            case LatentAttention(heads=heads, kv_rank=rank, rope_dim=rope):
                total += block.count * 2 * heads * (2 * rank + rope) * context
    return total


def attention_prefill_flops(spec: ArchitectureSpec, tokens: float) -> float:
    """FLOPs of causal attention over a prompt: 2·L·h·dh·s², a token looking at half of it on average; less by windows."""
    total = 0.0
    for block in spec.blocks:
        match block.mixer:
            case Attention(heads=heads, head_dim=size) as mixer:
                total += block.count * 4 * heads * size * mixer.mean_context(tokens) * tokens
            case LatentAttention(heads=heads, nope_dim=nope, rope_dim=rope, value_dim=value):
                total += block.count * heads * (nope + rope + value) * tokens * tokens
    return total


def predict_serving(plan: ServingPlan) -> Serving:
    """Prefill and decode of ``plan`` with their bounds and price."""
    prefill, prefill_bound = _prefill(plan)
    step, bound, needed = _decode(plan)
    rate = plan.rows / step.value
    whole = prefill.value + plan.new_tokens * step.value
    figures = [prefill, step]
    rows, decode = (plan.rows, "token"), (step.value, "s")
    figures.append(
        figure("Throughput", "token/s", "rows / t_step", "one token a row and step", rows=rows, t_step=decode)
    )
    per_million = per_query = None
    if plan.price is not None:
        million = figure(
            "Price of 1M tokens",
            "USD",
            "price · GPUs · 1000000{token} / (3600{s/h} · speed)",
            "GPU time while decoding",
            price=(plan.price, "USD/GPU/h"),
            GPUs=(plan.count, "GPU"),
            speed=(rate, "token/s"),
        )
        figures.append(million)
        per_million = million.value
        per_query = plan.price * (
            plan.count * whole / plan.batch / 3600
        )  # in this order the smallest price is not lost
    return Serving(
        plan,
        prefill.value,
        prefill_bound,
        step.value,
        bound,
        rate,
        plan.rows * plan.new_tokens / whole,
        per_million,
        per_query,
        needed,
        plan.gpu.memory_bytes * plan.count,
        tuple(figures),
    )


def _prefill(plan: ServingPlan) -> tuple[Figure, str]:
    count = count_parameters(plan.spec)
    tokens = plan.prompt_tokens * plan.batch
    attention = attention_prefill_flops(plan.spec, plan.prompt_tokens) * plan.batch
    weights = weights_read(plan.spec, tokens, WEIGHT_BYTES[plan.dtype])
    compute = (2 * count.active * tokens + attention) / plan.peak
    shown = figure(
        "Prefill",
        "s",
        "max((2{FLOP/param/token}·N·tokens + attention) / peak, weights / bandwidth)",
        ROOFLINE,
        N=(count.active, "param"),
        tokens=(tokens, "token"),
        attention=(attention, "FLOP"),
        peak=(plan.peak, "FLOP/s"),
        weights=(weights, "B"),
        bandwidth=(plan.bandwidth, "B/s"),
    )
    return shown, "compute" if compute >= weights / plan.bandwidth else "memory"


def _decode(plan: ServingPlan) -> tuple[Figure, str, float]:
    count, size = count_parameters(plan.spec), WEIGHT_BYTES[plan.dtype]
    number = 4.0 if plan.dtype == "float32" else 2.0
    weights = weights_read(plan.spec, plan.rows, size)
    cache = kv_bytes(plan.spec, plan.mean_context, plan.rows, number) + state_bytes(plan.spec, plan.rows, number)
    attention = attention_decode_flops(plan.spec, plan.mean_context) * plan.rows
    compute = (2 * count.active * plan.rows + attention) / plan.peak
    shown = figure(
        "One decode step",
        "s",
        "max((weights + cache) / bandwidth, (2{FLOP/param/token}·N·rows + attention) / peak)",
        ROOFLINE,
        weights=(weights, "B"),
        cache=(cache, "B"),
        bandwidth=(plan.bandwidth, "B/s"),
        N=(count.active, "param"),
        rows=(plan.rows, "token"),
        attention=(attention, "FLOP"),
        peak=(plan.peak, "FLOP/s"),
    )
    full = plan.prompt_tokens + plan.new_tokens
    held = kv_bytes(plan.spec, full, plan.rows, number) + state_bytes(plan.spec, plan.rows, number)
    bound = "memory" if (weights + cache) / plan.bandwidth >= compute else "compute"
    return shown, bound, count.total * size + held


def sweep_batch(plan: ServingPlan, batches: Sequence[int]) -> tuple[Serving, ...]:
    """The same plan at every batch."""
    return tuple(predict_serving(replace(plan, batch=batch)) for batch in batches)


def sweep_context(plan: ServingPlan, prompts: Sequence[int]) -> tuple[Serving, ...]:
    """The same plan at every prompt length."""
    return tuple(predict_serving(replace(plan, prompt_tokens=tokens)) for tokens in prompts)


def sweep_samples(plan: ServingPlan, samples: Sequence[int]) -> tuple[Serving, ...]:
    """The same plan with N answers a query: what best-of-N or voting costs to serve."""
    return tuple(predict_serving(replace(plan, samples=n)) for n in samples)
