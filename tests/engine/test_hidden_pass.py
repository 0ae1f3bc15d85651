"""The lens against transformers' own hidden states, norm and head; weights against ``num_parameters()``."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, OPTConfig, PhiConfig, PreTrainedModel, Qwen3Config

from playground.engine.api import CancelToken, Engine, Hidden
from playground.engine.facets import require
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf import hidden_pass, runner
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import pack_linears
from playground.engine.serving.step_worker import StepWorker
from playground.engine.types import LENS_TOP, LensRows
from playground.errors import BadPrompt, Cancelled, CapabilityMissing, ModelError
from playground.models.loading import LoadedModel
from tests.engine.small import CONFIGS, LLAMA_LIKE, VOCAB
from tests.engine.small import small_loaded as plain_loaded

MORE: dict[str, Any] = {
    "gemma2": lambda: Gemma2Config(**LLAMA_LIKE, head_dim=8, sliding_window=16, final_logit_softcapping=30.0),
    "qwen3": lambda: Qwen3Config(**LLAMA_LIKE, head_dim=8),
    "phi": lambda: PhiConfig(
        vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    ),
    "opt": lambda: OPTConfig(
        vocab_size=VOCAB, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4, word_embed_proj_dim=16
    ),
}
FINAL_NORMS = ("norm", "ln_f", "final_layer_norm", "norm_f", "final_layernorm")


@pytest.fixture(autouse=True)
def more_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, make in MORE.items():
        monkeypatch.setitem(CONFIGS, kind, make)


def small_loaded(kind: str) -> LoadedModel:
    """With norms that are not all ones: else applying one twice would go unseen."""
    loaded = plain_loaded(kind)
    generator = torch.Generator().manual_seed(1)
    for weight in loaded.model.parameters():
        if weight.dim() == 1:
            weight.data += 0.5 * torch.rand(weight.shape, generator=generator)
    return loaded


def make_ids(length: int, seed: int = 0) -> tuple[int, ...]:
    return tuple(int(token) for token in np.random.default_rng(seed).integers(0, VOCAB, length))


def read(engine: Hidden, ids: tuple[int, ...], positions: range | None = None, **options: Any) -> list[LensRows]:
    steps = engine.lens(ids, range(len(ids)) if positions is None else positions, **options)
    return [rows for rows in steps if rows is not None]


def joined(parts: list[LensRows], name: str) -> np.ndarray[Any, Any]:
    axis = 0 if name == "followed" else 1
    return np.concatenate([getattr(part, name) for part in parts], axis=axis)


def reference(model: PreTrainedModel, kind: str, ids: tuple[int, ...]) -> torch.Tensor:
    """(depths, T, vocab) log-probabilities from ``output_hidden_states``, the norm and the head, by hand."""
    base = model.get_decoder()
    norm = next(getattr(base, name) for name in FINAL_NORMS if getattr(base, name, None) is not None)
    with torch.inference_mode():
        states = model(input_ids=torch.tensor([ids]), output_hidden_states=True, use_cache=False).hidden_states
        rows = []
        for depth, state in enumerate(states):
            if depth < len(states) - 1:  # transformers gives the last one after the norm
                state = norm(state)
                state = base.project_out(state) if kind == "opt" else state
            logits = model.get_output_embeddings()(state)[0]
            if kind == "gemma2":
                logits = 30.0 * torch.tanh(logits / 30.0)
            rows.append(torch.log_softmax(logits.double(), dim=-1))
    return torch.stack(rows)


@pytest.mark.parametrize("kind", [*(kind for kind in CONFIGS if kind != "mamba"), *MORE])
def test_every_depth_equals_transformers_hidden_state_through_norm_and_head(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    ids = make_ids(40)
    parts = read(engine, ids, follow=(7,))
    expected = reference(engine.loaded.model, kind, ids).numpy()
    chosen = np.take_along_axis(expected, joined(parts, "top_ids"), axis=-1)
    np.testing.assert_allclose(joined(parts, "top_logprobs"), chosen, atol=1e-4)
    np.testing.assert_allclose(joined(parts, "top_logprobs"), -np.sort(-expected, axis=-1)[..., :LENS_TOP], atol=1e-4)
    probs = np.exp(expected)
    np.testing.assert_allclose(joined(parts, "entropies"), -(probs * expected).sum(-1), atol=1e-3)
    np.testing.assert_allclose(joined(parts, "divergences"), (probs[-1] * (expected[-1] - expected)).sum(-1), atol=1e-3)
    np.testing.assert_allclose(joined(parts, "logprobs")[..., -1], expected[..., 7], atol=1e-4)
    assert max(part.head_gap for part in parts) < 1e-4


@pytest.mark.parametrize("kind", [*CONFIGS, *MORE])
def test_the_last_depth_is_the_models_own_answer_and_diverges_from_nothing(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    ids = make_ids(21)
    with torch.inference_mode():
        own = engine.loaded.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    own = torch.log_softmax(own.double(), dim=-1).numpy()
    parts = read(engine, ids)
    assert joined(parts, "top_ids").shape == (3, 21, LENS_TOP)
    np.testing.assert_allclose(joined(parts, "top_logprobs")[-1], -np.sort(-own)[:, :LENS_TOP], atol=1e-4)
    np.testing.assert_allclose(joined(parts, "divergences")[-1], 0, atol=1e-6)
    assert joined(parts, "divergences")[0].max() > 1e-2, "the embedding does not know the answer"
    assert max(part.head_gap for part in parts) < 1e-4


@pytest.mark.parametrize("kind", ["llama", "mistral-sliding", "gemma3-hybrid", "mamba"])
def test_a_window_of_a_long_text_is_the_same_part_of_the_whole(kind: str) -> None:
    engine = TransformersEngine(small_loaded(kind))
    ids = make_ids(300, seed=3)
    whole, part = read(engine, ids), read(engine, ids, range(280, 290))
    assert part[0].first == 280
    for name in ("entropies", "divergences", "top_logprobs"):
        np.testing.assert_allclose(joined(part, name), joined(whole, name)[:, 280:290], atol=1e-3)


def test_ranks_and_what_is_followed() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    ids = make_ids(20)
    parts = read(engine, ids, follow=(3, 4))
    followed, ranks = joined(parts, "followed"), joined(parts, "ranks")
    expected = reference(engine.loaded.model, "llama", ids).numpy()
    assert (followed[:, :LENS_TOP] == joined(parts, "top_ids")[-1]).all(), "the model's own likeliest tokens"
    assert followed[:-1, LENS_TOP].tolist() == list(ids[1:]) and followed[-1, LENS_TOP] == -1
    assert (followed[:, -2:] == [3, 4]).all()
    for depth in range(3):
        for place in range(20):
            row = expected[depth, place]
            for index, token in enumerate(followed[place]):
                if token < 0:
                    assert ranks[depth, place, index] == -1
                    assert np.isnan(joined(parts, "logprobs")[depth, place, index])
                else:
                    low, high = (int((row > row[token] + gap).sum()) for gap in (1e-4, -1e-4))
                    assert low <= ranks[depth, place, index] < high
    assert (ranks[-1, :, :LENS_TOP] == np.arange(LENS_TOP)).all()


def test_one_token_and_one_repeated_token_have_a_lens() -> None:
    engine = TransformersEngine(small_loaded("gpt2"))
    (one,) = read(engine, (5,))
    assert one.entropies.shape == (3, 1) and one.followed[0, LENS_TOP] == -1
    assert joined(read(engine, (5,) * 30), "entropies").shape == (3, 30)


def test_the_lens_leaves_the_model_and_its_cache_as_they_were() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    ids = make_ids(30)
    with torch.inference_mode():
        before = engine.loaded.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].numpy()
    read(engine, ids[:25])
    modules = list(engine.loaded.model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)
    assert not any("forward" in module.__dict__ for module in modules)
    row = engine.next_logits(ids)
    np.testing.assert_allclose(row.logits, before, atol=1e-4)
    assert row.computed_tokens == 5, "what the lens has read need not be read again"


def test_a_packed_model_has_the_same_lens() -> None:
    plain, packed = small_loaded("llama-tied"), small_loaded("llama-tied")
    assert pack_linears(packed.model)
    ids = make_ids(12)
    one, other = (read(TransformersEngine(loaded), ids) for loaded in (plain, packed))
    np.testing.assert_allclose(joined(other, "top_logprobs"), joined(one, "top_logprobs"), atol=1e-4)


def test_it_stops_between_steps_and_within_one(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(small_loaded("llama"))
    monkeypatch.setattr(hidden_pass, "_MOST_POSITIONS", 4)
    cancel = CancelToken()
    steps = engine.lens(make_ids(20), range(20), cancel=cancel)
    rows = next(steps)
    assert rows is not None and rows.entropies.shape == (3, 4)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert not any("forward" in module.__dict__ for module in engine.loaded.model.modules())


@pytest.mark.parametrize("kind", ["llama", "mistral-sliding"])
def test_what_stands_before_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Sliding windows keep no prefixes, and are read in pieces all the same."""
    ids, window = make_ids(40), range(36, 40)
    whole = read(TransformersEngine(small_loaded(kind)), ids, window)
    monkeypatch.setattr(runner, "PREFILL_CHUNK", 10)
    steps = list(TransformersEngine(small_loaded(kind)).lens(ids, window))
    assert [step is None for step in steps] == [True, True, True, True, False]
    assert steps[-1] is not None
    np.testing.assert_allclose(steps[-1].top_logprobs, joined(whole, "top_logprobs"), atol=1e-4)


