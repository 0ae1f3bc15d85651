"""Hostile and unusual configs: each refused in one sentence naming the field, none run, none slow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.scaling.configs import load_config, load_preset, parse_config, preset_names, read_config
from playground.scaling.meta import count_on_meta
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import Attention

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
}


def _refusal(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        parse_config(text)
    message = str(caught.value)
    assert "\n" not in message and 10 < len(message) < 400 and message.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1, 2]", "JSON object"),
        ('"llama"', "JSON object"),
        ("null", "JSON object"),
        ('{"model_type": "llama", "hidden_size": NaN}', "NaN"),
        ('{"model_type": "llama", "hidden_size": Infinity}', "Infinity"),
        ("{}", "model_type"),
        ('{"model_type": 7}', "model_type"),
        ('{"text_config": [], "model_type": "gemma3"}', "text_config"),
        ('{"model_type": "gemma9", "text_config": {"hidden_size": 4}}', "text_config.model_type"),
        ("[" * 5000 + "]" * 5000, "levels deep"),
        ('{"model_type": "llama", "x": ' + '{"a":' * 40 + "1" + "}" * 41, "levels deep"),
        ('{"x":' * 300_000, "MB"),
        (" " * 50_000_000, "50.0 MB"),
        ('{"model_type": "llama", "hidden_size": ' + "9" * 5000 + "}", "not JSON"),
    ],
    ids=range(16),
)
def test_what_is_no_config(text: str, says: str) -> None:
    assert says in str(_refusal(text))


@pytest.mark.parametrize("key", [key for key in LLAMA if key not in ("model_type", "num_key_value_heads")])
def test_a_key_written_as_null_is_named(key: str) -> None:
    error = _refusal(json.dumps({**LLAMA, key: None}))
    assert error.field == key and key in str(error)


@pytest.mark.parametrize("key", [key for key in LLAMA if key != "model_type"])
@pytest.mark.parametrize("value", [0, -1, 1e30, 10**30, "64", 1.5, True, [64], {"a": 1}])
def test_a_bad_value_is_named(key: str, value: object) -> None:
    assert _refusal(json.dumps({**LLAMA, key: value})).field == key


@pytest.mark.parametrize(
    "changes",
    [
        {"num_attention_heads": 5, "num_key_value_heads": 5},  # 64 is no multiple of 5
        {"num_key_value_heads": 3},
        {"tie_word_embeddings": "yes"},
        {"model_type": "mixtral", "num_local_experts": 2, "num_experts_per_tok": 3},
        {"model_type": "mixtral", "num_local_experts": 10**9},
        {"model_type": "gemma2", "layer_types": ["full_attention"]},
        {"model_type": "gemma2", "layer_types": 7},
        {"model_type": "qwen3_moe", "num_experts": 8, "moe_intermediate_size": 4, "mlp_only_layers": "all"},
        {"model_type": "jamba", "attn_layer_period": 2, "attn_layer_offset": 2},
        {"model_type": "mamba2", "num_heads": 3, "head_dim": 7},
        {"num_hidden_layers": 10**6},
    ],
)
def test_contradictions_are_refused(changes: dict[str, object]) -> None:
    assert _refusal(json.dumps({**LLAMA, **changes})).field


def test_custom_code_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modeling_evil.py").write_text("raise SystemExit('code was run')")
    monkeypatch.chdir(tmp_path)
    auto_map = {"AutoConfig": "modeling_evil.Config", "AutoModelForCausalLM": "modeling_evil.Model"}
    hostile = {**LLAMA, "auto_map": auto_map, "_attn_implementation": "evil/kernels", "quantization_config": {"x": 1}}
    loaded = parse_config(json.dumps(hostile))
    assert loaded.spec is not None
    assert count_on_meta(loaded.config).total == count_parameters(loaded.spec).total
    with pytest.raises(BadInput, match="evil"):
        count_on_meta({**hostile, "model_type": "evil"})


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "opt", "num_hidden_layers": 10**9},
        {"model_type": "opt", "hidden_size": 1e30},
        {"model_type": "opt", "hidden_size": "wide"},
        {"model_type": "opt", "num_attention_heads": 0},
        {"model_type": "opt", "num_attention_heads": -2},
        {"model_type": "opt", "num_hidden_layers": 0},
        {"model_type": "opt", "num_hidden_layers": -1},
        {"model_type": "opt", "vocab_size": 0},
        {"model_type": "opt", "vocab_size": 10**12},
        {"model_type": "opt", "ffn_dim": -8},
        {"model_type": "opt", "text_config": {"model_type": "opt", "hidden_size": -4}},
        {"model_type": "no-such-model"},
    ],
)
def test_the_meta_count_refuses_in_a_sentence(config: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        count_on_meta(config)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_type_that_transformers_does_not_know_is_said_to_be_unknown() -> None:
    with pytest.raises(BadInput, match="unknown to transformers") as caught:
        count_on_meta({"model_type": "evil\x1b[31m\n"})
    assert str(caught.value).isprintable() and caught.value.field == "model_type"


def test_a_transformers_refusal_is_one_printable_line() -> None:
    with pytest.raises(BadInput) as caught:
        count_on_meta({**LLAMA, "hidden_act": "evil\x1b[31m\n\x07"})
    assert str(caught.value).isprintable()


_window = st.sampled_from([None, 4, 16])
WINDOWED: dict[str, dict[str, Any]] = {
    "mistral": {"sliding_window": _window},
    "phi3": {"sliding_window": _window, "pad_token_id": st.just(0)},
    "mixtral": {"sliding_window": _window, "num_local_experts": st.just(2)},
    "gemma2": {"sliding_window": st.sampled_from([4, 16])},
    "gemma3_text": {"sliding_window": st.sampled_from([4, 16]), "sliding_window_pattern": st.integers(1, 4)},
    **dict.fromkeys(
        ("qwen2", "qwen3", "qwen2_moe", "qwen3_moe"),
        {
            "use_sliding_window": st.booleans(),
            "sliding_window": st.sampled_from([4, 16]),
            "max_window_layers": st.integers(0, 8),
            "num_experts": st.just(2),
            "num_experts_per_tok": st.just(1),
            "moe_intermediate_size": st.just(4),
        },
    ),
}


@pytest.mark.parametrize("model_type", WINDOWED)
def test_windows_are_those_of_transformers_own_cache(model_type: str) -> None:
    """Its cache asks the config which layers forget: how much a long context takes hangs on that."""
    from transformers import AutoConfig, DynamicCache

    @settings(max_examples=25, derandomize=True, database=None, deadline=None)
    @given(st.fixed_dictionaries({}, optional=WINDOWED[model_type]), st.integers(1, 9), st.data())
    def check(changes: dict[str, Any], layers: int, data: st.DataObject) -> None:
        config = {**LLAMA, "num_hidden_layers": layers, **changes}
        kinds = st.sampled_from(["full_attention", "sliding_attention"])
        if model_type.startswith("gemma") and data.draw(st.booleans()):
            config["layer_types"] = data.draw(st.lists(kinds, min_size=layers, max_size=layers))
        if "moe" in model_type:
            config |= {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 4}
        config.pop("model_type")
        cache = DynamicCache(config=AutoConfig.for_model(model_type, **config))
        theirs = [getattr(layer, "sliding_window", None) if layer.is_sliding else None for layer in cache.layers]
        blocks = read_config({**config, "model_type": model_type}).blocks
        ours = [
            block.mixer.window for block in blocks if isinstance(block.mixer, Attention) for _ in range(block.count)
        ]
        assert sorted(ours, key=str) == sorted(theirs or [None] * layers, key=str)

    check()


def test_a_window_of_null_is_none() -> None:
    for model_type in ("qwen2", "qwen3"):
        config = {**LLAMA, "model_type": model_type, "use_sliding_window": True, "sliding_window": None}
        (block,) = read_config({**config, "max_window_layers": 0}).blocks
        assert isinstance(block.mixer, Attention) and block.mixer.window is None


def test_an_unknown_architecture_has_no_spec() -> None:
    assert parse_config('{"model_type": "opt", "hidden_size": 8}').spec is None


def test_windows_follow_the_family() -> None:
    def windows(name: str) -> list[tuple[int, int | None]]:
        return [
            (block.count, block.mixer.window)
            for block in load_preset(name).spec.blocks
            if isinstance(block.mixer, Attention)
        ]

    assert windows("Mistral-7B") == [(32, 4096)]
    assert windows("Mixtral-8x7B") == [(32, None)]
    assert windows("Gemma-2-9B") == [(21, 4096), (21, None)]
    assert sorted(windows("Gemma-3-1B"), key=str) == [(22, 512), (4, None)]
    assert windows("Jamba-v0.1") == [(4, None)]
    assert windows("Qwen2.5-7B") == [(28, None)]


def test_presets_are_found_by_unique_prefix() -> None:
    assert load_preset("llama-2-7b").name == "Llama-2-7B"
    assert load_preset(" Llama 2 7B ").name == "Llama-2-7B"
    assert load_preset("mixtral").name == "Mixtral-8x7B"
    with pytest.raises(BadInput, match="Llama-2-13B"):
        load_preset("llama-2")
    for name in ("", "no such model", "../../etc/passwd", "x" * 10_000):
        with pytest.raises(BadInput):
            load_preset(name)
    families = {load_preset(name).family for name in preset_names()}
    assert families >= {
        "GPT-2",
        "GPT-3",
        "Llama 1",
        "Llama 2",
        "Llama 3",
        "Llama 3.1",
        "Mixtral",
        "DeepSeek",
        "Qwen2.5",
        "Gemma",
        "Mamba",
        "Jamba",
        "RWKV",
        "SmolLM2",
    }


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA))
    assert load_config(str(path)).spec is not None
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(LLAMA).encode())  # as some editors save it
    assert load_config(str(path)).spec is not None
    for size in (1_500_000, 50_000_000):
        path.write_text('{"x": "' + "a" * size + '"}')
        with pytest.raises(BadInput, match=f"{size / 1e6:.1f} MB long"):
            load_config(str(path))
    path.write_bytes(b"\xff\xfe\x00binary")
    for bad in (str(path), str(tmp_path / "missing.json"), str(tmp_path), "x" * 9999, "x" * 9999 + ".json", "\0.json"):
        with pytest.raises(BadInput):
            load_config(bad)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
TYPES = ["llama", "mixtral", "gemma2", "qwen2", "jamba", "mamba", "mamba2", "gpt2", "deepseek_v3", "rwkv", "qwen3_moe"]


@settings(max_examples=150, derandomize=True, database=None, deadline=None)
@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(sorted(LLAMA) + ["n_embd", "layer_types"]), _json))
def test_any_json_gives_a_spec_or_one_sentence(model_type: str, changes: dict[str, object]) -> None:
    config = {**LLAMA, **changes, "model_type": model_type}
    try:
        assert count_parameters(read_config(config)).total > 0
    except BadInput as error:
        assert error.field and "\n" not in str(error)


def test_a_text_part_that_says_nothing_is_told_by_its_name() -> None:
    with pytest.raises(BadInput, match=r"lacks text_config\.model_type"):
        parse_config('{"model_type": "llama", "hidden_size": 64, "text_config": {}}')


def test_a_size_is_shown_as_it_was_written() -> None:
    whole = {"num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100, "intermediate_size": 128}
    with pytest.raises(BadInput, match=r"a whole number, not 64\.0"):
        parse_config(json.dumps({"model_type": "llama", "hidden_size": 64.0} | whole))
