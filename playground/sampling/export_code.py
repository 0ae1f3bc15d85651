"""The text of exported code. Every string from outside goes through repr, json or shlex: it can never become code."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from playground.sampling.orders import ORDERS, order_name
from playground.sampling.parameters import PARAMETERS
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


def _values(settings: SamplerSettings, *names: str) -> dict[str, Any]:
    """The named parameters of samplers that do something, by parameter name."""
    return {name: getattr(settings, name) for name in names if name in settings.active()}


def _python_arguments(values: dict[str, Any]) -> str:
    return "".join(f"    {name}={value!r},\n" for name, value in values.items())


# --- transformers ----------------------------------------------------------------------------------------------


def transformers_code(request: Request) -> str:
    """A script with ``generate``. Defaults a model may bring in its generation config are overridden, not inherited."""
    settings = request.settings
    greedy = settings.temperature == 0 and "dynatemp" not in settings.active()
    arguments: dict[str, Any] = {"max_new_tokens": request.max_new_tokens, "do_sample": not greedy}
    if not greedy:
        arguments |= {"temperature": settings.temperature or 1.0}
        active = settings.active()
        arguments |= {"top_k": settings.top_k if "top_k" in active else 0}
        arguments |= {"top_p": settings.top_p if "top_p" in active else 1.0}
        arguments |= _values(settings, "top_h", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
    arguments |= {"repetition_penalty": settings.repetition_penalty}
    arguments |= _values(settings, "no_repeat_ngram_size")
    if settings.logit_bias:
        arguments["sequence_bias"] = [[[token], bias] for token, bias in settings.logit_bias]
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
    active = settings.active()
    arguments: dict[str, Any] = {
        "temperature": settings.temperature,
        "top_k": settings.top_k if "top_k" in active else -1,
        "top_p": settings.top_p if "top_p" in active else 1.0,
        "min_p": settings.min_p if "min_p" in active else 0.0,
        "repetition_penalty": settings.repetition_penalty,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
    }
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

_LLAMA_CPP_STEPS = {
    "repetition_penalty": "penalties",
    "frequency_penalty": "penalties",
    "presence_penalty": "penalties",
    "dry": "dry",
    "top_n_sigma": "top_n_sigma",
    "top_k": "top_k",
    "typical_p": "typ_p",
    "top_p": "top_p",
    "min_p": "min_p",
    "xtc": "xtc",
    "temperature": "temperature",
    "dynatemp": "temperature",
}


def _llama_cpp_steps(active: Sequence[str]) -> list[str]:
    """llama.cpp's names of the active samplers, in order, neighbours of one step merged."""
    return [step for step, _ in groupby(_LLAMA_CPP_STEPS[name] for name in active if name in _LLAMA_CPP_STEPS)]


def llama_cpp_order_is_kept(active: Sequence[str]) -> bool:
    """Whether llama.cpp can run these samplers in this order: bias first, its three penalties as one step."""
    steps = _llama_cpp_steps(active)
    penalties = [name for name in active if _LLAMA_CPP_STEPS.get(name) == "penalties"]
    in_order = penalties == [name for name in ORDERS["llama.cpp"] if name in penalties]
    return len(steps) == len(set(steps)) and in_order and "logit_bias" not in active[1:]