@pytest.mark.parametrize("how", ["cancelled", "left"])
def test_it_stops_between_the_pieces_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(runner, "PREFILL_CHUNK", 10)
    engine, cancel, ids = TransformersEngine(small_loaded("llama")), CancelToken(), make_ids(40)
    steps = engine.lens(ids, range(36, 40), cancel=cancel)
    assert isinstance(steps, Generator)
    assert next(steps) is None and next(steps) is None and not torch.is_inference_mode_enabled()
    if how == "cancelled":
        cancel.cancel()
        with pytest.raises(Cancelled):
            next(steps)
    else:
        steps.close()
    assert engine.next_logits(ids).computed_tokens == 20, "the twenty that were read are known"


def test_other_readers_have_their_turns_while_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PREFILL_CHUNK", 10)
    engine, order = TransformersEngine(small_loaded("llama")), list[str]()
    worker, begun, asked = StepWorker(engine), threading.Event(), threading.Event()

    def lens(engine: Engine, cancel: CancelToken) -> Iterator[None]:
        for rows in require(engine, Hidden).lens(make_ids(60), range(56, 60), cancel=cancel):
            order.append("piece" if rows is None else "rows")
            begun.set()
            assert asked.wait(30)
            yield None

    def other(engine: Engine, cancel: CancelToken) -> None:
        order.append("other reader")

    first = worker.submit("one", "lens", lens)
    assert begun.wait(30)
    second = worker.submit("two", "next", other)
    asked.set()
    second.result(30)
    first.result(30)
    worker.close()
    assert order == ["piece", "other reader", *["piece"] * 5, "rows"]


