"""From a transformers ``config.json``, or a preset's name, to an ``ArchitectureSpec``. Never runs a config's code.

``playground.scaling.readers`` knows the architectures that have a formula, ``foreign_configs`` those that are not
transformers' own; ``built_specs`` builds any other one. transformers is asked only for what a config leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.errors import BadInput
from playground.scaling.config_classes import DROPPED_KEYS, build_config, has_other_parts, text_model_type
from playground.scaling.config_fields import (
    MAX_CONFIG_CHARS,
    Fields,
    NotedConfig,
    check_depth,
    parse_json_object,
    too_long,
)
from playground.scaling.foreign_configs import translate
from playground.scaling.readers import READERS
from playground.scaling.specs import ArchitectureSpec

PRESET_FOLDER = Path(__file__).parent / "data" / "models"


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
    """A config with its spec; ``spec`` is None for an architecture whose formula is not known (``built_specs`` has it)."""

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
    matches = exact or [key for key in presets if wanted and key.lower().startswith(wanted)]
    if len(matches) == 1:
        return presets[matches[0]]
    if matches:
        raise BadInput(f"config {name!r} could be {', '.join(matches)}; write more of the name.", "config")
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
    return load_parsed(parse_json_object(text), name)


def load_parsed(raw: Mapping[str, Any], name: str = "config.json") -> LoadedConfig:
    """``parse_config`` of a config that is parsed already."""
    check_depth(raw)
    config = translate(raw)
    text_config, prefix = find_text_config(config)
    has_reader = text_config["model_type"] in READERS
    return LoadedConfig(name, config, _read(text_config, prefix, name, "config.json") if has_reader else None)


def find_text_config(raw: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The part of a config that describes the language model, with the prefix its keys have in messages.

    Raises BadInput when there is no ``model_type``. ``auto_map`` (a pointer to custom code) is dropped.
    """
    check_depth(raw)
    nested = raw.get("text_config")
    if nested is None:
        config = translate(raw)
        Fields(config).text("model_type")
        return {key: value for key, value in config.items() if key != "auto_map"}, ""
    if not isinstance(nested, Mapping):
        raise BadInput("text_config must be a JSON object with the language model's config.", "text_config")
    merged = {key: value for key, value in nested.items() if key != "auto_map"}
    outer = raw.get("model_type")
    if merged.get("model_type") is None and isinstance(outer, str):
        merged["model_type"] = text_model_type(outer, raw)
    Fields(merged, "text_config.").text("model_type")
    return merged, "text_config."


def is_composite(raw: Mapping[str, Any]) -> bool:
    """Whether ``raw`` describes more than a language model: whether some part of it has a config of its own.

    A part that is left out has transformers' defaults, as a key has.
    """
    model_type = raw.get("model_type")
    if model_type is None:
        return False
    written = any(
        key.endswith("_config") and key not in DROPPED_KEYS and isinstance(value, Mapping) and key != "text_config"
        for key, value in raw.items()
    )
    return written or (isinstance(raw.get("text_config"), Mapping) and has_other_parts(str(model_type)))


def read_config(raw: Mapping[str, Any], name: str = "config.json", source: str = "config.json") -> ArchitectureSpec:
    """The shapes that ``raw`` describes. Raises BadInput for missing, absurd or wrongly typed fields."""
    return _read(*find_text_config(raw), name, source)


def _read(text_config: Mapping[str, Any], prefix: str, name: str, source: str) -> ArchitectureSpec:
    """By the formula's reader; sizes left out are those of transformers' config class, and listed in ``assumed``."""
    model_type = Fields(text_config, prefix).text("model_type")
    if model_type not in READERS:
        raise BadInput(
            f"model_type {model_type[:40]!r} has no formula here; its parameters can be counted on the meta device, "
            f"and formulas exist for {', '.join(READERS)}.",
            prefix + "model_type",
        )
    built: list[Any] = []

    def default_of(key: str) -> object:
        if not built:
            built.append(build_config(model_type, text_config, prefix))
        return getattr(built[0], key, None)

    fields = Fields(text_config, prefix, default_of)
    spec = READERS[model_type](fields, name, model_type, source)
    return replace(spec, assumed=tuple(fields.assumed.items()))


def minimal_config(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The part of ``raw`` that its numbers depend on, keys sorted: what a link carries. Raises BadInput.

    A nested text config comes out flat, unless other parts stand beside it. Reading the result gives the same spec as
    reading ``raw``.
    """
    if is_composite(raw):
        return {key: raw[key] for key in sorted(raw) if key == "model_type" or key not in DROPPED_KEYS}
    text_config, prefix = find_text_config(raw)
    noted = NotedConfig(text_config)
    _read(noted, prefix, "config.json", "config.json")
    noted.asked.add("model_type")
    return {key: text_config[key] for key in sorted(noted.asked) if key in text_config}
