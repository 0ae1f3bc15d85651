"""Plans: what is counted before anything runs, and what a stranger's plan may hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from playground.errors import BadInput
from playground.sampling.settings import SamplerSettings
from playground.testtime.types import ScorerSpec
from playground.tuning.examples import Example, built_in
from playground.tuning.plan import Plan, read_plan
from playground.tuning.plan_file import plan_json, plan_yaml, read_plan_text

GOOD: dict[str, Any] = {
    "examples": [{"prompt": "Hi", "checks": ["length:1-9c"], "tags": ["a"]}, {"prompt": "Bye", "reference": "Ciao"}],
    "settings": {"today": {}, "cool": {"temperature": "0.3", "order": "vllm"}},
}


def read(**changes: object) -> Plan:
    return read_plan(GOOD | changes, lambda file: (Example(file),))


def test_a_plan_is_read_and_counted() -> None:
    plan = read(samples="3", max_new_tokens=10, measures=["checks", "mentions"], require={"checks": "0.5"})
    assert plan.examples[0] == Example("Hi", checks=(ScorerSpec("length", "1-9c"),), tags=("a",))
    assert plan.settings["cool"] == SamplerSettings(temperature=0.3, order="vllm")
    assert plan.present == "today" and plan.arms == ("today", "cool", "control")
    assert (plan.texts, plan.most_tokens) == (3 * 2 * 3, 180) and plan.require == {"checks": 0.5}
    assert [measure.name for measure in plan.measures] == ["checks", "mentions"]
    assert read(examples="file.csv").examples == (Example("file.csv"),)


def test_a_plan_s_file_is_the_plan() -> None:
    settings = {
        "today": {"temperature": 0.7, "top_p": 0.9, "order": "vllm"},
        "more": {
            "logit_bias": {"5": -1.5},
            "dry_multiplier": 0.8,
            "dry_sequence_breakers": ["\n", ":"],
            "order": "llama.cpp",
        },
    }
    plan = read(
        settings=settings, samples=3, seed=2**32 - 1, measures=["json", "checks", "length:1-9c"], require={"checks": 1}
    )
    for own in (plan, replace(plan, examples=built_in(), chat=True)):
        for write in (plan_json, plan_yaml):
            again = read_plan_text(write(own), _no)
            assert replace(again, measures=()) == replace(own, measures=())
            assert [measure.name for measure in again.measures] == ["json", "checks", "length:1-9c"]


def _no(file: str) -> tuple[Example, ...]:
    raise AssertionError(file)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"examples": []}, "examples"),
        ({"examples": [{"prompt": ""}]}, "example 1: it has no prompt"),
        ({"examples": [{"prompt": "a", "checks": ["nope"]}]}, "example 1: scorer: there is no 'nope'"),
        ({"examples": [{"text": "a"}]}, "examples"),
        ({"settings": {}}, "settings"),
        ({"settings": {f"s{n}": {} for n in range(13)}}, "settings"),
        ({"settings": {"a": {"temperature": -1}}}, "setting 'a': temperature"),
        ({"settings": {"a": {"heat": 1}}}, "setting 'a': heat"),
        ({"settings": {"control": {}}}, "cannot be called 'control'"),
        ({"samples": 0}, "samples: "),
        ({"samples": "many"}, "samples: "),
        ({"seed": -1}, "seed: "),
        ({"measures": ["beauty"]}, "measures: there is no measure 'beauty'"),
        ({"measures": ["json:{"]}, "measures: "),
        ({"require": {"tokens": 3}}, "require: 'tokens' is not among the measures"),
        ({"require": {"tokens": 3}, "measures": ["tokens"]}, "neither better nor worse"),
        ({"other": 1}, "other: "),
        ({"examples": [{"prompt": "a", "tags": ["\ud800"]}]}, "half a surrogate pair"),
        ({"settings": {"\ud800": {}}}, "half a surrogate pair"),
        ({"examples": [{"prompt": "a"}] * 200, "samples": 64}, "at most 20,000 are written"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match="The plan cannot be used: ") as refused:
        read(**changes)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_no_plan_at_all() -> None:
    for data in ("text", [1], None, 3.5):
        with pytest.raises(BadInput, match="The plan cannot be used"):
            read_plan(data, lambda file: ())
