"""Every causal architecture transformers has, against its own full forward pass in float32; or refused, and why."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from playground.engine.api import Batch, CancelToken
from playground.engine.hf import runner
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prefix import PrefixCache
from playground.engine.hf.runner import ModelRunner
from playground.engine.pieces import finish
from playground.engine.types import FloatArray
from playground.errors import CapabilityMissing, ModelRefused
from playground.inspection.anatomy import text_config
from playground.inspection.cache_formula import cache_bytes, plain_spec
from playground.models.decoding import PLAIN, VERIFIED, examine, new_cache
from playground.models.describing import has_attention, setting
from playground.models.loading import LoadedModel
from playground.models.safety import check_config
from tests.engine.architectures import CONTEXT, VOCAB, architectures, small_config, small_model
from tests.engine.small import byte_level_tokenizer, small_info

LENGTH = 40  # beyond the sliding windows and the chunks of recurrent layers, which are 16

BOTH_WAYS = "reads a text in both directions"
ENCODER = "does not continue text token by token"
REFUSED: dict[str, str] = {
    **dict.fromkeys(
        [
            "bert",
            "bert-generation",
            "big_bird",
            "camembert",
            "cpmant",
            "data2vec-text",
            "electra",
            "ernie",
            "megatron-bert",
            "rembert",
            "roberta",
            "roberta-prelayernorm",
            "roc_bert",
            "roformer",
            "xlm",
            "xlm-roberta",
            "xlm-roberta-xl",
            "xlnet",
            "xmod",
        ],
        BOTH_WAYS,
    ),
    **dict.fromkeys(
        [
            "bart",
            "bigbird_pegasus",
            "blenderbot",
            "blenderbot-small",
            "marian",
            "mbart",
            "mvp",
            "pegasus",
            "plbart",
            "prophetnet",
            "whisper",
        ],
        ENCODER,
    ),
}
"""Architectures that are not loaded, and a part of the sentence that says why."""

NONE = "has no attention"
NO_ATTENTION: dict[str, str] = {
    "deepseek_v4": "looks at summaries of its tokens",
    **dict.fromkeys(["falcon_mamba", "mamba", "mamba2", "rwkv", "xlstm"], NONE),
}
AFTER, LIST = "does more after its layers than a norm and a head", "are not one list"
NO_LENS: dict[str, str] = {
    **dict.fromkeys(["deepseek_v4", "gemma3n_text", "hy_v4", "inkling2_text", "reformer"], AFTER),
    **dict.fromkeys(["hrm_text", "longcat_flash"], LIST),
}
"""Architectures that run, but without one of the views."""
WITHOUT_CACHE = ("openai-gpt", "reformer")
"""Architectures whose class takes no cache, or whose cache does not give what the whole text gives."""
UNPREDICTED = {"dots3_note_text"}
"""Whose cache no formula is given for: its windowed layers have latents of their own size."""
ACCEPTED = [name for name in architectures() if name not in REFUSED]


def make_ids(length: int = LENGTH, seed: int = 0) -> tuple[int, ...]:
    return tuple(int(token) for token in np.random.default_rng(seed).integers(3, VOCAB - 3, length))


@lru_cache(maxsize=1)  # one model at a time
def engine_of(name: str) -> TransformersEngine:
    config = small_config(name)
    check_config(name, {**config.to_dict(), "architectures": None})
    model = small_model(name, config)
    decoding = examine(model, name)
    text = config.get_text_config(decoder=True)
    heads = setting(text, "num_attention_heads")
    info = small_info(
        CONTEXT,
        name=name,
        architecture=type(model).__name__,
        dtype="float32",
        vocab_size=VOCAB,
        layers=setting(text, "num_hidden_layers"),
        heads=heads,
        hidden_size=setting(text, "hidden_size"),
        head_dim=setting(text, "head_dim") or (setting(text, "hidden_size") // heads if heads else 0),
        kv_heads=decoding.key_heads or setting(text, "num_key_value_heads") or heads,
    )
    loaded = LoadedModel(
        model=model,
        tokenizer=byte_level_tokenizer(),
        info=info,
        source=cast(Any, None),
        placement=cast(Any, SimpleNamespace(device="cpu")),
        memory=cast(Any, None),
        attn_implementation=str(model.config._attn_implementation),
        has_attention=has_attention(model),
        decoding=decoding,
    )
    return TransformersEngine(loaded)


def full_pass(engine: TransformersEngine, ids: tuple[int, ...]) -> torch.Tensor:
    """(T, vocab) without any cache."""
    with torch.inference_mode():
        logits: torch.Tensor = engine.loaded.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
    return logits.float()


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_cannot_continue_a_text_is_refused_and_told_why(name: str) -> None:
    with pytest.raises(ModelRefused, match=REFUSED[name]):
        engine_of(name)


# Of one scope: a model's two tests follow one another, and it is built once.
@pytest.mark.parametrize("name", ACCEPTED, scope="module")
def test_an_architecture_gives_what_its_own_full_pass_gives(name: str) -> None:
    engine = engine_of(name)
    ids = make_ids()
    whole = full_pass(engine, ids)
    for length in (10, 11, 30, LENGTH):  # from nothing, a step after, some at once after
        assert_close(engine.next_logits(ids[:length]).logits, full_pass(engine, ids[:length])[-1])
    other = (*ids[:20], *make_ids(6, seed=1))
    assert_close(engine.next_logits(other).logits, full_pass(engine, other)[-1])
    expected = torch.log_softmax(whole, -1)[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    assert_close(engine.score(ids).logprobs[1:], expected)
    _check_joint(engine, ids)
    _check_greedy(engine, ids)
    _check_prediction(engine, ids, name)
    _check_attention(engine, ids, name)
    _check_lens(engine, ids, whole, name)


def assert_close(actual: FloatArray, expected: torch.Tensor) -> None:
    np.testing.assert_allclose(actual, expected.numpy(), atol=1e-4, rtol=1e-4)


def _check_joint(engine: TransformersEngine, ids: tuple[int, ...]) -> None:
    texts = [(*ids[:15], *make_ids(length, seed=length)) for length in (3, 9, 1)]
    for row, text in zip(finish(engine.next_logits_in_pieces(texts)), texts, strict=True):
        assert_close(row.logits, full_pass(engine, text)[-1])


def _check_greedy(engine: TransformersEngine, ids: tuple[int, ...]) -> None:
    """Rows of one prompt that part, one that leaves, one that goes on twice; and another prompt beside them."""
    prompts = [ids[:20], ids[:20], ids[:20], ids[5:12]]
    batch = engine.open_batch(prompts)
    _check_bytes(engine, batch, prompts)
    chosen = [int(token) for token in batch.logits.argmax(-1)]
    batch.step([chosen[0], chosen[1] ^ 1, chosen[2] ^ 2, chosen[3]])
    batch.select_rows([2, 0, 0, 3])
    for turn in range(3):
        batch.step([int(token) ^ (turn == 0 and row == 1) for row, token in enumerate(batch.logits.argmax(-1))])
    for row, text in zip(batch.logits, batch.ids, strict=True):
        assert_close(row, full_pass(engine, text)[-1])
    branched = (*batch.ids[1], 5)
    batch.close()
    assert_close(engine.next_logits(branched).logits, full_pass(engine, branched)[-1])


def _check_bytes(engine: TransformersEngine, batch: Batch, prompts: list[tuple[int, ...]]) -> None:
    """The cache's bytes are those of transformers' own caches, a row each."""
    decoding = engine.loaded.decoding
    if decoding.argument is None:
        assert batch.cache_bytes is None and batch.state_bytes is None
        return
    held_bytes = {"keys": 0, "all": 0}
    for prompt in prompts:
        cache = None if decoding.own else new_cache(engine.loaded.model.config)
        given = {} if cache is None else {decoding.argument: cache}
        with torch.inference_mode():
            output = engine.loaded.model(input_ids=torch.tensor([prompt]), use_cache=True, **given)
        cache = output.get(decoding.argument, cache)
        for layer in getattr(cache, "layers", ()):
            for part in (getattr(layer, "keys", None), getattr(layer, "values", None)):
                held_bytes["keys"] += 0 if part is None else part.nbytes
    assert (batch.cache_bytes or 0) == held_bytes["keys"]
    assert batch.cache_bytes or batch.state_bytes


def _check_prediction(engine: TransformersEngine, ids: tuple[int, ...], name: str) -> None:
    """Inside's formula for the cache gives its bytes."""
    measured = engine.open_batch([ids]).cache_bytes
    listed = engine.weights()
    spec = plain_spec(engine.info, text_config(listed), listed.cache_layers)
    if measured is not None:
        assert cache_bytes(spec, len(ids), 4) == (None if name in UNPREDICTED else measured)


