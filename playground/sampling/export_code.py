"""The text of exported code. Every string from outside goes through repr, json or shlex: it can never become code."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from playground.sampling.orders import ORDERS, order_name
from playground.sampling.registry import PARAMETERS, SAMPLERS
from playground.sampling.sampler import Engine
from playground.sampling.settings import SamplerSettings


@dataclass(frozen=True, slots=True)
class Endings:
    """What ends a text besides its length: strings, token ids; ``ignore_eos`` goes on after the end token."""

    strings: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    ignore_eos: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be exported. ``system`` is None where there is no chat."""

    settings: SamplerSettings
    model_id: str
    prompt: str
    chat: bool
    system: str | None
    seed: int
    max_new_tokens: int
    endings: Endings = Endings()

    @property
    def messages(self) -> list[dict[str, str]]:
        before = [{"role": "system", "content": self.system}] if self.system else []
        return [*before, {"role": "user", "content": self.prompt}]


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


def _python_arguments(values: dict[str, Any]) -> str:
    return "".join(f"    {name}={value!r},\n" for name, value in values.items())


# --- transformers ----------------------------------------------------------------------------------------------


def transformers_code(request: Request) -> str:
    """A script with ``generate``. Defaults a model may bring in its generation config are overridden, not inherited."""
    settings = request.settings
    greedy = settings.temperature == 0 and "dynatemp" not in settings.active()
    values = _values(settings, "transformers")
    if greedy:  # what follows the logits' penalties is refused or ignored with do_sample=False
        drawing = [row for row in SAMPLERS.values() if row.group in ("temperature", "truncation")]
        values = {name: value for name, value in values.items() if name not in {row.name for row in drawing}}
    elif settings.temperature == 0:
        values["temperature"] = 1.0  # the middle of a dynamic temperature, which transformers lacks
    if settings.logit_bias:
        values["sequence_bias"] = [[[token], bias] for token, bias in settings.logit_bias]
    arguments = {"max_new_tokens": request.max_new_tokens, "do_sample": not greedy, **values}
    return (
        "from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed\n\n"
        f"model_id = {request.model_id!r}\n"
        "tokenizer = AutoTokenizer.from_pretrained(model_id)\n"
        "model = AutoModelForCausalLM.from_pretrained(model_id)\n"
        f"{_transformers_inputs(request)}"
        f"set_seed({request.seed})\n"
        "output = model.generate(\n"
        "    **inputs,\n"
        f"{_python_arguments(arguments)}"
        f"{_transformers_endings(request.endings)}"
        ")\n"
        'print(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))\n'
    )


def _transformers_endings(endings: Endings) -> str:
    """``eos_token_id`` replaces the model's own end tokens, so those are named again unless they are ignored."""
    text = f"    stop_strings={list(endings.strings)!r},\n    tokenizer=tokenizer,\n" if endings.strings else ""
    if endings.ignore_eos:
        return text + f"    eos_token_id={list(endings.ids) or -1!r},\n    pad_token_id=0,\n"
    return text + (f"    eos_token_id=[tokenizer.eos_token_id, *{list(endings.ids)!r}],\n" if endings.ids else "")


def _transformers_inputs(request: Request) -> str:
    if not request.chat:
        if not request.prompt:  # generate needs one token at least; here too an empty text begins at the start token
            return 'inputs = tokenizer(tokenizer.bos_token, add_special_tokens=False, return_tensors="pt")\n'
        return f'inputs = tokenizer({request.prompt!r}, return_tensors="pt")\n'
    return (
        f"messages = {request.messages!r}\n"
        "inputs = tokenizer.apply_chat_template(\n"
        '    messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"\n'
        ")\n"
    )


# --- vLLM ------------------------------------------------------------------------------------------------------


def vllm_code(request: Request) -> str:
    """A script with vLLM's offline ``LLM`` and ``SamplingParams``."""
    settings = request.settings
    arguments = _values(settings, "vllm")
    if settings.logit_bias:
        arguments["logit_bias"] = dict(settings.logit_bias)
    arguments |= {"seed": request.seed, "max_tokens": request.max_new_tokens}
    endings = request.endings
    given = {"stop": list(endings.strings), "stop_token_ids": list(endings.ids), "ignore_eos": endings.ignore_eos}
    arguments |= {name: value for name, value in given.items() if value}
    call = f"llm.chat({request.messages!r}, params)" if request.chat else f"llm.generate({request.prompt!r}, params)"
    return (
        "from vllm import LLM, SamplingParams\n\n"
        f"llm = LLM(model={request.model_id!r})\n"
        "params = SamplingParams(\n"
        f"{_python_arguments(arguments)}"
        ")\n"
        f"print({call}[0].outputs[0].text)\n"
    )


