"""Presets: kept for their owner alone, files that engines understand, and what a server says it used, field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.completion_create_params import CompletionCreateParamsBase
from transformers import GenerationConfig

from playground.errors import BadInput
from playground.sampling.preset_files import PRESET_FILES, preset_file
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.tuning.preset import MOST_PRESETS, PresetStore, compare_fields, preset_json, read_preset

COOL = SamplerSettings(temperature=0.4, top_p=0.9, repetition_penalty=1.1, frequency_penalty=0.2, logit_bias={7: -5})


def fields(name: str, settings: SamplerSettings = COOL) -> dict[str, Any]:
    preset: dict[str, Any] = json.loads(preset_file(name, settings).code)
    return preset


def test_presets_are_their_owners_alone(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path))
    own, yours = PresetStore("me", database), PresetStore("you", database)
    own.persist(" Support  answers ", NEUTRAL)
    kept = own.persist("Support answers", COOL, "because")
    yours.persist("Other", NEUTRAL)
    assert own.presets() == (kept,) and kept.settings == COOL and kept.name == "Support answers"
    yours.delete("Support answers")
    assert len(own.presets()) == 1
    own.delete("Support answers")
    assert own.presets() == () and len(yours.presets()) == 1
    for name in ("", "  ", "a" * 61, "a\x1bb"):
        with pytest.raises(BadInput, match="needs a name"):
            own.persist(name, NEUTRAL)
    database.close()


def test_presets_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.tuning.preset.MOST_PRESETS", 1)
    database = Database(sqlite_url(tmp_path))
    store = PresetStore("me", database)
    store.persist("a", NEUTRAL)
    with pytest.raises(BadInput, match="At most 1 presets"):
        store.persist("b", NEUTRAL)
    assert store.persist("a", COOL).settings == COOL and MOST_PRESETS == 100
    database.close()


def test_its_own_file_comes_back() -> None:
    assert read_preset(preset_json("A “b”", COOL, "why")) == ("A “b”", COOL, "why")
    for wrong in ("{", "[]", '{"name": "a"}', '{"name": "a", "settings": {"heat": 1}}', '{"settings": {}}'):
        with pytest.raises(BadInput):
            read_preset(wrong)
    assert read_preset("\ufeff" + preset_json("A", COOL, ""))[1] == COOL, "as Windows saves it"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ('"temperature": 0.2, "temperature": 2', "has the key 'temperature' twice"),
        ('"temperature": NaN', "NaN is not JSON"),
        ('"temperature": 1e999', "temperature must be a number from"),
        ('"temperature": true', "temperature must be a number from"),
        ('"temperature": [0.2]', "temperature must be a number from"),
        ('"top_k": 1.5', "top_k must be a whole number"),
        ('"top_k": ' + "9" * 5000, "cannot be read as JSON"),
        ('"logit_bias": {"7": "NaN"}', "logit_bias must be a number"),
        ('"logit_bias": {"-1": 1}', "is no token id"),
        ('"logit_bias": [[1, 2, 3]]', "write token ids and biases"),
        ('"order": {"a": 1}', "order"),
        ('"order": [["top_k"]]', "order"),
        ('"dry_sequence_breakers": ["\\ud83d"]', "broken character"),
        ('"temperature": ' + "[" * 100_000, "nested too deeply"),
        ('"top_p": "0.9", "do_sample": true', "do_sample: unknown sampling parameter"),
    ],
)
def test_a_strangers_file_is_refused_with_what_is_wrong(settings: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_preset(f'{{"name": "a", "settings": {{{settings}}}}}')
    assert reason in str(refused.value) and len(str(refused.value)) < 600


def test_every_engine_gets_its_own_names() -> None:
    assert set(PRESET_FILES) == {"transformers", "vllm", "sglang", "llama.cpp", "ollama", "openai"}
    config = GenerationConfig.from_dict(fields("transformers"))
    config.validate(strict=True)
    assert (config.temperature, config.top_p, config.top_k, config.do_sample) == (0.4, 0.9, 0, True)
    assert fields("vllm")["repetition_penalty"] == fields("sglang")["repetition_penalty"] == 1.1
    assert fields("sglang")["top_k"] == -1 and fields("ollama")["top_k"] == 0
    assert fields("ollama")["repeat_penalty"] == 1.1 and fields("ollama")["repeat_last_n"] == -1
    assert fields("llama.cpp")["repeat_last_n"] > 0 and fields("llama.cpp")["samplers"][-1] == "top_p"
    assert set(fields("openai")) <= set(CompletionCreateParamsBase.__annotations__)
    assert fields("openai")["logit_bias"] == fields("sglang")["logit_bias"] == {"7": -5}
    assert "has no Repetition penalty" in preset_file("openai", COOL).warnings[0]
    assert (
        "has no Logit bias" in preset_file("ollama", COOL).warnings[0] and preset_file("vllm", NEUTRAL).warnings == ()
    )
    assert any("does" not in w and "compare two texts" in w for w in preset_file("ollama", COOL).warnings)


def test_what_a_server_dropped_or_changed_is_found() -> None:
    sent = {"temperature": 0.4, "top_k": 5, "samplers": ["top_k", "temperature"], "logit_bias": [[7, -5.0]], "heat": 1}
    server_settings = {"temperature": 0.4000000059604645, "top_k": 40, "samplers": ["top_k", "temperature"]}
    checks = compare_fields(sent, {**server_settings, "logit_bias": [{"token": 7, "bias": -5.0}]})
    assert [(check.name, check.took) for check in checks] == [
        ("temperature", True),
        ("top_k", False),
        ("samplers", True),
        ("logit_bias", True),
        ("heat", False),
    ]
    assert checks[1].used == 40 and checks[4].used is None
