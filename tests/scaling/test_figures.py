"""A figure's formula, filled text, value and unit cannot differ from one another."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.scaling.configs import load_preset, preset_names
from playground.scaling.figures import Figure, UnitMismatch, figure, parse_unit, show_value
from playground.scaling.figures import given as stated
from playground.scaling.hardware import find_gpu
from playground.scaling.inference import ServingPlan, predict_serving
from playground.scaling.laws import LAWS, explain_loss, optimal_for_flops
from playground.scaling.lifetime import optimise_lifetime
from playground.scaling.memory import MemoryPlan, measure_memory
from playground.scaling.notes import disagreements
from playground.scaling.parameters import explain_parameters
from playground.scaling.training import TrainingPlan, cost_training


def _all_figures() -> list[Figure]:
    gpu = find_gpu("h100 sxm")
    figures: list[Figure] = []
    for name in preset_names():
        spec = load_preset(name).spec
        figures += explain_parameters(spec)
        figures += measure_memory(MemoryPlan(spec)).figures
        figures += measure_memory(MemoryPlan(spec, training="adam", zero=2, gpus=8)).figures
        figures += predict_serving(ServingPlan(spec, gpu, price=2.0)).figures
    figures += cost_training(TrainingPlan(7e9, 1e12, gpu, 64, 0.4, 2.5, attention_flops_per_token=1e9)).figures
    figures += cost_training(TrainingPlan(7e9, 1e12, gpu, 64, 0.4, 2.5)).figures
    for law in LAWS.values():
        figures += [explain_loss(law, 7e9, 1e12), *optimal_for_flops(law, 1e22).figures]
        figures += optimise_lifetime(law, 7e9, 1e12).figures
    for item in disagreements():
        figures += [*item.as_in_notes, *item.checked]
    return figures


def test_what_is_shown_works_out_to_the_value() -> None:
    figures = _all_figures()
    assert len(figures) > 500
    for shown in figures:
        # Python's own arithmetic on the text a reader sees, not our evaluator.
        text = shown.filled.replace("·", "*").replace("^", "**")
        worked = eval(text, {"max": max, "min": min, "sqrt": math.sqrt})  # noqa: S307
        assert worked == pytest.approx(shown.value, rel=1e-5), shown
        assert shown.source and shown.name and shown.unit


def test_units_are_checked() -> None:
    seven = {"N": (7e9, "param"), "D": (1e12, "token")}
    assert figure("C", "FLOP", "6{FLOP/param/token} · N · D", "s", **seven).value == pytest.approx(4.2e22)
    for unit, formula in (("FLOP/s", "6{FLOP/param/token}·N·D"), ("FLOP", "6·N·D"), ("param", "N + D"), ("1", "N^D")):
        with pytest.raises(UnitMismatch):
            figure("C", unit, formula, "s", **seven)
    with pytest.raises(UnitMismatch, match="no unit"):
        parse_unit("furlong")


def test_scaled_units_do_not_pass_for_one_another() -> None:
    assert not parse_unit("h").same(parse_unit("s"))
    assert parse_unit("W·h/kWh").scale == pytest.approx(1e-3)
    with pytest.raises(UnitMismatch):
        figure("hours", "h", "t", "s", t=(7200.0, "s"))
    assert figure("hours", "h", "t / 3600{s/h}", "s", t=(7200.0, "s")).value == 2


def test_a_formula_is_arithmetic_only() -> None:
    for formula in ("N if N else N", "[N]", "N.real", "N % 2"):
        with pytest.raises(UnitMismatch):
            figure("x", "1", formula, "s", N=(2.0, "1"))


def test_a_stated_figure_shows_itself() -> None:
    assert stated("x", 6_738_415_616, "param", "hub").filled == "6738415616"


@settings(derandomize=True, database=None)
@given(st.floats(1e-30, 1e30))
def test_shown_values_read_back(value: float) -> None:
    assert float(show_value(value)) == pytest.approx(value, rel=1e-6)


@settings(derandomize=True, database=None)
@given(st.sampled_from(["FLOP", "B/s", "USD/GPU/h", "kWh", "GPU·h"]), st.sampled_from(["s", "token", "1", "kg/kWh"]))
def test_unit_algebra(left: str, right: str) -> None:
    one, two = parse_unit(left), parse_unit(right)
    assert one.times(two).times(two, -1).same(one)
    assert one.times(two).same(two.times(one))
    assert one.raised(2.0).same(one.times(one))
