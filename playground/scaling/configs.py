"""From a transformers ``config.json``, or a preset's name, to an ``ArchitectureSpec``. Never runs a config's code.

``playground.scaling.readers`` knows the architectures that have a formula; ``playground.scaling.meta`` counts any
other one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.errors import BadInput
from playground.scaling.config_fields import (
    MAX_CONFIG_CHARS,
    Fields,
    NotedConfig,
    check_depth,
    parse_json_object,
    too_long,
)
from playground.scaling.readers import READERS
from playground.scaling.specs import ArchitectureSpec

PRESET_FOLDER = Path(__file__).parent / "data" / "models"
TEXT_TYPES = {"gemma3": "gemma3_text", "llava": "llama"}  # what a nested text_config without a model_type is


@dataclass(frozen=True)
class Preset:
    """One model of the list: its name, family, config, where that comes from and what it was checked against."""

    name: str
    family: str
    source: str
    checked: str
    config: Mapping[str, Any]
    published_parameters: int | None = None  # an exact count that somebody else published, where there is one

    @property
    def spec(self) -> ArchitectureSpec:
        return read_config(self.config, name=self.name, source=self.source)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A config with its spec; ``spec`` is None for an architecture whose formula is not known (use the meta count)."""

    name: str
    config: Mapping[str, Any]
    spec: ArchitectureSpec | None


def preset_names() -> tuple[str, ...]:
    """Names of all presets, by family and size."""
    return tuple(_presets())


def load_preset(name: str) -> Preset:
    """The preset called ``name`` (case-insensitive, or any unique prefix). Raises BadInput naming near ones."""
    wanted = "-".join(name.lower().split())
    presets = _presets()
    exact = [key for key in presets if key.lower() == wanted]
    found = exact or [key for key in presets if wanted and key.lower().startswith(wanted)]
    if len(found) == 1:
        return presets[found[0]]
    if found:
        raise BadInput(f"config {name!r} could be {', '.join(found)}; write more of the name.", "config")
    near = [key for key in presets if wanted[:4] and wanted[:4] in key.lower()] or list(presets)[:6]
    raise BadInput(
        f"config {name[:60]!r} is neither a preset nor a file; presets are for example {', '.join(near)}.", "config"
    )


@lru_cache(maxsize=1)
def _presets() -> dict[str, Preset]:
    presets = []
    for path in sorted(PRESET_FOLDER.glob("*.json")):
        presets.append(Preset(**json.loads(path.read_text(encoding="utf-8"))))
    return {preset.name: preset for preset in presets}


def load_config(name_or_path: str) -> LoadedConfig:
    """A preset by name, or a ``config.json`` by path. Raises BadInput."""
    path = Path(name_or_path)
    if name_or_path.endswith(".json") or _is_file(path):
        return parse_config(_read_file(path), name=path.stem)
    preset = load_preset(name_or_path)
    return LoadedConfig(preset.name, preset.config, preset.spec)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system is no file
        return False


def _read_file(path: Path) -> str:
    try:
        if path.stat().st_size > 4 * MAX_CONFIG_CHARS:  # four bytes a character at most
            raise too_long(path.stat().st_size)
        with path.open(encoding="utf-8") as file:
            return file.read(4 * MAX_CONFIG_CHARS)
    except (OSError, ValueError) as error:
        reason = "is not text" if isinstance(error, UnicodeDecodeError) else "cannot be read"
        raise BadInput(f"config file {str(path)[:80]!r} {reason}; give a transformers config.json.", "config") from None


def parse_config(text: str, name: str = "config.json") -> LoadedConfig:
    """A pasted or uploaded ``config.json``. ``spec`` is None where the formula is not known. Raises BadInput."""
    raw = parse_json_object(text)
    text_config, _ = find_text_config(raw)
    known = text_config.get("model_type") in READERS
    return LoadedConfig(name, raw, read_config(raw, name=name) if known else None)


def find_text_config(raw: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The part of a config that describes the language model, with the prefix its keys have in messages.

    Raises BadInput when there is no ``model_type``. ``auto_map`` (a pointer to custom code) is dropped.
    """
    check_depth(raw)
    nested = raw.get("text_config")
    if nested is None:
        Fields(raw).text("model_type")
        return {key: value for key, value in raw.items() if key != "auto_map"}, ""
    if not isinstance(nested, Mapping):
        raise BadInput("text_config must be a JSON object with the language model's config.", "text_config")
    merged = {key: value for key, value in nested.items() if key != "auto_map"}
    if merged.get("model_type") is None and raw.get("model_type") in TEXT_TYPES:
        merged["model_type"] = TEXT_TYPES[raw["model_type"]]
    Fields(merged, "text_config.").text("model_type")
    return merged, "text_config."


def read_config(raw: Mapping[str, Any], name: str = "config.json", source: str = "config.json") -> ArchitectureSpec:
    """The shapes that ``raw`` describes. Raises BadInput for missing, absurd or wrongly typed fields."""
    text_config, prefix = find_text_config(raw)
    fields = Fields(text_config, prefix)
    model_type = fields.text("model_type")
    if model_type not in READERS:
        raise BadInput(
            f"model_type {model_type[:40]!r} has no formula here; its parameters can be counted on the meta device, "
            f"and formulas exist for {', '.join(READERS)}.",
            prefix + "model_type",
        )
    return READERS[model_type](fields, name, model_type, source)


def minimal_config(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The part of ``raw`` that its numbers depend on, keys sorted: what a link carries. Raises BadInput.

    A nested text config comes out flat. Reading the result gives the same spec as reading ``raw``.
    """
    text_config, prefix = find_text_config(raw)
    noted = NotedConfig(text_config)
    model_type = Fields(noted, prefix).text("model_type")
    if model_type not in READERS:
        raise BadInput(f"model_type {model_type[:40]!r} has no formula here.", prefix + "model_type")
    READERS[model_type](Fields(noted, prefix), "config.json", model_type, "config.json")
    return {key: text_config[key] for key in sorted(noted.asked) if key in text_config}
