"""What the page remembers beside the shared setup, and its fields in a link. Plain data; knows no streamlit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.charts.lens_grid import COLOURS
from playground.errors import BadInput

SECTIONS = {"lens": "Logit lens", "anatomy": "Anatomy", "timing": "Prefill and decode"}
MOST = 10_000_000  # positions, depths, tokens and lengths beyond it are no numbers of a model


@dataclass(frozen=True, slots=True)
class Options:
    """The open section, the colour, the first position of the window (None: the text's end), the cell in view (None:
    the answer after the last token), the followed token (None: the answer's), and a prompt length to predict."""

    section: str = "lens"
    colour: str = "probability"
    start: int | None = None
    depth: int | None = None
    position: int | None = None
    follow: int | None = None
    ahead: int = 2048


@dataclass(frozen=True, slots=True)
class OptionsReading:
    """What a link said; ``problems`` are sentences about what could not be used."""

    options: Options
    problems: tuple[str, ...] = ()


def _one_of(known: Mapping[str, object]) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in known:
            raise BadInput(f"The link's {name} {text[:20]!r} is none of {', '.join(known)}; the usual one is shown.")
        return text

    return read


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:12]) <= MOST):
        raise BadInput(f"The link's {name} {text[:20]!r} is no whole number that fits; the usual one is shown.")
    return int(text)


_FIELDS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "show": ("section", _one_of(SECTIONS)),
    "colour": ("colour", _one_of(COLOURS)),
    "from": ("start", _number),
    "depth": ("depth", _number),
    "position": ("position", _number),
    "follow": ("follow", _number),
    "ahead": ("ahead", _number),
}


def option_fields(options: Options) -> dict[str, str]:
    """The query fields that bring ``options`` back; what is at its default is left out."""
    usual = Options()
    return {
        field: str(getattr(options, name))
        for field, (name, _read) in _FIELDS.items()
        if getattr(options, name) is not None and getattr(options, name) != getattr(usual, name)
    }


def read_options(fields: Mapping[str, str]) -> OptionsReading:
    """``Options`` from query fields. Never raises; other fields are ignored."""
    found: dict[str, Any] = {}
    problems: list[str] = []
    for field, (name, read) in _FIELDS.items():
        if field in fields:
            try:
                found[name] = read(field, fields[field])
            except BadInput as error:
                problems.append(str(error))
    return OptionsReading(Options(**found), tuple(problems))