def _llama_cpp_values(request: Request) -> dict[str, Any]:
    """Server field names and values. What is off is sent as off, because llama.cpp's defaults are not neutral."""
    settings = request.settings
    active = settings.active()
    values: dict[str, Any] = {"seed": request.seed, "temperature": settings.temperature}
    for name, off in (("top_k", 0), ("top_p", 1.0), ("min_p", 0.0)):
        values[name] = getattr(settings, name) if name in active else off
    values |= _values(settings, "typical_p", "top_n_sigma")
    if "repetition_penalty" in active:
        values |= {"repeat_penalty": settings.repetition_penalty}
    values |= _values(settings, "frequency_penalty", "presence_penalty")
    if {"repetition_penalty", "frequency_penalty", "presence_penalty"} & set(active):
        values["repeat_last_n"] = -1  # the whole context, as here; llama.cpp's default looks at 64 tokens
    if "dynatemp" in active:
        values |= {"dynatemp_range": settings.dynatemp_range, "dynatemp_exponent": settings.dynatemp_exponent}
    if "xtc" in active:
        values |= {"xtc_probability": settings.xtc_probability, "xtc_threshold": settings.xtc_threshold}
    if "dry" in active:
        values |= {name: getattr(settings, name) for name in PARAMETERS if name.startswith("dry_")}
        values["dry_sequence_breakers"] = list(settings.dry_sequence_breakers)
        values["dry_penalty_last_n"] = -1
    if "mirostat" in active:
        values |= {"mirostat": 2, "mirostat_tau": settings.mirostat_tau, "mirostat_eta": settings.mirostat_eta}
    else:
        values["samplers"] = _llama_cpp_steps(active) or ["temperature"]
    return values


def llama_server_code(request: Request) -> str:
    """The JSON body for llama.cpp's server: /v1/chat/completions for a chat, else /completion."""
    text = {"messages": request.messages} if request.chat else {"prompt": request.prompt}
    limit = "max_tokens" if request.chat else "n_predict"
    body: dict[str, Any] = {**text, limit: request.max_new_tokens, **_llama_cpp_values(request)}
    if request.settings.logit_bias:
        body["logit_bias"] = [[token, bias] for token, bias in request.settings.logit_bias]
    if request.endings.strings:
        body["stop"] = list(request.endings.strings)
    if request.endings.ignore_eos:
        body["ignore_eos"] = True
    return _json(body)


_LLAMA_COMPLETION_FLAGS = {
    "temperature": "--temp",
    "typical_p": "--typical",
    "top_n_sigma": "--top-nsigma",
    "dynatemp_exponent": "--dynatemp-exp",
    "mirostat_tau": "--mirostat-ent",
    "mirostat_eta": "--mirostat-lr",
}


def llama_completion_code(request: Request) -> str:
    """A ``llama-completion`` command: ``llama-cli`` only chats since llama.cpp split the two, and refuses ``-no-cnv``.

    ``-m`` wants a GGUF file of the model. Without ``--no-escape`` a backslash and an n in the text become a line break.
    """
    words = ["llama-completion", "-m", request.model_id, "-n", str(request.max_new_tokens), "--no-escape"]
    words += ["-cnv", "-st"] if request.chat else ["-no-cnv"]
    if request.system:
        words += ["-sys", request.system]
    words += ["-p", request.prompt]
    for name, value in _llama_cpp_values(request).items():
        if name == "samplers":
            words += ["--samplers", ";".join(value)]
        elif name == "dry_sequence_breakers":
            for breaker in value or ["none"]:
                words += ["--dry-sequence-breaker", breaker]
        else:
            words += [_LLAMA_COMPLETION_FLAGS.get(name, "--" + name.replace("_", "-")), str(value)]
    for token, bias in request.settings.logit_bias:
        words += ["--logit-bias", f"{token}{bias:+}"]
    words += ["--ignore-eos"] if request.endings.ignore_eos else []
    return shlex.join(words) + "\n"


OPENAI_STOPS = 4  # the API takes no more

# --- OpenAI ----------------------------------------------------------------------------------------------------


def openai_code(request: Request) -> str:
    """The JSON body for /v1/chat/completions (chat) or /v1/completions."""
    settings = request.settings
    text = {"messages": request.messages} if request.chat else {"prompt": request.prompt}
    body: dict[str, Any] = {"model": request.model_id, **text, "max_tokens": request.max_new_tokens}
    body |= {"temperature": settings.temperature, "top_p": settings.top_p if "top_p" in settings.active() else 1.0}
    body |= _values(settings, "frequency_penalty", "presence_penalty")
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