def _check_attention(engine: TransformersEngine, ids: tuple[int, ...], name: str) -> None:
    if name in NO_ATTENTION:
        with pytest.raises(CapabilityMissing, match=NO_ATTENTION[name]):
            engine.attentions(ids)
        return
    model = engine.loaded.model
    usual = model.config._attn_implementation
    model.config._attn_implementation = "eager"
    with torch.inference_mode():
        expected = model(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True).attentions
    model.config._attn_implementation = usual
    expected = [
        weights for weights in expected if weights.shape[-2:] == (len(ids), len(ids))
    ]  # MiniMax adds its states
    for start in (0, 25):
        got = engine.attentions(ids, start=start)
        assert len(got.layers) == len(expected)
        for layer, weights in zip(got.layers, expected, strict=True):
            assert_close(layer.weights, weights[0, :, start:, start:])
            assert not np.triu(layer.weights, 1).any()
            assert_close(layer.weights.sum(-1) + layer.before, weights[0, :, start:].sum(-1))


def _check_lens(engine: TransformersEngine, ids: tuple[int, ...], whole: torch.Tensor, name: str) -> None:
    if name in NO_LENS:
        with pytest.raises(CapabilityMissing, match=NO_LENS[name]):
            list(engine.lens(ids, range(30, LENGTH)))
        return
    rows = [row for row in engine.lens(ids, range(30, LENGTH)) if row is not None]
    best = np.concatenate([row.top_logprobs[-1] for row in rows])  # (P, K) of the last depth
    expected = torch.log_softmax(whole[30:], -1).topk(best.shape[1], dim=-1).values
    assert_close(best, expected)


