"""The pictures of the Serving page, as the charts take them. Knows no streamlit."""

from __future__ import annotations

import numpy as np

from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.errors import BadInput
from playground.plan.answers import serving_of, serving_plan, spec_of
from playground.plan.scenarios import Scenarios, lettered, titled
from playground.plan.setup import ScaleSetup
from playground.scaling.figures import Figure
from playground.scaling.inference import Serving, ServingPlan, sweep_batch, sweep_context, sweep_samples
from playground.scaling.specs import MixtureOfExperts

POWERS = tuple(2**power for power in range(13))
SWEEPS = {"batch": sweep_batch, "context": sweep_context, "samples": sweep_samples}
SWEPT = {"batch": "queries at once", "context": "prompt tokens", "samples": "samples a query"}
HEIGHTS = {
    "tokens per second": "tokens/s",
    "USD per 1M tokens": "USD per 1M tokens",
    "seconds per query": "s per query",
}


def roofline_sentence(setup: ScaleSetup) -> str:
    """What bounds reading and writing, and how many experts a step reads."""
    serving = serving_of(setup)
    said = f"Reading the prompt is bound by {serving.prefill_bound}, writing by {serving.bound}."
    layers = (block.feed_forward for block in spec_of(setup).blocks)
    routed = next((layer for layer in layers if isinstance(layer, MixtureOfExperts)), None)
    if routed:
        rows = serving.plan.rows
        touched = routed.experts * (1 - (1 - routed.top_k / routed.experts) ** rows)
        said += f" A step of {rows} rows reads {touched:.1f} of {routed.experts} experts in each layer."
    return said


def _work(shown: Figure) -> tuple[float, float]:
    """(FLOPs, bytes) of a prefill or decode step, from the symbols of its figure."""
    symbols = {symbol.name: symbol.value for symbol in shown.symbols}
    tokens = symbols.get("tokens", symbols.get("rows", 0.0))
    return 2 * symbols["N"] * tokens + symbols["attention"], symbols["weights"] + symbols.get("cache", 0.0)


def roofline_data(scenarios: Scenarios) -> LinesData:
    """Attainable FLOP/s against FLOPs per byte; the two phases as marks on the roof."""
    serving = serving_of(scenarios.now)
    ridge = serving.plan.peak / serving.plan.bandwidth
    intensity = np.geomspace(0.5, max(ridge * 30, 1e4), 60)
    series, marks = list[Series](), list[Mark]()
    for letter, each in ((NOW, serving), *scenarios.each_pin(serving_of)):
        plan, by_name = each.plan, {shown.name: shown for shown in each.figures}
        roof = np.minimum(intensity * plan.bandwidth, plan.peak)
        series.append(Series(lettered("roof", letter), intensity, roof, letter))
        for label, name in (("prompt", "Prefill"), ("one decode step", "One decode step")):
            flops, traffic = _work(by_name[name])
            at = min(max(flops / traffic, 0.5), float(intensity[-1]))
            height = min(at * plan.bandwidth, plan.peak)
            marks.append(Mark(lettered(label, letter), at, height, strong=True))
    return LinesData(
        Axis("arithmetic intensity in FLOPs per byte"),
        Axis("FLOP/s"),
        tuple(series),
        tuple(marks),
        (),
        ((f"ridge at {ridge:,.0f}", ridge),),
    )


def sweep_data(scenarios: Scenarios, against: str, what: str) -> LinesData:
    """``what`` (of HEIGHTS) against one of SWEEPS: a curve a scenario, broken off where the memory ends.

    Raises BadInput where nothing of the kind is known.
    """
    values = tuple(64 * x for x in POWERS) if against == "context" else POWERS
    places = np.array(values, dtype=float)
    series, cuts = list[Series](), list[tuple[str, float]]()
    for letter, (plan, servings) in scenarios.each(lambda each: _swept(serving_plan(each), against, values)):
        heights = np.array([_height(each, what) for each in servings])
        inside = np.array([each.fits for each in servings])
        series.append(Series(titled(letter), places, np.where(inside, heights, np.nan), letter))
        if not inside.all():
            beyond = heights.copy()
            beyond[: max(int(inside.sum()) - 1, 0)] = np.nan
            series.append(Series(f"{titled(letter)}, too large", places, beyond))
        if letter == NOW:
            at = {"batch": plan.batch, "context": plan.prompt_tokens, "samples": plan.samples}[against]
            cuts.append(("now", float(at)))
    if not any(np.isfinite(each.y).any() for each in series):
        raise BadInput("This GPU has no price in the table; type one on the left to see costs.", "price")
    return LinesData(Axis(SWEPT[against]), Axis(what), tuple(series), (), (), tuple(cuts))


def _swept(plan: ServingPlan, against: str, values: tuple[int, ...]) -> tuple[ServingPlan, tuple[Serving, ...]]:
    return plan, tuple(SWEEPS[against](plan, values))


def _height(serving: Serving, what: str) -> float:
    if what == "tokens per second":
        return serving.tokens_per_s
    if what == "seconds per query":
        return serving.prefill_s + serving.plan.new_tokens * serving.decode_s_per_token
    return float("nan") if serving.cost_per_million_tokens is None else serving.cost_per_million_tokens
