"""What the Best-of-N page asks for beside the shared setup, and the part of its link that says so. No streamlit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from playground.errors import BadInput, PlaygroundError
from playground.state.setup import DEFAULT_PROMPT, Setup
from playground.testtime.registry import parse_spec
from playground.testtime.request import BestOfNRequest

DEFAULT_RULES = ("avg-logprob", "sum-logprob", "self-certainty", "mentions")
DEFAULT_REFERENCE = "Paris"  # what the ready-made prompt should be answered with
FIRST_WORD = r"^\W*(\w+)"
MOST_RULES = 16
MOST_TRIES = 64


@dataclass(frozen=True, slots=True)
class Options:
    """``reference`` and ``answer_pattern`` None: those of the ready-made prompt, and none for any other.

    ``temperatures`` is the text typed. ``beams`` and what follows belong to the section Beams, ``verifier`` and ``tries``
    to First valid.
    """

    n: int = 8
    max_new_tokens: int = 24
    stop_strings: tuple[str, ...] = ()
    ignore_eos: bool = False
    temperatures: str = ""
    systems: tuple[str, ...] = ()
    rules: tuple[str, ...] = DEFAULT_RULES
    reference: str | None = None
    answer_pattern: str | None = None
    beams: int = 4
    beam_groups: int = 1
    diversity_penalty: float = 0.5
    length_penalty: float = 1.0
    verifier: str = "mentions"
    tries: int = 8


def reference_of(options: Options, setup: Setup) -> str:
    if options.reference is not None:
        return options.reference
    return DEFAULT_REFERENCE if setup.prompt == DEFAULT_PROMPT else ""


def pattern_of(options: Options, setup: Setup) -> str:
    if options.answer_pattern is not None:
        return options.answer_pattern
    return FIRST_WORD if setup.prompt == DEFAULT_PROMPT else "last-line"


def read_temperatures(text: str) -> tuple[float, ...]:
    """Numbers out of "0.5, 1.0". Raises BadInput."""
    try:
        return tuple(float(part) for part in text.replace(",", " ").split())
    except ValueError:
        raise BadInput(
            f"Temperatures: write numbers with commas such as 0.5, 0.8, 1.1, not {text[:40]!r}.", "temperatures"
        ) from None


def asking_of(options: Options, setup: Setup, *, beams: bool = False) -> BestOfNRequest:
    """The run that setup and options ask for, checked. Raises BadInput or BadSetting with one sentence."""
    if options.max_new_tokens < 1:
        raise BadInput("Maximum new tokens: must be at least 1.", "max_new_tokens")
    return BestOfNRequest(
        prompt=setup.prompt,
        chat=setup.chat,
        system=setup.system,
        parse_special=setup.parse_special,
        settings=setup.settings,
        seed=setup.seed,
        n=options.n,
        max_new_tokens=options.max_new_tokens,
        stop_strings=options.stop_strings,
        ignore_eos=options.ignore_eos,
        temperatures=read_temperatures(options.temperatures),
        systems=options.systems if setup.chat else (),
        beams=options.beams if beams else 0,
        beam_groups=options.beam_groups,
        diversity_penalty=options.diversity_penalty if options.beam_groups > 1 else 0.0,
        length_penalty=options.length_penalty,
        scorers=options.rules,
        reference=reference_of(options, setup),
        answer_pattern=pattern_of(options, setup),
    )


def adopted(asking: BestOfNRequest, setup: Setup, options: Options) -> tuple[Setup, Options]:
    """Setup and options under which ``asking`` was made; the model stays the one in use."""
    new = replace(
        Setup(model=setup.model, device=setup.device, dtype=setup.dtype),
        prompt=asking.prompt,
        chat=asking.chat,
        system=asking.system,
        parse_special=asking.parse_special,
        settings=asking.settings,
        seed=min(asking.seed, 2**32 - 1),
    )
    if asking.beams:
        options = replace(
            options,
            beams=asking.beams,
            beam_groups=asking.beam_groups,
            length_penalty=asking.length_penalty,
            diversity_penalty=asking.diversity_penalty if asking.beam_groups > 1 else options.diversity_penalty,
        )
    return new, replace(
        options,
        n=asking.n,
        max_new_tokens=asking.max_new_tokens,
        stop_strings=asking.stop_strings,
        ignore_eos=asking.ignore_eos,
        temperatures=", ".join(f"{value:g}" for value in asking.temperatures),
        systems=asking.systems,
        rules=asking.scorers or DEFAULT_RULES,
        reference=asking.reference,
        answer_pattern=asking.answer_pattern,
    )


# -- the link --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OptionsReading:
    """What a link said, and sentences about what could not be used."""

    options: Options
    problems: tuple[str, ...] = field(default_factory=tuple)


_NAMES = {
    "max_new_tokens": "new",
    "stop_strings": "stop",
    "temperatures": "temps",
    "reference": "ref",
    "answer_pattern": "pattern",
}


def option_fields(options: Options) -> dict[str, str]:
    """Query fields; defaults but N and the maximum are left out."""
    found = {}
    for each in fields(Options):
        value, name = getattr(options, each.name), _NAMES.get(each.name, each.name)
        if value == each.default and each.name not in ("n", "max_new_tokens"):
            continue
        if isinstance(value, tuple):
            found[name] = json.dumps(list(value), ensure_ascii=False)
        elif isinstance(value, bool):
            found[name] = "1" if value else "0"
        else:
            found[name] = str(value)
    return found


def read_options(query: Mapping[str, str]) -> OptionsReading:
    """Options from query fields. Never raises: a bad field is told and left at its default."""
    options, problems = Options(), list[str]()
    for each in fields(Options):
        name = _NAMES.get(each.name, each.name)
        if name not in query:
            continue
        try:
            changed = replace(options, **{each.name: _read(each.name, each.default, query[name][:10_000])})
            _check(changed)
            options = changed
        except (PlaygroundError, ValueError) as error:
            sentence = str(error) if isinstance(error, PlaygroundError) else f"The link's {name} cannot be read."
            problems.append(f"{sentence} The link's value was left out.")
    return OptionsReading(options, tuple(problems))


def _read(name: str, default: object, text: str) -> Any:
    reader = _READERS.get(name)
    if reader is not None:
        return reader(text)
    if isinstance(default, bool):
        return text == "1"
    if isinstance(default, int):
        return int(text)
    return float(text) if isinstance(default, float) else text


def _texts(text: str) -> tuple[str, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or len(found) > 64 or not all(isinstance(item, str) for item in found):
        raise BadInput("The link holds something else where a list of texts belongs.", "link")
    return tuple(found)


def _rules(text: str) -> tuple[str, ...]:
    found = _texts(text)
    if len(found) > MOST_RULES:
        raise BadInput(f"rules: at most {MOST_RULES} at once, not {len(found)}.", "rules")
    for label in found:
        parse_spec(label)
    return found


_READERS: dict[str, Callable[[str], Any]] = {"stop_strings": _texts, "systems": _texts, "rules": _rules}


def _check(options: Options) -> None:
    """What could only be refused when a run starts is refused at once."""
    asking_of(options, Setup(chat=bool(options.systems)), beams=True)
    if not 1 <= options.tries <= MOST_TRIES:
        raise BadInput(f"tries: from 1 to {MOST_TRIES}, not {options.tries}.", "tries")
