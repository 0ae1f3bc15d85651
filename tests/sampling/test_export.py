"""Exported code is valid for its language, carries every value, cannot be broken out of, and warns of differences."""

from __future__ import annotations

import ast
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.constraint import CONSTRAINT_NAMES, Constraint, ConstraintKind
from playground.errors import BadInput
from playground.sampling.export import EXPORTS, GGUF_BY_TRANSFORMERS, Export, export, supported_samplers
from playground.sampling.export_code import Endings
from playground.sampling.presets import PRESETS
from playground.sampling.registry import PARAMETERS, SAMPLERS
from playground.sampling.settings import NEUTRAL, SamplerSettings
from tests.models.tiny import save_gguf, save_llama, tiny_tokenizer
from tests.sampling.test_settings import any_settings

HOSTILE = [
    'say "hi"\nimport os; os.system("rm")',
    "it's $HOME `id` $(id) \\ ' \" ; & | > #",
    "</script>{}%s\t\r",
    "''' \"\"\" \\",
    "--flag -x",
    "日本語 🙂 \u202e",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))


def python_calls(code: str) -> dict[str, dict[str, Any]]:
    """Literal keyword arguments of each call, by the called name."""
    calls = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            calls[name] = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg}
    return calls


def strings_in(code: str) -> list[object]:
    return [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]


@settings(deadline=None, max_examples=120)
@given(any_settings, texts, texts, st.booleans(), st.one_of(st.none(), texts), st.integers(0, 2**32 - 1))
def test_every_export_is_well_formed_and_holds_the_texts_unchanged(
    chosen: SamplerSettings, model: str, prompt: str, chat: bool, system: str | None, seed: int
) -> None:
    for name, exporter in EXPORTS.items():
        result = export(name, chosen, model, prompt, chat, system, seed)
        if exporter.language == "python":
            compile(result.code, name, "exec")
            literals = strings_in(result.code)
            assert model in literals and seed in literals
            assert prompt in literals or (name == "transformers" and not prompt)  # it begins at the start token then
            assert not (chat and system) or system in literals
        elif exporter.language == "json":
            body = json.loads(result.code)
            assert prompt == (body["messages"][-1]["content"] if chat else body["prompt"])
            assert body["seed"] == seed
        else:
            words = shlex.split(result.code)
            assert any(word in (prompt, f"--prompt={prompt}") for word in words)
            assert any(word in (model, f"--model={model}") for word in words) or (name == "playground" and not model)


@settings(deadline=None, max_examples=100)
@given(any_settings)
def test_our_own_command_line_gives_the_settings_back(chosen: SamplerSettings) -> None:
    words = shlex.split(export("playground", chosen, "m", "p", seed=7).code)
    given: dict[str, Any] = {}
    for word in words[4:]:
        flag, _, value = word.removeprefix("--").partition("=")
        name = flag.replace("-", "_")
        if name in ("model", "prompt", "seed"):
            continue
        if name in PARAMETERS and PARAMETERS[name].kind in ("bias", "strings"):
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    assert SamplerSettings.from_mapping(given) == chosen


def test_transformers_accepts_what_is_exported() -> None:
    from transformers import GenerationConfig

    chosen = SamplerSettings(
        temperature=0.7,
        top_k=40,
        top_p=0.9,
        min_p=0.05,
        typical_p=0.95,
        epsilon_cutoff=3e-4,
        eta_cutoff=3e-4,
        top_h=0.9,
        repetition_penalty=1.1,
        no_repeat_ngram_size=3,
        logit_bias={7: -5.0},
    )
    result = export("transformers", chosen, "m", "p")
    arguments = python_calls(result.code)["generate"]
    GenerationConfig(**arguments).validate(strict=True)
    assert result.warnings == ()
    for name in SAMPLERS:
        if name in arguments:
            assert arguments[name] == getattr(chosen, name)
    assert arguments["sequence_bias"] == [[[7], -5.0]] and arguments["do_sample"] is True


def test_defaults_of_a_model_or_engine_are_switched_off_not_inherited() -> None:
    arguments = python_calls(export("transformers", NEUTRAL, "m", "p").code)["generate"]
    assert (arguments["temperature"], arguments["top_k"], arguments["top_p"]) == (1.0, 0, 1.0)
    body = json.loads(export("llama-server", NEUTRAL, "m", "p").code)
    assert (body["temperature"], body["top_k"], body["top_p"], body["min_p"]) == (1.0, 0, 1.0, 0.0)
    greedy = python_calls(export("transformers", SamplerSettings(temperature=0), "m", "p").code)["generate"]
    assert greedy["do_sample"] is False and "temperature" not in greedy


