"""Configs as published (``data/``), held against transformers: its config classes, its models on the meta device, its cache."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from playground.errors import BadInput
from playground.scaling.built_specs import GUESSED, _guessed, build_spec, spec_of_config
from playground.scaling.configs import LoadedConfig, load_parsed, load_preset, minimal_config, parse_config
from playground.scaling.memory import kv_bytes, kv_bytes_per_token, state_bytes
from playground.scaling.meta import count_on_meta
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import ArchitectureSpec, Attention, LatentAttention, Recurrent

DATA = Path(__file__).parent / "data"


def _load(name: str) -> LoadedConfig:
    return parse_config((DATA / f"{name}.json").read_text(), name)


def _windows(spec: ArchitectureSpec) -> dict[tuple[int | None, bool], int]:
    return {
        (block.mixer.window, block.mixer.chunked): block.count
        for block in spec.blocks
        if isinstance(block.mixer, Attention)
    }


# text, others, active, active without the table, bytes of cache a token in bf16
EXPECTED = {
    "gemma3_4b": (3_880_263_168, 419_816_304, 3_880_263_168, 3_880_263_168, 139_264),
    "gemma3_12b": (11_766_034_176, 421_290_864, 11_766_034_176, 11_766_034_176, 393_216),
    "gpt_oss_20b": (20_914_757_184, 0, 4_187_440_704, 3_608_307_264, 49_152),
    "llama4scout": (107_769_861_120, 455_178_240, 17_172_894_720, 16_138_408_960, 196_608),
    "smollm3": (3_075_098_624, 0, 3_075_098_624, 3_075_098_624, 73_728),
    "deepseek_v2_lite": (15_706_484_224, 0, 2_661_150_208, 2_451_435_008, 31_104),
    "qwen2_vl_7b": (7_615_616_512, 675_759_104, 7_615_616_512, 7_070_619_136, 57_344),
    "mamba_orig": (2_768_345_600, 0, 2_768_345_600, 2_768_345_600, 0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_published_configs(name: str) -> None:
    loaded = _load(name)
    spec = spec_of_config(loaded)
    count = count_parameters(spec)
    built = count_on_meta(loaded.config)
    assert (count.total, count.text) == (built.total, built.text)
    others = sum(part.total for part in count.others)
    cache = kv_bytes_per_token(spec)
    assert (count.text, others, count.active, count.active_without_tables, cache) == EXPECTED[name]
    assert sum(part.total for part in count.components) == count.total
    assert not spec.notes


def test_keys_left_out_have_the_defaults_of_transformers_and_are_listed() -> None:
    spec = spec_of_config(_load("gemma3_4b"))
    assert dict(spec.assumed) == {"text_config.num_attention_heads": 8, "text_config.vocab_size": 262_208}
    least = parse_config('{"model_type": "llama"}').spec
    assert least is not None and count_parameters(least).total == 6_738_415_616
    with pytest.raises(BadInput, match="hidden_size"):
        parse_config('{"model_type": "llama", "hidden_size": null}')


def test_windows_and_chunks() -> None:
    assert _windows(spec_of_config(_load("gemma3_4b"))) == {(1024, False): 29, (None, False): 5}
    assert _windows(spec_of_config(_load("gpt_oss_20b"))) == {(128, False): 12, (None, False): 12}
    llama = spec_of_config(_load("llama4scout"))
    assert _windows(llama) == {(8192, True): 36, (None, False): 12}
    assert kv_bytes(llama, 100_000) == 2 * 2 * 8 * 128 * (36 * 8192 + 12 * 100_000)
    chunked = Attention(1, 1, 1, window=4, chunked=True)
    looked = [token % 4 + 1 for token in range(10)]  # each token sees itself and its chunk so far
    assert chunked.mean_context(10) == pytest.approx(sum(looked) / 10 - 0.5)
    assert all(isinstance(block.mixer, LatentAttention) for block in spec_of_config(_load("deepseek_v2_lite")).blocks)


SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "vocab_size": 64,
    "pad_token_id": None,
}
LATENT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": 24,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "v_head_dim": 16,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "n_group": 1,
    "topk_group": 1,
}
LINEAR = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
}


@pytest.mark.parametrize("name", ["smollm3", "deepseek_v2_lite", "gemma3_4b"])
def test_a_formula_and_the_built_model_give_the_same_shapes(name: str) -> None:
    loaded = _load(name)
    formula, built = spec_of_config(loaded), build_spec(loaded.config)
    ours, theirs = count_parameters(formula), count_parameters(built)
    assert (ours.total, ours.active) == (theirs.total, theirs.active)
    assert kv_bytes(formula, 5000) == kv_bytes(built, 5000)


@pytest.mark.parametrize(
    ("model_type", "changes"),
    [
        ("olmo2", {}),
        ("cohere2", {"sliding_window": 8}),
        ("gpt_oss", {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8}),
        ("falcon_h1", {"mamba_d_ssm": 64, "mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8}),
        ("qwen3_next", {"num_experts": 4, "num_experts_per_tok": 1, **LINEAR}),
        ("gemma4_text", {"vocab_size_per_layer_input": 96}),
        ("deepseek_v32", {**LATENT, "index_n_heads": 2, "index_head_dim": 16, "index_topk": 4}),
        ("glm_moe_dsa", {**LATENT, "index_n_heads": 2, "index_head_dim": 16, "index_topk": 4}),
        ("minimax", {"num_local_experts": 4, "num_experts_per_tok": 2}),
    ],
)
def test_what_is_cached_is_what_transformers_caches(model_type: str, changes: dict[str, Any]) -> None:
    """The shapes of a pass without numbers against the bytes of a real one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = {**SMALL, **changes}
    spec = build_spec({"model_type": model_type, **config})
    assert GUESSED not in spec.notes
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **config)).eval()
    with torch.no_grad():
        cache = model(input_ids=torch.ones(1, 5, dtype=torch.long), use_cache=True).past_key_values
    numbers = sum(state.numel() for state in getattr(cache, "linear_cache", ()) if isinstance(state, torch.Tensor))
    for layer in cache.layers:
        numbers += sum(
            getattr(layer, name).numel()
            for name in ("keys", "values", "indexer_keys")
            if getattr(layer, name, None) is not None
        )
        for name in ("conv_states", "recurrent_states"):
            numbers += sum(state.numel() for state in (getattr(layer, name, None) or {}).values() if state is not None)
    assert kv_bytes(spec, 5, 1, 1.0) + state_bytes(spec, 1, 1.0) == numbers
    assert count_parameters(spec).total == sum(parameter.numel() for parameter in model.parameters())