# --- llama.cpp -------------------------------------------------------------------------------------------------


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


def _llama_cpp_values(request: Request) -> dict[str, Any]:
    """Server field names and values. What is off is sent as off, because llama.cpp's defaults are not neutral."""
    settings = request.settings
    values: dict[str, Any] = {"seed": request.seed, **_values(settings, "llama.cpp")}
    if "dry_sequence_breakers" in values:
        values["dry_sequence_breakers"] = list(settings.dry_sequence_breakers)
    if settings.logit_bias:
        values["logit_bias"] = [[token, bias] for token, bias in settings.logit_bias]
    if "mirostat" not in settings.active():
        values["samplers"] = _llama_cpp_steps(settings.active()) or ["temperature"]
    return values


def llama_server_code(request: Request) -> str:
    """The JSON body for llama.cpp's server: /v1/chat/completions for a chat, else /completion."""
    text = {"messages": request.messages} if request.chat else {"prompt": request.prompt}
    limit = "max_tokens" if request.chat else "n_predict"
    body: dict[str, Any] = {**text, limit: request.max_new_tokens, **_llama_cpp_values(request)}
    if request.endings.strings:
        body["stop"] = list(request.endings.strings)
    if request.endings.ignore_eos:
        body["ignore_eos"] = True
    return _json(body)


def llama_completion_code(request: Request) -> str:
    """A ``llama-completion`` command: ``llama-cli`` only chats since llama.cpp split the two, and refuses ``-no-cnv``.

    ``-m`` wants a GGUF file of the model. Without ``--no-escape`` a backslash and an n in the text become a line break.
    """
    words = ["llama-completion", "-m", request.model_id, "-n", str(request.max_new_tokens), "--no-escape"]
    words += ["-cnv", "-st"] if request.chat else ["-no-cnv"]
    if request.system:
        words += ["-sys", request.system]
    words += ["-p", request.prompt]
    flags = {
        parameter.exported_as.get("llama.cpp", parameter.name): parameter.exported_as["llama-completion"]
        for parameter in PARAMETERS.values()
        if "llama-completion" in parameter.exported_as
    }
    for name, value in _llama_cpp_values(request).items():
        flag = flags.get(name, "--" + name.replace("_", "-"))
        if name == "samplers":
            words += [flag, ";".join(value)]
        elif name == "dry_sequence_breakers":
            words += [word for breaker in value or ["none"] for word in (flag, breaker)]
        elif name == "logit_bias":
            words += [word for token, bias in value for word in (flag, f"{token}{bias:+}")]
        else:
            words += [flag, str(value)]
    words += ["--ignore-eos"] if request.endings.ignore_eos else []
    return shlex.join(words) + "\n"


OPENAI_STOPS = 4  # the API takes no more

# --- OpenAI ----------------------------------------------------------------------------------------------------


def openai_code(request: Request) -> str:
    """The JSON body for /v1/chat/completions (chat) or /v1/completions."""
    settings = request.settings
    text = {"messages": request.messages} if request.chat else {"prompt": request.prompt}
    body: dict[str, Any] = {"model": request.model_id, **text, "max_tokens": request.max_new_tokens}
    body |= _values(settings, "openai")
    if settings.logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in settings.logit_bias}
    if request.endings.strings:
        body["stop"] = list(request.endings.strings[:OPENAI_STOPS])
    return _json(body | {"seed": request.seed})


# --- this playground -------------------------------------------------------------------------------------------


def playground_code(request: Request) -> str:
    """``python -m playground next`` with the same model, text, settings and seed. No model id: the default model."""
    settings = request.settings
    words = ["python", "-m", "playground", "next"]
    words += [f"--model={request.model_id}"] if request.model_id else []  # an empty name would be refused
    words.append(f"--prompt={request.prompt}")
    if request.chat:
        words.append("--chat")
    if request.system:
        words.append(f"--system={request.system}")
    for name, parameter in PARAMETERS.items():
        value = getattr(settings, name)
        if value == parameter.neutral:
            continue
        if parameter.kind == "bias":
            words += [f"{parameter.flag}={token}={bias!r}" for token, bias in value]
        elif parameter.kind == "strings":
            words += [f"{parameter.flag}={item}" for item in value or [""]]
        else:
            words.append(f"{parameter.flag}={value}")
    if settings.order != ORDERS["hf"]:
        words.append(f"--order={order_name(settings.order) or ','.join(settings.order)}")
    words.append(f"--seed={request.seed}")
    return shlex.join(words) + "\n"


def _json(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"
