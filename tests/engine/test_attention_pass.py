"""Attention as captured against transformers' own eager ``output_attentions``, for every family; and its memory."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BloomConfig, Gemma2Config, Qwen3Config

from benchmarks.bench_attention import memory_figures
from playground.engine import attention_data
from playground.engine.api import CancelToken
from playground.engine.attention_data import AttentionPass, PassCache, pass_bytes, widest_window
from playground.engine.attention_scores import attention_scores, masked_softmax
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf import attention_pass
from playground.engine.hf.engine import TransformersEngine
from playground.errors import BadInput, BadPrompt, Cancelled, CapabilityMissing, ModelTooLarge
from tests.engine import small
from tests.engine.small import CONFIGS, VOCAB, small_info, small_loaded

FAMILIES: dict[str, Any] = {
    **{kind: make for kind, make in CONFIGS.items() if kind != "mamba"},
    "qwen3": lambda: Qwen3Config(**small.LLAMA_LIKE, head_dim=8),
    "gemma2": lambda: Gemma2Config(**small.LLAMA_LIKE, head_dim=8, sliding_window=16, query_pre_attn_scalar=8),
}
LENGTH = 80  # more than two chunks, and more than the sliding windows


@pytest.fixture(autouse=True)
def _more_families(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, make in FAMILIES.items():
        monkeypatch.setitem(CONFIGS, kind, make)
    monkeypatch.setattr(attention_pass, "PREFILL_CHUNK", 32)


def make_ids(length: int = LENGTH, seed: int = 0) -> tuple[int, ...]:
    return tuple(int(token) for token in np.random.default_rng(seed).integers(0, VOCAB, length))


def eager_weights(engine: TransformersEngine, ids: tuple[int, ...]) -> list[np.ndarray[Any, Any]]:
    """(heads, T, T) a layer, as transformers itself gives them."""
    model = engine.loaded.model
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        attentions = model(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True).attentions
    model.set_attn_implementation(usual)
    return [layer[0].float().numpy() for layer in attentions]


@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize(("start", "end"), [(0, LENGTH), (20, 75), (79, 80)])
def test_weights_equal_eager_rows_sum_to_one_and_scores_give_the_weights(kind: str, start: int, end: int) -> None:
    engine = TransformersEngine(small_loaded(kind))
    ids = make_ids()
    expected = eager_weights(engine, ids)
    got = engine.attentions(ids, start=start, end=end)
    assert [layer.index for layer in got.layers] == list(range(len(expected)))
    assert got.shows_scores
    for layer, whole in zip(got.layers, expected, strict=True):
        np.testing.assert_allclose(layer.weights, whole[:, start:end, start:end], atol=1e-6)
        np.testing.assert_allclose(layer.first, whole[:, start:end, 0], atol=1e-6)
        np.testing.assert_allclose(layer.weights.sum(-1) + layer.before, 1.0, atol=1e-5)
        assert not layer.weights[:, ~layer.visible[:, start:]].any()
        assert layer.queries is not None and layer.keys is not None
        scores = attention_scores(layer.queries, layer.keys, layer.scale, layer.softcap)
        rebuilt = masked_softmax(scores, layer.visible)  # (heads, W, end), by hand
        np.testing.assert_allclose(rebuilt[:, :, start:], layer.weights, atol=1e-5)


def test_the_mask_of_a_sliding_window_is_told() -> None:
    got = TransformersEngine(small_loaded("mistral-sliding")).attentions(make_ids(40))
    visible = got.layers[0].visible
    assert visible[30].nonzero()[0].tolist() == list(range(15, 31))  # 16 keys, itself the last
    full = TransformersEngine(small_loaded("llama")).attentions(make_ids(40)).layers[0].visible
    assert full.tolist() == np.tri(40, dtype=bool).tolist()


def test_grouped_queries_keep_their_shared_key_heads() -> None:
    layer = TransformersEngine(small_loaded("llama")).attentions(make_ids(9)).layers[0]
    assert (layer.heads, layer.key_heads) == (4, 2)
    alone = TransformersEngine(small_loaded("gpt2")).attentions(make_ids(9)).layers[0]
    assert (alone.heads, alone.key_heads) == (4, 4)


def test_the_models_usual_attention_comes_back_and_answers_are_the_same() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    ids = make_ids(50)
    before = engine.next_logits(ids[:40]).logits
    engine.attentions(ids)
    model = engine.loaded.model
    assert model.config._attn_implementation == "sdpa"
    with torch.inference_mode():
        assert model(input_ids=torch.tensor([ids]), output_attentions=True).attentions in (None, (None, None), ())
    np.testing.assert_allclose(engine.next_logits(ids[:40]).logits, before, atol=1e-5)
    fresh = TransformersEngine(small_loaded("llama"))
    np.testing.assert_allclose(engine.next_logits(ids).logits, fresh.next_logits(ids).logits, atol=1e-4)


def test_a_failed_or_cancelled_pass_puts_the_usual_attention_back() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        engine.attentions(make_ids(), cancel=cancel)
    assert engine.loaded.model.config._attn_implementation == "sdpa"


def test_a_prefix_read_before_is_not_spoilt_by_the_pass_that_goes_on_from_it() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    ids = make_ids(60)
    engine.attentions(ids, start=40)
    slots = engine._runner.prefixes._slots
    assert slots and all(state.value.get_seq_length() == len(key[1]) for key, state in slots.items()), (
        "a stored state grew"
    )
    other = (*ids[:40], *make_ids(8, seed=3))
    fresh = TransformersEngine(small_loaded("llama"))
    np.testing.assert_allclose(engine.next_logits(other).logits, fresh.next_logits(other).logits, atol=1e-4)


# -- what a model lacks ------------------------------------------------------------------------------------------------


def test_a_mamba_says_that_it_has_no_attention() -> None:
    engine = TransformersEngine(small_loaded("mamba"))
    with pytest.raises(CapabilityMissing, match="has no attention .* choose another model"):
        engine.attentions(make_ids(5))


def test_an_architecture_from_before_the_interface_gives_weights_without_scores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(CONFIGS, "bloom", lambda: BloomConfig(vocab_size=VOCAB, hidden_size=32, n_layer=2, n_head=4))
    engine = TransformersEngine(small_loaded("bloom"))
    got = engine.attentions(make_ids(30), start=10)
    assert not got.shows_scores
    for layer, whole in zip(got.layers, eager_weights(engine, make_ids(30)), strict=True):
        np.testing.assert_allclose(layer.weights, whole[:, 10:, 10:], atol=1e-6)
        np.testing.assert_allclose(layer.weights.sum(-1) + layer.before, 1.0, atol=1e-5)


def test_a_model_that_gives_no_weights_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(small_loaded("llama"))
    model = type(engine.loaded.model)
    monkeypatch.setattr(model, "_can_set_attn_implementation", classmethod(lambda cls: False))
    monkeypatch.setattr(attention_pass, "_eager", lambda model: nullcontext())  # sdpa, asked for weights, has none
    with pytest.raises(CapabilityMissing, match="does not give its attention weights: choose another model"):
        engine.attentions(make_ids(5))


def test_scores_that_do_not_give_the_weights_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A learnt sink beside the keys: softmax(q·k) over the keys alone is not what the model used."""
    from transformers.models.llama import modeling_llama

    usual = modeling_llama.eager_attention_forward

    def with_sink(*args: Any, **kwargs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        output, weights = usual(*args, **kwargs)
        return output * 0.5, weights * 0.5

    monkeypatch.setattr(modeling_llama, "eager_attention_forward", with_sink)
    loaded = small_loaded("llama")
    loaded.model.set_attn_implementation("eager")
    got = TransformersEngine(loaded).attentions(make_ids(9))
    assert not got.shows_scores and got.layers[0].weights[0, 3].sum() == pytest.approx(0.5, abs=1e-5)


def test_weights_of_a_pass_that_answers_otherwise_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.llama import modeling_llama

    usual = modeling_llama.eager_attention_forward

    def without_mask(
        module: nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        _mask: torch.Tensor | None,
        **options: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        output, weights = usual(module, query, key, value, None, **options)
        return output, weights

    monkeypatch.setattr(modeling_llama, "eager_attention_forward", without_mask)
    engine = TransformersEngine(small_loaded("llama"))
    assert engine.attentions(make_ids(1)).layers[0].weights.tolist() == [[[1.0]]] * 4  # which says nothing of the next
    with pytest.raises(CapabilityMissing, match="does not give its attention weights"):
        engine.attentions(make_ids(9))


# -- bad input and memory ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("start", "end"), [(-1, None), (5, 5), (0, 6), (9, None)])
def test_a_window_outside_of_the_text_is_refused(start: int, end: int | None) -> None:
    with pytest.raises(BadInput, match="not part of this text of 5 tokens"):
        TransformersEngine(small_loaded("llama")).attentions(make_ids(5), start=start, end=end)


def test_the_prompts_own_refusals_hold() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    for ids in ((), (VOCAB,)):
        with pytest.raises(BadPrompt):
            engine.attentions(ids)


@pytest.mark.parametrize("ids", [(7,), (7,) * 20], ids=["one token", "one repeated token"])
def test_one_token_and_one_repeated_token(ids: tuple[int, ...]) -> None:
    got = TransformersEngine(small_loaded("llama")).attentions(ids)
    np.testing.assert_allclose(got.layers[0].weights[:, 0, 0], 1.0)
    np.testing.assert_allclose(got.layers[0].weights.sum(-1), 1.0, atol=1e-6)


def test_the_stated_memory_is_the_measured_one() -> None:
    info = small_info(layers=2, heads=4, kv_heads=2, head_dim=8)
    got = TransformersEngine(small_loaded("llama")).attentions(make_ids(), start=30)
    small_parts = sum(layer.before.nbytes + layer.first.nbytes for layer in got.layers)
    assert got.bytes - small_parts == pass_bytes(info, LENGTH - 30, LENGTH)


def test_too_much_memory_is_refused_with_the_width_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(small_loaded("llama", layers=2, heads=4, kv_heads=2, head_dim=8))
    limit = 100_000
    fits = widest_window(engine.info, LENGTH, limit)
    monkeypatch.setattr(attention_data, "MAX_PASS_BYTES", limit)
    monkeypatch.setattr(attention_data.widest_window, "__defaults__", (limit,))
    with pytest.raises(ModelTooLarge, match=rf"look at {fits:,} tokens or fewer") as refused:
        engine.attentions(make_ids())
    assert refused.value.needed_bytes == pass_bytes(engine.info, LENGTH, LENGTH) > limit
    assert 1 < fits == engine.attentions(make_ids(), start=LENGTH - fits).width


def make_pass(size: int) -> AttentionPass:
    return FakeEngine(shows_scores=False).attentions(tuple(range(1, size + 1)))


def test_the_cache_keeps_what_is_looked_at_within_its_bytes() -> None:
    passes = [make_pass(size) for size in (20, 21, 22)]
    cache = PassCache(max_bytes=passes[0].bytes + passes[2].bytes)
    keys: list[Any] = [(each.ids, 0, each.end) for each in passes]
    cache.put(keys[0], passes[0])
    cache.put(keys[1], passes[1])
    assert cache.get(keys[0]) is passes[0]  # now the other one is the oldest
    cache.put(keys[2], passes[2])
    assert [cache.get(key) is not None for key in keys] == [True, False, True]
    large = make_pass(60)
    cache.put((large.ids, 0, 60), large)
    assert cache.used_bytes == large.bytes  # alone, and too large: it is what is being looked at
    cache.clear()
    assert cache.used_bytes == 0


def test_what_nobody_looks_at_is_let_go_of() -> None:
    now = [0.0]
    cache = PassCache(max_age_s=10, clock=lambda: now[0])
    first, second = make_pass(5), make_pass(6)
    cache.put((first.ids, 0, 5), first)
    cache.put((second.ids, 0, 6), second)
    now[0] = 6.0
    assert cache.get((second.ids, 0, 6)) is second
    now[0] = 11.0
    cache.sweep()
    assert cache.used_bytes == second.bytes
    cache.clear()


def test_the_timer_sweeps_by_itself() -> None:
    cache = PassCache(max_age_s=0.01)
    attention = make_pass(5)
    cache.put((attention.ids, 0, 5), attention)
    if cache._timer is not None:  # it may have rung already
        cache._timer.join(30)
    assert cache.used_bytes == 0


@pytest.mark.model
def test_512_tokens_take_less_than_2_gb_and_give_it_back() -> None:
    """In a process of its own: this one's memory has a history."""
    figures = memory_figures()
    assert 300e6 < figures["512 tokens, weights held while looked at, bytes"] < 400e6
    assert figures["512 tokens, extra memory at most, bytes"] < 2e9
    left = figures["512 tokens, left after letting go, bytes"]
    assert left < 40e6 and figures["512 tokens, left after letting go of a second pass, bytes"] < left + 20e6


@pytest.mark.model
def test_the_bundled_model_equals_transformers_eager(bundled_engine: TransformersEngine) -> None:
    ids = bundled_engine.codec.encode("When Mary and John went to the store, John gave a drink to Mary.")
    got = bundled_engine.attentions(ids)
    for layer, whole in zip(got.layers, eager_weights(bundled_engine, ids), strict=True):
        assert np.abs(layer.weights - whole).max() < 1e-4
        assert layer.queries is not None and layer.keys is not None
        scores = attention_scores(layer.queries, layer.keys, layer.scale, layer.softcap)
        assert np.abs(masked_softmax(scores, layer.visible) - whole).max() < 1e-4
    assert (got.layers[0].heads, got.layers[0].key_heads) == (9, 3)
