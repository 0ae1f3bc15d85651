"""Options that several commands share: the model, the text, the samplers."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import BadInput, BadPrompt, BadSetting

if TYPE_CHECKING:
    from playground.engine.api import Engine, TextCodec
    from playground.models.address import ServerAccess
    from playground.sampling.settings import SamplerSettings

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # what ``add_subparsers`` gives

MAX_FILE_BYTES = 20_000_000


def add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    group.add_argument("--model", help="catalogue name, hub id, folder, .gguf file or http://host:port/v1")
    group.add_argument(
        "--adapter",
        metavar="FOLDER",
        help="a LoRA adapter on that model, as PEFT saves it (or the id of one kept here); *0.5 after it: at this strength, "
        "0 to 1.5; *merged: with the weights changed",
    )
    group.add_argument("--device", help="cpu, cuda, cuda:1, mps (default: the best one here)")
    group.add_argument("--dtype", help="float32, bfloat16 or float16 (default: what suits the device)")
    add_key_option(group)


def name_adapter(args: argparse.Namespace) -> None:
    """Put ``--adapter`` into the model's name, which says all of it from here on. Raises BadInput and ModelError."""
    from playground.models.adapter_names import split_adapter, with_adapter
    from playground.models.adapters import find_adapter
    from playground.models.address import is_address

    if is_address(args.model or ""):
        raise BadInput(
            "--adapter needs weights in this process, and --model is a server: give a model that runs here, or let the server "
            "load the adapter.",
            "adapter",
        )
    name = split_adapter(f"+{args.adapter}")
    assert name is not None  # it has a plus sign
    find_adapter(name)
    args.model = with_adapter(args.model, name.adapter, name.strength, merged=name.merged)


def add_key_option(group: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--api-key-env",
        metavar="VARIABLE",
        help="the environment variable with a server's key (default: PLAYGROUND_API_KEY); never the key itself",
    )


def add_text_options(parser: argparse.ArgumentParser, *, several_systems: bool = False) -> None:
    """``several_systems``: --system may be repeated, and is a list then."""
    group = parser.add_argument_group("text")
    source = group.add_mutually_exclusive_group()
    source.add_argument("--prompt", help="the text to continue")
    source.add_argument("--prompt-file", help="a UTF-8 file with the text")
    group.add_argument("--chat", action="store_true", help="wrap the text as one user message in the chat template")
    if several_systems:
        group.add_argument(
            "--system", action="append", help="a system prompt; only with --chat; more than one are dealt in turn"
        )
    else:
        group.add_argument("--system", help="a system prompt; only with --chat")
    group.add_argument("--parse-special", action="store_true", help="read spelt-out special tokens as such")


