"""The formulas against transformers itself: presets and random small configs, to the last parameter."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.scaling.configs import load_preset, preset_names, read_config
from playground.scaling.meta import component_of, count_on_meta
from playground.scaling.parameters import count_parameters, explain_parameters

BIG = ("Llama-3.1-405B", "DeepSeek-V3")
ONE_PER_TYPE = (
    "GPT-2-small",
    "GPT-NeoX-20B",
    "Llama-2-7B",
    "Mistral-7B",
    "Mixtral-8x7B",
    "Qwen2.5-0.5B",
    "Qwen3-8B",
    "Qwen3-30B-A3B",
    "Gemma-2B",
    "Gemma-2-9B",
    "Gemma-3-1B",
    "Mamba-130M",
    "Mamba-2-2.7B",
    "Jamba-v0.1",
    "RWKV-4-169M",
    "SmolLM2-135M",
)


def _formula(config: dict[str, Any]) -> int:
    return count_parameters(read_config(config)).total


@pytest.mark.parametrize("name", ONE_PER_TYPE)
def test_preset_formula_equals_meta_device(name: str) -> None:
    preset = load_preset(name)
    assert count_parameters(preset.spec).total == count_on_meta(preset.config).total


@pytest.mark.parametrize("name", BIG)
def test_the_largest_are_counted_on_the_meta_device(name: str) -> None:
    preset = load_preset(name)
    assert count_on_meta(preset.config).total == count_parameters(preset.spec).total


@pytest.mark.parametrize("name", preset_names())
def test_preset_reproduces_the_published_count(name: str) -> None:
    preset = load_preset(name)
    counted = count_parameters(preset.spec)
    assert preset.source and preset.checked
    assert preset.published_parameters in (None, counted.total)
    assert sum(part.total for part in counted.components) == counted.total
    assert sum(part.active for part in counted.components) == counted.active <= counted.total


def test_counts_are_those_that_others_published() -> None:
    """Each against a number that is not ours, where the preset's own ``published_parameters`` would be circular."""
    total = {name: count_parameters(load_preset(name).spec).total for name in preset_names()}
    assert total["Jamba-v0.1"] * 2 == 103_140_646_656  # bytes of a bfloat16 checkpoint
    assert total["Mamba-2-2.7B"] == 2_702_599_680
    assert total["DeepSeek-V3"] + 58 * 256 == 671_026_419_200  # checkpoints hold a balance bias for each expert
    assert count_parameters(load_preset("DeepSeek-V3").spec).active == 37_552_282_624
    for name, layers, width in (("RWKV-4-169M", 12, 768), ("RWKV-4-1.5B", 24, 2048), ("RWKV-4-14B", 40, 5120)):
        # 2305.13048, below table 2
        assert total[name] == 2 * 50277 * width + 13 * width**2 * layers + width * (11 * layers + 4)


@pytest.mark.parametrize(
    ("size", "millions", "step"),
    [
        ("small", 125, 1),
        ("medium", 356, 1),
        ("large", 760, 1),
        ("xl", 1_320, 10),
        ("2.7B", 2_650, 10),
        ("6.7B", 6_660, 10),
        ("13B", 12_850, 10),
        ("175B", 174_600, 100),
    ],
)
def test_gpt3_counts_round_to_table_d1(size: str, millions: int, step: int) -> None:
    """2005.14165, table D.1, which gives more digits than table 2.1. ``step``: the last digit printed, in millions."""
    total = count_parameters(load_preset(f"GPT-3-{size}").spec).total
    assert round(total / 1e6 / step) * step == millions
    assert f"{millions:,}M" in load_preset(f"GPT-3-{size}").checked


def test_only_gpt3_has_no_exact_published_count() -> None:
    without = [name for name in preset_names() if load_preset(name).published_parameters is None]
    assert without == [name for name in preset_names() if name.startswith("GPT-3-")]
    assert all("no exact count is published" in load_preset(name).checked for name in without)


_base = {
    "num_hidden_layers": st.integers(1, 5),
    "vocab_size": st.integers(3, 300),
    "intermediate_size": st.integers(1, 90),
    "tie_word_embeddings": st.booleans(),
}


