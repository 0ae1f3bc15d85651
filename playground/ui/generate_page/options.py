"""What the Generate page asks for beside the shared setup: where a text ends, and how settings are compared.

Plain frozen data with the query fields that carry it in a link; knows no widget.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from playground.engine.types import TokenIds
from playground.errors import BadInput, PlaygroundError
from playground.generation import GenerationRequest
from playground.generation.document import Limits

MOST_SEEDS = 8
LUCK = {"same": "Same luck", "own": "Different seeds"}


@dataclass(frozen=True, slots=True)
class Options:
    """``stop_ids`` is the text typed: it is read when a generation starts. ``seeds`` are texts a setting."""

    max_new_tokens: int = 48
    stop_strings: tuple[str, ...] = ()
    stop_ids: str = ""
    ignore_eos: bool = False
    luck: str = "same"
    seeds: int = 1

    def limits(self) -> Limits:
        """Checked, or BadInput with a sentence that names the field."""
        limits = Limits(self.max_new_tokens, self.stop_strings, read_ids(self.stop_ids), self.ignore_eos)
        GenerationRequest(
            prompt_ids=(0,),
            max_new_tokens=limits.max_new_tokens,
            stop_strings=limits.stop_strings,
            stop_ids=limits.stop_ids,
        )
        return limits


@dataclass(frozen=True, slots=True)
class OptionsReading:
    """What a link said, and sentences about what could not be used."""

    options: Options
    problems: tuple[str, ...] = field(default_factory=tuple)


def read_ids(text: str) -> TokenIds:
    """Token ids out of "1, 2 3". Raises BadInput."""
    parts = text.replace(",", " ").split()
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise BadInput(f"Stop token ids: write whole numbers with commas such as 2, 13, not {text[:40]!r}.", "stop_ids")
    return tuple(int(part) for part in parts)


def unescaped(text: str) -> str:
    r"""What a reader means by ``\n`` and ``\t`` in a one-line field. Anything else is taken as it stands."""
    return text.replace("\\n", "\n").replace("\\t", "\t")


def option_fields(options: Options) -> dict[str, str]:
    """Query fields; defaults are left out."""
    fields = {"new": str(options.max_new_tokens)}
    if options.stop_strings:
        fields["stop"] = json.dumps(list(options.stop_strings))
    if options.stop_ids.strip():
        fields["stop_ids"] = options.stop_ids
    if options.ignore_eos:
        fields["ignore_eos"] = "1"
    if options.seeds > 1:
        fields["seeds"] = str(options.seeds)
    if options.luck != "same":
        fields["luck"] = options.luck
    return fields


def read_options(fields: Mapping[str, str]) -> OptionsReading:
    """Options from query fields. Never raises: a bad field is told and left at its default."""
    options, problems = Options(), list[str]()
    for name, reader in _READERS.items():
        if name in fields:
            try:
                options = reader(options, fields[name][:10_000])
            except (PlaygroundError, ValueError) as error:
                sentence = str(error) if isinstance(error, PlaygroundError) else f"The link's {name} cannot be read."
                problems.append(f"{sentence} The link's value was left out.")
    return OptionsReading(options, tuple(problems))


def _checked(options: Options) -> Options:
    options.limits()
    return options


def _stops(text: str) -> tuple[str, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise BadInput("The link's stop strings are no list of texts.", "stop")
    return tuple(found)


def _seeds(text: str) -> int:
    seeds = int(text)
    if not 1 <= seeds <= MOST_SEEDS:
        raise BadInput(f"Seeds a setting: from 1 to {MOST_SEEDS}, not {seeds}.", "seeds")
    return seeds


def _luck(text: str) -> str:
    if text not in LUCK:
        raise BadInput("The luck is either same or own.", "luck")
    return text


_READERS: dict[str, Callable[[Options, str], Options]] = {
    "new": lambda options, text: _checked(replace(options, max_new_tokens=int(text))),
    "stop": lambda options, text: _checked(replace(options, stop_strings=_stops(text))),
    "stop_ids": lambda options, text: _checked(replace(options, stop_ids=text)),
    "ignore_eos": lambda options, text: replace(options, ignore_eos=text == "1"),
    "seeds": lambda options, text: replace(options, seeds=_seeds(text)),
    "luck": lambda options, text: replace(options, luck=_luck(text)),
}
