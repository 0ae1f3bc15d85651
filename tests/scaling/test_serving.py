"""Serving, API prices and languages: bounds, mixtures, break-even by simulation, and fits that find the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.scaling.api_prices import (
    ApiPrice,
    Query,
    break_even,
    packaged_prices,
    price_query,
    read_price_csv,
)
from playground.scaling.configs import load_preset, preset_names
from playground.scaling.hardware import find_gpu
from playground.scaling.inference import (
    ServingPlan,
    attention_decode_flops,
    attention_prefill_flops,
    experts_read,
    predict_serving,
    sweep_batch,
    sweep_context,
    sweep_samples,
    weights_read,
)
from playground.scaling.languages import token_ratios, under_representation
from playground.scaling.parameters import count_parameters

quiet = settings(derandomize=True, database=None, deadline=None, max_examples=60)
H100 = find_gpu("h100 sxm")
LLAMA = load_preset("Llama-3-8B").spec
MIXTRAL = load_preset("Mixtral-8x7B").spec


def test_one_row_is_bound_by_memory_and_many_by_compute() -> None:
    one, many = sweep_batch(ServingPlan(LLAMA, H100, prompt_tokens=64, new_tokens=2, price=2.0), [1, 4096])
    assert one.bound == "memory" and many.bound == "compute" and one.prefill_bound == "memory"
    cache = 131_072 * 65
    assert one.decode_s_per_token == pytest.approx((2 * count_parameters(LLAMA).total + cache) / 3.35e12)
    assert one.cost_per_million_tokens == pytest.approx(2 * 1e6 / 3600 / one.tokens_per_s)
    assert predict_serving(ServingPlan(LLAMA, H100, prompt_tokens=4096)).prefill_bound == "compute"


@quiet
@given(st.sampled_from(preset_names()), st.integers(1, 512), st.integers(1, 50_000), st.integers(1, 2000))
def test_monotone_and_scaling(name: str, batch: int, prompt: int, new: int) -> None:
    plan = ServingPlan(load_preset(name).spec, H100, 1, "bfloat16", batch, prompt, new, 2.0)
    here = predict_serving(plan)
    for field in ("batch", "prompt_tokens", "new_tokens"):
        more = predict_serving(replace(plan, **{field: 2 * getattr(plan, field)}))
        assert more.decode_s_per_token >= here.decode_s_per_token
        assert more.needed_bytes >= here.needed_bytes
    assert predict_serving(replace(plan, batch=2 * batch)).tokens_per_s >= here.tokens_per_s * (1 - 1e-12)
    two = predict_serving(replace(plan, count=2))
    assert two.decode_s_per_token == pytest.approx(here.decode_s_per_token / 2)
    assert two.cost_per_million_tokens == pytest.approx(here.cost_per_million_tokens)
    half = predict_serving(replace(plan, compute_efficiency=0.5, bandwidth_efficiency=0.5))
    assert half.prefill_s == pytest.approx(2 * here.prefill_s)
    assert here.end_to_end_tokens_per_s < here.tokens_per_s


def test_experts_read_by_simulation() -> None:
    generator = np.random.default_rng(0)
    for experts, top_k, rows in ((8, 2, 4), (256, 8, 32)):
        distinct = [
            len({expert for _ in range(rows) for expert in generator.choice(experts, top_k, replace=False)})
            for _ in range(400)
        ]
        assert experts_read(experts, top_k, rows) == pytest.approx(np.mean(distinct), rel=0.03)
    count = count_parameters(MIXTRAL)
    assert weights_read(MIXTRAL, 1, 2.0) == pytest.approx(2 * count.active)
    assert weights_read(MIXTRAL, 10**4, 2.0) == pytest.approx(2 * count.total)
    assert weights_read(LLAMA, 1, 2.0) == weights_read(LLAMA, 99, 2.0) == 2 * count_parameters(LLAMA).total


def test_samples_share_one_prefill() -> None:
    one, eight = sweep_samples(ServingPlan(LLAMA, H100, prompt_tokens=1000, price=2.0), [1, 8])
    assert eight.prefill_s == one.prefill_s and eight.tokens_per_s > 6 * one.tokens_per_s
    assert one.cost_per_query is not None and eight.cost_per_query is not None
    assert one.cost_per_query < eight.cost_per_query < 8 * one.cost_per_query
    short, long = sweep_context(ServingPlan(LLAMA, H100), [100, 100_000])
    assert long.decode_s_per_token > short.decode_s_per_token and long.cost_per_query is None


def test_what_does_not_fit_says_so() -> None:
    assert not predict_serving(ServingPlan(load_preset("Llama-3.1-405B").spec, H100)).fits
    assert predict_serving(ServingPlan(load_preset("Llama-3.1-405B").spec, H100, count=16)).fits
    for field, value in (("price", 0), ("batch", 0), ("dtype", "x"), ("compute_efficiency", 1.5), ("new_tokens", -1)):
        bad: dict[str, Any] = {field: value}
        with pytest.raises(BadInput):
            ServingPlan(LLAMA, H100, **bad)


def test_packaged_prices_agree_with_their_package() -> None:
    table = packaged_prices()
    assert table.source == "genai-prices 0.2.3" and table.as_of is not None and table.as_of >= "2026-01-01"
    assert len(table.prices) > 500
    price = table.find("gpt-4o", "openai")
    usage = Usage(input_tokens=1000, cache_read_tokens=400, output_tokens=300)
    theirs = calc_price(usage, "gpt-4o", provider_id="openai").total_price
    ours = price_query(price, Query(1000, 200, reasoning_tokens=100, cached_share=0.4))
    assert ours.value == pytest.approx(float(theirs))
    with pytest.raises(BadInput, match="gpt-"):
        table.find("gpt-4o-imaginary")


def test_break_even_by_simulation() -> None:
    price, query = ApiPrice("p", "m", 1.0, 4.0, 0.1), Query(1000, 250)
    point = break_even(price, query, 2.0, 1, tokens_per_s=5000)
    assert point.reachable and point.tokens_per_day is not None
    queries = point.tokens_per_day / 1250
    assert queries * (1000 * 1.0 + 250 * 4.0) / 1e6 == pytest.approx(48.0)
    assert point.capacity_tokens_per_day == pytest.approx(5000 * 86400 / 250 * 1250)
    slow = break_even(price, query, 2.0, 1, tokens_per_s=1)
    assert not slow.reachable and slow.tokens_per_day is None
    dearer = break_even(price, query, 4.0, 1, tokens_per_s=5000)
    assert dearer.tokens_per_day == pytest.approx(2 * point.tokens_per_day)
    assert price_query(price, Query(1000, 250, cached_share=1)).value < point.api_usd_per_query.value
    assert price_query(price, Query(1000, 250, reasoning_tokens=1000)).value > point.api_usd_per_query.value


def test_reasoning_is_written_too_and_an_idle_gpu_serves_less() -> None:
    price, query = ApiPrice("p", "m", 1.0, 4.0), Query(1000, 250, reasoning_tokens=750)
    assert query.tokens == 2000
    busy, idle = (break_even(price, query, 2.0, 1, 5000, usable) for usable in (1.0, 0.25))
    assert busy.capacity_tokens_per_day == pytest.approx(5000 * 86400 / 1000 * 2000)  # 1000 of the 2000 are written
    assert idle.capacity_tokens_per_day == pytest.approx(busy.capacity_tokens_per_day / 4)
    assert busy.tokens_per_day == idle.tokens_per_day == pytest.approx(48 / (5000 / 1e6) * 2000)


@pytest.mark.parametrize("arguments", [(0.0, 1, 100), (2.0, 0, 100), (2.0, 1, 0)])
def test_prices_of_zero_are_refused(arguments: tuple[float, int, float]) -> None:
    with pytest.raises(BadInput):
        break_even(ApiPrice("p", "m", 1.0, 4.0), Query(10, 10), *arguments)


def test_uploaded_tables() -> None:
    table = read_price_csv("\ufeffModel, Input,output,cached_input\nmine,$1.5,6,\nother,2,8,0.2\n", "2026-11-01")
    assert table.find("MINE") == ApiPrice("upload", "mine", 1.5, 6.0, None)
    assert table.find("other").cached_input == 0.2 and table.as_of == "2026-11-01"
    assert read_price_csv("model,input,output\rm,1,2\rn,3,4\r").find("n").output == 4  # as old Macs end a line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "column 'model'"),
        ("model,input\nm,1", "column 'output'"),
        ("model,input,output\n", "no rows"),
        ("model,input,output\nm,nan,1", "line 2"),
        ("model,input,output\nm,1", "line 2"),
        ("model,input,output\n,1,1", "no model"),
        ("x" * 2_000_001, "2 MB"),
        ("model,input,output\nm,-1,1", "input"),
        ("x" * 200_000, "not CSV"),
        ("model,input,output\n" + "x" * 200_000 + ",1,2", "not CSV"),
    ],
)
def test_bad_tables_are_refused_by_line(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        read_price_csv(text)


@pytest.mark.parametrize("day", ["", "yesterday", "2026-19-39", "2026-02-30", "20260228", "2026-02-28 "])
def test_a_table_of_no_day_is_refused(day: str) -> None:
    with pytest.raises(BadInput, match="YYYY-MM-DD"):
        read_price_csv("model,input,output\nm,1,2\n", day)
    assert read_price_csv("model,input,output\nm,1,2\n", "2028-02-29").as_of == "2028-02-29"


def test_a_query_pays_its_share_of_the_time() -> None:
    plan = ServingPlan(LLAMA, H100, count=2, batch=8, prompt_tokens=1000, new_tokens=100, price=3.0)
    here = predict_serving(plan)
    seconds = here.prefill_s + 100 * here.decode_s_per_token
    assert here.cost_per_query == pytest.approx(3.0 * 2 / 3600 * seconds / 8)
    assert here.end_to_end_tokens_per_s == pytest.approx(800 / seconds)
    assert here.needed_bytes == 2 * count_parameters(LLAMA).total + 8 * 1100 * 131_072
    assert here.available_bytes == 160e9


@pytest.mark.parametrize(("dtype", "weight", "number"), [("float32", 4, 4), ("float16", 2, 2), ("int4", 0.5, 2)])
def test_a_step_reads_weights_and_cache_in_their_own_sizes(dtype: str, weight: float, number: int) -> None:
    plan = ServingPlan(LLAMA, H100, dtype=dtype, batch=4, prompt_tokens=1000, new_tokens=200)
    here, params = predict_serving(plan), count_parameters(LLAMA).total
    assert here.decode_s_per_token == pytest.approx((weight * params + 4 * 1100 * 65_536 * number) / 3.35e12)
    assert here.needed_bytes == weight * params + 4 * 1200 * 65_536 * number


def test_arithmetic_of_a_step_by_hand() -> None:
    """What bounds is named by the larger side, and both sides are those of the formulas."""
    deepseek = load_preset("DeepSeek-V3").spec
    # Scores against the latent and the rotary part, then a weighted sum of latents: 2·h·(512 + 64) + 2·h·512 a token.
    assert attention_decode_flops(deepseek, 1000) == 61 * 128 * (2 * 576 + 2 * 512) * 1000
    assert attention_prefill_flops(deepseek, 1000) == 61 * 128 * (128 + 64 + 128) * 1000**2
    gemma = load_preset("Gemma-3-1B").spec  # 22 layers see 512 tokens, 4 see everything
    assert attention_decode_flops(gemma, 10_000) == 4 * 4 * 256 * (22 * 512 + 4 * 10_000)
    for batch in (1, 64, 300, 1000):
        plan = ServingPlan(LLAMA, H100, batch=batch, prompt_tokens=100, new_tokens=100)
        here, params = predict_serving(plan), count_parameters(LLAMA).total
        memory = (2 * params + batch * 150 * 131_072) / 3.35e12
        compute = batch * (2 * params + 32 * 4 * 4096 * 150) / 989.4e12
        assert here.decode_s_per_token == pytest.approx(max(memory, compute))
        assert here.bound == ("memory" if memory >= compute else "compute")
        prompt = batch * (2 * params * 100 + 32 * 2 * 4096 * 100**2) / 989.4e12
        assert here.prefill_s == pytest.approx(max(prompt, 2 * params / 3.35e12))
        assert here.prefill_bound == ("compute" if prompt >= 2 * params / 3.35e12 else "memory")


def test_languages() -> None:
    assert token_ratios([7, 32, 72]) == pytest.approx((1, 4.571, 10.286), abs=1e-3)
    assert under_representation(80e6, 0.01).value == pytest.approx(1)
    for bad in (
        lambda: under_representation(1e12, 0.1),
        lambda: under_representation(1e6, 0),
        lambda: token_ratios([]),
    ):
        with pytest.raises(BadInput):
            bad()


def test_a_price_of_zero_is_a_price_and_a_column_twice_is_refused() -> None:
    (free,) = read_price_csv("\ufeffmodel,input,output,cached_input\nfree,0,0.0,0\n").prices
    assert (free.input, free.output, free.cached_input) == (0.0, 0.0, 0.0)
    with pytest.raises(BadInput, match="two columns 'input'"):
        read_price_csv("model,input,output,input\na,1,2,3\n")
    with pytest.raises(BadInput):
        read_price_csv("model,input,output\na,-1,2\n")
    with pytest.raises(BadInput, match="Line 3 of the price table has more cells"):
        read_price_csv("model,input,output\na,1,2\nb,1,250,3\n")


def test_the_smallest_price_is_not_lost_on_the_way_to_a_query() -> None:
    served = predict_serving(ServingPlan(LLAMA, H100, count=8, new_tokens=10**6, price=5e-324))
    assert served.cost_per_query is not None and served.cost_per_query > 0
