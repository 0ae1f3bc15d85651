"""Whole models: an encoder beside the decoder, parts that a config leaves out, layers that read another one's cache."""

from __future__ import annotations

from typing import Any

import pytest

from playground.scaling.built_specs import build_spec, spec_of_config
from playground.scaling.configs import load_parsed
from playground.scaling.memory import kv_bytes_per_token
from playground.scaling.meta import count_on_meta
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import Attention

_WHISPER_TINY = {
    "model_type": "whisper",
    "d_model": 384,
    "encoder_layers": 4,
    "decoder_layers": 4,
    "encoder_attention_heads": 6,
    "decoder_attention_heads": 6,
    "encoder_ffn_dim": 1536,
    "decoder_ffn_dim": 1536,
    "vocab_size": 51865,
}


@pytest.mark.parametrize(
    ("config", "published"),
    [
        ({"model_type": "bart"}, 406_291_456),  # bart-large
        (_WHISPER_TINY, 37_760_640),
        ({"model_type": "t5"}, 60_506_624),  # t5-small
    ],
)
def test_an_encoder_is_counted_with_its_decoder(config: dict[str, Any], published: int) -> None:
    assert count_parameters(spec_of_config(load_parsed(config))).total == published


def test_a_decoder_saved_without_its_encoder_is_counted_alone() -> None:
    assert count_on_meta({"model_type": "bart", "is_encoder_decoder": False}).class_name == "BartForCausalLM"


@pytest.mark.parametrize("model_type", ["gemma3", "llava", "paligemma"])
def test_a_part_that_is_left_out_has_transformers_defaults(model_type: str) -> None:
    config = {"model_type": model_type, "text_config": {"num_hidden_layers": 2}}
    spec = spec_of_config(load_parsed(config))
    assert count_parameters(spec).total == count_on_meta(config).total and spec.others


def test_falcon_40b_counts_the_heads_that_query_heads_share_and_says_what_transformers_keeps() -> None:
    falcon = {"model_type": "falcon", "new_decoder_architecture": True, "hidden_size": 8192, "num_hidden_layers": 60}
    falcon |= {"num_attention_heads": 128, "num_kv_heads": 8, "vocab_size": 65024, "bias": False, "alibi": False}
    spec = build_spec(falcon)
    assert kv_bytes_per_token(spec) == 2 * 60 * 8 * 64 * 2
    assert spec.notes == (
        "transformers keeps each of the 128 query heads' copies of these 8 heads, 16 times the cache that is counted here.",
    )
    assert count_parameters(spec).total == 41_303_293_952  # 40B
    assert build_spec(falcon | {"num_kv_heads": 128}).notes == ()


def test_layers_that_read_another_ones_cache_keep_nothing() -> None:
    """Gemma 3n: 15 of 35."""
    spec = build_spec({"model_type": "gemma3n_text"})
    assert sum(block.count for block in spec.blocks if isinstance(block.mixer, Attention)) == 20 and not spec.notes