def test_the_families_that_are_not_asked_at_each_load_are_plain() -> None:
    assert set(architectures()) >= VERIFIED
    for name in VERIFIED:
        decoding = engine_of(name).loaded.decoding
        assert (decoding.argument, decoding.own, decoding.positions, decoding.pieces) == (
            PLAIN.argument,
            PLAIN.own,
            PLAIN.positions,
            PLAIN.pieces,
        )


@pytest.mark.parametrize(
    "name", ["jamba", "qwen3_next", "granitemoehybrid", "falcon_h1", "bamba", "zamba2", "mamba", "recurrent_gemma"]
)
def test_hybrids_and_recurrent_models_decode_one_token_a_step(name: str) -> None:
    engine = engine_of(name)
    runs: list[int] = []
    batch = engine.open_batch([make_ids(20)])
    hook = engine.loaded.model.register_forward_pre_hook(
        lambda _module, _args, given: runs.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    for token in (4, 5, 6):
        batch.step([token])
    hook.remove()
    assert runs == [1, 1, 1] and batch.state_bytes


@pytest.mark.parametrize("name", ["phi3"])
def test_longrope_is_read_anew_where_its_factors_change(name: str) -> None:
    """The original context is 30 tokens: a text of 31 is read with the long factors, from its first token on."""
    config = small_config(name)
    config.rope_parameters = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "original_max_position_embeddings": 30,
        "short_factor": [1.0, 1.0, 1.0, 1.0],
        "long_factor": [3.0, 5.0, 7.0, 9.0],
    }
    config.original_max_position_embeddings = 30
    engine = TransformersEngine(_with_model(engine_of(name).loaded, small_model(name, config)))
    ids = make_ids(36)
    for length in (25, 30, 31, 36, 29, 33):
        assert_close(engine.next_logits(ids[:length]).logits, full_pass(engine, ids[:length])[-1])
    for length in (30, 36):
        whole = torch.log_softmax(full_pass(engine, ids[:length]), -1)
        expected = whole[:-1].gather(1, torch.tensor(ids[1:length])[:, None])[:, 0]
        assert_close(engine.score(ids[:length]).logprobs[1:], expected)
    texts = [ids[:28], ids[:33], (*ids[:29], 7)]
    fresh = TransformersEngine(engine.loaded)
    for row, text in zip(finish(fresh.next_logits_in_pieces(texts)), texts, strict=True):
        assert_close(row.logits, full_pass(fresh, text)[-1])
    batch = fresh.open_batch([ids[:28], ids[:28], ids[:33]])
    for turn in range(5):
        batch.step([turn + 3, turn + 4, turn + 5])
        for row, text in zip(batch.logits, batch.ids, strict=True):
            assert_close(row, full_pass(fresh, text)[-1])
    _check_attention(fresh, ids, name)
    _check_lens_of(fresh, ids, range(20, 36))
    _check_lens_of(fresh, ids, range(32, 36))


def _check_lens_of(engine: TransformersEngine, ids: tuple[int, ...], positions: range) -> None:
    rows = [row for row in engine.lens(ids[: positions.stop], positions) if row is not None]
    best = np.concatenate([row.top_logprobs[-1] for row in rows])
    whole = full_pass(engine, ids[: positions.stop])[positions.start :]
    assert_close(best, torch.log_softmax(whole, -1).topk(best.shape[1], dim=-1).values)


def _with_model(loaded: LoadedModel, model: PreTrainedModel) -> LoadedModel:
    return LoadedModel(
        model, loaded.tokenizer, loaded.info, loaded.source, loaded.placement, loaded.memory, "sdpa", True, PLAIN
    )


@pytest.mark.parametrize("name", ACCEPTED, scope="module")
def test_a_long_prompt_is_read_in_pieces_and_others_have_their_turn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of 7 tokens, so that they end within windows and chunks of 16; another text is begun between two of them.

    What has no right cache runs without, and then all at once.
    """
    monkeypatch.setattr(runner, "PREFILL_CHUNK", 7)
    loaded = engine_of(name).loaded
    reader = ModelRunner(loaded, PrefixCache(), None)
    assert reader.takes_pieces == reader.keeps_state == (name not in WITHOUT_CACHE)
    if not reader.keeps_state:
        return
    ids, between = make_ids(seed=2), make_ids(8, seed=3)
    pieces = reader.run_in_pieces(ids, CancelToken())
    turns = 0
    while True:
        try:
            next(pieces)
        except StopIteration as end:
            row, read, _state = end.value
            break
        turns += 1
        reader.run(between[: turns + 2], CancelToken())
    assert (turns, read) == (5, LENGTH)
    assert_close(row, full_pass(engine_of(name), ids)[-1])
