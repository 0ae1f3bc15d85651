"""Scaling laws: loss of N parameters and D tokens, compute-optimal sizes, equal-loss trades. Losses in nats.

L(N, D) = E + A/N^α + B/D^β (Hoffmann et al. 2022, 2203.15556, equation 2), with C = 6ND.
"""

from __future__ import annotations

from dataclasses import dataclass

from playground.errors import BadInput
from playground.scaling.figures import Figure, figure
from playground.scaling.quantity import check_number, format_count

RULE_TOKENS_PER_PARAM = 20.0
KAPLAN_DATA = (5.4e13, 0.095)  # 2001.08361, equation 1.2: (Dc, alpha_D)


@dataclass(frozen=True, slots=True)
class ScalingLaw:
    """One set of constants. ``tokens_per_param`` is set for a rule that fixes the ratio instead of minimising."""

    name: str
    irreducible: float
    a: float
    b: float
    alpha: float
    beta: float
    source: str
    tokens_per_param: float | None = None


@dataclass(frozen=True, slots=True)
class Optimum:
    """A compute-optimal model: parameters, training tokens, FLOPs and the loss the law predicts."""

    params: float
    tokens: float
    flops: float
    loss: float
    law: str
    figures: tuple[Figure, ...] = ()

    @property
    def tokens_per_param(self) -> float:
        return self.tokens / self.params


_TEX = (1.6934, 406.4, 410.7, 0.3392, 0.2849)
LAWS: dict[str, ScalingLaw] = {
    law.name: law
    for law in (
        ScalingLaw(
            "rule-20", *_TEX, "2203.15556, approach 1: D = 20 N; the loss by hoffmann-tex", RULE_TOKENS_PER_PARAM
        ),
        ScalingLaw("hoffmann-printed", 1.69, 406.4, 410.7, 0.34, 0.28, "2203.15556, appendix D.3, as printed"),
        ScalingLaw("hoffmann-tex", *_TEX, "2203.15556, digits of its TeX source, via 2404.10102"),
        ScalingLaw("sardana", 1.69, 406.4, 410.7, 0.336, 0.283, "inferred: reproduces the results of 2401.00448"),
        ScalingLaw("besiroglu", 1.8172, 482.01, 2085.43, 0.3478, 0.3658, "2404.10102, a refit of 2203.15556's data"),
    )
}
DEFAULT_LAW = "hoffmann-tex"


def find_law(name: str) -> ScalingLaw:
    """The law called ``name``. Raises BadInput listing them."""
    law = LAWS.get(name.strip().lower())
    if law is None:
        raise BadInput(f"law {name[:40]!r} is unknown; choose one of {', '.join(LAWS)}.", "law")
    return law


def loss(law: ScalingLaw, params: float, tokens: float) -> float:
    """Loss in nats per token of ``params`` parameters trained on ``tokens`` tokens."""
    check_number(params, "params", maximum=1e30)
    check_number(tokens, "tokens", maximum=1e30)
    return float(law.irreducible + law.a / params**law.alpha + law.b / tokens**law.beta)


def explain_loss(law: ScalingLaw, params: float, tokens: float) -> Figure:
    """The same with its working (every symbol a plain number: a fit has no units)."""
    check_number(params, "params", maximum=1e30)
    check_number(tokens, "tokens", maximum=1e30)
    values = {
        "E": law.irreducible,
        "A": law.a,
        "N": params,
        "alpha": law.alpha,
        "B": law.b,
        "D": tokens,
        "beta": law.beta,
    }
    symbols = {name: (float(value), "1") for name, value in values.items()}
    return figure("Loss in nats per token", "1", "E + A / N^alpha + B / D^beta", law.source, **symbols)


def _g(law: ScalingLaw) -> float:
    return float((law.alpha * law.a / (law.beta * law.b)) ** (1 / (law.alpha + law.beta)))


