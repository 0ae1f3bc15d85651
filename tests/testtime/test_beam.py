"""Beam search against transformers' own, and diverse beam search against a search that keeps no beams at all."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from playground.engine.api import Batch, CancelToken, Engine
from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.pieces import Pieces
from playground.engine.types import FloatArray
from playground.errors import BadInput, Cancelled
from playground.generation import GenerationRequest
from playground.models.wording import size_text
from playground.testtime.batching import row_bytes
from playground.testtime.beam import beam_search
from playground.testtime.beam_settings import BeamSettings
from playground.testtime.types import Candidate
from tests.engine.small import small_loaded

T = TypeVar("T")
PROMPTS = (
    "The capital of France is",
    "Once upon a time",
    "Two plus two is",
    "def fibonacci(n):",
    "The weather today is",
    "Question: What is the largest planet?\nAnswer:",
    "I like to eat",
    "1, 2, 3, 4,",
    '{"name": "Ada", "age":',
    "Dear Sir or Madam,\n",
)


def result_of(steps: Generator[Any, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            returned: T = end.value
            return returned


def search(engine: Engine, ids: tuple[int, ...], settings: BeamSettings, **fields: Any) -> tuple[Candidate, ...]:
    request = GenerationRequest(ids, **{"max_new_tokens": 12, "top": 5, **fields})
    return result_of(beam_search(engine, request, settings))


def by_transformers(
    model: PreTrainedModel, ids: tuple[int, ...], new: int, eos: list[int] | int | None = None, **options: Any
) -> list[tuple[tuple[int, ...], float]]:
    """(tokens without padding, score) of each returned beam, by ``generate`` itself."""
    with torch.inference_mode():
        out = model.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            do_sample=False,
            max_new_tokens=new,
            num_return_sequences=options["num_beams"],
            output_scores=True,
            return_dict_in_generate=True,
            eos_token_id=eos,
            pad_token_id=0,
            **options,
        )
    lengths = (out.beam_indices >= 0).sum(-1)
    return [
        (tuple(row[len(ids) : len(ids) + int(length)].tolist()), float(score))
        for row, length, score in zip(out.sequences, lengths, out.sequences_scores, strict=True)
    ]


@pytest.mark.model
def test_ten_prompts_token_for_token_as_transformers(bundled_engine: TransformersEngine) -> None:
    assert bundled_engine.info.dtype == "float32"
    eos = list(bundled_engine.codec.eos_token_ids)
    model = bundled_engine.loaded.model
    for prompt in PROMPTS:
        ids = bundled_engine.codec.encode(prompt)
        ours = search(bundled_engine, ids, BeamSettings(beams=3), max_new_tokens=5)
        theirs = by_transformers(model, ids, 5, eos, num_beams=3)
        assert [beam.ids for beam in ours] == [tokens for tokens, _score in theirs], prompt
        assert [beam.beam_score for beam in ours] == pytest.approx([score for _, score in theirs], abs=1e-4)


@pytest.mark.parametrize("kind", ["llama", "mistral-sliding", "mamba"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"early_stopping": True},
        {"early_stopping": "never", "length_penalty": 2.0},
        {"length_penalty": 0.0},
        {"length_penalty": -1.5},
    ],
    ids=str,
)
def test_every_way_of_ending_is_transformers(kind: str, options: dict[str, Any]) -> None:
    """Random weights and forty end tokens, so that texts end early, late and not at all."""
    loaded = small_loaded(kind)
    engine = TransformersEngine(loaded)
    ends = tuple(range(100, 140))
    for seed in range(6):
        ids = tuple(int(token) for token in np.random.default_rng(seed).integers(2, 250, 9))
        # Stop ids end a text as end tokens do; the number of continuations kept depends on end tokens alone.
        theirs = by_transformers(loaded.model, ids, 10, list(ends), num_beams=3, **options)
        ours = search(engine, ids, BeamSettings(beams=3, **options), max_new_tokens=10, stop_ids=ends, ignore_eos=True)
        assert {beam.finish_reason for beam in ours} <= {"stop_id", "length"}
        assert [beam.ids for beam in ours] == [tokens for tokens, _score in theirs]


def test_one_beam_is_greedy_and_its_record_is_the_models_own() -> None:
    engine = FakeEngine()
    ids = engine.codec.encode("hello")
    (beam,) = search(engine, ids, BeamSettings(beams=1), ignore_eos=True)
    context = ids
    for place, token in enumerate(beam.ids):
        row = engine.next_logits(context).logits.astype(np.float64)
        logprobs = row - np.log(np.exp(row - row.max()).sum()) - row.max()
        assert token == int(row.argmax())
        assert beam.raw_logprobs[place] == pytest.approx(logprobs[token], abs=1e-5)
        assert beam.entropies[place] == pytest.approx(-(np.exp(logprobs) * logprobs).sum(), abs=1e-4)
        assert beam.mean_logprobs[place] == pytest.approx(logprobs.mean(), abs=1e-4)
        np.testing.assert_allclose(beam.top_logprobs[place], np.sort(logprobs)[::-1][:5], atol=1e-5)
        context = (*context, token)
    assert beam.beam_score == pytest.approx(beam.avg_logprob, abs=1e-5)


def diverse_by_hand(
    engine: FakeEngine, ids: tuple[int, ...], groups: int, size: int, penalty: float, steps: int
) -> list[tuple[int, ...]]:
    """Vijayakumar et al. 2016, algorithm 1 with Hamming diversity, written over all continuations; nothing ends."""
    beams: list[list[tuple[float, tuple[int, ...]]]] = [[(0.0, ())] for _ in range(groups)]
    for _ in range(steps):
        taken: list[int] = []
        for g in range(groups):
            grown: list[tuple[float, tuple[int, ...]]] = []
            for score, tokens in beams[g]:
                row = engine.next_logits((*ids, *tokens)).logits.astype(np.float64)
                logprobs = row - np.log(np.exp(row - row.max()).sum()) - row.max()
                grown += [(score + logprobs[t] - penalty * taken.count(t), (*tokens, t)) for t in range(VOCAB)]
            beams[g] = sorted(grown, key=lambda pair: -pair[0])[:size]
            taken += [tokens[-1] for _score, tokens in beams[g]]
    ended = [pair for group in beams for pair in group]
    return [tokens for _score, tokens in sorted(ended, key=lambda pair: -pair[0])]


@pytest.mark.parametrize(
    ("groups", "size", "penalty"), [(2, 1, 0.7), (2, 2, 0.5), (3, 2, 3.0), (1, 4, 1.0), (4, 1, 0.9), (4, 2, 1.3)]
)
def test_diverse_beams_are_those_of_the_paper(groups: int, size: int, penalty: float) -> None:
    engine = FakeEngine()
    ids = engine.codec.encode("hello")
    settings = BeamSettings(beams=groups * size, groups=groups, diversity_penalty=penalty)
    beams = search(engine, ids, settings, max_new_tokens=4, ignore_eos=True)
    assert [one.ids for one in beams] == diverse_by_hand(FakeEngine(), ids, groups, size, penalty, 4)
    assert {one.origin for one in beams} == {"beam" if groups == 1 else "diverse beam"}


def test_a_penalty_makes_the_groups_differ() -> None:
    engine = FakeEngine()
    ids = engine.codec.encode("hello")
    alike = search(engine, ids, BeamSettings(beams=4, groups=4), ignore_eos=True)
    varied = search(engine, ids, BeamSettings(beams=4, groups=4, diversity_penalty=5.0), ignore_eos=True)
    assert len({one.ids for one in alike}) == 1
    assert len({one.ids for one in varied}) == 4
    assert len({one.ids[0] for one in varied}) == 4


def test_stop_strings_end_a_beam_as_they_end_a_sample() -> None:
    planned = FakeEngine().codec.encode("one;two")

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.zeros(VOCAB, dtype=np.float32)
        row[planned[min(len(ids) - 1, len(planned) - 1)]] = 20.0
        return row

    beams = search(FakeEngine(logits), (65,), BeamSettings(beams=2), stop_strings=(";",))
    assert beams[0].text == "one" and beams[0].finish_reason == "stop"


def test_it_can_be_cancelled_between_steps_and_lets_its_batch_go() -> None:
    engine, cancel = FakeEngine(), CancelToken()
    steps = beam_search(engine, GenerationRequest((65,), max_new_tokens=50), BeamSettings(beams=3), cancel=cancel)
    first = next(steps)
    assert first is not None and first.rows == 3 and first.prefill_ms is not None and not first.finished
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert engine.batches[-1].closed


@pytest.mark.parametrize(
    "bad",
    [
        {"beams": 0},
        {"beams": 33},
        {"beams": True},
        {"beams": 4, "groups": 3},
        {"groups": 0},
        {"diversity_penalty": -1.0},
        {"diversity_penalty": float("nan")},
        {"length_penalty": 9.0},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused_with_their_name(bad: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refusal:
        BeamSettings(**bad)
    assert refusal.value.field is not None and refusal.value.field.split("_")[-1] in str(refusal.value)


def test_an_end_token_ends_a_beam() -> None:
    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.zeros(VOCAB, dtype=np.float32)
        row[EOS_ID if len(ids) > 3 else 65] = 20.0
        return row

    beams = search(FakeEngine(logits), (66,), BeamSettings(beams=2))
    assert beams[0].ids == (65, 65, 65, EOS_ID) and beams[0].finish_reason == "eos" and beams[0].text == "AAA"


# -- memory --------------------------------------------------------------------------------------------------------------


def test_beams_that_do_not_fit_are_refused_with_both_numbers_and_the_most_that_do() -> None:
    engine, request = FakeEngine(), GenerationRequest((65,) * 100, max_new_tokens=28, top=5)
    each = row_bytes(engine.info, request)
    with pytest.raises(BadInput, match="beams: 32 beams need about .* may be used.* at most 20 fit") as refusal:
        result_of(beam_search(engine, request, BeamSettings(beams=32), memory=20 * each + each // 2))
    assert refusal.value.field == "beams" and size_text(32 * each) in str(refusal.value) and not engine.calls
    with pytest.raises(BadInput, match="at most 18 fit"):
        result_of(beam_search(engine, request, BeamSettings(beams=24, groups=6), memory=23 * each))
    with pytest.raises(BadInput, match="shorten the prompt"):
        result_of(beam_search(engine, request, BeamSettings(beams=1), memory=each - 1))
    fits = beam_search(engine, request, BeamSettings(beams=20), memory=20 * each)
    assert len(result_of(fits)) == 20


def test_the_estimate_of_a_search_is_not_below_what_its_cache_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(small_loaded("llama", layers=2, kv_heads=2, head_dim=8))
    request = GenerationRequest(tuple(range(2, 60)), max_new_tokens=20, ignore_eos=True)
    held: list[int] = []
    opened = engine.open_batch_in_pieces

    def spy(*given: Any, **options: Any) -> Pieces[Batch]:
        batch = yield from opened(*given, **options)
        ask = batch.ask

        def measured(ids: Sequence[int]) -> None:
            ask(ids)
            assert len(batch.logits)
            held.append(batch.cache_bytes or 0)

        monkeypatch.setattr(batch, "ask", measured)
        return batch

    monkeypatch.setattr(engine, "open_batch_in_pieces", spy)
    result_of(beam_search(engine, request, BeamSettings(beams=8)))
    assert len(held) == 19 and max(held) <= 8 * row_bytes(engine.info, request)
