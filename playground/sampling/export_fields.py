"""Settings in each engine's own field names: what a request, a generation config or a script says of sampling, and nothing else.

What is off is said as off wherever the engine's own default, or the model's, is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from playground.sampling.orders import ORDERS
from playground.sampling.registry import SAMPLERS
from playground.sampling.sampler import Engine
from playground.sampling.settings import SamplerSettings


def _values(settings: SamplerSettings, engine: Engine) -> dict[str, Any]:
    """The engine's name and value of each parameter to send: of the samplers that do something, and of those that are
    off where the engine's own default is not.
    """
    active = settings.active()
    read = {name for sampler in active for name in SAMPLERS[sampler].reads}
    values: dict[str, Any] = {}
    for sampler in SAMPLERS.values():
        if engine not in sampler.engines:
            continue
        for parameter in sampler.parameters:
            name = parameter.exported_as.get(engine, parameter.name)
            if sampler.name in active or parameter.name in read:
                values[name] = getattr(settings, parameter.name)
            elif engine in parameter.sent_when_off:
                values[name] = parameter.sent_when_off[engine]
        if sampler.name in active:
            values |= sampler.sent_along.get(engine, {})
    return values


def transformers_fields(settings: SamplerSettings) -> dict[str, Any]:
    """Of ``GenerationConfig``. With temperature 0 what follows the logits' penalties would be refused or ignored."""
    greedy = settings.temperature == 0 and "dynatemp" not in settings.active()
    values = _values(settings, "transformers")
    if greedy:
        drawing = [row for row in SAMPLERS.values() if row.group in ("temperature", "truncation")]
        values = {name: value for name, value in values.items() if name not in {row.name for row in drawing}}
    elif settings.temperature == 0:
        values["temperature"] = 1.0  # the middle of a dynamic temperature, which transformers lacks
    if settings.logit_bias:
        values["sequence_bias"] = [[[token], bias] for token, bias in settings.logit_bias]
    return {"do_sample": not greedy, **values}


def vllm_fields(settings: SamplerSettings) -> dict[str, Any]:
    """Of ``SamplingParams``, and of a request to its server."""
    biases = {"logit_bias": dict(settings.logit_bias)} if settings.logit_bias else {}
    return _values(settings, "vllm") | biases


def sglang_fields(settings: SamplerSettings) -> dict[str, Any]:
    """Of ``sampling_params`` at ``/generate``."""
    return _values(settings, "sglang") | _biases_by_text(settings)


def openai_fields(settings: SamplerSettings) -> dict[str, Any]:
    """Of a request in OpenAI's format."""
    return _values(settings, "openai") | _biases_by_text(settings)


def ollama_fields(settings: SamplerSettings) -> dict[str, Any]:
    """Of ``options`` at ``/api/chat`` and ``/api/generate``; the same names are a Modelfile's."""
    return _values(settings, "ollama")


def _biases_by_text(settings: SamplerSettings) -> dict[str, Any]:
    biases = {str(token): bias for token, bias in settings.logit_bias}
    return {"logit_bias": biases} if biases else {}


def llama_cpp_fields(settings: SamplerSettings) -> dict[str, Any]:
    """Of a request to its server. What is off is sent as off, because llama.cpp's defaults are not neutral."""
    values = _values(settings, "llama.cpp")
    if "dry_sequence_breakers" in values:
        values["dry_sequence_breakers"] = list(settings.dry_sequence_breakers)
    if settings.logit_bias:
        values["logit_bias"] = [[token, bias] for token, bias in settings.logit_bias]
    if "mirostat" not in settings.active():
        values["samplers"] = _llama_cpp_steps(settings.active()) or ["temperature"]
    return values


def _llama_cpp_steps(active: Sequence[str]) -> list[str]:
    """llama.cpp's names of the active samplers, in order, neighbours of one step merged."""
    steps = [SAMPLERS[name].llama_cpp_step for name in active]
    return [step for step, _ in groupby(step for step in steps if step is not None)]


def llama_cpp_order_is_kept(active: Sequence[str]) -> bool:
    """Whether llama.cpp can run these samplers in this order: bias first, its three penalties as one step."""
    steps = _llama_cpp_steps(active)
    penalties = [name for name in active if SAMPLERS[name].llama_cpp_step == "penalties"]
    in_order = penalties == [name for name in ORDERS["llama.cpp"] if name in penalties]
    return len(steps) == len(set(steps)) and in_order and "logit_bias" not in active[1:]