@pytest.mark.parametrize("positions", [range(0), range(21), range(-1, 3), range(0, 10, 2), range(5, 3)])
def test_positions_outside_of_the_text_are_refused(positions: range) -> None:
    for engine in (
        TransformersEngine(small_loaded("llama")),
        FakeEngine(),
    ):
        with pytest.raises(BadPrompt):
            list(engine.lens(make_ids(20), positions))
    with pytest.raises(BadPrompt):
        list(engine.lens((1, 2), range(2), follow=(10**6,)))


def test_a_model_without_a_list_of_layers_says_so() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    engine.loaded.model.config.num_hidden_layers = 5
    with pytest.raises(CapabilityMissing, match="one list"):
        read(engine, (1, 2, 3))
    engine.close()
    with pytest.raises(ModelError):
        read(engine, (1, 2, 3))


def test_a_half_precision_model_has_a_lens() -> None:
    loaded = small_loaded("llama")
    loaded.model.to(torch.bfloat16)
    parts = read(TransformersEngine(loaded), make_ids(8))
    assert joined(parts, "top_logprobs").dtype == np.float32 and np.isfinite(joined(parts, "entropies")).all()


# -- weights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [*CONFIGS, *MORE])
def test_the_weights_sum_to_num_parameters(kind: str, packed: bool) -> None:
    loaded = small_loaded(kind)
    expected = loaded.model.num_parameters()
    expected_bytes = sum(weight.nbytes for weight in loaded.model.parameters())
    if packed:
        assert pack_linears(loaded.model)
    listing = TransformersEngine(loaded).weights()
    assert listing.parameters == expected
    assert sum(weight.bytes for weight in listing.weights) == expected_bytes
    assert len({weight.name for weight in listing.weights}) == len(listing.weights)
    assert listing.tied == bool(loaded.model.config.tie_word_embeddings)
    assert '"model_type"' in listing.config


def test_a_released_model_has_no_weights() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    engine.close()
    with pytest.raises(ModelError):
        engine.weights()


# -- the fake ----------------------------------------------------------------------------------------------------------


def test_the_fake_has_a_lens() -> None:
    engine = FakeEngine()
    parts = read(engine, (1, 2, 3), follow=(9,))
    own = engine.next_logits((1, 2, 3)).logits
    assert joined(parts, "top_ids")[-1, -1, 0] == own.argmax() and joined(parts, "divergences")[-1].max() < 1e-5
    assert engine.weights().parameters == engine.info.parameters


# -- the key-value cache -----------------------------------------------------------------------------------------------


def test_a_batch_tells_the_bytes_of_its_cache() -> None:
    engine = TransformersEngine(small_loaded("llama"))
    batch = engine.open_batch([make_ids(50)])
    per_token = 2 * 2 * 2 * 8 * 4  # keys and values, layers, key-value heads, head size, bytes of a float32
    assert batch.cache_bytes == 50 * per_token
    batch.step([3])
    assert batch.cache_bytes == 51 * per_token
    two = engine.open_batch([make_ids(50), make_ids(50)])
    assert two.cache_bytes == 100 * per_token
    assert TransformersEngine(small_loaded("mamba")).open_batch([(1, 2)]).cache_bytes is None


def test_all_kinds_are_what_they_say() -> None:
    for kind, make in MORE.items():
        assert AutoModelForCausalLM.from_config(make()).config.model_type == kind
