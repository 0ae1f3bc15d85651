"""The text of exported code. Every string from outside goes through repr, json or shlex: it can never become code."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from playground.constraint import Constraint, constraint_fields
from playground.json_reading import read_json
from playground.sampling.export_fields import (
    llama_cpp_fields,
    openai_fields,
    transformers_fields,
    vllm_fields,
)
from playground.sampling.orders import ORDERS, order_name
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings


@dataclass(frozen=True, slots=True)
class Endings:
    """What ends a text besides its length: strings, token ids; ``ignore_eos`` goes on after the end token. ``constraint``:
    what the text must match.
    """

    strings: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    constraint: Constraint | None = None


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


def _python_arguments(values: dict[str, Any]) -> str:
    return "".join(f"    {name}={value!r},\n" for name, value in values.items())


# --- transformers ----------------------------------------------------------------------------------------------


def transformers_code(request: Request) -> str:
    """A script with ``generate``. Defaults a model may bring in its generation config are overridden, not inherited."""
    arguments = {"max_new_tokens": request.max_new_tokens, **transformers_fields(request.settings)}
    return (
        "from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed\n\n"
        f"{_transformers_model(request.model_id)}"
        f"{_transformers_inputs(request)}"
        f"set_seed({request.seed})\n"
        "output = model.generate(\n"
        "    **inputs,\n"
        f"{_python_arguments(arguments)}"
        f"{_transformers_endings(request.endings)}"
        ")\n"
        'print(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))\n'
    )


def _transformers_model(model_id: str) -> str:
    """The lines that load tokenizer and model. A .gguf file is named beside its folder."""
    folder, file = gguf_parts(model_id)
    names = f"model_id, gguf_file = {folder!r}, {file!r}\n" if file else f"model_id = {model_id!r}\n"
    file_argument = ", gguf_file=gguf_file" if file else ""
    return (
        f"{names}"
        f"tokenizer = AutoTokenizer.from_pretrained(model_id{file_argument})\n"
        f"model = AutoModelForCausalLM.from_pretrained(model_id{file_argument})\n"
    )


def gguf_parts(model_id: str) -> tuple[str, str]:
    """A .gguf file's folder and name, as transformers wants them; the id itself and "" for any other model."""
    if not model_id.lower().endswith(".gguf"):
        return model_id, ""
    path = PurePath(model_id)
    return str(path.parent), path.name


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
    arguments = vllm_fields(request.settings) | {"seed": request.seed, "max_tokens": request.max_new_tokens}
    endings = request.endings
    given = {"stop": list(endings.strings), "stop_token_ids": list(endings.ids), "ignore_eos": endings.ignore_eos}
    arguments |= {name: value for name, value in given.items() if value}
    structured = _vllm_constraint(endings.constraint)
    call = f"llm.chat({request.messages!r}, params)" if request.chat else f"llm.generate({request.prompt!r}, params)"
    return (
        f"from vllm import LLM, SamplingParams\n{_VLLM_STRUCTURED if structured else ''}\n"
        f"llm = LLM(model={request.model_id!r})\n"
        "params = SamplingParams(\n"
        f"{_python_arguments(arguments)}{structured}"
        ")\n"
        f"print({call}[0].outputs[0].text)\n"
    )


_VLLM_STRUCTURED = "from vllm.sampling_params import StructuredOutputsParams\n"


def _vllm_constraint(constraint: Constraint | None) -> str:
    if constraint is None:
        return ""
    (options,) = constraint_fields("vLLM", constraint).values()
    assert isinstance(options, dict)
    arguments = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"    structured_outputs=StructuredOutputsParams({arguments}),\n"


# --- llama.cpp -------------------------------------------------------------------------------------------------


def _llama_cpp_values(request: Request) -> dict[str, Any]:
    return {"seed": request.seed, **llama_cpp_fields(request.settings)}


def llama_server_code(request: Request) -> str:
    """The JSON body for llama.cpp's server: /v1/chat/completions for a chat, else /completion."""
    text = {"messages": request.messages} if request.chat else {"prompt": request.prompt}
    limit = "max_tokens" if request.chat else "n_predict"
    body: dict[str, Any] = {**text, limit: request.max_new_tokens, **_llama_cpp_values(request)}
    if request.endings.strings:
        body["stop"] = list(request.endings.strings)
    if request.endings.ignore_eos:
        body["ignore_eos"] = True
    if request.endings.constraint is not None and request.endings.constraint.kind != "regex":
        body |= constraint_fields("llama.cpp", request.endings.constraint)
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
    constraint = request.endings.constraint
    if constraint is not None and constraint.kind == "json_schema":
        words += ["--json-schema", constraint.text]
    elif constraint is not None and constraint.kind != "regex":
        words += ["--grammar", str(constraint_fields("llama.cpp", constraint)["grammar"])]
    return shlex.join(words) + "\n"


OPENAI_STOPS = 4  # the API takes no more

# --- OpenAI ----------------------------------------------------------------------------------------------------


def openai_code(request: Request) -> str:
    """The JSON body for /v1/chat/completions (chat) or /v1/completions."""
    text = {"messages": request.messages} if request.chat else {"prompt": request.prompt}
    body: dict[str, Any] = {"model": request.model_id, **text, "max_tokens": request.max_new_tokens}
    body |= openai_fields(request.settings)
    if request.endings.strings:
        body["stop"] = list(request.endings.strings[:OPENAI_STOPS])
    constraint = request.endings.constraint
    if request.chat and constraint is not None and constraint.kind == "json_schema":
        schema = read_json(constraint.text)
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
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
