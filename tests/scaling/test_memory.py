"""Memory and fitting: the traps of other calculators, monotonicity, and advice that works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.scaling.configs import load_preset, preset_names
from playground.scaling.curves import find_crossings, memory_curve
from playground.scaling.fitting import check_fit
from playground.scaling.hardware import find_gpu
from playground.scaling.memory import (
    WEIGHT_BYTES,
    MemoryPlan,
    activation_bytes,
    kv_bytes,
    kv_bytes_per_token,
    measure_memory,
    sparse_weights_bytes,
    state_bytes,
)
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import Attention, Mamba2

quiet = settings(derandomize=True, database=None, deadline=None, max_examples=60)
PRESETS = st.sampled_from(preset_names())
LLAMA3, MIXTRAL = load_preset("Llama-3-8B").spec, load_preset("Mixtral-8x7B").spec


def test_grouped_query_attention_is_not_ignored() -> None:
    attention = LLAMA3.blocks[0].mixer
    assert isinstance(attention, Attention)
    full = replace(attention, kv_heads=32)
    ungrouped = replace(LLAMA3, blocks=(replace(LLAMA3.blocks[0], mixer=full),))
    assert kv_bytes_per_token(ungrouped) == 4 * kv_bytes_per_token(LLAMA3)


def test_all_experts_are_resident() -> None:
    report = measure_memory(MemoryPlan(MIXTRAL, context=1))
    assert report.weights_bytes == 2 * count_parameters(MIXTRAL).total > 3 * 2 * count_parameters(MIXTRAL).active


def test_windows_stop_growing() -> None:
    mistral = load_preset("Mistral-7B").spec
    assert kv_bytes(mistral, 4096) == kv_bytes(mistral, 100_000) == 4096 * kv_bytes_per_token(mistral)
    gemma = load_preset("Gemma-3-1B").spec  # 22 layers see 512 tokens, 4 see everything; 2·1·256·2 bytes a layer
    assert kv_bytes(gemma, 10_000) == 1024 * (22 * 512 + 4 * 10_000)


def test_recurrent_state_is_constant_and_counted() -> None:
    mamba = load_preset("Mamba-130M").spec
    assert kv_bytes(mamba, 10**6) == 0
    assert state_bytes(mamba) == 24 * 1536 * (16 + 4) * 2
    mamba2 = load_preset("Mamba-2-2.7B").spec
    assert state_bytes(mamba2) == 64 * (5120 * 128 + 4 * (5120 + 2 * 128)) * 2
    assert state_bytes(load_preset("RWKV-4-169M").spec) == 5 * 768 * 12 * 2
    mixer = mamba2.blocks[0].mixer
    assert isinstance(mixer, Mamba2)
    grouped = replace(mixer, groups=8)
    mamba2 = replace(mamba2, blocks=(replace(mamba2.blocks[0], mixer=grouped),))
    assert state_bytes(mamba2) == 64 * (5120 * 128 + 4 * (5120 + 2 * 8 * 128)) * 2
    jamba = load_preset("Jamba-v0.1").spec
    assert kv_bytes(jamba, 1) > 0 and state_bytes(jamba) == 28 * 8192 * 20 * 2


def test_activations_follow_korthikanti() -> None:
    gpt3 = load_preset("GPT-3-175B").spec
    s, b, d, h = 2048, 1, 12288, 96
    assert activation_bytes(gpt3, s, b) == pytest.approx(96 * s * b * d * (34 + 5 * h * s / d))
    assert activation_bytes(gpt3, s, b, "selective") == 96 * 34 * s * b * d
    assert activation_bytes(gpt3, s, b, "full") == 96 * 2 * s * b * d


def test_activations_count_every_sequence_and_the_square_of_attention_layers_alone() -> None:
    one, four = (activation_bytes(LLAMA3, 512, batch) for batch in (1, 4))
    assert four == 4 * one
    mamba = load_preset("Mamba-130M").spec
    assert activation_bytes(mamba, 512, 2) == 24 * 34 * 512 * 2 * 768  # nothing grows with the square of the length
    for batch, recompute in ((1, "none"), (3, "selective"), (2, "full")):
        plan = MemoryPlan(LLAMA3, training="adam", context=512, batch=batch, recompute=recompute)
        assert measure_memory(plan).activation_bytes == activation_bytes(LLAMA3, 512, batch, recompute)


@pytest.mark.parametrize(
    ("dtype", "bits"), [("float32", 32), ("bfloat16", 16), ("float16", 16), ("int8", 8), ("int4", 4)]
)
def test_bytes_of_a_number(dtype: str, bits: int) -> None:
    report = measure_memory(MemoryPlan(LLAMA3, dtype, context=1000))
    assert report.weights_bytes * 8 == bits * count_parameters(LLAMA3).total
    assert report.kv_bytes == 131_072_000 * max(bits, 16) // 16  # a quantised model's cache stays in 16 bits
    assert (report.gradient_bytes, report.optimizer_bytes, report.activation_bytes) == (0, 0, 0)


@pytest.mark.parametrize(
    ("training", "sizes"),
    [("adam", (2, 2, 12)), ("adam-fp32-gradients", (2, 4, 12)), ("adam-8bit", (2, 2, 6)), ("sgd-momentum", (2, 2, 8))],
)
def test_training_bytes_per_parameter(training: str, sizes: tuple[int, int, int]) -> None:
    params = count_parameters(LLAMA3).total
    report = measure_memory(MemoryPlan(LLAMA3, training=training, context=1, recompute="full"))
    parts = (report.weights_bytes, report.gradient_bytes, report.optimizer_bytes)
    assert parts == tuple(size * params for size in sizes)
    assert report.total_bytes == sum(parts) + report.activation_bytes
    assert (report.kv_bytes, report.kv_bytes_per_token, report.state_bytes) == (0, 0, 0)


@pytest.mark.parametrize("stage", range(4))
def test_a_zero_stage_shards_what_it_names(stage: int) -> None:
    """ZeRO 1 shards the optimizer's states, 2 the gradients too, 3 the weights too (1910.02054, section 3)."""
    plan = MemoryPlan(LLAMA3, training="adam", zero=stage, gpus=64, context=1)
    report, params = measure_memory(plan), count_parameters(LLAMA3).total
    parts = (report.weights_bytes, report.gradient_bytes, report.optimizer_bytes)
    cuts = (64 if stage >= 3 else 1, 64 if stage >= 2 else 1, 64 if stage >= 1 else 1)
    assert parts == pytest.approx([size * params / cut for size, cut in zip((2, 2, 12), cuts, strict=True)])


