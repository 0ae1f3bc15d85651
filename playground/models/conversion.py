"""Unpack a llama-architecture GGUF file into the safetensors, config and tokenizer files that transformers reads.

Made for the one bundled file (its checksum is pinned in ``bundled``), so it is a table and not a general converter:
transformers' own ``gguf_file=`` reads the same file in 34 s where this takes 4 s, and its tokenizer lacks the
"smollm" rule that digits stand alone, which changes the ids of digits after several spaces. Other .gguf files go
through transformers, and ``gguf_split`` sets their rule. The weights are stored as float32 because only that keeps
every Q4_1 value (scale times integer plus minimum) exactly. Knows nothing of where the file is or where the result
belongs.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from playground.errors import ModelCorrupt
from playground.models.gguf_file import GgufFile
from playground.models.wording import Progress, within

FloatArray = npt.NDArray[np.float32]

TENSOR_NAMES: dict[str, str] = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_BLOCK_TENSOR = re.compile(r"blk\.(\d+)\.(\w+)\.weight")
_CONTROL_TOKEN = 3  # gguf's TokenType.CONTROL


def convert(gguf_path: Path, folder: Path, progress: Progress) -> None:
    """Write model.safetensors, config.json, generation_config.json and the tokenizer's files into ``folder``.

    Raises ModelCorrupt when the file is not what this table was made for, OSError when the disk refuses.
    """
    progress("Reading the bundled model", 0.0)
    packed = GgufFile(gguf_path)
    fields = packed.values
    architecture, pre = _value(fields, "general.architecture"), _value(fields, "tokenizer.ggml.pre")
    if (architecture, pre) != ("llama", "smollm"):
        raise ModelCorrupt(f"{gguf_path.name} is a {architecture}/{pre} file, not the expected SmolLM2: reinstall it.")
    progress("Writing the tokenizer", 0.05)
    _write_tokenizer(fields, folder)
    _write_configs(fields, folder)
    tensors = _unpack_tensors(packed, within(progress, 0.15, 0.85))
    progress("Writing the weights", 0.85)
    from safetensors.numpy import save_file

    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    progress("The model is ready", 1.0)


def huggingface_name(name: str) -> str:
    """transformers' name of a llama tensor in a GGUF file.

    >>> huggingface_name("blk.3.ffn_up.weight")
    'model.layers.3.mlp.up_proj.weight'
    """
    block = _BLOCK_TENSOR.fullmatch(name)
    stem = block[2] if block else name.removesuffix(".weight")
    if stem not in TENSOR_NAMES:
        raise ModelCorrupt(f"The bundled model has an unexpected tensor {name}: reinstall its package.")
    prefix = f"model.layers.{block[1]}." if block else ""
    return f"{prefix}{TENSOR_NAMES[stem]}.weight"


def unpermute(weight: FloatArray, heads: int) -> FloatArray:
    """Undo llama.cpp's row order of a query or key matrix: (heads·head_dim, hidden) in, same shape out.

    llama.cpp rotates neighbouring rows (0,1), (2,3), …; transformers rotates row i with row i + head_dim/2. Within a
    head of 4 the stored rows 0 1 2 3 are therefore transformers' rows 0 2 1 3.
    """
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)  # (heads, head_dim/2, 2, hidden)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(rows, columns)


def _unpack_tensors(packed: GgufFile, progress: Progress) -> dict[str, FloatArray]:
    heads = {"attn_q": "llama.attention.head_count", "attn_k": "llama.attention.head_count_kv"}
    tensors: dict[str, FloatArray] = {}
    for done, tensor in enumerate(packed.tensors):
        weight = packed.dequantize(tensor)
        for stem, key in heads.items():
            if f".{stem}." in tensor.name:
                weight = unpermute(weight, _value(packed.values, key))
        tensors[huggingface_name(tensor.name)] = weight
        progress("Unpacking the weights", done / len(packed.tensors))
    return tensors


def _write_configs(fields: dict[str, Any], folder: Path) -> None:
    hidden, heads = _value(fields, "llama.embedding_length"), _value(fields, "llama.attention.head_count")
    tokens = {
        "bos_token_id": _value(fields, "tokenizer.ggml.bos_token_id"),
        "eos_token_id": _value(fields, "tokenizer.ggml.eos_token_id"),
        "pad_token_id": _value(fields, "tokenizer.ggml.padding_token_id"),
    }
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "vocab_size": _value(fields, "llama.vocab_size"),
        "hidden_size": hidden,
        "intermediate_size": _value(fields, "llama.feed_forward_length"),
        "num_hidden_layers": _value(fields, "llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": _value(fields, "llama.attention.head_count_kv"),
        "head_dim": hidden // heads,
        "hidden_act": "silu",
        "max_position_embeddings": _value(fields, "llama.context_length"),
        "rms_norm_eps": float(f"{_value(fields, 'llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "rope_parameters": {"rope_theta": _value(fields, "llama.rope.freq_base"), "rope_type": "default"},
        "tie_word_embeddings": True,  # the file has no output.weight
        "use_cache": True,
        **tokens,
    }
    _write_json(folder / "config.json", config)
    _write_json(folder / "generation_config.json", tokens)


def _write_tokenizer(fields: dict[str, Any], folder: Path) -> None:
    """Byte-level BPE with single digits: llama.cpp's "smollm" rule, and that of the model's own tokenizer.json."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = _value(fields, "tokenizer.ggml.tokens"), _value(fields, "tokenizer.ggml.token_type")
    merges = [tuple(merge.split(" ", 1)) for merge in _value(fields, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: id for id, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "chat_template.jinja").write_text(_value(fields, "tokenizer.chat_template"), encoding="utf-8")
    names = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    special = {
        f"{ours}_token": tokens[_value(fields, f"tokenizer.ggml.{theirs}_token_id")] for ours, theirs in names.items()
    }
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "model_max_length": _value(fields, "llama.context_length"),
            "additional_special_tokens": [token for token in control if token not in special.values()],
            **special,
        },
    )


def _value(fields: dict[str, Any], key: str) -> Any:  # noqa: ANN401 - each key has a kind of its own
    if key not in fields:
        raise ModelCorrupt(f"The bundled model file lacks {key}: reinstall its package.")
    return fields[key]


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")
