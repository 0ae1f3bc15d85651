"""A reader's own ``config.json``, parsed once into what every page needs of it. Knows no streamlit and runs no code of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.errors import BadInput, PlaygroundError
from playground.models.bundled import bundled_folder
from playground.models.catalogue import resolve
from playground.plan.packing import pack, unpack
from playground.scaling.built_specs import spec_of_config
from playground.scaling.config_fields import MAX_CONFIG_CHARS
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
    parsed = parse_config(text, NAME)
    spec = spec_of_config(parsed)
    whole = json.dumps(parsed.config, separators=(",", ":"))
    try:
        least = json.dumps(minimal_config(parsed.config), separators=(",", ":"), sort_keys=True)
    except PlaygroundError:  # no formula says what the numbers depend on
        least = whole
    return OwnConfig(whole, pack(least), parsed.config, spec)


def read_linked_config(text: str) -> OwnConfig:
    """A config as a link carries it: packed, or (short ones, in older links) as it is. Raises BadInput."""
    return read_own_config(text if text.lstrip().startswith("{") else unpack(text, "config.json"))


def packed_config(own: OwnConfig | None) -> str:
    """What a link carries of a config."""
    return own.packed if own else ""


def config_text_of(model: str | None) -> str:
    """The config.json of a loaded model (None: the bundled one) from where it came. Raises BadInput where there is none."""
    source = resolve(model)
    path: Path | None = None
    if source.kind == "bundled":
        path = bundled_folder() / "config.json"
    elif source.kind == "folder" and source.path is not None:
        path = source.path / "config.json"
    elif source.kind == "hub" and source.hub_id:
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(source.hub_id, "config.json", revision=source.revision)
        path = Path(cached) if isinstance(cached, str) else None
    if path is None or not path.is_file():
        raise BadInput("The loaded model has no config.json (a GGUF file carries none); paste one instead.", "config")
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MAX_CONFIG_CHARS + 1)