SHOWN = {
    "Weights": "weights_bytes",
    "Cache per token": "kv_bytes_per_token",
    "Key-value cache": "kv_bytes",
    "Recurrent state": "state_bytes",
    "Weights per GPU": "weights_bytes",
    "Gradients per GPU": "gradient_bytes",
    "Optimizer states per GPU": "optimizer_bytes",
    "Activations per GPU": "activation_bytes",
}


@pytest.mark.parametrize("name", preset_names())
def test_what_is_shown_is_what_is_reported(name: str) -> None:
    spec = load_preset(name).spec
    plans = [MemoryPlan(spec, dtype, context=777, batch=3) for dtype in ("float32", "bfloat16", "int4")]
    plans += [MemoryPlan(spec, training="adam", zero=stage, gpus=8, batch=3) for stage in range(4)]
    for plan in plans:
        report = measure_memory(plan)
        for shown in report.figures:
            assert shown.value == pytest.approx(getattr(report, SHOWN[shown.name]))
            symbols = {symbol.name: symbol.value for symbol in shown.symbols}
            if shown.name == "Weights":
                assert symbols == {"N": count_parameters(spec).total, "b": WEIGHT_BYTES[plan.dtype]}
        assert {"Weights", "Weights per GPU"} & {shown.name for shown in report.figures}


def test_training_in_float32_keeps_no_second_copy() -> None:
    params = count_parameters(LLAMA3).total
    report = measure_memory(MemoryPlan(LLAMA3, "float32", training="adam", context=1))
    assert (report.weights_bytes, report.gradient_bytes, report.optimizer_bytes) == (4 * params, 4 * params, 8 * params)
    half = measure_memory(MemoryPlan(LLAMA3, training="adam", context=1))
    assert report.activation_bytes == 2 * half.activation_bytes


def test_sparsity_saves_only_in_a_sparse_format() -> None:
    assert sparse_weights_bytes(7e9, 0.9) == pytest.approx(2.8e9)
    assert sparse_weights_bytes(7e9, 0.3) > 7e9 * 2  # dearer than dense: every index costs too
    with pytest.raises(BadInput, match="sparsity"):
        sparse_weights_bytes(7e9, 1.1)