@st.composite
def _heads(draw: st.DrawFn, explicit_head_dim: bool) -> dict[str, int]:
    kv, group, size = draw(st.integers(1, 3)), draw(st.integers(1, 3)), 2 * draw(st.integers(1, 6))
    shapes = {"num_attention_heads": kv * group, "num_key_value_heads": kv}
    if explicit_head_dim:
        return {**shapes, "head_dim": size, "hidden_size": kv * group * 2 * draw(st.integers(1, 9))}
    return {**shapes, "hidden_size": kv * group * size}


_on_off = st.booleans()
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {"attention_bias": _on_off, "mlp_bias": _on_off},
    "mistral": {},
    "qwen2": {},
    "qwen3": {"attention_bias": _on_off},
    "gemma": {"attention_bias": _on_off},
    "gemma2": {"attention_bias": _on_off},
    "gemma3_text": {},
    "phi3": {"pad_token_id": st.just(0)},
    "mixtral": {"num_local_experts": st.integers(2, 5)},
    "qwen2_moe": {
        "qkv_bias": _on_off,
        "num_experts": st.integers(4, 6),
        "moe_intermediate_size": st.integers(1, 30),
        "shared_expert_intermediate_size": st.integers(1, 30),
        "decoder_sparse_step": st.integers(1, 3),
        "mlp_only_layers": st.lists(st.integers(0, 4), max_size=2),
    },
    "qwen3_moe": {
        "num_experts": st.integers(8, 10),
        "moe_intermediate_size": st.integers(1, 30),
        "decoder_sparse_step": st.integers(1, 3),
    },
}
EXPLICIT_HEAD = {"qwen3", "gemma", "gemma2", "gemma3_text", "mistral"}
# Not many examples each: a build costs about 10 ms, and derandomized ones are the same on every machine.
random_configs = settings(
    max_examples=16, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_random_transformer_formula_equals_meta_device(model_type: str) -> None:
    @random_configs
    @given(_heads(model_type in EXPLICIT_HEAD), st.fixed_dictionaries({**_base, **FAMILIES[model_type]}))
    def check(heads: dict[str, int], rest: dict[str, Any]) -> None:
        config = {"model_type": model_type, **rest, **heads}
        assert _formula(config) == count_on_meta(config).total

    check()


@random_configs
@given(
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(1, 4),
    st.integers(3, 99),
    st.integers(1, 40),
    st.one_of(st.none(), st.integers(1, 50)),
    st.booleans(),
)
def test_random_gpt2(
    heads: int, size: int, layers: int, vocab: int, positions: int, inner: int | None, tied: bool
) -> None:
    config = {
        "model_type": "gpt2",
        "n_embd": heads * size,
        "n_head": heads,
        "n_layer": layers,
        "vocab_size": vocab,
        "n_positions": positions,
        "n_inner": inner,
        "tie_word_embeddings": tied,
    }
    assert _formula(config) == count_on_meta(config).total


@random_configs
@given(st.integers(1, 4), st.integers(4, 8), st.fixed_dictionaries({**_base, "attention_bias": st.booleans()}))
def test_random_gpt_neox(heads: int, size: int, rest: dict[str, Any]) -> None:
    config = {"model_type": "gpt_neox", "hidden_size": heads * 2 * size, "num_attention_heads": heads, **rest}
    assert _formula(config) == count_on_meta(config).total


@random_configs
@given(
    st.integers(2, 40),
    st.fixed_dictionaries(
        {
            "num_hidden_layers": st.integers(1, 3),
            "vocab_size": st.integers(3, 99),
            "state_size": st.integers(1, 9),
            "conv_kernel": st.integers(1, 5),
            "expand": st.integers(1, 3),
            "use_bias": st.booleans(),
            "use_conv_bias": st.booleans(),
            "time_step_rank": st.one_of(st.just("auto"), st.integers(1, 5)),
            "tie_word_embeddings": st.booleans(),
        }
    ),
)
def test_random_mamba(hidden: int, rest: dict[str, Any]) -> None:
    config = {"model_type": "mamba", "hidden_size": hidden, **rest}
    assert _formula(config) == count_on_meta(config).total


@random_configs
@given(st.integers(1, 4), st.integers(1, 8), st.integers(1, 3), st.booleans(), st.booleans(), st.booleans())
def test_random_mamba2(heads: int, size: int, groups: int, bias: bool, conv_bias: bool, tied: bool) -> None:
    heads *= groups
    config = {
        "model_type": "mamba2",
        "hidden_size": heads * size,
        "num_heads": heads,
        "head_dim": 2 * size,
        "expand": 2,
        "n_groups": groups,
        "state_size": 5,
        "num_hidden_layers": 2,
        "vocab_size": 31,
        "use_bias": bias,
        "use_conv_bias": conv_bias,
        "tie_word_embeddings": tied,
    }
    assert _formula(config) == count_on_meta(config).total


@random_configs
@given(
    _heads(False),
    st.fixed_dictionaries(
        {
            **_base,
            "num_hidden_layers": st.integers(1, 9),
            "num_experts": st.integers(2, 4),
            "attn_layer_period": st.just(4),
            "attn_layer_offset": st.integers(0, 3),
            "expert_layer_period": st.just(2),
            "expert_layer_offset": st.integers(0, 1),
            "mamba_d_state": st.integers(1, 9),
            "mamba_proj_bias": st.booleans(),
            "mamba_conv_bias": st.booleans(),
        }
    ),
)
def test_random_jamba(heads: dict[str, int], rest: dict[str, Any]) -> None:
    config = {"model_type": "jamba", **rest, **heads}
    assert _formula(config) == count_on_meta(config).total


@random_configs
@given(
    st.integers(1, 3),
    st.fixed_dictionaries(
        {
            **_base,
            "hidden_size": st.integers(2, 30),
            "q_lora_rank": st.one_of(st.none(), st.integers(1, 9)),
            "kv_lora_rank": st.integers(1, 9),
            "qk_nope_head_dim": st.integers(1, 6),
            "qk_rope_head_dim": st.sampled_from([2, 4]),
            "v_head_dim": st.integers(1, 6),
            "n_shared_experts": st.integers(1, 2),
            "moe_intermediate_size": st.integers(1, 20),
            "first_k_dense_replace": st.integers(0, 3),
            "attention_bias": st.booleans(),
            "num_nextn_predict_layers": st.just(1),
        }
    ),
)
def test_random_deepseek_v3(heads: int, rest: dict[str, Any]) -> None:
    experts = {"n_routed_experts": 8, "n_group": 2, "topk_group": 1, "num_experts_per_tok": 2}
    config = {
        "model_type": "deepseek_v3",
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        **experts,
        **rest,
    }
    assert _formula(config) == count_on_meta(config).total


@pytest.mark.parametrize("dense", [0, 1, 3])
def test_deepseek_v2s_biases_are_those_of_its_shared_experts_too(dense: int) -> None:
    sizes = {
        "hidden_size": 16,
        "intermediate_size": 24,
        "moe_intermediate_size": 8,
        "num_hidden_layers": 3,
        "vocab_size": 32,
    }
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "q_lora_rank": None, "kv_lora_rank": 4}
    heads |= {"qk_nope_head_dim": 4, "qk_rope_head_dim": 2, "v_head_dim": 4}
    experts = {"n_routed_experts": 4, "n_shared_experts": 2, "num_experts_per_tok": 2, "first_k_dense_replace": dense}
    config = {"model_type": "deepseek_v2", "mlp_bias": True, **sizes, **heads, **experts}
    assert _formula(config) == count_on_meta(config).total


