"""What the Attention page remembers beside the shared setup, and the query fields that carry it in a link.

Plain frozen data; knows no widget. Whether a layer or a head exists is known only once a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from playground.charts.attention_view import SCALES
from playground.errors import BadInput, PlaygroundError
from playground.inspection.attention import read_selection

SECTIONS = {"heads": "Heads", "doing": "What heads do", "rollout": "Rollout", "weight": "One weight"}
SCORES: dict[str, tuple[str, str]] = {
    "induction": ("Induction", "weight on what followed an earlier occurrence of the query's own token"),
    "previous": ("Previous token", "weight on the token just before the query"),
    "duplicate": ("Duplicate token", "weight on earlier occurrences of the query's own token"),
    "first": ("First token", "weight on the text's first token: the sink"),
    "entropy": ("Entropy", "how widely a query spreads its weight, in nats"),
    "distance": ("Mean distance", "how far back a query looks on average, in tokens"),
}
MEASURED_ON = {"random": "Repeated random tokens", "text": "This text"}
MOST_POSITION = 10_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """``heads`` and ``beside`` are selections as text (see ``inspection.attention``); "" means the page's own choice,
    and nothing beside. ``width`` 0: as many positions as fit. ``query`` -1: the window's last. ``depth`` -1: the last layer.
    """

    heads: str = ""
    beside: str = ""
    scale: str = "linear"
    hide_first: bool = False
    start: int = 0
    width: int = 0
    query: int = -1
    score: str = "induction"
    measured_on: str = "random"
    depth: int = -1
    section: str = "heads"


@dataclass(frozen=True, slots=True)
class OptionsReading:
    """What a link said, and sentences about what could not be used."""

    options: Options
    problems: tuple[str, ...] = field(default_factory=tuple)


def option_fields(options: Options) -> dict[str, str]:
    """Query fields; defaults are left out."""
    fields: dict[str, str] = {}
    for name, attribute in _FIELDS.items():
        value = getattr(options, attribute)
        if value != getattr(Options(), attribute):
            fields[name] = "1" if value is True else str(value)
    return fields


def read_options(fields: Mapping[str, str]) -> OptionsReading:
    """Options from query fields. Never raises: a bad field is told and left at its default."""
    options, problems = Options(), list[str]()
    for name, attribute in _FIELDS.items():
        if name in fields:
            try:
                given: dict[str, Any] = {attribute: _READERS[attribute](fields[name][:200])}
                options = replace(options, **given)
            except (PlaygroundError, ValueError) as error:
                sentence = str(error) if isinstance(error, PlaygroundError) else f"The link's {name} cannot be read."
                problems.append(f"{sentence} The link's value was left out.")
    return OptionsReading(options, tuple(problems))


def _selection(text: str) -> str:
    return read_selection(text).text if text else ""


def _one_of(known: Mapping[str, object]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise BadInput(f"The link says {text[:20]!r} where only {', '.join(known)} are understood.")
        return text

    return read


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_POSITION):
        raise BadInput(f"The link says {text[:20]!r} where a position from 0 is needed.")
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("0", "1"):
        raise BadInput(f"The link says {text[:20]!r} where only 0 or 1 is understood.")
    return text == "1"


# the link's name of each option
_FIELDS = {
    "heads": "heads",
    "beside": "beside",
    "colours": "scale",
    "hide_first": "hide_first",
    "start": "start",
    "width": "width",
    "query": "query",
    "score": "score",
    "on": "measured_on",
    "depth": "depth",
    "view": "section",
}
_READERS: dict[str, Callable[[str], object]] = {
    "heads": _selection,
    "beside": _selection,
    "scale": _one_of(SCALES),
    "hide_first": _flag,
    "start": _position,
    "width": _position,
    "query": _position,
    "score": _one_of(SCORES),
    "measured_on": _one_of(MEASURED_ON),
    "depth": _position,
    "section": _one_of(SECTIONS),
}
