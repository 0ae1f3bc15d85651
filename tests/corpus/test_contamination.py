"""Overlap against a plain search, and the bar of min-K% against its definition."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from playground.corpus.contamination import overlaps, word_runs
from playground.corpus.min_k import FAMOUS, K, Recall, recalls, set_bar
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.numerics import log_softmax
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
        found = finish(overlaps(problems, measured(*documents, groups=GROUPS), n))
        assert [each.matched for each in found] == [plain(problem, documents, n) for problem in problems]
        assert any(0 < each.share < 1 for each in found)


def test_a_whole_problem_is_found_through_case_and_signs() -> None:
    found = finish(
        overlaps(
            ["What is 7 + 5?", "No such thing here."], measured("...so, WHAT IS 7 -- 5; nobody knew", groups=GROUPS), 13
        )
    )
    assert [each.share for each in found] == [1.0, 0.0] and [each.document for each in found] == [0, -1]
    assert len(word_runs("", 5)) == 0


def test_recall_is_of_the_second_half() -> None:
    engine = FakeEngine()
    (found, short) = finish(recalls(engine, [FAMOUS[3], "ab"]))
    ids = engine.codec.encode(FAMOUS[3])[:256]
    half = len(ids) // 2
    rows = np.array([engine.next_logits(ids[:place]).logits for place in range(half, len(ids))])
    own = np.sort(log_softmax(rows)[np.arange(len(rows)), list(ids[half:])])
    assert found.min_k == pytest.approx(float(own[: round(K * len(own))].mean()), abs=1e-4)
    assert found.of == len(ids) - half and math.isnan(short.min_k)


def test_the_bar_keeps_its_rate() -> None:
    values = np.random.default_rng(1).normal(size=200)
    bar = set_bar([Recall(float(value), 0, 9) for value in values] + [Recall(math.nan, 0, 0)])
    assert bar is not None and bar.fresh == 200 and bar.false == 10 and int((values > bar.value).sum()) == 10
    assert bar.low < 0.05 < bar.high
    few = set_bar([Recall(float(value), 0, 9) for value in values[:10]])
    assert few is not None and few.false == 0 and few.value == values[:10].max() and set_bar([]) is None