def test_deepseek_v4_keeps_one_of_key_and_value_in_its_window_and_summaries_of_all_tokens() -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = {**SMALL, "num_key_value_heads": 1, "sliding_window": 16, "index_n_heads": 2, "index_head_dim": 8}
    config |= {"n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "o_groups": 2}
    spec = build_spec({"model_type": "deepseek_v4", **config})
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model("deepseek_v4", **config)).eval()
    tokens = 256
    with torch.no_grad():
        layers = model(input_ids=torch.ones(1, tokens, dtype=torch.long), use_cache=True).past_key_values.layers
    within = sum(layer.keys.numel() * 16 / layer.keys.shape[-2] for layer in layers)
    summaries = sum(each.numel() for layer in layers for each in getattr(layer, "compressed_kv", {}).values())
    assert summaries > 0 and kv_bytes(spec, tokens, 1, 1.0) == within + summaries


@pytest.mark.parametrize(
    ("kind", "mixer"),
    [("indexed_attention", LatentAttention), ("hybrid_sliding", LatentAttention), ("linear_attention", Recurrent)],
)
def test_where_it_has_to_be_guessed_whatever_is_called_attention_keeps_keys(kind: str, mixer: type) -> None:
    assert type(_guessed(SimpleNamespace(num_attention_heads=2, **LATENT), kind)) is mixer


def test_a_whole_that_cannot_be_built_is_what_is_told() -> None:
    with pytest.raises(BadInput, match="cannot build 'emu3' from this config"):  # its vocabulary_map is missing
        count_on_meta({"model_type": "emu3"})


@pytest.mark.parametrize("model_type", ["bloom", "openai-gpt", "t5", "xlnet", "clip"])
def test_whatever_transformers_builds_is_counted(model_type: str) -> None:
    config = {"model_type": model_type}
    assert count_parameters(spec_of_config(load_parsed(config))).total == count_on_meta(config).total > 0


def test_configs_of_other_libraries_are_known_by_their_keys() -> None:
    preset = count_parameters(load_preset("Mamba-2.8B").spec)
    assert count_parameters(spec_of_config(_load("mamba_orig"))).total == preset.total
    llama = {"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "multiple_of": 1024, "vocab_size": 128256}
    loaded = load_parsed({**llama, "ffn_dim_multiplier": 1.3})
    assert count_parameters(spec_of_config(loaded)).total == 8_030_261_248
    nano = {"n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024, "vocab_size": 50257, "bias": True}
    assert count_parameters(spec_of_config(load_parsed(nano))).total == 124_439_808
    mamba2 = {"d_model": 2560, "n_layer": 64, "vocab_size": 50277, "pad_vocab_size_multiple": 16}
    assert (
        count_parameters(spec_of_config(load_parsed({**mamba2, "ssm_cfg": {"layer": "Mamba2"}}))).total
        == count_parameters(load_preset("Mamba-2-2.7B").spec).total
    )
    named = {**load_preset("SmolLM2-135M").config, "architectures": ["LlamaForCausalLM"]}
    del named["model_type"]
    assert count_parameters(spec_of_config(load_parsed(named))).total == 134_515_008
    with pytest.raises(BadInput, match="model_type"):
        load_parsed({"width": 8})


def test_a_part_that_cannot_be_built_is_left_out_and_said() -> None:
    text = dict(load_preset("Gemma-3-1B").config)
    nested = {"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 9}}
    spec = spec_of_config(load_parsed(nested))
    assert count_parameters(spec).total == 999_885_952
    assert len(spec.notes) == 1 and spec.notes[0].startswith("Only the text model is counted")


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_link_carries_gives_the_same_model(name: str) -> None:
    loaded = _load(name)
    if loaded.spec is None:
        return
    again = load_parsed(json.loads(json.dumps(minimal_config(loaded.config))), name)
    ours, theirs = spec_of_config(again), spec_of_config(loaded)
    assert (ours.blocks, ours.others) == (theirs.blocks, theirs.others)
