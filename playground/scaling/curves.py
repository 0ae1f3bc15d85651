"""Arrays for charts: the formulas of this package over grids, as float NumPy. Knows nothing of plotting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.scaling.laws import LAWS, ScalingLaw, kaplan_data_factor, optimal_for_flops, optimal_for_params
from playground.scaling.memory import WEIGHT_BYTES, kv_bytes, state_bytes
from playground.scaling.parameters import count_parameters
from playground.scaling.quantity import check_number
from playground.scaling.specs import ArchitectureSpec

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MemoryCurve:
    """Bytes at every context length: cache and state alone, and with the weights. ``contexts``, others: (n,)."""

    name: str
    contexts: Array
    cache_bytes: Array
    total_bytes: Array


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where one architecture's memory passes another's: ``grower`` needs more than ``other`` beyond ``context`` tokens."""

    grower: str
    other: str
    context: float
    gigabytes: float


def memory_curve(
    spec: ArchitectureSpec, contexts: Sequence[float] | Array, batch: int = 1, dtype: str = "bfloat16"
) -> MemoryCurve:
    """Memory of serving ``spec`` against the context length."""
    lengths = np.asarray(contexts, dtype=np.float64)
    number = 4.0 if dtype == "float32" else 2.0
    fixed = state_bytes(spec, batch, number)
    cache = np.array([kv_bytes(spec, float(length), batch, number) + fixed for length in lengths])
    return MemoryCurve(spec.name, lengths, cache, cache + count_parameters(spec).total * WEIGHT_BYTES[dtype])


def find_crossings(curves: Sequence[MemoryCurve], *, weights: bool = False) -> tuple[Crossing, ...]:
    """Every context at which two curves over the same contexts change places, linear between neighbours."""
    crossings: list[Crossing] = []
    for index, first in enumerate(curves):
        for second in curves[index + 1 :]:
            if not np.array_equal(first.contexts, second.contexts):
                raise BadInput("Curves can only be compared over the same context lengths.", "contexts")
            one, two = (c.total_bytes if weights else c.cache_bytes for c in (first, second))
            gap = one - two
            for at in np.flatnonzero(np.sign(gap[:-1]) * np.sign(gap[1:]) < 0):
                share = gap[at] / (gap[at] - gap[at + 1])
                context = first.contexts[at] + share * (first.contexts[at + 1] - first.contexts[at])
                size = one[at] + share * (one[at + 1] - one[at])
                grower, other = (first, second) if gap[at + 1] > 0 else (second, first)
                crossings.append(Crossing(grower.name, other.name, float(context), float(size / 1e9)))
    return tuple(sorted(crossings, key=lambda crossing: crossing.context))


@dataclass(frozen=True, slots=True, eq=False)
class LossSurface:
    """``loss[i, j]`` in nats of ``params[j]`` parameters on ``tokens[i]`` tokens: (tokens, params)."""

    params: Array
    tokens: Array
    loss: Array


def loss_of(law: ScalingLaw, params: Array, tokens: Array) -> Array:
    """``laws.loss`` over arrays that broadcast."""
    surface: Array = law.irreducible + law.a / params**law.alpha + law.b / tokens**law.beta
    return surface


def loss_surface(
    law: ScalingLaw,
    params: tuple[float, float] = (1e8, 1e12),
    tokens: tuple[float, float] = (1e9, 1e14),
    points: int = 60,
) -> LossSurface:
    """The law over a logarithmic grid."""
    across, up = _grid(*params, points), _grid(*tokens, points)
    return LossSurface(across, up, loss_of(law, across[None, :], up[:, None]))


@dataclass(frozen=True, slots=True, eq=False)
class IsoFlopCurve:
    """Loss against model size at one budget. ``params``, ``tokens``, ``loss``: (points,)."""

    flops: float
    params: Array
    tokens: Array
    loss: Array


def iso_flop_curve(law: ScalingLaw, flops: float, span: float = 30.0, points: int = 81) -> IsoFlopCurve:
    """All ways to spend ``flops``, from ``span`` times below the optimum to ``span`` times above."""
    best = optimal_for_flops(law, flops)
    sizes = _grid(best.params / span, best.params * span, points)
    tokens = flops / (6 * sizes)
    return IsoFlopCurve(flops, sizes, tokens, loss_of(law, sizes, tokens))


@dataclass(frozen=True, slots=True, eq=False)
class OptimumCurve:
    """Compute-optimal sizes over budgets for one law. All (points,)."""

    law: str
    flops: Array
    params: Array
    tokens: Array
    loss: Array


def optimum_curves(low: float = 1e18, high: float = 1e27, points: int = 40) -> tuple[OptimumCurve, ...]:
    """Every law of the table over the same budgets: their spread is how little is known."""
    budgets = _grid(low, high, points)
    curves = []
    for law in LAWS.values():
        optima = [optimal_for_flops(law, float(budget)) for budget in budgets]
        sizes, tokens, losses = (
            np.array([getattr(optimum, name) for optimum in optima]) for name in ("params", "tokens", "loss")
        )
        curves.append(OptimumCurve(law.name, budgets, sizes, tokens, losses))
    return tuple(curves)


@dataclass(frozen=True, slots=True, eq=False)
class OverTrainingCurve:
    """Models of equal loss: ``params`` from the smallest possible up, the ``tokens`` each needs, FLOPs. (points,)."""

    loss: float
    params: Array
    tokens: Array
    flops: Array


def over_training_curve(law: ScalingLaw, params: float, points: int = 60) -> OverTrainingCurve:
    """Sizes from a third of the compute-optimal ``params`` (or the smallest that can) to three times, at its loss."""
    target = optimal_for_params(law, params).loss
    smallest = (law.a / (target - law.irreducible)) ** (1 / law.alpha)
    sizes = _grid(max(smallest * 1.05, params / 3), params * 3, points)
    tokens = (law.b / (target - law.irreducible - law.a / sizes**law.alpha)) ** (1 / law.beta)
    return OverTrainingCurve(target, sizes, tokens, 6 * sizes * tokens)


def data_for_drop(before: float, losses: Sequence[float]) -> dict[str, Array]:
    """Factor of data that takes the loss from ``before`` to each of ``losses``, by law; NaN below a law's floor."""
    targets = np.asarray(losses, dtype=np.float64)
    check_number(before, "loss before", maximum=100)
    factors: dict[str, Array] = {"kaplan": np.array([kaplan_data_factor(before, float(x)) for x in targets])}
    for law in LAWS.values():
        if law.tokens_per_param is None:
            gap = np.where(targets > law.irreducible, targets - law.irreducible, np.nan)
            factors[law.name] = ((before - law.irreducible) / gap) ** (1 / law.beta)
    return factors


def _grid(low: float, high: float, points: int) -> Array:
    check_number(low, "lower end", maximum=1e40)
    check_number(high, "upper end", minimum=low, maximum=1e45)
    grid: Array = np.geomspace(
        low, high, int(check_number(points, "points", minimum=2, maximum=2000, above_minimum=False))
    )
    return grid