@pytest.mark.parametrize("engine", [name for name in EXPORTS if name != "playground"])
def test_a_sampler_the_engine_lacks_is_named(engine: str) -> None:
    chosen = SamplerSettings(
        temperature=0.8, top_h=0.5, no_repeat_ngram_size=2, dry_multiplier=0.5, xtc_probability=0.5
    )
    lacking = [name for name in chosen.active() if name not in supported_samplers(EXPORTS[engine].engine)]
    warning = export(engine, chosen, "m", "p").warnings[0]
    assert lacking and all(SAMPLERS[name].label in warning for name in lacking)
    assert SAMPLERS["temperature"].label not in warning.split(";")[0]


@pytest.mark.parametrize(
    ("engine", "order", "differs"),
    [
        ("transformers", "hf", False),
        ("transformers", "llama.cpp", True),
        ("transformers", "vllm", True),
        ("vllm", "vllm", False),
        ("vllm", "hf", True),
        ("llama-server", "llama.cpp", False),
        ("llama-server", "hf", False),
        ("openai", "hf", False),
        ("openai", "llama.cpp", True),
        ("playground", "llama.cpp", False),
    ],
)
def test_another_order_is_told(engine: str, order: str, differs: bool) -> None:
    chosen = SamplerSettings(temperature=0.8, top_p=0.9, min_p=0.05, order=order)
    warnings = [w for w in export(engine, chosen, "m", "p").warnings if "order" in w or "runs first" in w]
    assert bool(warnings) == differs


def test_llama_cpp_carries_the_order_and_tells_what_it_cannot() -> None:
    chosen = PRESETS["llama.cpp"].settings
    assert json.loads(export("llama-server", chosen, "m", "p").code)["samplers"] == [
        "top_k",
        "top_p",
        "min_p",
        "temperature",
    ]
    assert "top_k;top_p;min_p;temperature" in shlex.split(export("llama-completion", chosen, "m", "p").code)
    late_bias = SamplerSettings(logit_bias={1: 2.0}, top_k=5, order="top_k,logit_bias")
    assert any("bias first" in w for w in export("llama-server", late_bias, "m", "p").warnings)
    mirostat = SamplerSettings(mirostat_tau=5, repetition_penalty=1.2)
    assert any("while Mirostat is on" in w for w in export("llama-completion", mirostat, "m", "p").warnings)


def test_raw_text_goes_to_llama_cpps_own_completion_command_unescaped() -> None:
    """llama-cli only chats by now and refuses -no-cnv; and escapes are read in -p unless that is switched off."""
    raw = shlex.split(export("llama-completion", NEUTRAL, "m.gguf", "C:\\new").code)
    assert raw[0] == "llama-completion" and {"-no-cnv", "--no-escape"} <= set(raw)
    assert raw[raw.index("-p") + 1] == "C:\\new"
    chat = shlex.split(export("llama-completion", NEUTRAL, "m.gguf", "p", chat=True, system="s").code)
    assert chat[0] == "llama-completion" and {"-cnv", "-st", "--no-escape"} <= set(chat) and "-no-cnv" not in chat


def test_llama_cpp_asks_for_a_gguf_file_where_the_model_is_none() -> None:
    said = export("llama-completion", NEUTRAL, "org/name", "p").warnings
    assert said == ("llama.cpp reads GGUF files: put the path of one in the place of org/name.",)
    assert not export("llama-completion", NEUTRAL, "/models/x.GGUF", "p").warnings
    assert not export("llama-server", NEUTRAL, "org/name", "p").warnings


def test_the_code_for_a_gguf_file_runs_and_writes_what_the_model_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, file = save_llama(tmp_path / "llama"), tmp_path / "tiny.gguf"
    save_gguf(file, saved)
    code = export("transformers", SamplerSettings(temperature=0), str(file), "the cat", max_new_tokens=4).code
    exec(compile(code, "exported", "exec"), {})
    tokenizer = tiny_tokenizer()
    ids = tokenizer("the cat", return_tensors="pt").input_ids
    written = saved.generate(ids, do_sample=False, max_new_tokens=4)[0, ids.shape[1] :]
    assert capsys.readouterr().out.splitlines()[-1] == tokenizer.decode(written, skip_special_tokens=True)


def test_our_own_command_line_names_no_model_where_the_default_one_is_in_use() -> None:
    assert "--model" not in export("playground", NEUTRAL, "", "p").code
    assert "--model=org/name" in export("playground", NEUTRAL, "org/name", "p").code


