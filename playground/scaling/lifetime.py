"""Training and serving together: the cheapest size that reaches a given quality (Sardana et al., 2401.00448).

Minimise 6·N·D_train + 2·N·D_inference over N, where D_train is what N needs to reach the loss. The derivative is known
in closed form and changes sign once, so a bisection on log N is enough.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from playground.scaling.figures import Figure, figure
from playground.scaling.laws import ScalingLaw, optimal_for_params, tokens_for_loss
from playground.scaling.quantity import MIN_UTILISATION, check_number

SOURCE = "Sardana et al. 2401.00448, equation 3"


@dataclass(frozen=True, slots=True)
class Utilisation:
    """Shares of the peak that training, reading a prompt and writing an answer reach (2401.00448, section 4)."""

    training: float = 0.5
    prefill: float = 0.5
    decode: float = 0.01

    def __post_init__(self) -> None:
        for name in ("training", "prefill", "decode"):
            check_number(
                getattr(self, name), f"{name} utilisation", minimum=MIN_UTILISATION, maximum=1.0, above_minimum=False
            )


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The optimum and what it is compared with: the compute-optimal model of the same loss, both serving the same."""

    params: float
    train_tokens: float
    total_flops: float
    baseline_params: float
    baseline_tokens: float
    baseline_flops: float
    loss: float
    law: str
    figures: tuple[Figure, ...] = ()

    @property
    def data_ratio(self) -> float:
        """Training tokens against the compute-optimal model's."""
        return self.train_tokens / self.baseline_tokens

    @property
    def flops_change(self) -> float:
        """Relative change of the total, negative for a saving."""
        return self.total_flops / self.baseline_flops - 1


def optimise_lifetime(law: ScalingLaw, params: float, inference_tokens: float) -> Lifetime:
    """The model of the least FLOPs over its life with the loss of the compute-optimal model of size ``params``."""
    check_number(params, "params", minimum=1.0, maximum=1e18, above_minimum=False)
    check_number(inference_tokens, "inference-tokens", maximum=1e24, above_minimum=False)
    return _optimise(law, params, inference_tokens, inference_tokens)


def optimise_lifetime_cost(
    law: ScalingLaw,
    params: float,
    input_tokens: float,
    output_tokens: float,
    utilisation: Utilisation,
) -> Lifetime:
    """The cheapest life in dollars, at any price of an hour: each kind of token is weighed by its utilisation.

    2401.00448, section 4.
    """
    check_number(params, "params", minimum=1.0, maximum=1e18, above_minimum=False)
    for name, tokens in (("input tokens", input_tokens), ("output tokens", output_tokens)):
        check_number(tokens, name, maximum=1e24, above_minimum=False)
    weighted = utilisation.training * (input_tokens / utilisation.prefill + output_tokens / utilisation.decode)
    return _optimise(law, params, input_tokens + output_tokens, weighted)


def _optimise(law: ScalingLaw, params: float, inference_tokens: float, weighted: float) -> Lifetime:
    """``weighted``: inference tokens as the objective counts them; ``inference_tokens`` as the FLOPs count them."""
    baseline = optimal_for_params(law, params)
    target = baseline.loss
    size = _bisect(law, target, baseline.params, weighted)
    tokens = tokens_for_loss(law, size, target)
    symbols = {
        "N": (size, "param"),
        "D": (tokens, "token"),
        "Dinf": (inference_tokens, "token"),
    }
    formula = "6{FLOP/param/token}·N·D + 2{FLOP/param/token}·N·Dinf"
    best = figure("Lifetime compute", "FLOP", formula, SOURCE, **symbols)
    symbols.update(N=(baseline.params, "param"), D=(baseline.tokens, "token"))
    base = figure("Lifetime compute of the compute-optimal model", "FLOP", formula, SOURCE, **symbols)
    return Lifetime(
        size, tokens, best.value, baseline.params, baseline.tokens, base.value, target, law.name, (best, base)
    )


def _bisect(law: ScalingLaw, target: float, start: float, weighted: float) -> float:
    """Where the derivative of 6·N·D(N) + 2·N·weighted is zero; rule-20 may start beyond it, so both ends are sought."""
    smallest = float((law.a / (target - law.irreducible)) ** (1 / law.alpha))

    def slope(size: float) -> float:
        tokens = tokens_for_loss(law, size, target)
        gap = target - law.irreducible - law.a / size**law.alpha
        elasticity = float(law.alpha * law.a / size**law.alpha / (law.beta * gap))  # −d ln D / d ln N
        return 6 * tokens * (1 - elasticity) + 2 * weighted

    low, high = math.log(smallest) + 1e-9, math.log(start)
    while slope(math.exp(high)) < 0:
        high += 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(math.exp(middle)) > 0 else (middle, high)
    return math.exp(high)
