"""The engine against transformers' own forward pass, and what it does not compute twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from playground.engine.api import Attention, CancelToken, Hidden
from playground.engine.facets import offers, require
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prefix import PrefixCache
from playground.engine.hf.runner import PREFILL_CHUNK
from playground.engine.pieces import finish
from playground.engine.types import TokenIds
from playground.errors import BadPrompt, Cancelled, CapabilityMissing, ModelError
from tests.engine.small import CONFIGS, REUSABLE, VOCAB, small_loaded

LONG = PREFILL_CHUNK * 2 + 40
CLOSE = {"mamba": 2e-4}
"""Largest difference of logits of about 10, 1e-4 where nothing else is said. A Mamba's scan adds up in float32 along the
text: with these weights a pass over the whole text is up to 7.2e-5 from the answer in double precision, one that goes on
from a state up to 7.1e-5 (eight texts), and the two may be on different sides of it. That both are the same answer is what
the test in double precision shows, to 1e-9."""


def make_ids(length: int, seed: int = 0) -> tuple[int, ...]:
    return tuple(int(token) for token in np.random.default_rng(seed).integers(0, VOCAB, length))


def full_pass(engine: TransformersEngine, ids: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Logits (T, vocab) of one plain forward pass without any cache."""
    with torch.inference_mode():
        logits: torch.Tensor = engine.loaded.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    return logits.float().numpy()


def count_runs(engine: TransformersEngine) -> list[int]:
    """Lengths of the inputs the model is given from now on."""
    lengths: list[int] = []

    def note(_module: object, _args: object, kwargs: dict[str, Any]) -> None:
        lengths.append(kwargs["input_ids"].shape[1])

    engine.loaded.model.register_forward_pre_hook(note, with_kwargs=True)
    return lengths


@pytest.fixture
def engine() -> TransformersEngine:
    return TransformersEngine(small_loaded("llama"))


