"""What training costs: FLOPs, time, GPU-hours, money, energy, CO2. Each with its working.

Model FLOPs utilisation (MFU) counts the FLOPs the model needs; hardware FLOPs utilisation (HFU) also those spent on
recomputing activations (a factor of 4/3 for full recomputation). Peaks are dense bf16.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import BadInput
from playground.scaling.figures import Figure, figure
from playground.scaling.hardware import Gpu
from playground.scaling.quantity import MIN_UTILISATION, check_number
from playground.scaling.specs import ArchitectureSpec, Attention, LatentAttention

DEFAULT_MFU, DEFAULT_PUE, DEFAULT_GRID = 0.4, 1.1, 0.4  # kg CO2 per kWh: about the world's average
KAPLAN = "Kaplan et al. 2020, 2001.08361: 2 FLOPs forward and 4 backward per parameter and token"


@dataclass(frozen=True, slots=True)
class PublishedMfu:
    """A utilisation that a paper reports, for the marks on a slider."""

    run: str
    mfu: float
    source: str


PUBLISHED_MFU = (
    PublishedMfu("GPT-3 175B (V100)", 0.213, "2204.02311, table 3"),
    PublishedMfu("Gopher 280B", 0.325, "2204.02311, table 3"),
    PublishedMfu("MT-NLG 530B", 0.302, "2204.02311, table 3"),
    PublishedMfu("PaLM 540B", 0.462, "2204.02311, table 3"),
    PublishedMfu("Llama 3.1 405B, 8,192 GPUs", 0.43, "2407.21783, table 4"),
    PublishedMfu("Llama 3.1 405B, 16,384 GPUs", 0.41, "2407.21783, table 4"),
)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """``params``: active ones for a mixture of experts. ``price`` in USD per GPU-hour, None when unknown.

    ``attention_flops_per_token`` adds the term that 6N leaves out (see ``attention_flops``).
    """

    params: float
    tokens: float
    gpu: Gpu
    count: float
    mfu: float = DEFAULT_MFU
    price: float | None = None
    pue: float = DEFAULT_PUE
    grid: float = DEFAULT_GRID
    attention_flops_per_token: float = 0.0

    def __post_init__(self) -> None:
        check_number(self.params, "params", minimum=1.0, maximum=1e18, above_minimum=False)
        check_number(self.tokens, "tokens", minimum=1.0, maximum=1e21, above_minimum=False)
        check_number(self.count, "count", maximum=1e9)
        check_number(self.mfu, "mfu", minimum=MIN_UTILISATION, maximum=1.0, above_minimum=False)
        check_number(self.pue, "pue", minimum=1.0, maximum=10.0, above_minimum=False)
        check_number(self.grid, "grid", maximum=10.0, above_minimum=False)
        check_number(self.attention_flops_per_token, "attention FLOPs", above_minimum=False)
        if self.price is not None:
            check_number(self.price, "price", maximum=1e6)


@dataclass(frozen=True, slots=True)
class TrainingCost:
    """The bill. ``cost`` is None without a price."""

    plan: TrainingPlan
    flops: Figure
    seconds: Figure
    days: Figure
    gpu_hours: Figure
    energy_kwh: Figure
    co2_kg: Figure
    cost_usd: Figure | None

    @property
    def figures(self) -> tuple[Figure, ...]:
        always = (self.flops, self.seconds, self.days, self.gpu_hours, self.energy_kwh, self.co2_kg)
        return always if self.cost_usd is None else (*always, self.cost_usd)


def training_tokens(dataset_tokens: float, epochs: float) -> float:
    """Tokens seen in training: dataset tokens × epochs, at least one. Raises BadInput naming the one at fault."""
    check_number(dataset_tokens, "dataset-tokens", minimum=1.0, maximum=1e21, above_minimum=False)
    tokens = dataset_tokens * check_number(epochs, "epochs", maximum=1e6)
    if tokens < 1:
        raise BadInput(f"epochs: {epochs:g} of {dataset_tokens:g} tokens are less than one token; give more.", "epochs")
    return tokens


def training_flops(params: float, tokens: float, attention_flops_per_token: float = 0.0) -> float:
    """C = (6N + attention) · D."""
    return (6 * params + attention_flops_per_token) * tokens


def attention_flops(spec: ArchitectureSpec, sequence: int, causal: bool = False) -> float:
    """FLOPs per trained token of scores and weighted sums: 12·L·h·dh·s (PaLM, 2204.02311, appendix B), half if causal.

    For MLA the sizes of queries and values differ: 6·h·(dn + dr + dv)·s a layer. Windows cap s; a causal token beyond
    the window sees all of it, so there is nothing left to halve.
    """
    total = 0.0
    for block in spec.blocks:
        match block.mixer:
            case Attention(heads=heads, head_dim=size, window=window) as mixer:
                whole = min(sequence, window) if window else sequence
                total += block.count * 12 * heads * size * (mixer.mean_context(sequence) if causal else whole)
            case LatentAttention(heads=heads, nope_dim=nope, rope_dim=rope, value_dim=value):
                total += block.count * 6 * heads * (nope + rope + value) * (sequence / 2 if causal else sequence)
    return total


def cost_training(plan: TrainingPlan) -> TrainingCost:
    """The whole bill of ``plan``. Twice the GPUs give half the days and the same GPU-hours."""
    n, d = (plan.params, "param"), (plan.tokens, "token")
    if plan.attention_flops_per_token:
        extra = (plan.attention_flops_per_token, "FLOP/token")
        formula = "(6{FLOP/param/token}·N + attention) · D"
        flops = figure("Training compute", "FLOP", formula, KAPLAN, N=n, D=d, attention=extra)
    else:
        flops = figure("Training compute", "FLOP", "6{FLOP/param/token} · N · D", KAPLAN, N=n, D=d)
    count, peak = (plan.count, "GPU"), (plan.gpu.peak_flops, "FLOP/s/GPU")
    compute = (flops.value, "FLOP")
    seconds = figure(
        "Training time",
        "s",
        "C / (GPUs · peak · MFU)",
        f"dense bf16 peak of {plan.gpu.name}, {plan.gpu.as_of}",
        C=compute,
        GPUs=count,
        peak=peak,
        MFU=(plan.mfu, "1"),
    )
    second = (seconds.value, "s")
    days = figure("Training time", "day", "t / 86400{s/day}", "seconds of a day", t=second)
    hours = figure("GPU-hours", "GPU·h", "GPUs · t / 3600{s/h}", "all GPUs together", GPUs=count, t=second)
    spent = (hours.value, "GPU·h")
    energy = figure(
        "Energy",
        "kWh",
        "hours · W · PUE / 1000{W·h/kWh}",
        f"power of {plan.gpu.name}; PUE is the data centre's",
        hours=spent,
        W=(plan.gpu.watts, "W/GPU"),
        PUE=(plan.pue, "1"),
    )
    carbon = figure(
        "CO₂",
        "kg",
        "E · grid",
        "carbon intensity of the grid, an input",
        E=(energy.value, "kWh"),
        grid=(plan.grid, "kg/kWh"),
    )
    cost = None
    if plan.price is not None:
        price = (plan.price, "USD/GPU/h")
        cost = figure(
            "Cost", "USD", "hours · price", "price per GPU-hour, an input with a date", hours=spent, price=price
        )
    return TrainingCost(plan, flops, seconds, days, hours, energy, carbon, cost)


def utilisation(flops: float, seconds: float, gpu: Gpu, count: float, recompute: bool = False) -> tuple[float, float]:
    """(MFU, HFU) of a measured run. ``flops`` are the model's own; full recomputation does 4/3 of them."""
    check_number(seconds, "seconds")
    mfu = check_number(flops, "flops") / (check_number(count, "count") * gpu.peak_flops * seconds)
    hfu = mfu * (4 / 3 if recompute else 1)
    if hfu > 1:
        raise BadInput(
            f"seconds gives a utilisation of {hfu:.0%}, more than the GPU can do; check the inputs.", "seconds"
        )
    return mfu, hfu


def throughput_days(tokens: float, tokens_per_second_per_gpu: float, count: float) -> tuple[float, float]:
    """(days, GPU-hours) from a measured speed, where no peak and no MFU is needed."""
    speed = check_number(tokens_per_second_per_gpu, "tokens per second") * check_number(count, "count")
    days = check_number(tokens, "tokens") / speed / 86400
    return days, days * 24 * count
