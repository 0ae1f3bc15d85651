"""A reader's own ``config.json``, parsed once into what every page needs of it. Knows no streamlit and runs no code of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.errors import PlaygroundError
from playground.plan.packing import pack, unpack
from playground.scaling.built_specs import spec_of_config
from playground.scaling.configs import minimal_config, parse_config
from playground.scaling.specs import ArchitectureSpec

NAME = "your config"  # what the pictures call it


@dataclass(frozen=True, slots=True)
class OwnConfig:
    """``text``: the whole config as JSON. ``packed``: what of it the numbers depend on, as a link carries it."""

    text: str
    packed: str = field(compare=False, repr=False)
    config: Mapping[str, Any] = field(compare=False, repr=False)
    spec: ArchitectureSpec = field(compare=False, repr=False)


def read_own_config(text: str) -> OwnConfig:
    """A pasted or uploaded config. Raises BadInput for what is none, and for a model that cannot be built."""
    found = parse_config(text, NAME)
    spec = spec_of_config(found)
    whole = json.dumps(found.config, separators=(",", ":"))
    try:
        least = json.dumps(minimal_config(found.config), separators=(",", ":"), sort_keys=True)
    except PlaygroundError:  # no formula says what the numbers depend on
        least = whole
    return OwnConfig(whole, pack(least), found.config, spec)


def read_linked_config(text: str) -> OwnConfig:
    """A config as a link carries it: packed, or (short ones, in older links) as it is. Raises BadInput."""
    return read_own_config(text if text.lstrip().startswith("{") else unpack(text, "config.json"))


def packed_config(own: OwnConfig | None) -> str:
    """What a link carries of a config."""
    return own.packed if own else ""