@random_configs
@given(st.integers(2, 30), st.integers(2, 30), st.integers(2, 40), st.integers(1, 4), st.booleans())
def test_random_rwkv(hidden: int, attention: int, inner: int, layers: int, tied: bool) -> None:
    config = {
        "model_type": "rwkv",
        "hidden_size": hidden,
        "attention_hidden_size": attention,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "vocab_size": 77,
        "tie_word_embeddings": tied,
    }
    assert _formula(config) == count_on_meta(config).total


DEEPSEEK: dict[str, Any] = {
    "model_type": "deepseek_v3",
    "hidden_size": 8,
    "intermediate_size": 9,
    "moe_intermediate_size": 5,
    "vocab_size": 30,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "kv_lora_rank": 4,
    "v_head_dim": 3,
    "qk_nope_head_dim": 3,
    "qk_rope_head_dim": 2,
    "n_routed_experts": 8,
    "n_group": 1,
    "topk_group": 1,
    "num_experts_per_tok": 2,
    "first_k_dense_replace": 1,
}
_TRANSFORMER = {
    "hidden_size": 64,
    "intermediate_size": 30,
    "num_hidden_layers": 4,
    "num_attention_heads": 32,
    "vocab_size": 50,
    "num_key_value_heads": 16,
    "head_dim": 6,
    "tie_word_embeddings": True,
    "attention_bias": True,
    "mlp_bias": True,
}
_MIXTURE = {
    **_TRANSFORMER,
    "num_experts": 9,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 7,
    "decoder_sparse_step": 2,
    "mlp_only_layers": [1],
    "shared_expert_intermediate_size": 5,
    "qkv_bias": False,
}
FULL: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "gpt_neox"), _TRANSFORMER),
    "phi3": {**_TRANSFORMER, "vocab_size": 32_100},  # its default padding token is the 32,000th
    "mixtral": {**_TRANSFORMER, "num_local_experts": 3, "num_experts_per_tok": 1},
    "qwen2_moe": _MIXTURE,
    "qwen3_moe": _MIXTURE,
    "gpt2": {
        "n_embd": 12,
        "n_head": 3,
        "n_layer": 2,
        "n_positions": 9,
        "n_inner": 7,
        "vocab_size": 30,
        "tie_word_embeddings": False,
    },
    "deepseek_v3": {
        **DEEPSEEK,
        "q_lora_rank": 3,
        "n_shared_experts": 2,
        "attention_bias": True,
        "tie_word_embeddings": True,
    },
    "mamba": {
        "hidden_size": 40,
        "num_hidden_layers": 2,
        "vocab_size": 30,
        "state_size": 5,
        "conv_kernel": 3,
        "expand": 3,
        "use_bias": True,
        "use_conv_bias": False,
        "time_step_rank": 4,
        "tie_word_embeddings": False,
    },
    "mamba2": {
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "vocab_size": 30,
        "state_size": 5,
        "conv_kernel": 3,
        "num_heads": 8,
        "head_dim": 12,
        "n_groups": 4,
        "expand": 2,
        "use_bias": True,
        "use_conv_bias": False,
        "tie_word_embeddings": True,
    },
    "jamba": {
        **_TRANSFORMER,
        "num_hidden_layers": 9,
        "num_experts": 3,
        "num_experts_per_tok": 1,
        "attn_layer_period": 5,
        "attn_layer_offset": 1,
        "expert_layer_period": 3,
        "expert_layer_offset": 0,
        "mamba_d_state": 5,
        "mamba_d_conv": 3,
        "mamba_expand": 3,
        "mamba_dt_rank": 7,
        "mamba_proj_bias": True,
        "mamba_conv_bias": False,
    },
    "rwkv": {
        "hidden_size": 12,
        "num_hidden_layers": 2,
        "vocab_size": 30,
        "attention_hidden_size": 8,
        "intermediate_size": 10,
        "tie_word_embeddings": True,
    },
}


