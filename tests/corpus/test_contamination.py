"""Overlap against a plain search, and the bar of min-K% against its definition."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from playground.corpus.contamination import overlaps, word_runs
from playground.corpus.min_k import FAMOUS, LEAST_TOKENS, K, Recall, fresh_texts, recalls, set_bar
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.numerics import log_softmax
from playground.testtime.problems import built_in
from tests.corpus.reading import measured

GROUPS = ("popularity",)


def plain(problem: str, documents: list[str], n: int) -> int:
    """Distinct runs of n words of the problem that stand in a document."""
    words = problem.split()
    n = min(n, len(words))
    runs = {" ".join(words[start : start + n]) for start in range(len(words) - n + 1)}
    return sum(any(f" {run} " in f" {document} " for document in documents) for run in runs)


def test_overlap_is_a_plain_searchs() -> None:
    draw = random.Random(3)
    documents = [" ".join(draw.choices("abcdef", k=120)) for _ in range(5)]
    problems = [" ".join(draw.choices("abcdef", k=draw.randint(2, 30))) for _ in range(30)]
    for n in (3, 5):
        matches = finish(overlaps(problems, measured(*documents, groups=GROUPS), n))
        assert [each.matched for each in matches] == [plain(problem, documents, n) for problem in problems]
        assert any(0 < each.share < 1 for each in matches)


def test_a_whole_problem_is_found_through_case_and_signs() -> None:
    matches = finish(
        overlaps(
            ["What is 7 + 5?", "No such thing here."], measured("...so, WHAT IS 7 -- 5; nobody knew", groups=GROUPS), 13
        )
    )
    assert [each.share for each in matches] == [1.0, 0.0] and [each.document for each in matches] == [0, -1]
    assert len(word_runs("", 5)) == 0


def test_recall_is_of_the_second_half() -> None:
    engine = FakeEngine()
    (recall, short) = finish(recalls(engine, [FAMOUS[3], "ab"]))
    ids = engine.codec.encode(FAMOUS[3])[:256]
    half = len(ids) // 2
    rows = np.array([engine.next_logits(ids[:place]).logits for place in range(half, len(ids))])
    own = np.sort(log_softmax(rows)[np.arange(len(rows)), list(ids[half:])])
    assert recall.min_k == pytest.approx(float(own[: round(K * len(own))].mean()), abs=1e-4)
    assert recall.of == len(ids) - half and math.isnan(short.min_k)


def test_the_bar_keeps_its_rate() -> None:
    values = np.random.default_rng(1).normal(size=200)
    bar = set_bar([Recall(float(value), 0, 9) for value in values] + [Recall(math.nan, 0, 0)])
    assert bar is not None and bar.fresh == 200 and bar.false == 10 and int((values > bar.value).sum()) == 10
    assert bar.low < 0.05 < bar.high
    few = set_bar([Recall(float(value), 0, 9) for value in values[:10]])
    assert few is not None and few.false == 0 and few.value == values[:10].max() and set_bar([]) is None


@pytest.mark.model
def test_the_bundled_models_recall_is_that_of_a_pass_by_transformers_and_its_bar_has_a_rate() -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from playground.engine.factory import make_engine
    from playground.models.bundled import ensure_bundled

    asked = tuple(each.prompt for each in built_in().problems[:16])
    fresh = fresh_texts()
    engine = make_engine(None, "cpu", "float32", None)
    recall_figures = finish(recalls(engine, [*fresh, *FAMOUS, *asked]))
    engine.close()
    folder = str(ensure_bundled())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text, own in zip([*FAMOUS, *asked], recall_figures[len(fresh) :], strict=True):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) < LEAST_TOKENS:
            assert math.isnan(own.min_k)
            continue
        with torch.inference_mode():
            rows = log_softmax(model(input_ids=torch.tensor([ids])).logits[0].numpy())
        half = len(ids) // 2
        logprobs = np.sort(rows[np.arange(half - 1, len(ids) - 1), ids[half:]])
        assert own.min_k == pytest.approx(float(logprobs[: max(1, round(K * len(logprobs)))].mean()), abs=2e-3)
        right = rows[half - 1 : -1].argmax(axis=1) == np.array(ids[half:])
        assert own.exact == (len(right) if right.all() else int(np.argmin(right)))
    bar = set_bar(recall_figures[: len(fresh)])
    assert bar is not None and bar.fresh == len(fresh) >= 30 and bar.false / bar.fresh <= 0.05 < bar.expected < 0.06
    famous, problems = recall_figures[len(fresh) : len(fresh) + len(FAMOUS)], recall_figures[len(fresh) + len(FAMOUS) :]
    # Lincoln, Jefferson, Austen and Genesis; Dickens, two of Shakespeare and the Declaration of Human Rights it does not know so.
    assert sum(each.min_k > bar.value for each in famous) == 4
    assert sum(not math.isnan(each.min_k) for each in problems) >= 8
    assert not any(each.min_k > bar.value for each in problems)
