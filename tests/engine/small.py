"""Small models and tokenizers made on the spot: random weights, real architectures, no files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModelForCausalLM,
    DeepseekV3Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from playground.engine.fake.engine import fake_info
from playground.models.decoding import examine
from playground.models.describing import has_attention
from playground.models.info import LoadedModelInfo
from playground.models.loading import LoadedModel

VOCAB = 300
LLAMA_LIKE: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 1,
}
LATENT: dict[str, Any] = LLAMA_LIKE | {
    "num_key_value_heads": 4,
    "kv_lora_rank": 12,
    "q_lora_rank": 16,
    "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "moe_intermediate_size": 16,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
}
CONFIGS: dict[str, Callable[[], PreTrainedConfig]] = {
    "llama": lambda: LlamaConfig(**LLAMA_LIKE),
    "llama-tied": lambda: LlamaConfig(**LLAMA_LIKE, tie_word_embeddings=True),
    "qwen2": lambda: Qwen2Config(**LLAMA_LIKE),
    "gemma": lambda: GemmaConfig(**LLAMA_LIKE, head_dim=8),
    "gpt2": lambda: GPT2Config(vocab_size=VOCAB, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=1),
    "neox": lambda: GPTNeoXConfig(
        vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    ),
    "mistral-sliding": lambda: MistralConfig(**LLAMA_LIKE, sliding_window=16),
    "gemma3-hybrid": lambda: Gemma3TextConfig(**LLAMA_LIKE, head_dim=8, sliding_window=16),
    "deepseek": lambda: DeepseekV3Config(**LATENT, first_k_dense_replace=1),
    "mamba": lambda: MambaConfig(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, state_size=8),
}
REUSABLE = ("llama", "llama-tied", "qwen2", "gemma", "gpt2", "neox", "deepseek")


def small_model(kind: str, seed: int = 0) -> PreTrainedModel:
    """A model with random weights large enough that its predictions differ between tokens."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(CONFIGS[kind]()).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(5)
    return model.requires_grad_(False)


def small_info(context_length: int = 1000, **changes: Any) -> LoadedModelInfo:
    return dataclasses.replace(fake_info(VOCAB), context_length=context_length, **changes)


def small_loaded(kind: str, *, context_length: int = 1000, **changes: Any) -> LoadedModel:
    model = small_model(kind)
    return LoadedModel(
        model=model,
        tokenizer=byte_level_tokenizer(),
        info=small_info(context_length, **changes),
        source=cast(Any, None),
        placement=cast(Any, SimpleNamespace(device="cpu")),
        memory=cast(Any, None),
        attn_implementation="sdpa",
        has_attention=has_attention(model),
        decoding=examine(model, kind),
    )


def byte_level_tokenizer(**kwargs: Any) -> PreTrainedTokenizerFast:
    """256 bytes in GPT-2's alphabet, a few merges, two special tokens and one added token that is not special."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {character: index for index, character in enumerate(alphabet)}
    merges = [("Ġ", "t"), ("Ġt", "h"), ("Ġth", "e"), ("ð", "Ł"), ("l", "l")]
    vocab |= {left + right: len(vocab) + index for index, (left, right) in enumerate(merges)}
    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken("<|im_start|>", special=True), AddedToken("<|im_end|>", special=True)])
    backend.add_tokens([AddedToken("<think>", normalized=False)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|im_end|>", **kwargs)


def metaspace_tokenizer() -> PreTrainedTokenizerFast:
    """Sentencepiece as converted for Llama 2: ``▁`` for a space, byte fallback, a bos token before every text."""
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2} | {f"<0x{byte:02X}>": 3 + byte for byte in range(256)}
    pieces = ["▁", "h", "e", "l", "o", "w", "r", "d", "he", "ll", "hell", "hello", "▁hello"]
    vocab |= {piece: len(vocab) + index for index, piece in enumerate(pieces)}
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("▁", "hello")]
    backend = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens([AddedToken(name, special=True) for name in ("<unk>", "<s>", "</s>")])
    backend.post_processor = _template("<s> $A", ("<s>", 1))
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def wordpiece_tokenizer() -> PreTrainedTokenizerFast:
    """An alphabet the codec does not know: words and ``##`` continuations."""
    words = ["[UNK]", "a", "play", "##ing", "##ed", "the", "é"]
    backend = Tokenizer(models.WordPiece(vocab={word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\s+"), "removed")
    backend.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")


def _template(single: str, *specials: tuple[str, int]) -> TemplateProcessing:
    return TemplateProcessing(single=single, special_tokens=list(specials))
