"""A preset as files for other engines: the sampling fields alone, in each engine's own names, and what it will not do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.sampling import export_fields as fields
from playground.sampling.export import EXPORTS, Export, setting_warnings
from playground.sampling.sampler import Engine
from playground.sampling.settings import SamplerSettings


@dataclass(frozen=True, slots=True)
class PresetFile:
    """``use``: where its fields go, in a clause. ``fixed_order``: see ``export.Exporter``."""

    label: str
    file_name: str
    use: str
    engine: Engine
    fixed_order: str | None
    fields: Callable[[SamplerSettings], Mapping[str, Any]]
    particular: Callable[[SamplerSettings], tuple[str, ...]] = lambda settings: ()


def _ollama_differences(settings: SamplerSettings) -> tuple[str, ...]:
    if any(name.endswith("_penalty") for name in settings.active()):
        return ("Not every engine inside Ollama applies penalties, and its answers do not say: compare two texts.",)
    return ()


PRESET_FILES: Mapping[str, PresetFile] = {
    "transformers": PresetFile(
        "transformers",
        "generation_config.json",
        "beside the model's weights: generate, vLLM and SGLang read it as their default",
        "transformers",
        "hf",
        fields.transformers_fields,
        EXPORTS["transformers"].particular,
    ),
    "vllm": PresetFile("vLLM", "vllm.json", "fields of a request to its server", "vllm", "vllm", fields.vllm_fields),
    "sglang": PresetFile(
        "SGLang", "sglang.json", "sampling_params of a request to /generate", "sglang", "hf", fields.sglang_fields
    ),
    "llama.cpp": PresetFile(
        "llama.cpp",
        "llama.cpp.json",
        "fields of a request to llama-server",
        "llama.cpp",
        None,
        fields.llama_cpp_fields,
        EXPORTS["llama-server"].particular,
    ),
    "ollama": PresetFile(
        "Ollama",
        "ollama.json",
        "options of a request to /api/chat; in a Modelfile PARAMETER and the same names",
        "ollama",
        "hf",
        fields.ollama_fields,
        _ollama_differences,
    ),
    "openai": PresetFile(
        "OpenAI-compatible",
        "openai.json",
        "fields of a request to /v1/chat/completions",
        "openai",
        None,
        fields.openai_fields,
        EXPORTS["openai"].particular,
    ),
}


def preset_file(name: str, settings: SamplerSettings) -> Export:
    """The file's text for an engine of ``PRESET_FILES``, with what that engine lacks or does otherwise."""
    target = PRESET_FILES[name]
    text = json.dumps(target.fields(settings), ensure_ascii=False, indent=2) + "\n"
    warnings = setting_warnings(target.label, target.engine, target.fixed_order, settings)
    return Export(text, (*warnings, *target.particular(settings)), "json")
