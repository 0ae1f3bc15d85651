"""The pictures of the Scaling laws page, as the charts take them. Knows no streamlit."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.charts.scale_surface import SurfaceData
from playground.errors import BadInput
from playground.plan.answers import price_of
from playground.plan.law_answers import law_of, lifetime_of
from playground.plan.scenarios import Scenarios, lettered
from playground.plan.setup import ScaleSetup
from playground.scaling.curves import (
    LossSurface,
    OptimumCurve,
    data_for_drop,
    iso_flop_curve,
    loss_surface,
    optimum_curves,
    over_training_curve,
)
from playground.scaling.laws import LAWS, PUBLISHED_MODELS, optimal_for_flops, optimal_for_params
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.quantity import format_count

BUDGETS = (1e20, 1e22, 1e24, 1e26)
NAMED = frozenset({"GPT-3", "Gopher", "MT-NLG", "PaLM", "Chinchilla", "LLaMA-7B", "Llama-3-8B", "Llama-3.1-405B"})
"""The models whose names stand beside a curve; the others are named on hover."""


def surface_data(scenarios: Scenarios) -> SurfaceData:
    """The loss over N and D with the reader's model, the optimum and published models."""
    setup = scenarios.now
    law = law_of(setup, setup.basis)
    surface = _surface(law.name)
    best = [optimal_for_flops(law, float(budget)) for budget in np.geomspace(1e17, 1e28, 12)]
    here = optimal_for_flops(law, setup.budget)
    return SurfaceData(
        surface.params,
        surface.tokens,
        surface.loss,
        np.array([(each.params, each.tokens) for each in best]),
        BUDGETS,
        tuple((model.name, model.params, model.tokens) for model in PUBLISHED_MODELS),
        (setup.size, setup.tokens),
        (here.params, here.tokens),
        tuple((letter, each.size, each.tokens) for letter, each in scenarios.pins.items()),
    )


@lru_cache(maxsize=8)
def _surface(law: str) -> LossSurface:
    return loss_surface(LAWS[law], (1e8, 1e12), (1e9, 1e14), 48)


def iso_flop_data(scenarios: Scenarios) -> LinesData:
    """Loss against size at each budget, and at a tenth and ten times of the present one."""
    law = law_of(scenarios.now, scenarios.now.basis)
    series, marks = list[Series](), list[Mark]()
    for letter, each in scenarios:
        curve, best = iso_flop_curve(law, each.budget), optimal_for_flops(law, each.budget)
        name = lettered(f"{format_count(each.budget)} FLOPs", letter)
        series.append(Series(name, curve.params, curve.loss, letter))
        marks.append(Mark(f"best: {format_count(best.params)}", best.params, best.loss, strong=True))
    for budget in (scenarios.now.budget * 0.1, scenarios.now.budget * 10):
        curve = iso_flop_curve(law, budget)
        series.append(Series(f"{format_count(budget)} FLOPs", curve.params, curve.loss))
    return LinesData(Axis("parameters"), Axis("loss in nats", log=False), tuple(series), tuple(marks))


@lru_cache(maxsize=1)
def _optima() -> tuple[OptimumCurve, ...]:
    return optimum_curves(1e18, 1e27, 28)


def laws_data(scenarios: Scenarios) -> LinesData:
    """Tokens per parameter by every constant set: their spread is how little is known."""
    chosen = law_of(scenarios.now, scenarios.now.basis).name
    series = [
        Series(curve.law, curve.flops, curve.tokens / curve.params, NOW if curve.law == chosen else "")
        for curve in _optima()
    ]
    marks = [
        Mark(m.name if m.name in NAMED else "", 6 * m.params * m.tokens, m.tokens / m.params) for m in PUBLISHED_MODELS
    ]
    budgets = ((lettered("budget", letter), each.budget) for letter, each in scenarios)
    return LinesData(
        Axis("training compute in FLOPs", range=(1e18, 1e27)),
        Axis("tokens per parameter", range=(0.4, 3000)),
        tuple(series),
        tuple(marks),
        (("20 tokens a parameter", 20.0),),
        tuple(budget for budget in budgets if 1e18 <= budget[1] <= 1e27),
    )