def test_an_empty_prompt_begins_at_the_start_token_or_is_told() -> None:
    assert "tokenizer(tokenizer.bos_token, add_special_tokens=False" in export("transformers", NEUTRAL, "m", "").code
    assert "The prompt is empty" in export("vllm", NEUTRAL, "m", "").warnings[0]
    assert (
        not export("playground", NEUTRAL, "m", "").warnings and not export("vllm", NEUTRAL, "m", "", chat=True).warnings
    )


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(BadInput):
        export("word", NEUTRAL, "m", "p")


ENDINGS = Endings(("END", "\"\n'); import os", "a", "b", "c"), (7, 8), True)


def test_endings_are_in_every_engines_words() -> None:
    exports = {name: export(name, NEUTRAL, "m", "p", endings=ENDINGS) for name in EXPORTS}
    call = next(
        node
        for node in ast.walk(ast.parse(exports["transformers"].code))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "generate"
    )
    given = {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}
    assert ast.literal_eval(given["stop_strings"]) == list(ENDINGS.strings) and given["tokenizer"] == "tokenizer"
    assert given["eos_token_id"] == "[7, 8]"
    vllm = python_calls(exports["vllm"].code)["SamplingParams"]
    assert (vllm["stop"], vllm["stop_token_ids"], vllm["ignore_eos"]) == (list(ENDINGS.strings), [7, 8], True)
    server = json.loads(exports["llama-server"].code)
    assert server["stop"] == list(ENDINGS.strings) and server["ignore_eos"] is True
    assert "--ignore-eos" in shlex.split(exports["llama-completion"].code)
    assert json.loads(exports["openai"].code)["stop"] == list(ENDINGS.strings[:4])
    said = {name: " ".join(result.warnings) for name, result in exports.items()}
    assert "at most 4 stop strings" in said["openai"] and "always ends" in said["openai"]
    assert "no stop strings" in said["llama-completion"] and "no stop token ids" in said["llama-server"]
    assert not said["transformers"] and not said["vllm"]


SCHEMA = '{"type": "object", "title": "it\\u0027s"}'


@pytest.mark.parametrize("chat", [False, True])
def test_what_a_text_must_match_is_in_every_engines_words_or_said_to_be_left_out(chat: bool) -> None:
    def exports_of(kind: ConstraintKind, text: str) -> dict[str, Export]:
        endings = Endings(constraint=Constraint(kind, text))
        return {name: export(name, NEUTRAL, "m.gguf", "p", chat=chat, endings=endings) for name in EXPORTS}

    schema = exports_of("json_schema", SCHEMA)
    call = next(
        node
        for node in ast.walk(ast.parse(schema["vllm"].code))
        if isinstance(node, ast.keyword) and node.arg == "json"
    )
    assert ast.literal_eval(call.value) == json.loads(SCHEMA)
    assert json.loads(schema["llama-server"].code)["json_schema"] == json.loads(SCHEMA)
    words = shlex.split(schema["llama-completion"].code)
    assert words[words.index("--json-schema") + 1] == SCHEMA
    if chat:
        format_object = json.loads(schema["openai"].code)["response_format"]["json_schema"]
        assert format_object["schema"] == json.loads(SCHEMA)
    choices = exports_of("choice", "a'\nb")
    assert "choice=[\"a'\", 'b']" in choices["vllm"].code
    assert json.loads(choices["llama-server"].code)["grammar"] == 'root ::= "a\'" | "b"'
    words = shlex.split(choices["llama-completion"].code)
    assert words[words.index("--grammar") + 1] == 'root ::= "a\'" | "b"'
    left_out = {
        name: [
            kind
            for kind in CONSTRAINT_NAMES
            if any("left out" in said for said in exports_of(kind, SCHEMA)[name].warnings)
        ]
        for name in EXPORTS
    }
    assert left_out == {
        "transformers": list(CONSTRAINT_NAMES),
        "vllm": [],
        "llama-completion": ["regex"],
        "llama-server": ["regex"],
        "openai": [kind for kind in CONSTRAINT_NAMES if not chat or kind != "json_schema"],
        "playground": [],
    }


def test_the_models_own_end_tokens_stay_beside_further_ones_and_without_endings_nothing_is_said() -> None:
    more = export("transformers", NEUTRAL, "m", "p", endings=Endings(ids=(7,)))
    assert "eos_token_id=[tokenizer.eos_token_id, *[7]]" in more.code
    for name in EXPORTS:
        plain = export(name, NEUTRAL, "m.gguf", "p")
        assert not any(word in plain.code for word in ("stop", "eos", "pad_token"))
        assert plain.warnings == ((GGUF_BY_TRANSFORMERS,) if name == "transformers" else ())
