"""Every causal architecture of transformers as a small random model: its config class's own defaults, made small.

A field that is named the same means the same in most families, so one table shrinks nearly all of them; ``OWN`` has what
a family needs besides. Composite models (a picture's encoder beside a text decoder) are built from their text part, which
has a name of its own in the same mapping.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

VOCAB = 96
LAYERS = 4
CONTEXT = 512


def _fields(value: object, names: str) -> dict[str, object]:
    return dict.fromkeys(names.split(), value)


_LAYER_COUNTS = (
    "num_hidden_layers n_layer n_layers decoder_layers num_layers encoder_layers num_decoder_layers num_encoder_layers "
    "num_blocks"
)
SMALL: dict[str, object] = {
    **_fields(VOCAB, "vocab_size decoder_vocab_size unpadded_vocab_size vocab_size_per_layer_input"),
    **_fields(32, "hidden_size d_model n_embd embedding_size word_embed_proj_dim attention_hidden_size embedding_dim"),
    **_fields(32, "emb_dim lru_width pronunciation_embed_dim shape_embed_dim"),
    **_fields(48, "intermediate_size moe_intermediate_size ffn_dim decoder_ffn_dim encoder_ffn_dim n_inner d_inner"),
    **_fields(48, "shared_expert_intermediate_size shared_intermediate_size dim_ff dff ffn_hidden_size"),
    **_fields(48, "intermediate_size_mlp expert_ffn_hidden_size shared_experts_intermediate_size"),
    **_fields(LAYERS, _LAYER_COUNTS),
    **_fields(4, "num_attention_heads n_head n_heads decoder_attention_heads encoder_attention_heads num_heads"),
    **_fields(4, "num_decoder_attention_heads num_encoder_attention_heads swa_num_attention_heads"),
    **_fields(4, "n_routed_experts num_experts num_local_experts moe_num_experts qk_rope_head_dim zero_expert_num"),
    **_fields(2, "num_key_value_heads num_kv_heads swa_num_key_value_heads num_global_key_value_heads"),
    **_fields(2, "num_experts_per_tok num_experts_per_token moe_topk moe_k linear_num_key_heads linear_num_heads"),
    **_fields(2, "linear_num_value_heads index_n_heads n_group n_groups mamba_n_groups o_groups"),
    **_fields(
        8, "head_dim dim_head kv_channels v_head_dim swa_head_dim global_head_dim attention_head_dim swa_v_head_dim"
    ),
    **_fields(8, "mamba_d_state ssm_state_size state_size kv_lora_rank rotary_dim hidden_size_per_layer_input d_head"),
    **_fields(8, "linear_key_head_dim linear_value_head_dim laurel_rank linear_head_dim time_step_rank mamba_dt_rank"),
    **_fields(8, "d_rel o_lora_rank index_head_dim qk_nope_head_dim mamba_num_heads mamba_n_heads "),
    **_fields(8, "mamba_head_dim mamba_d_head"),
    **_fields(16, "q_lora_rank sliding_window sliding_window_size attention_window_size window_size gated_norm_rank"),
    **_fields(16, "attention_chunk_size mamba_chunk_size chunk_size rel_extent adapter_rank router_hidden_size"),
    **_fields(
        1, "topk_group n_shared_experts num_shared_experts moe_num_shared_experts num_expert_group num_dense_layers"
    ),
    **_fields(1, "first_k_dense_replace pad_token_id eos_token_id"),
    **_fields(0, "bos_token_id num_nextn_predict_layers"),
    **_fields(CONTEXT, "max_position_embeddings n_positions n_ctx max_seq_len max_sequence_length context_length"),
    **_fields(None, "layer_types mlp_layer_types num_attention_heads_per_layer layers_block_type"),
}
_KINDS = {"linear": ["linear_attention", "full_attention"] * 2}
OWN: dict[str, dict[str, Any]] = {
    "axk1": {"n_group": 1},
    "bailing_hybrid": {"layer_group_size": 2},
    "bamba": {"attn_layer_indices": [1, 3]},
    "cohere_compass_text": {"rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 10000.0}}},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "rope_theta": 10000.0, "clip_qkv": 8.0},
        "ffn_config": {"ffn_hidden_size": 48, "moe_num_experts": 4, "moe_top_k": 2},
    },
    "deepseek_v2": {"n_group": 1, "n_routed_experts": 4, "num_experts_per_tok": 2},
    "deepseek_v4": {"head_dim": 16, "qk_rope_head_dim": 8},
    "dots1": {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1},
    "dots3_note_text": {
        "swa_num_attention_heads": 4,
        "swa_num_key_value_heads": 4,
        "swa_q_lora_rank": 16,
        "swa_kv_lora_rank": 8,
        "swa_qk_nope_head_dim": 8,
        "swa_qk_rope_head_dim": 4,
        "swa_v_head_dim": 8,
        "swa_head_dim": 12,
        "layer_types": ["indexed_attention", "sliding_attention"] * 2,
    },
    "falcon_h1": {"mamba_d_ssm": 64},
    "gemma3n_text": {
        "num_kv_shared_layers": 1,
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "activation_sparsity_pattern": [0.0] * LAYERS,
    },
    "gemma3_text": {"layer_types": ["sliding_attention", "full_attention"] * 2},
    "gpt_neo": {"attention_types": [[["global", "local"], 2]]},
    "granitemoehybrid": {"layer_types": ["mamba", "attention"] * 2},
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": {"layer_types": _KINDS["linear"]},
    "lfm2": {"block_auto_adjust_ff_dim": False, "layer_types": ["conv", "full_attention"] * 2},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"] * 2},
    "longcat_flash": {"num_layers": 2, "head_dim": 4},
    "mamba2": {"num_heads": 8},
    "ministral": {"head_dim": 8},
    "nemotron": {"num_key_value_heads": 2},
    "qwen4_exp_text": {
        "indexer_n_heads": 2,
        "indexer_kv_heads": 1,
        "indexer_head_dim": 8,
        "indexer_budget": 8,
        "indexer_compress_ratio": 2,
    },
    "rembert": {"input_embedding_size": 16, "output_embedding_size": 32},
    "reformer": {
        "is_decoder": True,
        "attn_layers": ["local"] * LAYERS,
        "axial_pos_shape": [16, 32],
        "axial_pos_embds_dim": [16, 16],
    },
    "roc_bert": {"shape_vocab_size": VOCAB, "pronunciation_vocab_size": VOCAB},
    "xlstm": {"chunk_size": 64, "hidden_size": 128, "embedding_dim": 128, "num_heads": 2},
    "xmod": {"default_language": "en_XX"},
    "zamba": {
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "attention_hidden_size": 64,
        "attention_head_dim": 16,
        "layers_block_type": ["mamba", "hybrid"] * 2,
    },
    "zamba2": {
        "layers_block_type": ["mamba", "hybrid"] * 2,
        "hybrid_layer_ids": [1, 3],
        "num_mem_blocks": 1,
        "attention_hidden_size": 64,
        "attention_head_dim": 16,
        "mamba_headdim": 8,
        "n_mamba_heads": 8,
    },
    "zaya": {"num_experts_per_tok": 1},
}
"""What a family needs besides the table."""


def architectures() -> list[str]:
    """The names in transformers' mapping that are text models of their own, composite ones left out."""
    return [name for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES if not _is_composite(name)]