def laws_sentence(setup: ScaleSetup) -> str:
    """How far apart the laws are for one budget."""
    optima = [optimal_for_flops(law, setup.budget) for law in LAWS.values()]
    low, high = min(optima, key=lambda o: o.params), max(optima, key=lambda o: o.params)
    return (
        f"For {format_count(setup.budget)} FLOPs the laws ask for {format_count(low.params)} ({low.law}) to "
        f"{format_count(high.params)} ({high.law}) parameters, {low.tokens_per_param:.0f} to {high.tokens_per_param:.0f} "
        "tokens for each."
    )


def over_training_data(scenarios: Scenarios) -> LinesData:
    """Models of equal loss: how many more tokens, and how much more compute, a smaller one takes.

    Pinned scenarios: the compute of their own size, against its own compute-optimal run.
    """
    setup = scenarios.now
    law = LAWS[setup.law]
    curve, best = over_training_curve(law, setup.size), optimal_for_params(law, setup.size)
    series = [
        Series("training tokens", curve.params, curve.tokens / best.tokens),
        Series("training compute", curve.params, curve.flops / best.flops, NOW),
        Series("compute an answer", curve.params, curve.params / best.params),
    ]
    for letter, (other, flops) in scenarios.each_pin(
        lambda each: (
            over_training_curve(LAWS[each.law], each.size),
            optimal_for_params(LAWS[each.law], each.size).flops,
        )
    ):
        series.append(Series(lettered("training compute", letter), other.params, other.flops / flops, letter))
    mark = Mark("compute-optimal", best.params, 1.0, strong=True)
    return LinesData(Axis("parameters"), Axis("times the compute-optimal run"), tuple(series), (mark,))


def returns_data(scenarios: Scenarios) -> LinesData:
    """Times the data that a drop in loss takes, by law. Raises BadInput where nothing drops."""
    setup = scenarios.now
    if not setup.after < setup.before:
        raise BadInput("Loss after must be below loss before; move one of the sliders on the left.", "after")
    losses = np.linspace(setup.before, max(setup.after - 0.4, 1.72), 40)[1:]
    factors = data_for_drop(setup.before, [float(x) for x in losses])
    series = [Series(name, losses, times, NOW if name == setup.law else "") for name, times in factors.items()]
    return LinesData(
        Axis("loss reached, in nats", log=False, range=(setup.before, float(losses[-1]))),
        Axis("times the data", range=(1, 1e4)),
        tuple(series),
        (),
        (("course notes: 10 times", 10.0),) if abs(setup.before - 3.4) < 1e-9 else (),
        tuple((lettered("loss after", letter), each.after) for letter, each in scenarios),
    )


def returns_sentence(setup: ScaleSetup) -> str:
    """The same for the drop that is set."""
    factors = data_for_drop(setup.before, [setup.after])
    by_law = ", ".join(f"{name} {times[0]:.1f}×" for name, times in factors.items() if np.isfinite(times[0]))
    return f"From {setup.before:g} to {setup.after:g} nats, with a model that is no limit: {by_law}."


def lifetime_sentence(setup: ScaleSetup) -> str:
    """What the size of the least FLOPs saves over the life."""
    best = optimise_lifetime(LAWS[setup.law], setup.size, setup.demand)
    more, saved = best.train_tokens / best.baseline_tokens, 1 - best.total_flops / best.baseline_flops
    return (
        f"{format_count(best.params)} parameters trained on {more:.2f} times the tokens reach the loss of "
        f"{format_count(best.baseline_params)} for {saved:.0%} fewer FLOPs in all."
    )


def lifetime_data(scenarios: Scenarios) -> LinesData:
    """Best size against demand, by FLOPs and by money."""
    demands = np.geomspace(1e10, 1e16, 19)
    series, marks, cuts, levels = list[Series](), list[Mark](), list[tuple[str, float]](), list[tuple[str, float]]()
    for letter, each in scenarios:
        law = LAWS[each.law]
        by_flops = np.array([optimise_lifetime(law, each.size, float(demand)).params for demand in demands])
        series.append(Series(lettered("least FLOPs", letter), demands, by_flops, letter))
        if price_of(each)[0] is not None:
            best = lifetime_of(each).params
            marks.append(Mark(lettered("least money", letter), max(each.demand, 1e10), best, strong=True))
        if 1e10 <= each.demand <= 1e16:
            cuts.append((lettered("demand", letter), each.demand))
        levels.append((lettered("compute-optimal", letter), each.size))
    return LinesData(
        Axis("tokens served over its life", range=(1e10, 1e16)),
        Axis("best size in parameters"),
        tuple(series),
        tuple(marks),
        tuple(levels),
        tuple(cuts),
    )
