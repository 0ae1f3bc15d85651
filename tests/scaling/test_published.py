"""Every published case, and every disagreement between the notes and the sources."""

from __future__ import annotations

import pytest

from playground.scaling.notes import disagreements
from playground.scaling.published import published_cases
from playground.scaling.published_case import PublishedCase
from playground.scaling.published_models import A100_40
from playground.scaling.published_training import mpt_plan
from playground.scaling.training import cost_training

CASES = published_cases()
TOPICS = {item.topic: item for item in disagreements()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_published_case_is_reproduced(case: PublishedCase) -> None:
    value = case.compute()
    assert case.source
    if case.at_most:
        assert 0 < value <= case.expected
    else:
        assert value == pytest.approx(case.expected, rel=case.tolerance, abs=0)
    assert case.holds()
    assert case.tolerance <= 0.03 or case.note, "a loose tolerance needs its reason"


def test_a_wrong_value_does_not_hold() -> None:
    case = CASES[0]
    wrong = PublishedCase(case.name, case.given, case.expected + 1, case.unit, 0, case.source, case.compute)
    assert not wrong.holds()


# Transcribed from the sources a second time, so that no case can be dropped or bent without a red test.
PUBLISHED = {
    "Llama-2-7B parameters": 6_738_415_616,
    "Llama-3-8B parameters": 8_030_261_248,
    "Mixtral-8x7B parameters": 46_702_792_704,
    "GPT-2-small parameters": 124_439_808,
    "Mixtral-8x7B active parameters": 12.88e9,
    "GPT-3 training compute": 3.14e23,
    "Llama-3.1-405B training compute": 3.8e25,
    "nanoGPT utilisation": 0.371,
    "LLaMA-65B training days": 20.8,
    "LLaMA-65B GPU-hours": 1.02e6,
    "MPT-7B GPU-hours": 100_320,
    "MPT-7B cost": 200_000,
    "Compute-optimal tokens of 0.4B": 8.0e9,
    "Compute-optimal tokens of 1B": 20.2e9,
    "Compute-optimal tokens of 10B": 205.1e9,
    "Compute-optimal tokens of 67B": 1.5e12,
    "Compute-optimal size, hoffmann-tex": 40e9,
    "Compute-optimal size, besiroglu": 72e9,
    "Tokens per parameter, besiroglu": 18.4,
    "Lifetime-optimal size": 13.6e9,
    "Lifetime-optimal data ratio": 2.84,
    "Lifetime FLOPs saved": -0.28,
    "Llama-2-7B cache per token": 524_288,
    "Llama-3-8B cache per token": 131_072,
    "DeepSeek-V3 cache per token": 70_272,
    "Jamba-v0.1 cache at 262,144 tokens": 4 * 2**30,
    "Mixtral-8x7B cache at 262,144 tokens": 32 * 2**30,
    "ZeRO stage 0, 7.5B on 64 GPUs": 120,
    "ZeRO stage 1, 7.5B on 64 GPUs": 31.4,
    "ZeRO stage 2, 7.5B on 64 GPUs": 16.6,
    "ZeRO stage 3, 7.5B on 64 GPUs": 1.9,
    "13B prefill on A100-40": 0.063,
    "13B decode step on A100-40": 0.022,
    "Under-representation of Punjabi": 231.6,
    "Under-representation of English": 0.40,
    "MASSIVE tokens of English": 1.0,
    "MASSIVE tokens of Hindi": 4.57,
    "MASSIVE tokens of Burmese": 10.29,
}


def test_no_case_is_missing() -> None:
    assert {case.name: case.expected for case in CASES} == PUBLISHED


def test_a_bound_is_near_what_it_bounds() -> None:
    for case in CASES:
        if case.at_most:  # an ideal machine is faster than a real one, but not twice as fast here
            assert case.compute() > case.expected / 2
    # The sheet of the A100-40 (dense bf16, GB, TB/s), and both by hand: 2 bytes and 2 FLOPs a parameter.
    assert (A100_40.peak_flops, A100_40.memory_bytes, A100_40.bandwidth) == (312e12, 40e9, 1.555e12)
    prefill, step = (case.compute() for case in CASES if case.at_most)
    assert prefill == pytest.approx(2 * 13.016e9 * 512 / 312e12, rel=0.02)
    assert step == pytest.approx(2 * 13.016e9 / 1.555e12, rel=0.02)


def test_a_run_of_known_length_costs_what_it_cost() -> None:
    """The MPT-7B cases must go through the bill's own formulas, and not through arithmetic of their own."""
    hours, cost = (next(case for case in CASES if case.name == f"MPT-7B {word}") for word in ("GPU-hours", "cost"))
    plan = mpt_plan()
    assert plan.count == 440 and plan.price == 2.0 and 0.3 < plan.mfu < 0.46
    bill = cost_training(plan)
    assert bill.days.value == pytest.approx(9.5)
    assert hours.compute() == bill.gpu_hours.value
    assert bill.cost_usd is not None and cost.compute() == bill.cost_usd.value


def test_notes_gpt3_time_and_cost() -> None:
    time, cost = TOPICS["GPT-3 on 256 H100"], TOPICS["Cost of GPT-3"]
    assert time.as_in_notes[0].value == pytest.approx(236, abs=1)
    assert [figure.value for figure in time.checked] == pytest.approx([17.0, 42.5], abs=0.05)
    assert cost.as_in_notes[0].value == pytest.approx(337, abs=1.5)
    assert cost.as_in_notes[1].value == pytest.approx(4.1e6, rel=0.02)
    assert cost.checked[0].value == pytest.approx(0.52e6, rel=0.01)


def test_notes_other_topics() -> None:
    assert TOPICS["Compute of PaLM-2"].checked[0].value == pytest.approx(7.3e24, rel=0.01)
    drift = [figure.value for figure in TOPICS["Tokens per parameter"].checked]
    assert drift == pytest.approx([32, 139], abs=0.5)
    drop = [figure.value for figure in TOPICS["Data for a loss of 2.8 in place of 3.4"].checked]
    assert drop == pytest.approx([7.7, 4.7, 3.7], abs=0.05)
    weights = TOPICS["Memory of a 7B model"].checked[0].value
    assert weights / 1e9 == pytest.approx(13.48, abs=0.005) and weights / 2**30 == pytest.approx(12.55, abs=0.005)
    sparse = TOPICS["Memory of Mixtral 8x7B"]
    assert sparse.as_in_notes[0].value / 1e9 == pytest.approx(25.8, abs=0.05)
    assert sparse.checked[0].value / 1e9 == pytest.approx(93.4, abs=0.05)
    assert [figure.value for figure in TOPICS["Electricity"].checked[:2]] == [2, 20]
    assert len(TOPICS) == 8
    for item in TOPICS.values():
        assert item.why and item.sources and item.as_in_notes and item.checked


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("Memory of a 7B model", [14e9]),
        ("Memory of Mixtral 8x7B", [25.76e9]),
        ("GPT-3 on 256 H100", [236.6]),
        ("Cost of GPT-3", [338.0, 4.153e6]),
        ("Compute of PaLM-2", [1e22]),
        ("Tokens per parameter", [20]),
        ("Data for a loss of 2.8 in place of 3.4", [10]),
        ("Electricity", [50]),
    ],
)
def test_the_notes_own_answers_stand_beside_the_checked_ones(topic: str, says: list[float]) -> None:
    assert [figure.value for figure in TOPICS[topic].as_in_notes] == pytest.approx(says, rel=1e-3)
    assert not set(says) & {figure.value for figure in TOPICS[topic].checked}


def test_electricity_by_the_iea() -> None:
    assert TOPICS["Electricity"].checked[2].value == pytest.approx(945 / 415)
