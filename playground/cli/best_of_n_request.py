"""What ``best-of-n`` is asked for: how many answers, in which ways, and which beams beside them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from playground.cli import options
from playground.errors import BadInput, BadSetting

if TYPE_CHECKING:
    from playground.testtime.request import BestOfNRequest

DEFAULT_N = 8
DEFAULT_NEW_TOKENS = 64
DEFAULT_DIVERSITY = 0.5  # as on the page


def add_request_options(parser: argparse.ArgumentParser) -> None:
    """Declare the flags beside those of the model, the text and the samplers."""
    parser.add_argument("--n", help=f"how many answers (default: {DEFAULT_N})")
    parser.add_argument("--max-new-tokens", help=f"end each after so many (default: {DEFAULT_NEW_TOKENS})")
    parser.add_argument("--stop", action="append", metavar="TEXT", help="end before this text; may be repeated")
    parser.add_argument("--ignore-eos", action="store_true", help="go on after an end-of-sequence token")
    parser.add_argument(
        "--temperatures", metavar="T,T,...", help="dealt over the answers in turn, in place of --temperature"
    )
    _add_beam_options(parser)


def _add_beam_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("beam search, beside the answers that are drawn")
    group.add_argument("--beams", metavar="K", help="add the K best texts of a beam search (default: 0, none)")
    group.add_argument("--beam-groups", metavar="G", help="diverse beam search in G groups (default: 1)")
    group.add_argument(
        "--diversity-penalty", metavar="NUMBER", help=f"between groups, in nats (default: {DEFAULT_DIVERSITY})"
    )
    group.add_argument("--length-penalty", metavar="NUMBER", help="exponent of the length (default: 1)")


def read_request(args: argparse.Namespace) -> BestOfNRequest:
    """What is asked for, checked but for what only the model knows. A refusal names the flag."""
    from playground.generation.types import MOST_NEW_TOKENS, GenerationRequest
    from playground.testtime.answers import extract_answers
    from playground.testtime.request import BestOfNRequest
    from playground.testtime.types import MOST_CANDIDATES

    fields: dict[str, Any] = {
        "settings": options.read_settings(args),
        "seed": options.read_seed_option(args),
        "n": options.read_number(args.n, "--n", 1, MOST_CANDIDATES, DEFAULT_N),
        "max_new_tokens": options.read_number(
            args.max_new_tokens, "--max-new-tokens", 1, MOST_NEW_TOKENS, DEFAULT_NEW_TOKENS
        ),
        "stop_strings": tuple(args.stop or ()),
        "ignore_eos": args.ignore_eos,
        "temperatures": () if args.temperatures is None else _read_floats(args.temperatures, "--temperatures"),
        "reference": args.reference or "",
        "answer_pattern": args.answer_pattern or "",
    }
    fields |= _read_systems(args) | _read_beams(args)
    text = options.read_text(args)
    try:
        if args.answer_pattern is not None:
            extract_answers([], args.answer_pattern, "answer-pattern")
        GenerationRequest(prompt_ids=(0,), stop_strings=fields["stop_strings"])
        request = BestOfNRequest(prompt=text, chat=args.chat, parse_special=args.parse_special, **fields)
        request.ways()
    except BadSetting as error:
        raise BadSetting(f"--temperatures: {error}", error.field) from None
    except BadInput as error:
        field = error.field or "n"
        flag = {"variations": "temperatures", "stop_strings": "stop"}.get(field, field).replace("_", "-")
        raise BadInput(f"--{flag}: {str(error).removeprefix(f'{field}: ')}", field) from None
    return request


def _read_systems(args: argparse.Namespace) -> dict[str, Any]:
    """One system prompt, or several to be dealt over the answers."""
    given = tuple(args.system or ())
    if given and not args.chat:
        raise BadInput("--system needs --chat: raw text has no system prompt.", "system")
    return {"systems": given} if len(given) > 1 else {"system": "".join(given)}


def _read_beams(args: argparse.Namespace) -> dict[str, Any]:
    """The beam search's fields, and nothing where none is wanted."""
    from playground.testtime.beam_settings import MOST_BEAMS

    beams = options.read_number(args.beams, "--beams", 0, MOST_BEAMS, 0)
    for name in ("beam_groups", "diversity_penalty", "length_penalty"):
        if not beams and getattr(args, name) is not None:
            flag = "--" + name.replace("_", "-")
            raise BadInput(f"{flag} needs --beams K: without it no beam search is made.", name)
    if not beams:
        return {}
    groups = options.read_number(args.beam_groups, "--beam-groups", 1, MOST_BEAMS, 1)
    penalty = DEFAULT_DIVERSITY if groups > 1 else 0.0
    return {
        "beams": beams,
        "beam_groups": groups,
        "diversity_penalty": _read_float(args.diversity_penalty, "--diversity-penalty", penalty),
        "length_penalty": _read_float(args.length_penalty, "--length-penalty", 1.0),
    }


def _read_floats(text: str, flag: str) -> tuple[float, ...]:
    return tuple(_read_float(part, flag) for part in text.split(","))


def _read_float(text: str | None, flag: str, default: float = 0.0) -> float:
    """A number; its bounds are for whom it is given to. Raises BadInput naming the flag."""
    if text is None:
        return default
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{flag} takes numbers such as 0.7, not {text[:40]!r}.", flag) from None
