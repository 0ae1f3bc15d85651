"""Generation: the same tokens alone and together, the record of each step, and its end."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import PreTrainedModel

from playground.engine.api import CancelToken, Engine
from playground.engine.fake.codec import EOS_ID
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.engine.serving.step_worker import StepWorker
from playground.engine.types import FloatArray
from playground.errors import BadInput, BadPrompt, Cancelled
from playground.generation import DrawnStep, Generation, GenerationRequest, GenerationStep, generate
from playground.generation.record import RowInput, draw_rows
from playground.models.loading import load
from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.draw import UniformStream, draw_token
from playground.sampling.settings import NEUTRAL, SamplerSettings
from tests.engine.small import REUSABLE, VOCAB, small_loaded

GREEDY = SamplerSettings(temperature=0.0)
SETTINGS = {
    "neutral": NEUTRAL,
    "greedy": GREEDY,
    "usual": SamplerSettings(temperature=0.7, top_k=50, top_p=0.9, min_p=0.02),
    "penalties": SamplerSettings(repetition_penalty=1.3, frequency_penalty=0.5, presence_penalty=0.5),
    "dry": SamplerSettings(temperature=0.3, dry_multiplier=0.8, dry_allowed_length=1, no_repeat_ngram_size=3),
    "mirostat": SamplerSettings(mirostat_tau=3.0, mirostat_eta=0.3),
    "xtc": SamplerSettings(temperature=0.4, xtc_probability=0.5, xtc_threshold=0.1),
    "dynatemp": SamplerSettings(dynatemp_range=0.5, typical_p=0.9, logit_bias=((65, 2.0),)),
}


def finish(engine: Engine, *requests: GenerationRequest) -> Generation:
    steps = generate(engine, requests)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Generation = end.value
            return result


def request(settings: SamplerSettings = NEUTRAL, **fields: Any) -> GenerationRequest:
    return GenerationRequest(
        **{"prompt_ids": (72, 105), "settings": settings, "max_new_tokens": 12, "ignore_eos": True, **fields}
    )


@pytest.fixture(scope="module")
def small() -> TransformersEngine:
    return TransformersEngine(small_loaded("llama"))


# -- alone and together ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine_kind", ["fake", "small"])
def test_each_row_of_a_mixed_batch_draws_what_it_draws_alone(engine_kind: str, small: TransformersEngine) -> None:
    engine: Engine = FakeEngine() if engine_kind == "fake" else small
    asked = [
        request(settings, prompt_ids=prompt, seed=seed, max_new_tokens=8 + seed)
        for seed, settings in enumerate(SETTINGS.values())
        for prompt in ((72, 105), (1, 2, 3, 4, 2, 3))
    ]
    together = finish(engine, *asked)
    assert [row.row for row in together.rows] == list(range(len(asked)))
    for row, one in zip(together.rows, asked, strict=True):
        alone = finish(engine, one).rows[0]
        assert row.ids == alone.ids and row.text == alone.text and row.finish_reason == alone.finish_reason == "length"
        for left, right in zip(row.steps, alone.steps, strict=True):
            assert (left.id, left.u, left.index, left.rank) == (right.id, right.u, right.index, right.rank)
            assert left.prob == pytest.approx(right.prob, abs=1e-5)
            assert [a.id for a in left.top] == [a.id for a in right.top]


@pytest.mark.parametrize("kind", REUSABLE)
def test_sixty_rows_and_seeds_agree_alone_and_together_in_float32(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    asked = [
        request(prompt_ids=(5, 6, 7), seed=seed, random_stream=seed % 3, max_new_tokens=5, top=0) for seed in range(60)
    ]
    together = finish(engine, *asked)
    assert len({row.ids for row in together.rows}) > 30
    for row in together.rows[::6]:
        assert finish(engine, row.request).rows[0].ids == row.ids


@pytest.mark.model
def test_the_real_model_draws_the_same_alone_and_together(bundled_engine: TransformersEngine) -> None:
    prompt = bundled_engine.codec.encode("Once upon a time")
    asked = [
        request(SETTINGS[name], prompt_ids=prompt, seed=3, max_new_tokens=4) for name in ("usual", "xtc", "greedy")
    ]
    together = finish(bundled_engine, *asked)
    assert together.computed_tokens is not None and together.computed_tokens <= len(prompt)
    for row in together.rows:
        assert finish(bundled_engine, row.request).rows[0].ids == row.ids


def test_equal_seeds_and_streams_give_common_random_numbers_and_others_do_not() -> None:
    rows = finish(
        FakeEngine(),
        request(seed=1),
        request(SETTINGS["usual"], seed=1),
        request(seed=1, random_stream=1),
        request(seed=2),
    ).rows
    drawn = [tuple(step.u for step in row.steps) for row in rows]
    assert drawn[0] == drawn[1] and len(set(drawn)) == 3
    assert drawn[2] == tuple(UniformStream(1, 1).at(step) for step in range(12))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_branch_that_repeats_the_row_goes_on_as_the_row_did(name: str) -> None:
    engine = FakeEngine()
    whole = finish(engine, request(SETTINGS[name], seed=5)).rows[0]
    for cut in (1, 7):
        before = whole.steps[cut - 1]
        branch = finish(
            engine,
            dataclasses.replace(
                whole.request,
                generated_ids=whole.ids[:cut],
                max_new_tokens=12 - cut,
                mirostat_mu=before.mirostat_mu,
            ),
        ).rows[0]
        assert branch.ids == whole.ids[cut:]
        assert [dataclasses.replace(step, row=0) for step in branch.steps] == list(whole.steps[cut:])


# -- the record -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETTINGS)
def test_each_step_is_what_the_trace_of_that_position_says(name: str) -> None:
    engine = FakeEngine()
    settings = SETTINGS[name]
    row = finish(engine, request(settings, seed=9, top=20)).rows[0]
    mu: float | None = None
    for index, step in enumerate(row.steps):
        generated = row.ids[:index]
        context = SamplingContext(
            (72, 105),
            generated,
            xtc_u=UniformStream(9).at(index, "xtc"),
            mirostat_mu=mu,
            dry_breakers=tuple(
                (token,)
                for token in set((72, 105, *generated))
                if any(text.encode() in engine.codec.token_bytes(token) for text in settings.dry_sequence_breakers)
            ),
        )
        trace = trace_row(engine.next_logits((72, 105, *generated)).logits, settings, context)
        draw = draw_token(trace.final_probs, UniformStream(9).at(index))
        assert isinstance(step, DrawnStep) and (step.id, step.index, step.row) == (draw.id, index, 0)
        assert step.low == pytest.approx(draw.low, abs=1e-6) and step.high == pytest.approx(draw.high, abs=1e-6)
        assert step.low <= step.u < step.high
        assert step.raw_logprob == pytest.approx(float(trace.raw_logprobs[step.id]), abs=1e-5)
        assert step.prob == pytest.approx(float(trace.final_probs[step.id]), abs=1e-6)
        assert step.entropy == pytest.approx(trace.raw_entropy, abs=1e-5)
        assert step.kept == np.count_nonzero(trace.final_probs > 0) or settings.temperature < 1
        order = np.argsort(-trace.raw_logits, kind="stable")
        assert order[step.rank] == step.id
        assert [other.id for other in step.top] == order[:20].tolist()
        for other in step.top:
            stage = trace.removed_by[other.id]
            assert other.removed_by == (trace.stages[stage].name if stage >= 0 else None)
            assert other.prob == pytest.approx(float(trace.final_probs[other.id]), abs=1e-6)
            assert other.raw_prob == pytest.approx(float(trace.raw_probs[other.id]), abs=1e-6)
        if name == "mirostat":  # Basu et al. 2021, in bits, by hand
            before = 6.0 if mu is None else mu
            mu = before - 0.3 * (-np.log2(trace.final_probs[step.id]) - 3.0)
            assert step.mirostat_mu == pytest.approx(mu, abs=1e-4)
            mu = step.mirostat_mu
        else:
            assert step.mirostat_mu is None


def test_recording_fewer_alternatives_changes_no_token() -> None:
    engine = FakeEngine()
    rows = finish(engine, *(request(SETTINGS["usual"], seed=4, top=top) for top in (0, 1, 30))).rows
    assert rows[0].ids == rows[1].ids == rows[2].ids
    assert [len(row.steps[0].top) for row in rows] == [0, 1, 30]
    assert rows[1].steps[0].top == rows[2].steps[0].top[:1]


def test_equal_logits_are_recorded_by_lower_id() -> None:
    engine = FakeEngine(lambda ids: np.array([1.0, 2.0, 2.0, 2.0, 0.0]), vocab=5)
    step = finish(engine, request(prompt_ids=(1,), max_new_tokens=1, top=3)).rows[0].steps[0]
    assert [other.id for other in step.top] == [1, 2, 3]
    assert isinstance(step, DrawnStep) and step.rank == [1, 2, 3, 0, 4].index(step.id)


def test_twenty_thousand_first_draws_follow_the_final_distribution() -> None:
    logits = FakeEngine().next_logits((1, 2)).logits
    settings = SamplerSettings(temperature=1.2, top_k=40, top_p=0.95)
    context = SamplingContext((1, 2))
    rows = [RowInput(settings, context, UniformStream(7, row).at(0), 0) for row in range(20_000)]
    counts = np.zeros(len(logits))
    for begin in range(0, 20_000, 2_000):
        part = rows[begin : begin + 2_000]
        for drawn in draw_rows(np.broadcast_to(logits, (len(part), len(logits))), part):
            counts[drawn.draw.id] += 1
    expected = trace_row(logits, settings, context).final_probs.astype(np.float64)
    assert (counts[expected == 0] == 0).all()
    kept = expected > 0
    assert chisquare(counts[kept], expected[kept] / expected[kept].sum() * 20_000).pvalue > 1e-3


# -- against transformers -------------------------------------------------------------------------------------------


def reference(engine: TransformersEngine, prompt: tuple[int, ...], count: int) -> tuple[list[int], list[float]]:
    """transformers' own greedy tokens and their log-probabilities."""
    return reference_of(engine.loaded.model, prompt, count)


