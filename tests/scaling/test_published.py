"""Every published case, and every disagreement between the notes and the sources."""

from __future__ import annotations

import pytest

from playground.scaling.notes import disagreements
from playground.scaling.published import PublishedCase, published_cases

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


def test_no_case_is_missing() -> None:
    names = " ".join(case.name for case in CASES)
    for word in (
        "Llama-2-7B", "Llama-3-8B", "Mixtral", "GPT-2", "GPT-3", "405B", "nanoGPT", "67B", "besiroglu", "Lifetime",
        "DeepSeek-V3", "Jamba", "ZeRO", "13B decode", "LLaMA-65B", "MPT", "Punjabi", "MASSIVE",
    ):  # fmt: skip
        assert word in names


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
    for item in TOPICS.values():
        assert item.why and item.sources and item.as_in_notes and item.checked
