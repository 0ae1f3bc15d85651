"""Tensors sorted by what they do: nothing lost, nothing twice, and the formula agrees where there is one."""

from __future__ import annotations

import pytest

from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.inspection.anatomy import Anatomy, examine_weights, place_of
from playground.inspection.families import LLAMA_ROWS
from tests.engine.small import CONFIGS, small_loaded


def anatomy_of(kind: str) -> tuple[Anatomy, int]:
    loaded = small_loaded(kind, layers=2, heads=0 if kind == "mamba" else 4, kv_heads=2, head_dim=8)
    engine = TransformersEngine(loaded)
    return examine_weights(engine.info, engine.weights()), loaded.model.num_parameters()


@pytest.mark.parametrize("kind", CONFIGS)
def test_the_parts_sum_to_num_parameters_and_every_tensor_has_its_place(kind: str) -> None:
    anatomy, expected = anatomy_of(kind)
    assert sum(part.parameters for part in anatomy.parts) == anatomy.total == expected
    assert not anatomy.group("other") and not [part for part in anatomy.parts if part.name == "other"]
    assert len({(part.group, part.name) for part in anatomy.parts}) == len(anatomy.parts)


@pytest.mark.parametrize("kind", CONFIGS)
def test_each_group_is_what_the_config_says(kind: str) -> None:
    anatomy, _expected = anatomy_of(kind)
    assert anatomy.formula is not None and anatomy.formula.total == anatomy.total
    for component in anatomy.formula.components:
        group = {"feed_forward": "feed-forward"}.get(component.name, component.name.replace("_", " "))
        assert anatomy.group(group) == component.total, component.name


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("model.layers.3.self_attn.q_proj.weight", ("attention", "query")),
        ("model.layers.3.self_attn.k_proj.bias", ("attention", "key")),
        ("model.layers.3.self_attn.q_norm.weight", ("attention", "query and key norms")),
        ("model.layers.3.post_attention_layernorm.weight", ("norms", "norms")),
        ("model.layers.3.self_attn.qkv_proj.weight", ("attention", "query, key and value in one")),
        ("transformer.h.0.attn.c_attn.weight", ("attention", "query, key and value in one")),
        ("transformer.h.0.attn.c_proj.weight", ("attention", "output")),
        ("transformer.h.0.mlp.c_proj.weight", ("feed-forward", "down")),
        ("transformer.h.0.ln_1.weight", ("norms", "norms")),
        ("transformer.wpe.weight", ("positions", "positions")),
        ("gpt_neox.layers.0.attention.query_key_value.weight", ("attention", "query, key and value in one")),
        ("gpt_neox.layers.0.attention.dense.weight", ("attention", "output")),
        ("gpt_neox.layers.0.mlp.dense_4h_to_h.weight", ("feed-forward", "down")),
        ("embed_out.weight", ("head", "head")),
        ("model.decoder.project_in.weight", ("embeddings", "projections")),
        ("model.layers.0.self_attn.kv_a_proj_with_mqa.weight", ("attention", "key and value in one")),
        ("model.layers.0.self_attn.kv_a_layernorm.weight", ("attention", "norms of the latents")),
        ("transformer.h.0.self_attention.dense.weight", ("attention", "output")),
        ("model.layers.0.block_sparse_moe.experts.3.w1.weight", ("experts", "experts")),
        ("model.layers.0.mlp.gate.weight", ("router", "router")),
        ("model.layers.0.mlp.gate_proj.weight", ("feed-forward", "gate")),
        ("model.layers.0.mlp.gate_up_proj.weight", ("feed-forward", "gate and up")),
        ("backbone.layers.0.mixer.in_proj.weight", ("recurrent", "recurrent")),
        ("nothing.known", ("other", "other")),
    ],
)
def test_tensors_are_known_by_their_names(name: str, place: tuple[str, str]) -> None:
    assert place_of(name) == place


def test_the_config_in_words_says_what_matters() -> None:
    llama, mamba = " ".join(anatomy_of("llama-tied")[0].words), " ".join(anatomy_of("mamba")[0].words)
    assert "sharing 2 heads of keys and values (grouped-query attention)" in llama
    assert "(tied)" in llama and "width 64 with silu (gated, three matrices)" in llama
    assert "No attention" in mamba and "recurrent" in mamba
    assert "sliding window" in " ".join(anatomy_of("mistral-sliding")[0].words)
    deepseek = " ".join(anatomy_of("deepseek")[0].words)
    assert "one latent of 12 numbers and one rotated key of 4 a token" in deepseek and "another mixer" not in deepseek
    assert "a matrix of its own" in " ".join(anatomy_of("llama")[0].words)


def test_an_architecture_without_a_formula_is_still_counted() -> None:
    engine = FakeEngine()
    anatomy = examine_weights(engine.info, engine.weights())
    assert anatomy.formula is None and anatomy.total == engine.info.parameters


def test_the_notes_table_beside_the_configs() -> None:
    rows = {row.name: row for row in LLAMA_ROWS}
    for row in LLAMA_ROWS:
        assert (row.notes.layers, row.notes.width) == (row.checked.layers, row.checked.width)
        assert row.notes.context == row.checked.context
    wrong = [name for name, row in rows.items() if row.notes.feed_forward != row.checked.feed_forward]
    assert wrong == ["Llama 2 70B"] and rows["Llama 2 70B"].checked.feed_forward == 28_672