# -- equal to the forward pass --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", CONFIGS)
def test_logits_equal_a_full_forward_pass_however_they_were_reached(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    ids = make_ids(LONG)
    other_tail = (*ids[: LONG - 20], *make_ids(25, seed=1))
    for asked in (ids[:30], ids[:31], ids[:LONG], ids[: LONG - 7], other_tail, ids[:LONG], (5,)):
        got = engine.next_logits(asked)
        assert got.logits.shape == (VOCAB,) and got.logits.dtype == np.float32 and not got.logits.flags.writeable
        np.testing.assert_allclose(got.logits, full_pass(engine, asked)[-1], atol=CLOSE.get(kind, 1e-4), rtol=0)


@pytest.mark.parametrize("kind", sorted(set(CONFIGS) - {"deepseek"}))  # whose experts take no doubles
def test_in_double_precision_a_text_continued_is_the_text_read_whole(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What differs in float32 is rounding: a state stored at a wrong place would differ here as well."""
    monkeypatch.setattr(
        torch.Tensor, "float", torch.Tensor.double
    )  # what the models compute in float32 whatever they are
    loaded = small_loaded(kind)
    runner = TransformersEngine(loaded)._runner
    loaded.model.to(torch.float64)
    ids = make_ids(LONG)
    for length in (LONG - 7, LONG, LONG - 7, LONG):  # the last two from the state of the first
        row, new, _state = runner.run(ids[:length], CancelToken())
        with torch.inference_mode():
            whole = loaded.model(input_ids=torch.tensor([ids[:length]]), use_cache=False).logits[0, -1]
        assert row.dtype == torch.float64 and new <= length
        torch.testing.assert_close(row, whole, atol=1e-9, rtol=0)


@pytest.mark.parametrize("kind", CONFIGS)
def test_scores_equal_the_forward_pass(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    ids = make_ids(LONG)
    engine.next_logits(ids[:100])
    score = engine.score(ids)
    logprobs = torch.log_softmax(torch.from_numpy(full_pass(engine, ids)).double(), dim=-1)[:-1]  # (T - 1, vocab)
    targets = torch.tensor(ids[1:])[:, None]
    chosen = logprobs.gather(1, targets)[:, 0]
    assert np.isnan(score.logprobs[0]) and np.isnan(score.entropies[0]) and score.ranks[0] == -1
    np.testing.assert_allclose(score.logprobs[1:], chosen.numpy(), atol=1e-4)
    np.testing.assert_allclose(score.entropies[1:], torch.special.entr(logprobs.exp()).sum(-1).numpy(), atol=1e-4)
    ranks = (logprobs > chosen[:, None] + 1e-4).sum(-1).numpy()
    near = (logprobs > chosen[:, None] - 1e-4).sum(-1).numpy()
    assert ((score.ranks[1:] >= ranks) & (score.ranks[1:] < near)).all()
    assert engine.score(ids[:1]).logprobs.shape == (1,)


@pytest.mark.model
def test_the_real_model_agrees_with_its_forward_pass(bundled_engine: TransformersEngine) -> None:
    ids = bundled_engine.codec.encode("The capital of France is")
    row = bundled_engine.next_logits(ids)
    probabilities = np.exp(row.logits - row.logits.max())
    probabilities /= probabilities.sum()
    (paris,) = bundled_engine.codec.encode(" Paris")
    assert int(row.logits.argmax()) == paris
    assert probabilities[paris] == pytest.approx(0.7725, abs=2e-3)  # llama.cpp on the same file: 0.772
    longer = (*ids, paris)
    appended = bundled_engine.next_logits(longer)
    assert appended.computed_tokens == 1
    np.testing.assert_allclose(appended.logits, full_pass(bundled_engine, longer)[-1], atol=2e-3, rtol=0)
    assert bundled_engine.score(longer).logprobs[-1] == pytest.approx(np.log(probabilities[paris]), abs=1e-3)


# -- what is computed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REUSABLE)
def test_only_what_is_new_is_run(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    runs = count_runs(engine)
    ids = make_ids(60)
    computed = [
        engine.next_logits(asked).computed_tokens
        for asked in (
            ids[:50],
            ids[:51],
            ids[:51],
            ids[:60],
            (*ids[:40], 1, 2, 3),
            (*ids[:60], 4),
            (*ids[:40], 1, 2, 3, 4),
            ids[:20],
        )
    ]
    assert computed == [50, 1, 1, 9, 3, 1, 1, 1]
    assert sum(runs) == sum(computed) and len(runs) == 8


@pytest.mark.parametrize("kind", sorted(set(CONFIGS) - set(REUSABLE)))
def test_a_state_that_cannot_be_cut_serves_what_goes_on_from_its_end(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    runs = count_runs(engine)
    ids = make_ids(60)
    asked = (ids[:50], ids[:51], ids[:51], (*ids[:20], 3))
    assert [engine.next_logits(each).computed_tokens for each in asked] == [50, 1, 1, 21]
    assert sum(runs) == 73


def test_only_the_last_row_goes_through_the_head(engine: TransformersEngine) -> None:
    rows: list[int] = []
    engine.loaded.model.lm_head.register_forward_pre_hook(lambda _module, args: rows.append(args[0].shape[1]))
    engine.next_logits(make_ids(40))
    assert rows == [1]


def test_prefixes_are_dropped_beyond_the_bytes_and_slots_allowed() -> None:
    position_bytes = 2 * 2 * 2 * 8 * 4  # layers x (keys, values) x kv heads x head size x float32
    prefixes = PrefixCache(max_bytes=100 * position_bytes, max_slots=3)
    engine = TransformersEngine(small_loaded("llama"), prefixes=prefixes)
    for seed in range(5):
        engine.next_logits(make_ids(20, seed))
    assert len(prefixes) == 3 and prefixes.used_bytes == 60 * position_bytes
    engine.next_logits(make_ids(90, 9))
    assert len(prefixes) == 1 and prefixes.used_bytes == 90 * position_bytes
    engine.next_logits(make_ids(101, 8))
    assert len(prefixes) == 0
    assert engine.next_logits(make_ids(90, 9)[:80]).computed_tokens == 80


def test_a_longer_prefix_takes_the_shorter_ones_place(engine: TransformersEngine) -> None:
    ids = make_ids(30)
    for length in range(10, 31):
        engine.next_logits(ids[:length])
    assert len(engine._runner.prefixes) == 1


# -- cancel, refuse, close ------------------------------------------------------------------------------------------


def test_a_long_prefill_stops_between_chunks_and_goes_on_where_it_stopped(engine: TransformersEngine) -> None:
    cancel, runs, ids = CancelToken(), count_runs(engine), make_ids(LONG)
    handle = engine.loaded.model.register_forward_pre_hook(lambda _module, _args: cancel.cancel())
    with pytest.raises(Cancelled):
        engine.next_logits(ids, cancel=cancel)
    assert runs == [PREFILL_CHUNK]
    handle.remove()
    assert engine.next_logits(ids).computed_tokens == LONG - PREFILL_CHUNK
    np.testing.assert_allclose(engine.next_logits(ids).logits, full_pass(engine, ids)[-1], atol=1e-4, rtol=0)


def test_scoring_stops_between_chunks(engine: TransformersEngine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    runs = count_runs(engine)
    with pytest.raises(Cancelled):
        engine.score(make_ids(40), cancel=cancel)
    assert runs == []


def test_bad_ids_are_refused_before_the_model_runs(engine: TransformersEngine) -> None:
    runs = count_runs(engine)
    for call in (engine.next_logits, engine.score):
        with pytest.raises(BadPrompt, match="empty"):
            call(())
        with pytest.raises(BadPrompt, match=r"1,001 tokens .* at most 1,000"):
            call(make_ids(1001))
        with pytest.raises(BadPrompt, match="300 is not one"):
            call((1, 300))
    assert runs == []


def test_logits_that_are_not_numbers_are_an_error(engine: TransformersEngine) -> None:
    engine.loaded.model.lm_head.register_forward_hook(lambda _module, _args, output: output * float("nan"))
    for call in (engine.next_logits, engine.score, engine.attentions):
        with pytest.raises(ModelError, match="not numbers"):
            call((1, 2))


def test_a_failing_model_is_a_sentence_and_not_the_end(engine: TransformersEngine) -> None:
    def fail(_module: object, _args: object) -> None:
        raise RuntimeError("the kernel is out of luck\nand says so at length")

    handle = engine.loaded.model.register_forward_pre_hook(fail)
    with pytest.raises(ModelError, match="out of luck\\)"):
        engine.next_logits((1, 2))
    handle.remove()
    assert engine.next_logits((1, 2)).computed_tokens == 2


def test_close_lets_go_of_everything(engine: TransformersEngine) -> None:
    engine.next_logits((1, 2))
    engine.close()
    with pytest.raises(ModelError, match="released"):
        engine.next_logits((1, 2))
    engine.close()


def test_facets_follow_the_architecture() -> None:
    assert offers(TransformersEngine(small_loaded("llama")), Attention)
    mamba = TransformersEngine(small_loaded("mamba"))
    assert not offers(mamba, Attention) and offers(mamba, Hidden)
    with pytest.raises(
        CapabilityMissing, match="run.* in this process and that have attention layers; .* has NextTokens"
    ):
        require(mamba, Attention)


# -- several texts together ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", [0, 30])
@pytest.mark.parametrize("kind", CONFIGS)
def test_texts_read_together_are_those_read_alone(kind: str, shared: int) -> None:
    engine = TransformersEngine(small_loaded(kind))
    start = make_ids(shared)
    given = [start + make_ids(length, seed=length) for length in (17, 3, 17, 40)]
    given.append(given[1])
    rows = finish(engine.next_logits_in_pieces(given))
    assert [row.ids for row in rows] == given
    for row, ids in zip(rows, given, strict=True):
        np.testing.assert_allclose(row.logits, full_pass(engine, ids)[-1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", REUSABLE)
def test_what_texts_begin_with_is_read_once_and_one_pass_serves_the_rest(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    runs = count_runs(engine)
    start = make_ids(50)
    finish(engine.next_logits_in_pieces([(*start, 1, 2, 3), (*start, 4), (*start, 5, 6)]))
    assert runs == [50, 3]
    engine.next_logits((*start, 9))
    assert runs[2:] == [1], "the common beginning stays known"


def test_one_text_that_is_the_beginning_of_another() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    given = [make_ids(20), make_ids(20)[:12], make_ids(20)[:1]]
    for row, ids in zip(finish(engine.next_logits_in_pieces(given)), given, strict=True):
        np.testing.assert_allclose(row.logits, full_pass(engine, ids)[-1], atol=1e-5, rtol=1e-5)
    assert finish(engine.next_logits_in_pieces([])) == ()


@pytest.mark.parametrize("kind", CONFIGS)
def test_long_texts_together_give_others_their_turn(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pass of more than a few hundred positions; a row that has ended is not carried along."""
    engine = TransformersEngine(small_loaded(kind))
    given = [make_ids(length, seed=length) for length in (120, 7, 90, 120, 31)]
    alone = [full_pass(engine, ids)[-1] for ids in given]
    positions: list[int] = []
    runner, forward = engine._runner, engine._runner.forward

    def counted(rows: Sequence[TokenIds], *more: Any, **options: Any) -> torch.Tensor:
        positions.append(sum(map(len, rows)))
        return forward(rows, *more, **options)

    monkeypatch.setattr(runner, "forward", counted)
    turns = 0
    pieces = engine.next_logits_in_pieces(given)
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            batched_rows = end.value
            break
        turns += 1
    for row, expected in zip(batched_rows, alone, strict=True):
        np.testing.assert_allclose(row.logits, expected, atol=1e-5, rtol=1e-5)
    if runner.takes_pieces and runner.joins_rows:
        assert turns >= 1 and max(positions) <= PREFILL_CHUNK and sum(positions) < 1.5 * sum(map(len, given))


@pytest.mark.parametrize("kind", REUSABLE)
def test_a_text_that_is_known_but_for_its_end_is_not_read_again_for_company(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    cached, news = make_ids(60), [make_ids(40, seed=5), make_ids(50, seed=6)]
    engine.next_logits(cached)
    runs = count_runs(engine)
    rows = finish(engine.next_logits_in_pieces([news[0], (*cached, 3), news[1]]))
    assert runs == [1, 50]
    np.testing.assert_allclose(rows[1].logits, full_pass(engine, (*cached, 3))[-1], atol=1e-5, rtol=1e-5)


def test_several_texts_are_refused_or_cancelled_as_one_is() -> None:
    engine, cancel = TransformersEngine(small_loaded("llama")), CancelToken()
    with pytest.raises(BadPrompt):
        finish(engine.next_logits_in_pieces([(1, 2), ()]))
    cancel.cancel()
    with pytest.raises(Cancelled):
        finish(engine.next_logits_in_pieces([(1, 2), (1, 3)], cancel=cancel))
