"""A plan's texts: settings draw the same numbers, the control others; measures read the texts; nothing is claimed of chance."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from playground.engine.fake.codec import EOS_ID
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.pieces import finish
from playground.errors import BadInput
from playground.testtime.types import Candidate
from playground.tuning.examples import Example
from playground.tuning.measures import MEASURES, find_measure, mean_score, rouge_l
from playground.tuning.plan import Plan, read_plan
from playground.tuning.running import PlanTexts, plan_requests, write_places, write_texts
from tests.engine.small import small_loaded


def plan_of(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "examples": [{"prompt": "ab", "reference": "c"}, {"prompt": "abc"}, {"prompt": "hello"}],
        "settings": {"today": {"temperature": 2}, "same": {"temperature": 2}, "cold": {"temperature": 0}},
        "samples": 2,
        "max_new_tokens": 8,
        "measures": ["tokens", "distinct-2"],
    }
    return read_plan(fields | changes, lambda file: ())


def texts(written: PlanTexts, arm: str) -> list[tuple[int | None, ...]]:
    return [sample.ids for samples in written.texts[arm] for sample in samples]


def test_settings_differ_by_what_they_are_and_the_control_by_chance() -> None:
    plan = plan_of()
    written = finish(write_texts(FakeEngine(), plan))
    assert texts(written, "today") == texts(written, "same") and len(texts(written, "today")) == 6
    assert texts(written, "today") != texts(written, "control") and len(set(texts(written, "cold"))) == 3
    values = written.values(MEASURES["tokens"], plan)
    wanted = [[np.mean([sample.n_tokens for sample in written.texts[arm][n]]) for arm in plan.arms] for n in range(3)]
    np.testing.assert_array_equal(values, wanted)
    again = finish(write_texts(FakeEngine(), plan_of(seed=1)))
    assert texts(again, "today") != texts(written, "today") and texts(again, "cold") == texts(written, "cold")


@pytest.mark.parametrize("rows", [3, 10, 48])
def test_any_part_of_a_plan_in_any_company_is_the_same_texts(rows: int) -> None:
    plan, engine = plan_of(), FakeEngine()
    whole = {place: own for place, own in enumerate(in_order(finish(write_texts(FakeEngine(), plan))))}
    stored = {place: whole[place] for place in (0, 5, 6, 7, 23)}
    steps = list(write_places(engine, plan, range(2, plan.texts), written=stored, rows=rows))
    written = {one.index: one for step in steps for one in step.finished}
    assert set(written) == set(range(2, plan.texts)) - set(stored) and steps[-1].done == len(stored) + len(written)
    assert {place: (one.ids, one.setting) for place, one in written.items()} == {
        place: (whole[place].ids, whole[place].setting) for place in written
    }
    assert sum(step.new_tokens for step in steps) == sum(one.n_tokens for one in written.values())
    assert all(sum(taken) <= rows for taken in engine.joint_steps)
    assert all(one.elapsed_ms > 0 for one in written.values())


def test_rows_that_end_give_their_place_to_the_next() -> None:
    """Texts end after 1 to 8 tokens: passes stay full all the same, but for the last ones."""
    ending = {"temperature": 2, "logit_bias": {str(EOS_ID): 5}}
    engine, plan = FakeEngine(), plan_of(samples=8, settings={"today": ending, "cold": {"temperature": 0}})
    steps = list(write_places(engine, plan, range(plan.texts), rows=24))
    assert len({one.n_tokens for step in steps for one in step.finished}) > 3
    passes = [sum(taken) for taken in engine.joint_steps]
    assert min(passes[:-8]) > 24 - 12 and sum(passes) / len(passes) > 24 - 8


def in_order(written: PlanTexts) -> list[Candidate]:
    arms = list(written.texts.values())
    return [one for example in range(len(arms[0])) for arm in arms for one in arm[example]]


def test_it_says_how_many_texts_are_finished() -> None:
    counts = [step.done for step in write_texts(FakeEngine(), plan_of())]
    assert counts == sorted(counts) and counts[-1] == plan_of().texts == 24


def candidate(text: str, ids: tuple[int, ...] = (), logprobs: tuple[float, ...] = ()) -> Candidate:
    numbers = np.array(logprobs, dtype=np.float32)
    return Candidate(0, (1,), ids, text, "length", numbers, numbers, numbers, numbers, numbers[:, None], 10)


OF_TEXTS = {"exact", "rouge-l", "similarity", "consistency", "sameness", "latency"}


def test_each_measure_by_hand() -> None:
    (example,) = plan_of(examples=[{"prompt": "a", "checks": ["json", "length:1-2w"], "reference": "Anna"}]).examples
    own = candidate("I cannot, Anna", (1, 2, 1, 2, 1), (-1, -3, -1, -3, -2))
    scores = {name: each.score(own, example) for name, each in MEASURES.items() if name not in OF_TEXTS}
    chrf = scores.pop("chrf")
    assert chrf is not None and 0 < chrf < 1 and MEASURES["chrf"].score(candidate("Anna"), example) == 1
    assert chrf == pytest.approx(chrf2("I cannot, Anna", "Anna"))
    assert scores == {"checks": 0, "repetition": 0, "distinct-2": 0.5, "tokens": 5, "refusals": 1, "logprob": -2}
    assert MEASURES["checks"].score(candidate("[1]"), example) == 1
    assert find_measure("mentions").score(own, example) == 1
    bare = Example("a")
    nothing = ("checks", "chrf", "repetition", "distinct-2", "logprob")
    assert [MEASURES[name].score(candidate("x"), bare) for name in nothing] == [None] * 5
    assert all(np.isnan(mean_score(MEASURES[name], [own], bare)) for name in OF_TEXTS)
    assert find_measure("mentions").score(own, bare) is None
    assert np.isnan(mean_score(MEASURES["checks"], [own], bare))
    assert all(m.definition.endswith(".") and m.blind_spot.endswith(".") for m in MEASURES.values())
    for wrong, said in (
        ("judge", "there is no measure 'judge'"),
        ("cost:cheap", "cost takes the prices"),
        ("consistency:mood", "consistency takes one of number, "),
    ):
        with pytest.raises(BadInput, match=said):
            find_measure(wrong)


def test_measures_of_texts_against_a_reference_and_each_other() -> None:
    example = Example("a", reference="The ﬁsh sat.")
    texts = [candidate("the  FISH sat."), candidate("A fish sat down"), candidate("42")]
    assert mean_score(find_measure("exact"), texts, example) == pytest.approx(1 / 3)
    assert mean_score(find_measure("consistency"), texts, example) == pytest.approx(1 / 3)
    numbers = [candidate("It is 3."), candidate("3"), candidate("so 3.0"), candidate("none")]
    assert mean_score(find_measure("consistency:number"), numbers, example) == 0.75
    pairs = [rouge_l(one.text, other.text) for one, other in combinations(texts, 2)]
    assert mean_score(find_measure("sameness"), texts, example) == pytest.approx(sum(pairs) / 3)
    own = replace(candidate("x", (1, 2, 3)), elapsed_ms=500.0)
    assert find_measure("latency").score(own, example) == 0.5
    assert find_measure("cost:2/10").score(own, example) == pytest.approx((1 * 2 + 3 * 10) / 1e6)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("the cat sat on the mat", "the cat lay on a mat"),
        ("a b c d", "d c b a"),
        ("one two three four five", "two four one five three one"),
        ("nothing", "in common"),
    ],
)
def test_rouge_l_equals_rouge_score(text: str, other: str) -> None:
    wanted = RougeScorer(["rougeL"]).score(other, text)["rougeL"].fmeasure
    assert rouge_l(text, other) == pytest.approx(wanted)
    assert rouge_l("Здравствуй, мир", "здравствуй мир") == 1 and rouge_l("", "") == 0


def chrf2(text: str, reference: str) -> float:
    """chrF2 of one sentence from its definition: mean precision and recall of character n-grams, recall counted double."""
    scores = []
    for n in range(1, 7):
        ours, theirs = (
            Counter(line[place : place + n] for place in range(len(line) - n + 1))
            for line in (text.replace(" ", ""), reference.replace(" ", ""))
        )
        if ours and theirs:
            shared = (ours & theirs).total()
            precision, recall = shared / ours.total(), shared / theirs.total()
            scores.append((precision, recall))
    p, r = (sum(pair[side] for pair in scores) / len(scores) for side in (0, 1))
    return float(5 * p * r / (4 * p + r))


def test_a_prompt_is_read_once_for_all_of_its_settings() -> None:
    """By a real, small model, in batches that part a prompt's texts: each token of a prompt goes through it once."""
    engine = TransformersEngine(small_loaded("llama"))
    assert engine.joins_steps  # which is tried on texts of its own
    read: list[int] = []

    def note(_module: object, _args: object, given: dict[str, Any]) -> None:
        if given["input_ids"].shape[1] > 1:  # a step has one token a row
            read.append(given["input_ids"].shape[1])

    engine.loaded.model.register_forward_pre_hook(note, with_kwargs=True)
    plan = plan_of(
        examples=[{"prompt": "one of the prompts"}, {"prompt": "and another, longer one"}], max_new_tokens=4, samples=5
    )
    finish(write_texts(engine, plan))
    prompts = {request.prompt_ids for request in plan_requests(engine, plan)}
    assert plan.texts == 40 and sum(read) <= sum(map(len, prompts))


def test_an_engine_that_samples_by_itself_writes_what_is_missing_as_well() -> None:
    plan, engine = (
        plan_of(settings={"today": {"temperature": 2}, "cold": {"temperature": 0.5}}),
        ServedFakeEngine(),
    )
    whole = dict(enumerate(in_order(finish(write_texts(engine, plan)))))
    steps = list(write_places(engine, plan, range(plan.texts), written={0: whole[0], 7: whole[7]}))
    written = {one.index: one for step in steps for one in step.finished}
    assert set(written) == set(range(plan.texts)) - {0, 7} and steps[-1].done == plan.texts
    assert all(written[place].text == whole[place].text and written[place].elapsed_ms > 0 for place in written)
    assert sum(step.new_tokens for step in steps) == sum(one.n_tokens for one in written.values())
    with pytest.raises(BadInput, match="samples by itself and cannot be told"):
        list(write_places(engine, plan_of(settings={"today": {"typical_p": 0.5}}), range(2)))
