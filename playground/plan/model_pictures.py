"""What the page Model and memory shows beside its table: bars, curves, the treemap and its rows. Knows no streamlit."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from playground.charts.scale_bars import StackedData
from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.charts.scale_treemap import TreemapData
from playground.plan.answers import count_of, fit_of, spec_of
from playground.plan.scenarios import Scenarios, lettered, titled
from playground.plan.setup import ScaleSetup, gpu_of
from playground.plan.wording import Row, row
from playground.scaling.configs import load_preset
from playground.scaling.curves import Crossing, MemoryCurve, find_crossings, memory_curve
from playground.scaling.figures import figure, given
from playground.scaling.memory import sparse_weights_bytes
from playground.scaling.parameters import explain_parameters
from playground.scaling.specs import ArchitectureSpec

PARTS = ("weights", "key-value cache", "recurrent state", "gradients", "optimizer", "activations")
COMPARED = {
    "Llama-2-7B": "all heads cached",
    "Llama-3-8B": "grouped queries",
    "Gemma-3-12B": "sliding window",
    "DeepSeek-V3": "latent (MLA)",
    "Jamba-v0.1": "hybrid",
    "Mamba-2.8B": "state space",
}
ZEROS = 0.9  # the share of zeros that the sparse example is worked out for


def memory_data(scenarios: Scenarios) -> StackedData:
    """What each scenario keeps on one GPU, against what its GPU has."""
    bars, limits = [], {}
    for letter, (setup, fit) in scenarios.each(lambda each: (each, fit_of(each))):
        share = setup.gpus if setup.purpose == "serving" else 1
        bars.append((titled(letter), tuple((name, size / share / 1e9) for name, size in fit.report.parts)))
        limits[f"{gpu_of(setup).name}, {fit.available_bytes / 1e9:.0f} GB usable"] = fit.available_bytes / 1e9
    return StackedData(tuple(bars), PARTS, "GB on one GPU", tuple(limits.items()))


def memory_curves(setup: ScaleSetup) -> list[MemoryCurve]:
    """Memory against context: the reader's model, then those it is compared with."""
    others = (load_preset(name).spec for name in COMPARED if name != setup.config)
    return [_curve(spec, setup.batch, setup.weights) for spec in (spec_of(setup), *others)]


@lru_cache(maxsize=64)
def _curve(spec: ArchitectureSpec, batch: int, dtype: str) -> MemoryCurve:
    return memory_curve(spec, np.geomspace(256, 2**20, 49), batch, dtype)


def own_crossings(curves: list[MemoryCurve], with_weights: bool) -> list[Crossing]:
    """Where the first curve, the reader's model, meets another."""
    own = curves[0].name
    return [one for one in find_crossings(curves, weights=with_weights) if own in (one.grower, one.other)]


def context_data(scenarios: Scenarios, with_weights: bool) -> LinesData:
    """Memory against context for architectures that differ in it; crossings with the reader's model are marked."""

    def size_of(curve: MemoryCurve) -> npt.NDArray[np.float64]:
        size: npt.NDArray[np.float64] = (curve.total_bytes if with_weights else curve.cache_bytes) / 1e9
        return size

    curves = memory_curves(scenarios.now)
    series = [
        Series(lettered(curve.name, letter), curve.contexts, size_of(curve), letter)
        for letter, curve in scenarios.each_pin(lambda each: _curve(spec_of(each), each.batch, each.weights))
    ]
    for index, curve in enumerate(curves):
        kind = COMPARED.get(curve.name, "")
        name = curve.name + (f", {kind}" if kind else "")
        series.append(Series(name, curve.contexts, size_of(curve), NOW if index == 0 else ""))
    marks = tuple(Mark("", one.context, one.gigabytes) for one in own_crossings(curves, with_weights))
    return LinesData(Axis("context in tokens"), Axis("memory in GB"), tuple(series), marks)


def treemap_data(setup: ScaleSetup) -> TreemapData:
    """The components of one model."""
    parts = tuple((part.name, part.total, part.active) for part in count_of(setup).components)
    return TreemapData(spec_of(setup).name, parts)


def parameter_rows(setup: ScaleSetup) -> tuple[Row, ...]:
    """The total and the active parameters with their formulas, sparsity, and what sparse storage would take."""
    count = count_of(setup)
    rows = [row(shown, lead=True) for shown in explain_parameters(spec_of(setup))]
    inner = given("Active, without the table looked up", count.active_without_tables, "param", "layers and one head")
    rows.append(row(inner, note="publishers count either way"))
    sparsity = figure(
        "Sparsity",
        "1",
        "1{1} − active / total",
        "share of the parameters that a token does not touch",
        active=(float(count.active), "param"),
        total=(float(count.total), "param"),
    )
    stored = figure(
        "Stored sparse, 90% zeros",
        "B",
        "N · (1{1} − zeros) · (value + index)",
        "a value and an index each, 2 bytes both",
        N=(float(count.total), "param"),
        zeros=(ZEROS, "1"),
        value=(2.0, "B/param"),
        index=(2.0, "B/param"),
    )
    assert abs(stored.value - sparse_weights_bytes(count.total, ZEROS)) < 1
    return (*rows, Row("Sparsity", f"{sparsity.value:.2%}", sparsity), row(stored, note="only with kernels for it"))