@pytest.mark.parametrize("model_type", FULL)
def test_a_key_left_out_takes_the_default_of_transformers(model_type: str) -> None:
    """Any one key, and all that may be left out together; a default that contradicts the rest is refused as such."""
    full = {"model_type": model_type, **FULL[model_type]}
    assert _formula(full) == count_on_meta(full).total
    least = dict(full)
    for key in FULL[model_type]:
        without = {name: value for name, value in full.items() if name != key}
        try:
            count = _formula(without)
        except BadInput as error:
            assert key == "model_type" or re.search(" multiple of | more than | must ", str(error)), key
        else:
            assert count == count_on_meta(without).total, key
            least.pop(key)
    assert _formula(least) == count_on_meta(least).total


def test_an_unknown_architecture_is_counted_by_its_modules() -> None:
    config = {
        "model_type": "opt",
        "hidden_size": 16,
        "ffn_dim": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "vocab_size": 40,
        "max_position_embeddings": 20,
        "word_embed_proj_dim": 16,
    }
    with pytest.raises(BadInput, match="meta device"):
        read_config(config)
    counted = count_on_meta(config)
    names = [name for name, _ in counted.components]
    assert {"self_attn", "embed_tokens"} <= set(names)
    assert sum(size for _, size in counted.components) == counted.total
    assert counted.class_name == "OPTForCausalLM"