@quiet
@given(PRESETS, st.integers(1, 10**6), st.integers(1, 64), st.sampled_from(["float32", "bfloat16", "int8", "int4"]))
def test_parts_add_up_and_more_never_takes_less(name: str, context: int, batch: int, dtype: str) -> None:
    plan = MemoryPlan(load_preset(name).spec, dtype, context, batch)
    report = measure_memory(plan)
    assert sum(size for _, size in report.parts) == pytest.approx(report.total_bytes)
    assert measure_memory(replace(plan, context=2 * context)).total_bytes >= report.total_bytes
    doubled = measure_memory(replace(plan, batch=2 * batch))
    assert doubled.kv_bytes == 2 * report.kv_bytes and doubled.state_bytes == 2 * report.state_bytes
    assert measure_memory(replace(plan, gpus=2)).per_gpu_bytes == pytest.approx(report.per_gpu_bytes / 2)


@quiet
@given(PRESETS, st.integers(2, 512), st.sampled_from(["adam", "adam-fp32-gradients", "adam-8bit", "sgd-momentum"]))
def test_every_zero_stage_saves_and_keeps_the_whole(name: str, gpus: int, training: str) -> None:
    plan = MemoryPlan(load_preset(name).spec, training=training, gpus=gpus, context=128)
    totals = [measure_memory(replace(plan, zero=stage)).total_bytes for stage in range(4)]
    assert totals == sorted(totals, reverse=True) and len(set(totals)) == 4
    shard, whole = measure_memory(replace(plan, zero=3)), measure_memory(plan)
    assert shard.weights_bytes * gpus == pytest.approx(whole.weights_bytes)


@quiet
@given(PRESETS, st.sampled_from(["l4", "a100-80", "h100 sxm"]), st.sampled_from([None, "adam"]), st.integers(1, 8))
def test_fit_limits_are_the_limits_and_advice_works(name: str, gpu: str, training: str | None, gpus: int) -> None:
    plan = MemoryPlan(load_preset(name).spec, context=2048, batch=4, training=training, gpus=gpus)
    fit = check_fit(plan, find_gpu(gpu))
    assert fit.fits == (fit.needed_bytes <= fit.available_bytes) == (not fit.advice)

    def per_gpu(field: str, size: int) -> float:
        sized = replace(plan, batch=size) if field == "batch" else replace(plan, context=size)
        return measure_memory(sized).per_gpu_bytes

    for field, largest, limit in (("batch", fit.largest_batch, 1 << 20), ("context", fit.largest_context, 1 << 30)):
        if largest:
            assert per_gpu(field, largest) <= fit.available_bytes
        if largest < limit:
            assert per_gpu(field, largest + 1) > fit.available_bytes


def test_what_fits_nowhere_says_what_to_change() -> None:
    fit = check_fit(MemoryPlan(load_preset("Llama-3.1-405B").spec), find_gpu("rtx"))
    assert not fit.fits and fit.largest_batch == 0 and fit.largest_context == 0
    assert fit.advice == ("use 64 GPUs",)
    small = check_fit(MemoryPlan(LLAMA3, context=128_000, batch=8), find_gpu("l40s"))
    assert small.advice[-1].startswith("use ") and any("batch" in text for text in small.advice)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dtype", "float7"),
        ("training", "magic"),
        ("zero", 4),
        ("context", 0),
        ("batch", -1),
        ("gpus", 0),
        ("recompute", "some"),
        ("context", 10**13),
    ],
)
def test_bad_plans_name_the_field(field: str, value: object) -> None:
    bad: dict[str, Any] = {field: value}
    with pytest.raises(BadInput) as caught:
        MemoryPlan(LLAMA3, **bad)
    assert caught.value.field == field


def test_quantised_training_is_refused() -> None:
    with pytest.raises(BadInput, match="serving"):
        MemoryPlan(LLAMA3, dtype="int4", training="adam")


def test_curves_and_crossings() -> None:
    contexts = np.geomspace(1, 1e6, 200)
    names = ("Llama-3-8B", "DeepSeek-V3", "Mamba-2.8B", "Jamba-v0.1")
    curves = [memory_curve(load_preset(name).spec, contexts) for name in names]
    assert np.all(np.diff(curves[2].cache_bytes) == 0) and np.all(np.diff(curves[0].cache_bytes) > 0)
    crossings = find_crossings(curves)
    pair = next(item for item in crossings if {item.grower, item.other} == {"Llama-3-8B", "Mamba-2.8B"})
    assert pair.grower == "Llama-3-8B"
    # By hand: 131,072 bytes a token against a state of 64 · 5120 · 20 · 2 bytes.
    assert pair.context == pytest.approx(64 * 5120 * 20 * 2 / 131_072, rel=1e-3)
    with pytest.raises(BadInput):
        find_crossings([curves[0], memory_curve(LLAMA3, [1.0, 2.0])])
