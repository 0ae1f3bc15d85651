"""The config of a .gguf file's model, with what transformers leaves out of it as it reads the file.

It drops how positions are scaled (linear, YaRN, Llama 3's ``rope_freqs``, Phi-3's ``rope_factors``), a window, biases and
more without a word: such a model runs, and each of its numbers is another. The keys are ggml's (docs/gguf.md), their
meaning llama.cpp's. Reads a header and two small tensors; runs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.errors import ModelRefused
from playground.models.gguf_file import GgufFile
from playground.models.wording import shown

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

OTHER_NAMES = {"qwen2moe": "qwen2_moe", "qwen3moe": "qwen3_moe", "gpt-oss": "gpt_oss", "minimax-m2": "minimax_m2"}
"""What transformers calls an architecture that llama.cpp calls otherwise."""
_FIELDS = {
    "attention.sliding_window": "sliding_window",
    "attention.key_length": "head_dim",
    "attn_logit_softcapping": "attn_logit_softcapping",
    "final_logit_softcapping": "final_logit_softcapping",
}
_BIASES = {"attn_q.bias": "attention_bias", "ffn_up.bias": "mlp_bias"}
_READ_ALL = frozenset({"gemma4", "gpt_oss", "gpt-oss"})  # of these transformers reads it all, under names of its own
_27B = {("gemma2", 46), ("gemma3", 62)}  # layers of those that scale their scores by width / heads; a file does not say


def complete(config: PreTrainedConfig, file: GgufFile, name: str) -> None:
    """Put into ``config``, as transformers read it from ``file``, what is missing. Raises ModelRefused where it cannot be."""
    kind = str(file.values["general.architecture"])
    if kind in _READ_ALL:
        return
    said = {key.removeprefix(f"{kind}."): value for key, value in file.values.items() if key.startswith(f"{kind}.")}
    for key, field in _FIELDS.items():
        if isinstance(said.get(key), int | float) and hasattr(config, field):
            setattr(config, field, said[key])
    for ending, field in _BIASES.items():
        if getattr(config, field, None) is False and any(tensor.name.endswith(ending) for tensor in file.tensors):
            setattr(config, field, True)
    if (kind, said.get("block_count")) in _27B:
        config.query_pre_attn_scalar = config.hidden_size // config.num_attention_heads
    _set_rope(config, said, _factors(file), name)


def _factors(file: GgufFile) -> dict[str, list[float]]:
    """What the frequencies are divided by: ``freqs``, or ``factors_short`` and ``factors_long``."""
    return {
        tensor.name.removeprefix("rope_").removesuffix(".weight"): file.dequantize(tensor).tolist()
        for tensor in file.tensors
        if tensor.name in ("rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight")
    }


def _set_rope(config: PreTrainedConfig, said: dict[str, Any], factors: dict[str, list[float]], name: str) -> None:
    ropes = getattr(config, "rope_parameters", None) or {}
    rope = ropes.get("full_attention", ropes)  # layers with a window are not scaled
    changes = _scaling(said, factors, int(getattr(config, "max_position_embeddings", 0) or 0), name)
    if isinstance(said.get("rope.freq_base"), int | float):
        changes["rope_theta"] = float(said["rope.freq_base"])
    if "partial_rotary_factor" in rope and isinstance(said.get("rope.dimension_count"), int):
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        changes["partial_rotary_factor"] = said["rope.dimension_count"] / size
    if not rope and set(changes) - {"rope_theta"}:
        raise _refusal(name, "in a way")
    rope |= changes


def _scaling(said: dict[str, Any], factors: dict[str, list[float]], context: int, name: str) -> dict[str, Any]:
    """transformers' settings for how llama.cpp scales positions; none where it does not."""
    original = said.get("rope.scaling.original_context_length") or context
    if "freqs" in factors:  # the same for texts of every length
        same = {"short_factor": factors["freqs"], "long_factor": factors["freqs"], "attention_factor": 1.0}
        return {"rope_type": "longrope", "original_max_position_embeddings": context, **same}
    if "factors_long" in factors and "factors_short" in factors:
        longrope = {
            "rope_type": "longrope",
            "original_max_position_embeddings": original,
            "short_factor": factors["factors_short"],
            "long_factor": factors["factors_long"],
        }
        attention = said.get("rope.scaling.attn_factor")
        return longrope | ({"attention_factor": attention} if attention else {})
    factor = said.get("rope.scaling.factor", said.get("rope.scale_linear", 0.0))
    kind = said.get("rope.scaling.type", "linear")
    if kind == "none" or not isinstance(factor, int | float) or factor in (0, 1):
        return {}
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor}
    if kind == "yarn":
        return {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original}
    raise _refusal(name, f"by {shown(kind)}")


def _refusal(name: str, how: str) -> ModelRefused:
    return ModelRefused(
        f"{shown(name)} scales its positions {how} that cannot be read from a .gguf file here: choose the model as "
        "safetensors."
    )