def test_component_names() -> None:
    assert component_of("model.layers.3.mlp.up_proj.weight") == "mlp"
    assert component_of("model.embed_tokens.weight") == "embed_tokens"
    assert component_of("model.layers.0.input_layernorm.weight") == "input_layernorm"
    assert component_of("lm_head.weight") == "lm_head"


def test_nested_text_config_counts_the_language_model_only() -> None:
    text = dict(load_preset("Gemma-3-1B").config)
    nested = {"model_type": "gemma3", "text_config": {**text, "model_type": None}, "vision_config": {"hidden_size": 9}}
    assert _formula(nested) == 999_885_952
    assert count_on_meta(nested).total == 999_885_952


@pytest.mark.parametrize("name", ["Llama-2-7B", "Qwen2.5-7B", "Gemma-2-9B", "Jamba-v0.1", "GPT-2-small"])
def test_every_explanation_gives_the_count_itself(name: str) -> None:
    spec = load_preset(name).spec
    count = count_parameters(spec)
    for shown in explain_parameters(spec):
        assert shown.value == (count.active if shown.name.startswith("Active") else count.total)
    if name in ("Llama-2-7B", "Qwen2.5-7B"):
        assert any(shown.name == "Parameters from the config" for shown in explain_parameters(spec))


def test_the_formula_in_a_configs_own_symbols_gives_the_count() -> None:
    gemma = {**_TRANSFORMER, "model_type": "gemma2", "attention_bias": False, "layer_types": ["full_attention"] * 4}
    for config in (gemma, {**gemma, "model_type": "llama", "mlp_bias": False}, {**gemma, "model_type": "qwen2"}):
        spec = read_config(config)
        shown = {figure.name: figure.value for figure in explain_parameters(spec)}
        assert shown["Parameters from the config"] == count_parameters(spec).total == count_on_meta(config).total


@pytest.mark.parametrize("name", ONE_PER_TYPE)
def test_a_loaded_models_own_config_gives_the_same_shapes(name: str) -> None:
    from transformers import AutoConfig

    preset = load_preset(name)
    kept = {key: value for key, value in preset.config.items() if key != "model_type"}
    written = AutoConfig.for_model(preset.spec.model_type, **kept).to_dict()
    assert read_config(written, preset.name, preset.source).blocks == preset.spec.blocks
    assert count_on_meta(written).total == count_parameters(preset.spec).total


def test_query_rank_left_out_and_null_are_not_the_same() -> None:
    null = {**DEEPSEEK, "q_lora_rank": None}
    assert _formula(DEEPSEEK) == count_on_meta(DEEPSEEK).total
    assert _formula(null) == count_on_meta(null).total < _formula(DEEPSEEK)


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2, "max_position_embeddings": 9},
        {"n_embd": 12, "n_head": 3, "n_layer": 2, "n_positions": 9, "n_ctx": 7},
        {"n_embd": 12, "n_head": 3, "n_layer": 2, "n_ctx": 7},  # n_ctx is not read
        {"n_embd": 12, "hidden_size": 24, "n_head": 3, "n_layer": 2},
    ],
)
def test_gpt2_by_either_name(sizes: dict[str, int]) -> None:
    config = {"model_type": "gpt2", "vocab_size": 30, **sizes}
    assert _formula(config) == count_on_meta(config).total


def test_mamba_with_a_width_of_its_own() -> None:
    config = {
        "model_type": "mamba",
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "vocab_size": 30,
        "intermediate_size": 24,
    }
    assert _formula(config) == count_on_meta(config).total


def test_a_name_that_transformers_does_not_read_is_not_read() -> None:
    shapes = {"hidden_size": 8, "intermediate_size": 9, "num_hidden_layers": 1, "num_attention_heads": 2}
    experts = {"num_local_experts": 3, "moe_intermediate_size": 4, "num_key_value_heads": 2, "vocab_size": 30}
    config = {"model_type": "qwen2_moe", **shapes, **experts}  # 60 experts, the class's default
    assert _formula(config) == count_on_meta(config).total > 60 * 3 * 8 * 4


def test_either_name_of_the_experts_is_read() -> None:
    jamba = dict(load_preset("Jamba-v0.1").config)
    jamba["num_local_experts"] = jamba.pop("num_experts") // 2
    assert _formula(jamba) == count_on_meta(jamba).total < 51_570_323_328
