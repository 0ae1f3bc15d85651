"""Scores from recorded numbers, against transformers' own and against the papers' formulas written out plainly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LogitsProcessor, LogitsProcessorList

from playground.engine.hf.engine import TransformersEngine
from playground.generation import GenerationRequest, generate
from playground.testtime import logprob_scorers as rules
from playground.testtime.types import Candidate, Score, candidate_from_row
from tests.engine.small import small_loaded
from tests.testtime.making import candidate

Logprobs = st.lists(st.floats(-30, 0, width=32), min_size=1, max_size=40)


def sampled(engine: TransformersEngine, prompt: tuple[int, ...], rows: int, length: int) -> list[Candidate]:
    """Rows of different lengths, so that all but the longest would be padded."""
    requests = [
        GenerationRequest(prompt, max_new_tokens=length - 2 * row, seed=5, random_stream=row, top=20)
        for row in range(rows)
    ]
    steps = generate(engine, requests)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            candidates = [
                candidate_from_row(row, index=place, vocab_size=engine.info.vocab_size)
                for place, row in enumerate(end.value.rows)
            ]
            return candidates


class Forced(LogitsProcessor):  # type: ignore[misc]
    """Makes ``generate`` write given rows, so that its scores are those of the same texts."""

    def __init__(self, rows: torch.Tensor, prompt: int) -> None:
        self.rows, self.prompt = rows, prompt

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        wanted = self.rows[:, input_ids.shape[1] - self.prompt]
        forced = torch.full_like(scores, -torch.inf)
        forced[torch.arange(len(wanted)), wanted] = 0.0
        return forced


def transition_means(
    engine: TransformersEngine, candidates: list[Candidate], pad: int
) -> tuple[list[float], torch.Tensor]:
    """transformers' mean transition score of each row, padding masked, and the raw logits of each step."""
    longest = max(item.n_tokens for item in candidates)
    rows = torch.tensor([[*item.ids, *[pad] * (longest - item.n_tokens)] for item in candidates])
    mask = torch.tensor([[step < item.n_tokens for step in range(longest)] for item in candidates])
    prompt = torch.tensor([candidates[0].prompt_ids])
    model: Any = engine.loaded.model
    out = model.generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        do_sample=True,
        num_return_sequences=len(candidates),
        pad_token_id=pad,
        max_new_tokens=longest,
        logits_processor=LogitsProcessorList([Forced(rows, prompt.shape[1])]),
        return_dict_in_generate=True,
        output_logits=True,
    )
    assert torch.equal(out.sequences[:, prompt.shape[1] :], rows)
    scores = model.compute_transition_scores(out.sequences, out.logits, normalize_logits=True)
    return ((scores * mask).sum(1) / mask.sum(1)).tolist(), torch.stack(out.logits, dim=1)


def test_average_is_the_mean_of_transition_scores_without_padding() -> None:
    engine = TransformersEngine(small_loaded("llama", eos_token_ids=(1,)))
    candidates = sampled(engine, (5, 9, 30, 31), 8, 20)
    assert len({item.n_tokens for item in candidates}) > 1, "no row ended early: nothing is padded"
    expected, logits = transition_means(engine, candidates, pad=1)
    assert [rules.average_logprob(item).value for item in candidates] == pytest.approx(expected, abs=2e-5)
    check_confidences(candidates, logits)


@pytest.mark.model
def test_average_is_the_mean_of_transition_scores_on_the_bundled_model(bundled_engine: TransformersEngine) -> None:
    prompt = bundled_engine.codec.encode_chat("Name a colour.")
    candidates = sampled(bundled_engine, prompt, 2, 8)
    pad = bundled_engine.codec.eos_token_ids[0]
    expected, logits = transition_means(bundled_engine, candidates, pad)
    assert [rules.average_logprob(item).value for item in candidates] == pytest.approx(expected, abs=2e-4)
    check_confidences(candidates, logits)


def check_confidences(candidates: list[Candidate], logits: torch.Tensor) -> None:
    """Both confidences from whole rows of logits, by the papers' definitions."""
    for row, item in enumerate(candidates):
        logprobs = logits[row, : item.n_tokens].double().log_softmax(-1)
        vocab = logprobs.shape[-1]
        certainty = -(logprobs + math.log(vocab)).mean().item()
        assert rules.self_certainty(item).value == pytest.approx(certainty, abs=2e-4)
        token = [-sum(step.topk(20).values.tolist()) / 20 for step in logprobs]
        groups = [sum(token[begin : begin + 5]) / 5 for begin in range(len(token) - 4)] or [sum(token) / len(token)]
        assert rules.lowest_group_confidence(item, 5).value == pytest.approx(min(groups), abs=2e-4)


def value_of(score: Score) -> float:
    assert score.value is not None
    return score.value


@given(Logprobs)
def test_sum_average_and_normalised_agree_with_each_other(values: list[float]) -> None:
    item = candidate(logprobs=values)
    total = value_of(rules.sum_logprob(item))
    assert total == pytest.approx(sum(values), abs=1e-4)
    assert rules.average_logprob(item).value == pytest.approx(total / len(values))
    assert rules.length_normalised(item, 0.0).value == pytest.approx(total)
    penalty = (5 + len(values)) ** 0.7 / (5 + 1) ** 0.7
    assert rules.length_normalised(item, 0.7).value == pytest.approx(total / penalty)


def test_the_sum_prefers_the_short_and_the_average_the_bland() -> None:
    short, long = candidate(logprobs=[-1.0]), candidate(logprobs=[-0.6] * 5)
    assert value_of(rules.sum_logprob(short)) > value_of(rules.sum_logprob(long))
    assert value_of(rules.average_logprob(short)) < value_of(rules.average_logprob(long))


@given(
    st.lists(st.lists(st.floats(-20, 0, width=32), min_size=3, max_size=3), min_size=1, max_size=12), st.integers(1, 15)
)
def test_groups_are_all_windows_of_neighbours(top: list[list[float]], window: int) -> None:
    item = candidate(logprobs=[-1.0] * len(top), top=top)
    groups = rules.group_confidences(item, window)
    width = min(window, len(top))
    token = [-np.mean(np.array(step, dtype=np.float64)) for step in top]
    expected = [float(np.mean(token[begin : begin + width])) for begin in range(len(top) - width + 1)]
    assert groups is not None and groups.tolist() == pytest.approx(expected, abs=1e-6)
    assert rules.lowest_group_confidence(item, window).value == pytest.approx(min(expected), abs=1e-6)


def test_a_uniform_model_has_no_self_certainty() -> None:
    item = candidate(logprobs=[-1, -1], means=[-math.log(100)] * 2, vocab=100)
    assert rules.self_certainty(item).value == pytest.approx(0.0, abs=1e-6)


def test_what_was_not_recorded_is_said_and_not_guessed() -> None:
    plain, empty = candidate(), candidate(logprobs=[])
    assert rules.self_certainty(plain).value is None and "not recorded" in rules.self_certainty(plain).note
    assert rules.lowest_group_confidence(plain, 4).value is None
    for rule in (rules.average_logprob, rules.sum_logprob, rules.self_certainty):
        assert rule(empty).value is None and rule(empty).note
    assert rules.length_normalised(empty, 1.0).value is None
    assert rules.lowest_group_confidence(empty, 4).value is None
