"""Settings as one types them, and several at once: ``temperature 0.4, top_p 0.9``; a grid over two parameters. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from itertools import count
from math import prod
from typing import Any

from playground.errors import BadInput
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.plan import MOST_SETTINGS
from playground.uploads import parse_json

LONGEST_NAME = 60
OFF = "every sampler off"  # where ``settings_text`` has nothing to say
_PAIR = re.compile(r"([A-Za-z_-]++)(?:\s*+[=:]\s*+|\s++)([^\s,;]++)(?:[\s,;]++|$)")  # tries no text twice


def settings_text(settings: SamplerSettings) -> str:
    """As ``read_settings_text`` reads it: what is not neutral, "" for nothing; JSON where a value is a list or a mapping."""
    values = settings.to_mapping()
    order = str(values.get("order", ""))
    if "," in order or any(isinstance(value, (list, dict)) for value in values.values()):
        return json.dumps(values, ensure_ascii=False)
    return ", ".join(f"{name} {value}" for name, value in values.items())


def read_settings_text(text: str) -> SamplerSettings:
    """``temperature 0.4, top_p=0.9``, or a JSON object; "" changes nothing. Raises BadInput and BadSetting."""
    text = text.strip()
    if text.startswith("{"):
        try:
            values = parse_json(text)
        except ValueError:
            raise _unread(text) from None
        if not isinstance(values, dict):
            raise _unread(text)
        return SamplerSettings.from_mapping(values)
    by_name: dict[str, str] = {}
    place = 0
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None:
            raise _unread(text[place:])
        name = _name(pair[1])
        if name in by_name:
            raise BadInput(f"{name[:40]} stands there twice: keep one of them.", "settings")
        by_name[name] = pair[2]
        place = pair.end()
    return SamplerSettings.from_mapping(by_name)


def _name(word: str) -> str:
    """top-p is written top_p here."""
    word = word.lower().replace("-", "_")
    return {"t": "temperature", "temp": "temperature", "topp": "top_p", "topk": "top_k", "minp": "min_p"}.get(
        word, word
    )


def _unread(text: str) -> BadInput:
    return BadInput(
        f"{text[:40]!r} cannot be read as settings: write them as in “temperature 0.4, top_p 0.9”.", "settings"
    )


def setting_name(settings: SamplerSettings, taken: Container[str]) -> str:
    """A short name that is not ``taken``: what is changed, such as ``T 0.4, top_p 0.9``."""
    words = [
        f"{'T' if name == 'temperature' else name} {value:g}"
        for name, value in settings.changed
        if isinstance(value, (int, float))
    ]
    name = ", ".join(words)[: LONGEST_NAME - 4].rstrip(", ") or "neutral"
    if name not in taken:
        return name
    return next(other for number in count(2) if (other := f"{name} ({number})") not in taken)


def grid(present: SamplerSettings, axes: Mapping[str, Sequence[Any]]) -> dict[str, SamplerSettings]:
    """Every combination of the parameters' values, all else as in ``present``, by name. Raises BadInput for too many."""
    wanted = prod(len(set(values)) for values in axes.values())
    if wanted > MOST_SETTINGS:  # said before they are made: millions may be asked for
        raise BadInput(f"A grid of {wanted:,} settings is too many: at most {MOST_SETTINGS} are compared.", "grid")
    combinations = [present]
    for parameter, values in axes.items():
        combinations = [
            settings.replace(**{parameter: value}) for settings in combinations for value in dict.fromkeys(values)
        ]
    named: dict[str, SamplerSettings] = {}
    for settings in combinations:
        words = [f"{'T' if name == 'temperature' else name} {getattr(settings, name):g}" for name in axes]
        named[", ".join(words)] = settings
    return named


def read_values(parameter: str, text: str) -> tuple[float, ...]:
    """``0.2, 0.7 1`` as values of one parameter. Raises BadInput, and BadSetting for what it cannot be."""
    words = list(dict.fromkeys(word for word in re.split(r"[\s,;]+", text.strip()) if word))
    if not words:
        raise BadInput(f"{PARAMETERS[parameter].label}: no value is given; write some, such as 0.2, 0.7, 1.", "grid")
    if len(words) > MOST_SETTINGS:
        raise BadInput(
            f"{PARAMETERS[parameter].label}: {len(words):,} values are too many; write at most {MOST_SETTINGS}.", "grid"
        )
    return tuple(getattr(SamplerSettings.from_mapping({parameter: word}), parameter) for word in words)


def grid_axes(settings: Mapping[str, SamplerSettings]) -> tuple[str, str] | None:
    """The two parameters, if there are just two, in which some of the settings differ."""
    differing = [name for name in PARAMETERS if len({getattr(each, name) for each in settings.values()}) > 1]
    orders = {each.order for each in settings.values()}
    return (differing[0], differing[1]) if len(differing) == 2 and len(orders) == 1 else None
