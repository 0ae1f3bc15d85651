"""Training costs and scaling laws: scaling, monotonicity, and optima found again by brute force."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
from playground.scaling.inference import attention_prefill_flops
from playground.scaling.laws import (
    KAPLAN_DATA,
    LAWS,
    PUBLISHED_MODELS,
    ScalingLaw,
    data_factor,
    explain_loss,
    find_law,
    loss,
    optimal_for_flops,
    optimal_for_params,
    tokens_for_loss,
)
from playground.scaling.lifetime import Utilisation, optimise_lifetime, optimise_lifetime_cost
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import Attention
from playground.scaling.training import (
    PUBLISHED_MFU,
    TrainingPlan,
    attention_flops,
    cost_training,
    throughput_days,
    training_flops,
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
    [
        ("mfu", 1.2),
        ("mfu", 0),
        ("price", 0),
        ("price", -1),
        ("count", 0),
        ("params", float("nan")),
        ("tokens", 1e30),
        ("pue", 0.9),
        ("grid", -1),
    ],
)
def test_bad_plans_name_the_field(field: str, value: float) -> None:
    fields: dict[str, Any] = {"params": 1e9, "tokens": 1e12, "gpu": H100, "count": 8, field: value}
    with pytest.raises(BadInput, match=field):
        TrainingPlan(**fields)


def test_the_bill_counts_attention_where_it_is_asked_to() -> None:
    plan = TrainingPlan(1e9, 1e12, H100, 8, attention_flops_per_token=5e8)
    assert cost_training(plan).flops.value == training_flops(1e9, 1e12, 5e8) == 6.5e21
    deepseek = load_preset("DeepSeek-V3").spec  # queries and keys of 128 + 64 numbers a head, values of 128
    assert attention_flops(deepseek, 4096) == 61 * 6 * 128 * (128 + 64 + 128) * 4096


@pytest.mark.parametrize("window", [None, 1, 7, 64, 1000])
def test_a_causal_token_sees_its_window_by_counting(window: int | None) -> None:
    """Against a sum over the positions, each seeing what lies before it and in its window."""
    mistral = load_preset("Mistral-7B").spec
    attention = mistral.blocks[0].mixer
    assert isinstance(attention, Attention)
    mixer = replace(attention, window=window)
    spec = replace(mistral, blocks=(replace(mistral.blocks[0], mixer=mixer),))
    for tokens in (64, 5000):
        keys = sum(min(place + 0.5, window or tokens) for place in range(tokens))
        assert attention_flops(spec, tokens, causal=True) == pytest.approx(32 * 12 * 4096 * keys / tokens, rel=0.01)
        assert attention_prefill_flops(spec, tokens) == pytest.approx(32 * 4 * 4096 * keys, rel=0.01)


def test_days_from_a_measured_speed() -> None:
    days, hours = throughput_days(86_400_000, 10, 100)
    assert days == 1 and hours == 2400


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
    own_gpu = custom_gpu("mine", 100, 24, 1, 300, 0.5, "2026-11")
    assert own_gpu.memory_bytes == 24e9
    tiny = replace(own_gpu, peak_flops=1e6)  # the smallest that may be entered
    assert cost_training(TrainingPlan(1e18, 1e21, tiny, 1, 1e-6)).days.value < float("inf")
    sizes = (100.0, 24.0, 1.0, 300.0)
    for column, place in (("TFLOP/s", 0), ("memory", 1), ("bandwidth", 2), ("watts", 3)):
        tflops, memory, bandwidth, watts = (5e-324 if at == place else size for at, size in enumerate(sizes))
        with pytest.raises(BadInput, match=column):
            custom_gpu("mine", tflops, memory, bandwidth, watts, 0.5, "2026-11")
    with pytest.raises(BadInput, match="price"):
        custom_gpu("mine", 100, 24, 1, 300, 0, "2026-11")
    assert all(0.2 < mark.mfu < 0.5 for mark in PUBLISHED_MFU)


def test_constants_are_those_of_the_papers() -> None:
    """E, A, B, alpha, beta, transcribed a second time. E drops out of every optimum, so no other test can see it."""
    tex = (1.6934, 406.4, 410.7, 0.3392, 0.2849)
    assert {
        law.name: (law.irreducible, law.a, law.b, law.alpha, law.beta, law.tokens_per_param) for law in LAWS.values()
    } == {
        "rule-20": (*tex, 20),
        "hoffmann-printed": (1.69, 406.4, 410.7, 0.34, 0.28, None),
        "hoffmann-tex": (*tex, None),
        "sardana": (1.69, 406.4, 410.7, 0.336, 0.283, None),
        "besiroglu": (1.8172, 482.01, 2085.43, 0.3478, 0.3658, None),
    }
    assert KAPLAN_DATA == (5.4e13, 0.095)  # 2001.08361, equation 1.2


@pytest.mark.parametrize(
    ("name", "exponent"), [("hoffmann-printed", 0.45), ("hoffmann-tex", 0.46), ("besiroglu", 0.51), ("rule-20", 0.50)]
)
def test_size_grows_with_the_budget_as_the_papers_say(name: str, exponent: float) -> None:
    """2203.15556, table 2 (approach 1: .50, approach 3: .46); 2404.10102 (.51)."""
    ratio = optimal_for_flops(LAWS[name], 1e25).params / optimal_for_flops(LAWS[name], 1e23).params
    assert np.log(ratio) / np.log(100) == pytest.approx(exponent, abs=0.005)


def test_published_models_are_those_of_the_sources() -> None:
    models = {model.name: model for model in PUBLISHED_MODELS}
    notes = {"GPT-3": (175e9, 300e9), "LaMDA": (137e9, 168e9), "Gopher": (280e9, 300e9), "Chinchilla": (70e9, 1.4e12)}
    table = {"Jurassic-1": (178e9, 300e9), "MT-NLG": (530e9, 270e9), "PaLM": (540e9, 780e9)}
    for name, (params, tokens) in {**notes, **table}.items():
        assert (models[name].params, models[name].tokens) == (params, tokens)
    counted = {
        "GPT-3": "GPT-3-175B",
        "LLaMA-7B": "Llama-1-7B",
        "LLaMA-65B": "Llama-1-65B",
        "Llama-2-70B": "Llama-2-70B",
        "Llama-3-8B": "Llama-3-8B",
        "Llama-3.1-405B": "Llama-3.1-405B",
        "DeepSeek-V3": "DeepSeek-V3",
        "Qwen2.5-72B": "Qwen2.5-72B",
        "SmolLM2-135M": "SmolLM2-135M",
    }
    for name, preset in counted.items():
        assert models[name].params == pytest.approx(count_parameters(load_preset(preset).spec).active, rel=0.015)
    trillions = {"LLaMA-7B": 1.0, "LLaMA-65B": 1.4, "Llama-2-70B": 2.0, "Llama-3-8B": 15, "Llama-3.1-405B": 15.6}
    trillions |= {"DeepSeek-V3": 14.8, "Qwen2.5-72B": 18, "SmolLM2-135M": 2}
    assert {name: models[name].tokens / 1e12 for name in trillions} == trillions
    assert set(models) == {*notes, *table, *counted}


def test_published_utilisations() -> None:
    marks = [(0.213, "GPT-3"), (0.325, "Gopher"), (0.302, "MT-NLG"), (0.462, "PaLM")]  # 2204.02311, table 3
    marks += [(0.43, "Llama 3.1 405B, 8,192"), (0.41, "Llama 3.1 405B, 16,384")]  # 2407.21783, table 4
    assert [mark.mfu for mark in PUBLISHED_MFU] == [mfu for mfu, _ in marks]
    assert all(mark.run.startswith(name) for mark, (_, name) in zip(PUBLISHED_MFU, marks, strict=True))


# Dense bf16 TFLOP/s, GB, TB/s, W, lowest and highest price: the makers' sheets, transcribed a second time.
HARDWARE = {
    "H100 SXM": (989.4, 80, 3.35, 700, 1.99, 5.00),
    "H100 NVL": (835.5, 94, 3.9, 400, 1.99, 5.00),
    "H100 PCIe": (756, 80, 2.0, 350, 1.99, 5.00),
    "H200": (989, 141, 4.8, 700, 2.50, 7.00),
    "A100-80 SXM": (312, 80, 2.039, 400, 0.80, 3.00),
    "B200": (2250, 180, 7.7, 1000, None, None),
    "L4": (121, 24, 0.30, 72, None, None),
    "L40S": (362, 48, 0.864, 350, None, None),
    "RTX 4090": (165.2, 24, 1.008, 450, 0.29, 0.69),
    "MI300X": (1307, 192, 5.3, 750, None, None),
}


def test_hardware_is_that_of_the_sheets() -> None:
    assert set(gpu_table()) == set(HARDWARE)
    for name, (tflops, gigabytes, bandwidth, watts, low, high) in HARDWARE.items():
        gpu = gpu_table()[name]
        sizes = (gpu.peak_flops / 1e12, gpu.memory_bytes / 1e9, gpu.bandwidth / 1e12, gpu.watts)
        assert sizes == pytest.approx((tflops, gigabytes, bandwidth, watts))
        assert (gpu.price_low, gpu.price_high) == (low, high)


@pytest.mark.parametrize("law", FITTED, ids=lambda law: law.name)
@pytest.mark.parametrize("flops", [1e18, 5.76e23, 1e27])
def test_the_closed_form_is_the_minimum(law: ScalingLaw, flops: float) -> None:
    best = optimal_for_flops(law, flops)
    minimum = minimize_scalar(
        lambda log_n: loss(law, np.exp(log_n), flops / 6 / np.exp(log_n)),
        bounds=(10, 40),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert best.params == pytest.approx(np.exp(minimum.x), rel=1e-3)
    assert best.loss <= minimum.fun + 1e-12
    assert 6 * best.params * best.tokens == pytest.approx(flops)
    again = optimal_for_params(law, best.params)
    assert again.flops == pytest.approx(flops) and again.tokens == pytest.approx(best.tokens)


@quiet
@given(st.sampled_from(list(LAWS.values())), st.floats(1e7, 1e12), st.floats(1e8, 1e14), st.floats(1.01, 10))
def test_loss_falls_with_size_and_data(law: ScalingLaw, params: float, tokens: float, more: float) -> None:
    here = loss(law, params, tokens)
    assert law.irreducible < loss(law, params * more, tokens) < here
    assert law.irreducible < loss(law, params, tokens * more) < here
    assert tokens_for_loss(law, params, here) == pytest.approx(tokens, rel=1e-6)
    assert explain_loss(law, params, tokens).value == pytest.approx(here)


def test_rule_20_and_refusals() -> None:
    rule = optimal_for_params(LAWS["rule-20"], 3e9)
    assert rule.tokens == pytest.approx(60e9) and rule.loss == pytest.approx(loss(LAWS["hoffmann-tex"], 3e9, 60e9))
    for bad in (
        lambda: find_law("newton"),
        lambda: tokens_for_loss(LAWS["sardana"], 1e6, 1.7),
        lambda: data_factor(LAWS["sardana"], 2.0, 1.5),
        lambda: data_factor(LAWS["sardana"], 2.0, 2.5),
        lambda: loss(LAWS["sardana"], 0, 1),
    ):
        with pytest.raises(BadInput):
            bad()
    assert {"Gopher", "Chinchilla", "GPT-3", "LaMDA"} <= {model.name for model in PUBLISHED_MODELS}


@pytest.mark.parametrize("law", FITTED, ids=lambda law: law.name)
@pytest.mark.parametrize("demand", [1e9, 1e12, 1e14])
def test_lifetime_is_the_minimum_by_brute_force(law: ScalingLaw, demand: float) -> None:
    best = optimise_lifetime(law, 30e9, demand)
    smallest = (law.a / (best.loss - law.irreducible)) ** (1 / law.alpha)
    sizes = np.geomspace(smallest * 1.0001, 60e9, 40_000)
    tokens = (law.b / (best.loss - law.irreducible - law.a / sizes**law.alpha)) ** (1 / law.beta)
    totals = 6 * sizes * tokens + 2 * sizes * demand
    assert best.total_flops <= totals.min() * (1 + 1e-9)
    assert best.params == pytest.approx(sizes[totals.argmin()], rel=1e-2)
    assert loss(law, best.params, best.train_tokens) == pytest.approx(best.loss)
    assert best.total_flops <= best.baseline_flops * (1 + 1e-12)


@pytest.mark.parametrize("law", FITTED, ids=lambda law: law.name)
def test_the_cheapest_life_by_brute_force(law: ScalingLaw) -> None:
    """Dollars of training, reading and writing, each at its own utilisation, over a grid of sizes of equal loss."""
    used = Utilisation(0.4, 0.5, 0.02)
    best = optimise_lifetime_cost(law, 30e9, 4e12, 1e12, used)
    floor = law.a / (best.loss - law.irreducible)
    sizes = np.geomspace(floor ** (1 / law.alpha) * 1.0001, 60e9, 40_000)
    tokens = (law.b / (best.loss - law.irreducible - law.a / sizes**law.alpha)) ** (1 / law.beta)

    def dollars(size: float | np.ndarray, trained: float | np.ndarray) -> float | np.ndarray:
        return (6 * size * trained / 0.4 + 2 * size * (4e12 / 0.5 + 1e12 / 0.02)) / H100.peak_flops / 3600 * 3.0

    every = np.asarray(dollars(sizes, tokens))
    assert dollars(best.params, best.train_tokens) <= every.min() * (1 + 1e-9)
    assert best.params == pytest.approx(sizes[every.argmin()], rel=1e-2)
    every_token_once = 6 * best.params * best.train_tokens + 2 * best.params * 5e12  # whatever it costs
    assert best.total_flops == pytest.approx(every_token_once)


def test_more_demand_makes_smaller_models() -> None:
    sizes = [optimise_lifetime(LAWS["sardana"], 30e9, demand).params for demand in (0, 1e11, 1e12, 1e13, 1e14)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(30e9, rel=1e-6)


def test_lifetime_in_money_weighs_slow_decoding() -> None:
    law = LAWS["sardana"]
    even = optimise_lifetime_cost(law, 30e9, 5e12, 5e12, Utilisation(0.5, 0.5, 0.5))
    assert even.params == pytest.approx(optimise_lifetime(law, 30e9, 1e13).params, rel=1e-6)
    assert optimise_lifetime_cost(law, 30e9, 5e12, 5e12, Utilisation(0.5, 0.5, 0.01)).params < even.params
    with pytest.raises(BadInput, match="decode"):
        Utilisation(decode=0)


def test_curves_agree_with_the_formulas() -> None:
    law = LAWS["besiroglu"]
    surface = loss_surface(law, points=12)
    assert surface.loss.shape == (12, 12)
    assert surface.loss[3, 7] == pytest.approx(loss(law, surface.params[7], surface.tokens[3]))
    iso = iso_flop_curve(law, 1e22)
    best = optimal_for_flops(law, 1e22)
    assert iso.params[iso.loss.argmin()] == pytest.approx(best.params, rel=0.05)
    assert np.all(iso.loss >= best.loss - 1e-12)
    over = over_training_curve(law, 7e9)
    assert loss_of(law, over.params, over.tokens) == pytest.approx(over.loss)
    assert over.params[over.flops.argmin()] == pytest.approx(7e9, rel=0.05)
    assert {curve.law for curve in optimum_curves(points=3)} == set(LAWS)
    drops = data_for_drop(3.4, [2.8, 1.0])
    assert drops["hoffmann-printed"][0] == pytest.approx(4.68, abs=0.01) and np.isnan(drops["besiroglu"][1])


def test_too_few_epochs_are_named_and_not_the_tokens_they_make() -> None:
    with pytest.raises(BadInput, match="^epochs") as refused:
        training_tokens(1e12, 1e-30)
    assert refused.value.field == "epochs"
    assert training_tokens(1e12, 1e-12) == 1.0