def add_sampler_options(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    """One flag for each parameter of the sampling registry, its help included; ``seed`` where something is drawn."""
    from playground.sampling.registry import PARAMETERS

    group = parser.add_argument_group("samplers")
    for name, parameter in PARAMETERS.items():
        flag = "--" + name.replace("_", "-")
        help_text = parameter.help.replace("%", "%%")
        if parameter.kind in ("bias", "strings"):
            metavar = "ID=BIAS" if parameter.kind == "bias" else "TEXT"
            group.add_argument(flag, dest=name, action="append", metavar=metavar, help=help_text)
        else:
            group.add_argument(flag, dest=name, metavar="NUMBER", help=help_text)
    group.add_argument("--order", help="hf, vllm, llama.cpp or sampler names with commas (default: hf)")
    if seed:
        group.add_argument("--seed", default="0", help="a whole number from 0 to 2^32 - 1 (default: 0)")


def read_settings(args: argparse.Namespace) -> SamplerSettings:
    """The sampler flags as settings. Raises BadSetting naming the flag."""
    from playground.sampling.registry import PARAMETERS
    from playground.sampling.settings import SamplerSettings

    given: dict[str, object] = {}
    for name in PARAMETERS:
        value = getattr(args, name)
        if value is not None:
            given[name] = value
    if args.order is not None:
        given["order"] = args.order
    try:
        return SamplerSettings.from_mapping(given)
    except BadSetting as error:
        raise BadSetting(f"--{(error.field or 'order').replace('_', '-')}: {error}", error.field) from None


def refuse_unknown_biases(settings: SamplerSettings, vocab_size: int) -> None:
    """Raise BadSetting for a biased token that is not in the vocabulary: the bias would do nothing, silently."""
    for token, _ in settings.logit_bias:
        if token >= vocab_size:
            raise BadSetting(
                f"--logit-bias: there is no token {token}; ids go from 0 to {vocab_size - 1:,}.", "logit_bias"
            )


def read_seed_option(args: argparse.Namespace) -> int:
    """``--seed`` as a number. Raises BadInput naming the flag."""
    try:
        seed = int(args.seed)
    except ValueError:
        seed = -1
    if not 0 <= seed < 2**32:
        raise BadInput(f"--seed must be a whole number from 0 to {2**32 - 1}, not {args.seed[:40]!r}.", "seed")
    return seed


def read_number(text: str | None, flag: str, low: int, high: int, default: int) -> int:
    """A whole number within bounds. Raises BadInput naming the flag."""
    if text is None:
        return default
    try:
        value = int(text)
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise BadInput(f"{flag} must be a whole number from {low:,} to {high:,}, not {text[:40]!r}.", flag)
    return value


def read_text(args: argparse.Namespace) -> str:
    """The prompt from its flag or file. Raises BadPrompt when there is none or it is not text.

    A file becomes ``args.prompt``: a pipe can be read only once, and the text is asked for twice.
    """
    if args.prompt_file is not None:
        args.prompt, args.prompt_file = read_text_file(args.prompt_file, "--prompt-file"), None
    if args.prompt is None:
        raise BadPrompt("--prompt or --prompt-file is needed: there is no text to continue.", "prompt")
    return str(args.prompt)


def read_text_file(name: str, flag: str) -> str:
    """A UTF-8 file's text, without a byte order mark. Raises BadInput."""
    try:
        return io.TextIOWrapper(io.BytesIO(read_file(name, flag)), encoding="utf-8-sig", newline="").read()
    except ValueError as error:
        raise BadPrompt(
            f"{flag}: {name!r} cannot be read as UTF-8 text ({error}): save it as UTF-8.", "prompt"
        ) from None


def read_file(name: str, flag: str) -> bytes:
    """A file's bytes, at most ``MAX_FILE_BYTES``. Raises BadInput."""
    try:
        with Path(name).open("rb") as file:
            read = file.read(MAX_FILE_BYTES + 1)  # bounded: a device or a pipe has no size and need not end
    except (OSError, ValueError) as error:
        raise BadInput(f"{flag}: {name!r} cannot be read ({error}); name a file.", flag) from None
    if len(read) > MAX_FILE_BYTES:
        raise BadInput(f"{flag}: {name} has more than {MAX_FILE_BYTES:,} bytes; cut it down first.", flag)
    return read


def add_whole_text_options(parser: argparse.ArgumentParser, use: str) -> None:
    """The flags of a command that looks at a whole text instead of going on after a prompt. ``use``: "to rate"."""
    group = parser.add_argument_group("text")
    source = group.add_mutually_exclusive_group()
    source.add_argument("--text", help=f"the text {use}")
    source.add_argument("--text-file", help="a UTF-8 file with the text")
    group.add_argument("--chat", action="store_true", help="wrap the text as one user message in the chat template")
    group.add_argument("--system", help="a system prompt; only with --chat")
    group.add_argument("--parse-special", action="store_true", help="read spelt-out special tokens as such")


def read_whole_text(args: argparse.Namespace, use: str) -> str:
    """The text of those flags. Raises BadPrompt and BadInput."""
    if args.system is not None and not args.chat:
        raise BadInput("--system needs --chat: raw text has no system prompt.", "system")
    return read_given_text(args, use)


def read_given_text(args: argparse.Namespace, use: str) -> str:
    """What ``--text`` or ``--text-file`` give. Raises BadPrompt and BadInput."""
    if args.text_file is None and args.text is None:
        raise BadPrompt(f"--text or --text-file is needed: there is no text {use}.", "text")
    flag = "--text" if args.text_file is None else "--text-file"
    text = str(args.text) if args.text_file is None else read_text_file(args.text_file, flag)
    if not text:
        raise BadPrompt(f"{flag}: the text is empty; at least one character is needed.", "text")
    return text


def encode_whole_text(codec: TextCodec, args: argparse.Namespace, text: str) -> tuple[int, ...]:
    """Its token ids, in the chat template if asked for."""
    from playground.engine.text.prompt import encode_prompt

    return encode_prompt(codec, text, chat=args.chat, system=args.system, parse_special=args.parse_special)


def encode_arguments(codec: TextCodec, args: argparse.Namespace) -> tuple[int, ...]:
    """The prompt's token ids, see ``encode_prompt``."""
    text = read_text(args)
    if args.system is not None and not args.chat:
        raise BadInput("--system needs --chat: raw text has no system prompt.", "system")
    return encode_whole_text(codec, args, text)


def read_ids(text: str, flag: str, vocab_size: int | None = None) -> tuple[int, ...]:
    """Token ids from ``1,2,3``. Raises BadPrompt naming the flag."""
    try:
        ids = tuple(int(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        raise BadPrompt(f"{flag} takes token ids with commas such as 1,2,3, not {text[:40]!r}.", "ids") from None
    for token_id in ids:
        if token_id < 0:
            raise BadPrompt(f"{flag}: there is no token {token_id}; ids begin at 0.", "ids")
        if vocab_size is not None and token_id >= vocab_size:
            raise BadPrompt(f"{flag}: there is no token {token_id}; ids go from 0 to {vocab_size - 1:,}.", "ids")
    return ids


def read_access(args: argparse.Namespace) -> ServerAccess:
    """Any address, with the key from its variable. Raises BadInput where the named one is not set."""
    from playground.models.address import KEY_VARIABLE, ServerAccess

    key = os.environ.get(args.api_key_env or KEY_VARIABLE)
    if args.api_key_env and not key:
        raise BadInput(
            f"--api-key-env: there is no variable {args.api_key_env[:80]!r} with a key in it.", "api_key_env"
        )
    return ServerAccess(key, anywhere=True)


Names = tuple[str | None, str | None, str | None]
"""A model, its device and its dtype."""


def open_engine(args: argparse.Namespace, names: Names | None = None, first: Engine | None = None) -> Engine:
    """Load the chosen model, or the one of ``names`` beside it, telling on stderr what is being done.

    What is on the base of ``first``, the chosen model's engine, takes its weights: either may have an adapter.
    """
    from playground.engine.factory import make_engine, over_weights_of
    from playground.generation.streaming import stream_rows
    from playground.models.address import ServerAccess, same_server

    if names is not None and first is not None and _share_weights(names, (args.model, args.device, args.dtype)):
        return over_weights_of(first, names[0])
    said: list[str] = []

    def tell(what: str, fraction: float) -> None:
        if not said or said[-1] != what:
            said.append(what)
            print(f"{what} …", file=sys.stderr)

    shows = tell if sys.stderr.isatty() else None
    spec, device, dtype = names or (args.model, args.device, args.dtype)
    access = read_access(args)
    if names is not None and not same_server(spec, args.model):
        access = ServerAccess(anywhere=True)  # the key is for the first one's server
    return make_engine(spec, device, dtype, shows, stream_rows, access)


def _share_weights(one: Names, other: Names) -> bool:
    """Whether one is the other's base, or both have an adapter on the same one."""
    from playground.models.naming import base_names, normal_names

    bases = [base_names(*names) for names in (one, other)]
    return (
        any(bases) and len({base or normal_names(*names) for base, names in zip(bases, (one, other), strict=True)}) == 1
    )