def optimal_for_flops(law: ScalingLaw, flops: float) -> Optimum:
    """N* = G·(C/6)^(β/(α+β)), D* = C/(6N*), G = (αA/βB)^(1/(α+β)): 2203.15556, equation 4. For rule-20 N = √(C/120)."""
    check_number(flops, "flops", minimum=1.0, maximum=1e40, above_minimum=False)
    compute = (flops, "1")
    if law.tokens_per_param:
        n = figure("Optimal parameters", "1", "sqrt(C / (6·r))", law.source, C=compute, r=(law.tokens_per_param, "1"))
    else:
        exponents = {"alpha": (law.alpha, "1"), "beta": (law.beta, "1")}
        formula = "G · (C/6)^(beta/(alpha+beta))"
        n = figure("Optimal parameters", "1", formula, law.source, G=(_g(law), "1"), C=compute, **exponents)
    d = figure("Optimal tokens", "1", "C / (6·N)", law.source, C=compute, N=(n.value, "1"))
    return Optimum(n.value, d.value, flops, loss(law, n.value, d.value), law.name, (n, d))


def optimal_for_params(law: ScalingLaw, params: float) -> Optimum:
    """The budget at which ``params`` is the compute-optimal size, by inverting the closed form."""
    check_number(params, "params", minimum=1.0, maximum=1e18, above_minimum=False)
    if law.tokens_per_param:
        return optimal_for_flops(law, 6 * law.tokens_per_param * params**2)
    return optimal_for_flops(law, 6 * (params / _g(law)) ** ((law.alpha + law.beta) / law.beta))


def tokens_for_loss(law: ScalingLaw, params: float, target: float) -> float:
    """D(N) = (B / (ℓ − E − A/N^α))^(1/β): tokens that bring ``params`` parameters to loss ``target``.

    Raises BadInput when no amount of data can: the model is too small.
    """
    reachable = law.irreducible + law.a / check_number(params, "params") ** law.alpha
    if check_number(target, "loss") <= reachable:
        raise BadInput(
            f"loss {target:.4g} cannot be reached by {format_count(params)} parameters with any data; "
            f"the limit is {reachable:.4g}.",
            "loss",
        )
    return float((law.b / (target - reachable)) ** (1 / law.beta))


def data_factor(law: ScalingLaw, before: float, after: float) -> float:
    """How many times the data takes the loss from ``before`` to ``after``, the model being no limit: diminishing returns."""
    _require_drop(before, after, law.irreducible)
    return float(((before - law.irreducible) / (after - law.irreducible)) ** (1 / law.beta))


def kaplan_data_factor(before: float, after: float) -> float:
    """The same by Kaplan et al.'s power law without an irreducible loss."""
    _require_drop(before, after, 0.0)
    return float((before / after) ** (1 / KAPLAN_DATA[1]))


def _require_drop(before: float, after: float, floor: float) -> None:
    check_number(before, "loss before", maximum=100)
    check_number(after, "loss after", maximum=100)
    if not floor < after < before:
        raise BadInput(
            f"loss after must lie between the irreducible {floor:g} and the loss before ({before:g}).", "loss"
        )


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A trained model to plot: parameters (active for a mixture of experts) and training tokens."""

    name: str
    params: float
    tokens: float
    source: str


PUBLISHED_MODELS = (
    PublishedModel("GPT-3", 175e9, 300e9, "2005.14165"),
    PublishedModel("LaMDA", 137e9, 168e9, "2203.15556, table 1"),
    PublishedModel("Jurassic-1", 178e9, 300e9, "2203.15556, table 1"),
    PublishedModel("Gopher", 280e9, 300e9, "2112.11446"),
    PublishedModel("MT-NLG", 530e9, 270e9, "2201.11990"),
    PublishedModel("Chinchilla", 70e9, 1.4e12, "2203.15556"),
    PublishedModel("PaLM", 540e9, 780e9, "2204.02311"),
    PublishedModel("LLaMA-7B", 6.7e9, 1.0e12, "2302.13971"),
    PublishedModel("LLaMA-65B", 65.2e9, 1.4e12, "2302.13971"),
    PublishedModel("Llama-2-70B", 69e9, 2.0e12, "2307.09288"),
    PublishedModel("Llama-3-8B", 8.03e9, 15e12, "meta-llama/Meta-Llama-3-8B model card"),
    PublishedModel("Llama-3.1-405B", 405.9e9, 15.6e12, "2407.21783"),
    PublishedModel("DeepSeek-V3", 37e9, 14.8e12, "2412.19437 (active parameters)"),
    PublishedModel("Qwen2.5-72B", 72.7e9, 18e12, "2412.15115"),
    PublishedModel("SmolLM2-135M", 0.1345e9, 2e12, "2502.02737"),
)