def reference_of(model: PreTrainedModel, prompt: tuple[int, ...], count: int) -> tuple[list[int], list[float]]:
    with torch.inference_mode():
        out = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False,
            max_new_tokens=count,
            eos_token_id=-1,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        scores = model.compute_transition_scores(out.sequences, out.logits, normalize_logits=True)
    return out.sequences[0, len(prompt) :].tolist(), scores[0].tolist()


@pytest.mark.parametrize("kind", ["llama", "gemma3-hybrid"])
def test_greedy_equals_transformers_token_for_token_on_twenty_prompts(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    rng = np.random.default_rng(0)
    prompts = [tuple(rng.integers(2, VOCAB, length).tolist()) for length in range(1, 21)]
    rows = finish(engine, *(request(GREEDY, prompt_ids=prompt, max_new_tokens=10) for prompt in prompts)).rows
    for prompt, row in zip(prompts, rows, strict=True):
        ids, logprobs = reference(engine, prompt, 10)
        assert list(row.ids) == ids
        np.testing.assert_allclose([step.raw_logprob or 0.0 for step in row.steps], logprobs, atol=1e-3)
        assert all(step.prob == 1.0 and step.kept == 1 for step in row.steps)


TWENTY = (
    "The capital of France is",
    "မြန်မာ",
    "1, 2, 3,",
    "Once upon a time",
    "def add(a, b):",
    "Dear Sir or Madam,",
    "The three primary colours are",
    "Water boils at",
    "नमस्ते",
    "السلام عليكم",
    "🙂 means",
    "SELECT name FROM",
    "To be, or not to be",
    "In 1969,",
    '{"name": "',
    "Roses are red,",
    "Das Haus ist",
    "x = 3; y =",
    "A B C D",
    "Q: Why? A:",
)


@pytest.mark.model
def test_greedy_equals_transformers_on_the_real_model_on_twenty_prompts(bundled_engine: TransformersEngine) -> None:
    """Against a model of its own, as transformers loaded it: the engine's reads its weights' codes."""
    plain = load(None, device="cpu", dtype="float32").model
    for text in TWENTY:
        prompt = bundled_engine.codec.encode(text)
        row = finish(bundled_engine, request(GREEDY, prompt_ids=prompt, max_new_tokens=5)).rows[0]
        ids, logprobs = reference_of(plain, prompt, 5)
        assert list(row.ids) == ids, text
        np.testing.assert_allclose([step.raw_logprob or 0.0 for step in row.steps], logprobs, atol=1e-3)


# -- endings --------------------------------------------------------------------------------------------------------


def script(text: str, *tail: int) -> FakeEngine:
    """A fake that will say ``text`` after any one-token prompt, whatever is drawn."""
    planned = (*FakeEngine().codec.encode(text), *tail)

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.full(300, -50.0, dtype=np.float32)
        row[planned[min(len(ids) - 1, len(planned) - 1)]] = 50.0
        return row

    return FakeEngine(logits, vocab=300)


def test_rows_end_each_for_its_own_reason_and_leave_the_batch() -> None:
    engine = script("hello world", EOS_ID)
    steps = generate(
        engine,
        [
            GenerationRequest((1,)),
            GenerationRequest((1,), stop_strings=("wor",)),
            GenerationRequest((1,), max_new_tokens=1),
            GenerationRequest((1,), stop_ids=(256 + 9,)),
        ],
    )
    taken_steps: list[GenerationStep] = list(steps)
    assert [[token.row for token in step.tokens] for step in taken_steps] == [[0, 1, 2, 3], [0, 1, 3], [0]]
    by_row = {row.row: row for step in taken_steps for row in step.finished}
    assert {row: (by_row[row].finish_reason, by_row[row].text, by_row[row].hidden_text) for row in by_row} == {
        0: ("eos", "hello world", "<|im_end|>"),
        1: ("stop", "hello ", "world"),
        2: ("length", "hello", ""),
        3: ("stop_id", "hello", " world"),
    }
    assert by_row[1].stopped_by == "wor" and by_row[0].stopped_by == "<|im_end|>"
    assert engine.batches[0].closed


def test_json_is_cut_by_too_early_a_stop() -> None:
    row = finish(script('{"a": {"b": 1}, "c": 2}'), GenerationRequest((1,), stop_strings=("}",))).rows[0]
    assert (row.text, row.hidden_text, row.finish_reason) == ('{"a": {"b": 1', "}", "stop")


def test_one_prefill_serves_all_rows_and_the_cost_is_told() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    done = finish(engine, *(request(prompt_ids=tuple(range(40)), seed=seed, max_new_tokens=3) for seed in range(8)))
    assert done.computed_tokens == 40 and done.new_tokens == 24
    assert done.prefill_ms > 0 and done.decode_ms > 0
    branch = dataclasses.replace(done.rows[0].request, generated_ids=(*done.rows[0].ids[:1], 77))
    assert finish(engine, branch).computed_tokens == 1


def test_text_is_what_the_tokens_spell() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    row = finish(engine, request(prompt_ids=(5,), max_new_tokens=30, seed=2)).rows[0]
    assert row.text == engine.codec.decode(row.ids) and row.hidden_text == ""


# -- cancel and refuse ----------------------------------------------------------------------------------------------


def test_it_stops_between_steps_and_closes_the_batch() -> None:
    engine, cancel = FakeEngine(), CancelToken()
    steps = generate(engine, [request(max_new_tokens=100)], cancel=cancel)
    next(steps)
    calls = len(engine.calls)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert engine.batches[0].closed and len(engine.calls) == calls


def test_a_generation_nobody_reads_on_is_closed() -> None:
    engine = FakeEngine()
    steps = generate(engine, [request(max_new_tokens=100)])
    next(steps)
    steps.close()
    assert engine.batches[0].closed


def test_two_sessions_generate_at_once_through_the_worker_and_one_leaves() -> None:
    engine = FakeEngine()
    worker = StepWorker(engine)
    stay = worker.submit("stays", "generate", lambda engine, cancel: generate(engine, [request()], cancel=cancel))
    with worker.submit(
        "goes", "generate", lambda e, cancel: generate(e, [request(max_new_tokens=2000)], cancel=cancel)
    ) as goes:
        next(goes.steps(20))
    done = stay.result(20)
    worker.close()
    assert done.rows[0].ids == finish(FakeEngine(), request()).rows[0].ids
    assert all(batch.closed for batch in engine.batches) and len(engine.batches) == 2
    with pytest.raises(Cancelled):
        goes.result()


def test_a_generation_that_cannot_start_is_refused_before_the_model_runs() -> None:
    engine = FakeEngine(context_length=10)
    cases: list[tuple[list[GenerationRequest], type[BadInput], str]] = [
        ([], BadInput, "not 0"),
        ([request()] * 257, BadInput, "not 257"),
        ([request(max_new_tokens=9)], BadPrompt, "at most 8"),
        ([request(prompt_ids=tuple(range(10)), max_new_tokens=1)], BadPrompt, "shorten the prompt"),
        ([request(max_new_tokens=5, stop_ids=(999,))], BadInput, "no token 999"),
        ([request(prompt_ids=(), max_new_tokens=1)], BadPrompt, "empty"),
    ]
    for requests, kind, words in cases:
        with pytest.raises(kind, match=words):
            next(generate(engine, requests))
    assert engine.calls == []
    assert len(finish(engine, request(max_new_tokens=8)).rows[0].ids) == 8  # exactly to the context's end


def test_others_have_their_turn_while_a_long_prompt_is_read() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    long = tuple(2 + number % 60 for number in range(600))
    steps, turns = generate(engine, [request(prompt_ids=long, max_new_tokens=3)]), 0
    while not next(steps).tokens:
        turns += 1
    assert turns == 2  # between three pieces of 256, 256 and 88
    steps.close()
