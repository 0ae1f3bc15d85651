"""Ready-made settings to start from. Each says where its numbers come from; nothing here is magic."""

from __future__ import annotations

from dataclasses import dataclass

from playground.sampling.settings import NEUTRAL, SamplerSettings


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings with a name, what they are good for, and the source of the numbers."""

    name: str
    label: str
    explain: str
    settings: SamplerSettings
    source: str


_ALL = (
    Preset(
        "neutral",
        "Neutral",
        "The model's own distribution: no sampler changes anything.",
        NEUTRAL,
        "every parameter at the value that does nothing",
    ),
    Preset(
        "greedy",
        "Greedy",
        "Always the likeliest token: repeatable, often repetitive.",
        SamplerSettings(temperature=0.0),
        "temperature 0",
    ),
    Preset(
        "focused",
        "Focused",
        "For facts, extraction and code: cool, and without the unlikely tail.",
        SamplerSettings(temperature=0.3, top_p=0.9),
        "the lower end of the usual ranges: temperature 0.2 to 0.4, top-p 0.9",
    ),
    Preset(
        "balanced",
        "Balanced chat",
        "For conversation: some variety, little nonsense.",
        SamplerSettings(temperature=0.7, top_p=0.9, repetition_penalty=1.05),
        "common chat settings: temperature 0.7, top-p 0.9, a light repetition penalty",
    ),
    Preset(
        "creative",
        "Creative (min-p)",
        "For stories: warm, while min-p drops what the model finds implausible before the heat is applied.",
        SamplerSettings(temperature=1.5, min_p=0.1, order="min_p,temperature"),
        "Nguyen et al. 2024, arXiv:2407.01082: min-p 0.05 to 0.1 with a temperature above 1",
    ),
    Preset(
        "llama.cpp",
        "llama.cpp defaults",
        "What llama.cpp does when nothing is set, in its own order.",
        SamplerSettings(temperature=0.8, top_k=40, top_p=0.95, min_p=0.05, order="llama.cpp"),
        "llama.cpp's common parameters: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8",
    ),
    Preset(
        "vllm",
        "vLLM defaults",
        "vLLM's own SamplingParams: nothing is changed unless the model's generation config says so.",
        SamplerSettings(order="vllm"),
        "vLLM SamplingParams: temperature 1, top-p 1, top-k off, min-p 0",
    ),
    Preset(
        "hf",
        "transformers defaults",
        "What generate(do_sample=True) does when the model brings no settings of its own.",
        SamplerSettings(top_k=50),
        "transformers GenerationConfig: temperature 1, top-p 1, top-k 50",
    ),
)

PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
