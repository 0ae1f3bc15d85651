"""Training costs and scaling laws: scaling, monotonicity, and optima found again by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from playground.errors import BadInput
from playground.scaling.configs import load_preset
from playground.scaling.curves import (
    data_for_drop,
    iso_flop_curve,
    loss_of,
    loss_surface,
    optimum_curves,
    over_training_curve,
)
from playground.scaling.hardware import custom_gpu, find_gpu, gpu_table
from playground.scaling.laws import (
    LAWS,
    PUBLISHED_MODELS,
    data_factor,
    explain_loss,
    find_law,
    kaplan_loss,
    loss,
    optimal_for_flops,
    optimal_for_params,
    tokens_for_loss,
)
from playground.scaling.lifetime import Utilisation, optimise_lifetime, optimise_lifetime_cost, total_flops
from playground.scaling.training import (
    PUBLISHED_MFU,
    TrainingPlan,
    attention_flops,
    cost_training,
    training_tokens,
    utilisation,
)

quiet = settings(derandomize=True, database=None, deadline=None, max_examples=60)
H100 = find_gpu("h100 sxm")
FITTED = [law for law in LAWS.values() if law.tokens_per_param is None]
plans = st.builds(
    TrainingPlan,
    params=st.floats(1e6, 1e13),
    tokens=st.floats(1e6, 1e14),
    gpu=st.sampled_from(list(gpu_table().values())),
    count=st.integers(1, 10**5),
    mfu=st.floats(0.01, 0.5),
    price=st.floats(0.1, 20),
)


@quiet
@given(plans)
def test_twice_the_gpus_half_the_days_the_same_bill(plan: TrainingPlan) -> None:
    one, two = cost_training(plan), cost_training(replace(plan, count=2 * plan.count))
    assert two.days.value == pytest.approx(one.days.value / 2)
    for name in ("gpu_hours", "energy_kwh", "co2_kg", "cost_usd", "flops"):
        assert getattr(two, name).value == pytest.approx(getattr(one, name).value)
    assert one.days.value * 24 * plan.count == pytest.approx(one.gpu_hours.value)


@quiet
@given(plans, st.floats(1, 100))
def test_more_tokens_never_lower_the_cost(plan: TrainingPlan, more: float) -> None:
    before, after = cost_training(plan), cost_training(replace(plan, tokens=plan.tokens * more))
    for first, second in zip(before.figures, after.figures, strict=True):
        assert second.value >= first.value
        assert second.value == pytest.approx(first.value * more)
    better = cost_training(replace(plan, mfu=2 * plan.mfu))
    assert better.days.value == pytest.approx(before.days.value / 2) and better.flops == before.flops


def test_a_bill_by_hand() -> None:
    cost = cost_training(TrainingPlan(1e9, 1e12, H100, 100, 0.5, 2.0, pue=1.2, grid=0.5))
    seconds = 6e21 / (100 * 989.4e12 * 0.5)
    assert cost.seconds.value == pytest.approx(seconds)
    hours = 100 * seconds / 3600
    assert cost.cost_usd is not None and cost.cost_usd.value == pytest.approx(hours * 2)
    assert cost.energy_kwh.value == pytest.approx(hours * 0.7 * 1.2)
    assert cost.co2_kg.value == pytest.approx(hours * 0.7 * 1.2 * 0.5)
    assert cost_training(TrainingPlan(1e9, 1e12, H100, 100)).cost_usd is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("mfu", 1.2), ("mfu", 0), ("price", 0), ("price", -1), ("count", 0), ("params", float("nan")), ("tokens", 1e30),
     ("pue", 0.9), ("grid", -1)],
)  # fmt: skip
def test_bad_plans_name_the_field(field: str, value: float) -> None:
    fields = {"params": 1e9, "tokens": 1e12, "gpu": H100, "count": 8, field: value}
    with pytest.raises(BadInput, match=field):
        TrainingPlan(**fields)  # type: ignore[arg-type]


def test_attention_term_and_recomputation() -> None:
    gpt2 = load_preset("GPT-2-small").spec
    assert attention_flops(gpt2, 1024) == 12 * 12 * 12 * 64 * 1024
    assert attention_flops(gpt2, 1024, causal=True) == attention_flops(gpt2, 1024) / 2
    assert attention_flops(load_preset("Mamba-130M").spec, 1024) == 0
    mistral = load_preset("Mistral-7B").spec
    assert attention_flops(mistral, 10**5) == attention_flops(mistral, 4096)
    mfu, hfu = utilisation(1e15, 10, H100, 1, recompute=True)
    assert hfu == pytest.approx(mfu * 4 / 3)
    with pytest.raises(BadInput, match="more than the GPU can do"):
        utilisation(1e18, 1, H100, 1)
    assert training_tokens(1e12, 2) == 2e12


def test_hardware_is_dense_and_found_by_prefix() -> None:
    assert find_gpu("A100-80").peak_flops == 312e12 and find_gpu("h100 SXM").peak_flops == 989.4e12
    assert find_gpu("a100").name == "A100-80 SXM" and find_gpu("RTX").price_low == 0.29
    for name in ("h100", "", "tpu", "h"):
        with pytest.raises(BadInput):
            find_gpu(name)
    assert all(gpu.as_of and gpu.source for gpu in gpu_table().values())
    assert find_gpu("b200").price_middle is None and H100.price_middle == pytest.approx(3.495)
    mine = custom_gpu("mine", 100, 24, 1, 300, 0.5, "2026-11")
    assert mine.memory_bytes == 24e9
    with pytest.raises(BadInput, match="price"):
        custom_gpu("mine", 100, 24, 1, 300, 0, "2026-11")
    assert all(0.2 < mark.mfu < 0.5 for mark in PUBLISHED_MFU)


@pytest.mark.parametrize("law", FITTED, ids=lambda law: law.name)
@pytest.mark.parametrize("flops", [1e18, 5.76e23, 1e27])
def test_the_closed_form_is_the_minimum(law, flops: float) -> None:  # type: ignore[no-untyped-def]
    best = optimal_for_flops(law, flops)
    found = minimize_scalar(
        lambda log_n: loss(law, np.exp(log_n), flops / 6 / np.exp(log_n)), bounds=(10, 40), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    assert best.params == pytest.approx(np.exp(found.x), rel=1e-3)
    assert best.loss <= found.fun + 1e-12
    assert 6 * best.params * best.tokens == pytest.approx(flops)
    again = optimal_for_params(law, best.params)
    assert again.flops == pytest.approx(flops) and again.tokens == pytest.approx(best.tokens)


@quiet
@given(st.sampled_from(list(LAWS.values())), st.floats(1e7, 1e12), st.floats(1e8, 1e14), st.floats(1.01, 10))
def test_loss_falls_with_size_and_data(law, params: float, tokens: float, more: float) -> None:  # type: ignore[no-untyped-def]
    here = loss(law, params, tokens)
    assert law.irreducible < loss(law, params * more, tokens) < here
    assert law.irreducible < loss(law, params, tokens * more) < here
    assert tokens_for_loss(law, params, here) == pytest.approx(tokens, rel=1e-6)
    assert explain_loss(law, params, tokens).value == pytest.approx(here)


def test_rule_20_and_refusals() -> None:
    rule = optimal_for_params(LAWS["rule-20"], 3e9)
    assert rule.tokens == pytest.approx(60e9) and rule.loss == pytest.approx(loss(LAWS["hoffmann-tex"], 3e9, 60e9))
    for bad in (lambda: find_law("newton"), lambda: tokens_for_loss(LAWS["sardana"], 1e6, 1.7),
                lambda: data_factor(LAWS["sardana"], 2.0, 1.5), lambda: data_factor(LAWS["sardana"], 2.0, 2.5),
                lambda: kaplan_loss(), lambda: loss(LAWS["sardana"], 0, 1)):  # fmt: skip
        with pytest.raises(BadInput):
            bad()
    assert kaplan_loss(tokens=5.4e13) == 1 and kaplan_loss(params=8.8e13) == 1
    assert {"Gopher", "Chinchilla", "GPT-3", "LaMDA"} <= {model.name for model in PUBLISHED_MODELS}


@pytest.mark.parametrize("law", FITTED, ids=lambda law: law.name)
@pytest.mark.parametrize("demand", [1e9, 1e12, 1e14])
def test_lifetime_is_the_minimum_by_brute_force(law, demand: float) -> None:  # type: ignore[no-untyped-def]
    best = optimise_lifetime(law, 30e9, demand)
    smallest = (law.a / (best.loss - law.irreducible)) ** (1 / law.alpha)
    sizes = np.geomspace(smallest * 1.0001, 60e9, 40_000)
    tokens = (law.b / (best.loss - law.irreducible - law.a / sizes**law.alpha)) ** (1 / law.beta)
    totals = 6 * sizes * tokens + 2 * sizes * demand
    assert best.total_flops <= totals.min() * (1 + 1e-9)
    assert best.params == pytest.approx(sizes[totals.argmin()], rel=1e-2)
    assert loss(law, best.params, best.train_tokens) == pytest.approx(best.loss)
    assert best.total_flops <= best.baseline_flops * (1 + 1e-12)


def test_more_demand_makes_smaller_models() -> None:
    sizes = [optimise_lifetime(LAWS["sardana"], 30e9, demand).params for demand in (0, 1e11, 1e12, 1e13, 1e14)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(30e9, rel=1e-6)


def test_lifetime_in_money_weighs_slow_decoding() -> None:
    law = LAWS["sardana"]
    even = optimise_lifetime_cost(law, 30e9, 5e12, 5e12, H100, 2.0, Utilisation(0.5, 0.5, 0.5))
    assert even.optimum.params == pytest.approx(optimise_lifetime(law, 30e9, 1e13).params, rel=1e-6)
    slow = optimise_lifetime_cost(law, 30e9, 5e12, 5e12, H100, 2.0, Utilisation(0.5, 0.5, 0.01))
    assert slow.optimum.params < even.optimum.params and slow.cost_usd > even.cost_usd
    assert slow.cost_usd <= slow.baseline_usd and slow.energy_kwh <= slow.baseline_kwh
    hours = total_flops(even.optimum.params, even.optimum.train_tokens, 1e13) / 0.5 / H100.peak_flops / 3600
    assert even.cost_usd == pytest.approx(hours * 2)
    with pytest.raises(BadInput, match="decode"):
        Utilisation(decode=0)


def test_curves_agree_with_the_formulas() -> None:
    law = LAWS["besiroglu"]
    surface = loss_surface(law, points=12)
    assert surface.loss.shape == (12, 12)
    assert surface.loss[3, 7] == pytest.approx(loss(law, surface.params[7], surface.tokens[3]))
    iso = iso_flop_curve(law, 1e22)
    assert iso.params[iso.loss.argmin()] == pytest.approx(iso.best_params, rel=0.05)
    assert np.all(iso.loss >= iso.best_loss - 1e-12)
    over = over_training_curve(law, 7e9)
    assert loss_of(law, over.params, over.tokens) == pytest.approx(over.loss)
    assert over.params[over.flops.argmin()] == pytest.approx(7e9, rel=0.05)
    assert {curve.law for curve in optimum_curves(points=3)} == set(LAWS)
    drops = data_for_drop(3.4, [2.8, 1.0])
    assert drops["hoffmann-printed"][0] == pytest.approx(4.68, abs=0.01) and np.isnan(drops["besiroglu"][1])
