"""The command line. Each command is one module, imported only when it is asked for, so that ``calc`` needs no torch.

Exit 0 on success; 2 on bad input with one ``error:`` line on stderr. Never a traceback.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from playground import __version__
from playground.errors import PlaygroundError

# command: (module, one-line help). A module offers add_parser(subparsers, common) and sets ``run`` as a default.
COMMANDS: dict[str, tuple[str, str]] = {
    "next": ("playground.cli.next", "the next token's whole distribution under a chain of samplers"),
    "generate": ("playground.cli.generate", "a text, every step recorded"),
    "score": ("playground.cli.score", "the probability of each token of a given text"),
    "attend": ("playground.cli.attend", "the attention weights of a text"),
    "best-of-n": ("playground.cli.best_of_n", "N answers to one prompt, ranked by every rule, and a vote"),
    "engines": ("playground.cli.engines", "what a server can be asked, and which engines have which facet"),
    "votes": ("playground.cli.votes", "strengths of what people voted on, with intervals and agreement"),
    "room": ("playground.cli.room", "a room for a workshop: an address and a code to join it, served from here"),
    "tune": ("playground.cli.tune", "settings compared on examples, and which could have written given references"),
    "tokens": ("playground.cli.tokens", "one text as a dozen published tokenizers cut it, and any tokenizer.json"),
    "languages": ("playground.cli.languages", "the same text in many languages: tokens against English"),
    "filter": ("playground.cli.filter", "documents under the filters that web text is cleaned with"),
    "domains": ("playground.cli.domains", "bits per byte of texts of different domains under a model"),
    "arch": ("playground.cli.arch", "other architectures raced over contexts, and trained on small tasks"),
    "train": ("playground.cli.train", "a model taught by LoRA: demonstrations, a reward model, preferences"),
    "models": ("playground.cli.models", "what can be loaded here, and the memory it needs"),
    "calc": ("playground.cli.calc", "parameters, memory, training, scaling laws, serving"),
}


class UsageError(Exception):
    """Arguments that argparse refuses, in one sentence."""


class Parser(argparse.ArgumentParser):
    """argparse, with one ``error:`` line in place of the usage text, for sub-commands too."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> object:
        """``--flag=--`` is the text ``--``: argparse drops it and would hand the command an empty list."""
        if action.option_strings and action.nargs is None and arg_strings == ["--"]:
            value = self._get_value(action, "--")
            self._check_value(action, value)
            return value
        return super()._get_values(action, arg_strings)


def build_parser(wanted: str | None) -> Parser:
    """The parser; only the wanted command's module is imported, the others are named with their help."""
    parser = Parser(prog="python -m playground", description="See how a language model chooses its words.")
    parser.add_argument("--version", action="version", version=f"playground {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    common = Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="print exactly one JSON object")
    for name, (module, help_text) in COMMANDS.items():
        if name == wanted:
            importlib.import_module(module).add_parser(subparsers, common)
        else:
            subparsers.add_parser(name, help=help_text)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # builtins.next: once the module playground.cli.next is imported, its name in this package hides the builtin
    wanted = builtins.next((word for word in given if not word.startswith("-")), None)
    try:
        args = build_parser(wanted).parse_args(given)
        if getattr(args, "adapter", None) is not None:
            importlib.import_module("playground.cli.options").name_adapter(args)
        return int(args.run(args))
    except (UsageError, PlaygroundError) as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return _refuse("interrupted; nothing was written")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a defect of ours is still one line to the user
        return _refuse(f"unexpected {type(error).__name__}: {error}; please report it with the command you ran")


def _refuse(message: str) -> int:
    line = " ".join(message.split())
    print(f"error: {line}", file=sys.stderr)
    return 2