def _is_composite(name: str) -> bool:
    parts = getattr(CONFIG_MAPPING[name], "sub_configs", {})
    return bool({"text_config", "vision_config", "audio_config", "audio_encoder", "patcher_config"} & set(parts))


def small_config(name: str) -> PreTrainedConfig:
    """The config of ``name``: the class's defaults where the table says nothing. Two layers where all are alike."""
    config = _sized(name, LAYERS)
    if name in OWN or any(_differs(value) for value in config.to_dict().values()):
        return config
    return _sized(name, 2)


def _differs(value: object) -> bool:
    """Whether it says something of each layer or of a pattern of them, and not the same of all."""
    return isinstance(value, list | tuple) and any(one != value[0] for one in value)


def _sized(name: str, layers: int) -> PreTrainedConfig:
    config_class = CONFIG_MAPPING[name]
    defaults = config_class().to_dict()
    fields: dict[str, Any] = {}
    for field, value in SMALL.items():
        usual = defaults.get(field)
        if usual is None or isinstance(usual, str | bool):
            continue
        fields[field] = layers if field in _LAYER_COUNTS.split() else value
    if "kv_lora_rank" in fields:  # latent attention: a head's size follows from its two parts
        fields.pop("head_dim", None)
        fields["num_key_value_heads"] = 4
    return config_class(**(fields | OWN.get(name, {})))


def small_model(name: str, config: PreTrainedConfig | None = None) -> PreTrainedModel:
    """The model with random weights large enough that its predictions differ between tokens."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(small_config(name) if config is None else config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(3)
    return model.requires_grad_(False)
