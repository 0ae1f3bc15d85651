"""A named preset: settings with where they come from, kept for its owner, its file, and whether a server took them.

Knows no page.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playground.errors import BadInput
from playground.sampling.settings import SamplerSettings
from playground.store.records import LOCAL, PresetRecord
from playground.uploads import parse_json

if TYPE_CHECKING:
    from playground.store.connection import Database

LONGEST_NAME = 60
LONGEST_WHY = 4_000
MOST_PRESETS = 100
_NEAR = 1e-5  # of a value: servers keep float32


@dataclass(frozen=True, slots=True)
class KeptPreset:
    """``why``: the decision it came from, in words, "" for none. ``created``: seconds since 1970."""

    name: str
    settings: SamplerSettings
    why: str
    created: float


class PresetStore:
    """One visitor's presets. All methods raise StoreError."""

    def __init__(self, visitor: str = LOCAL, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.connection import shared_database  # SQLAlchemy takes a while, and a page opens without it
        from playground.store.presets import PresetTable

        self._rows = PresetTable(database or shared_database())
        self._visitor = visitor

    def persist(self, name: str, settings: SamplerSettings, why: str = "") -> KeptPreset:
        """In the place of an earlier one of that name. Raises BadInput for a bad name and too many."""
        name, why, now = check_name(name), why[:LONGEST_WHY], time.time()
        names = {record.name for record in self._rows.presets(self._visitor)}
        if name not in names and len(names) >= MOST_PRESETS:
            raise BadInput(f"At most {MOST_PRESETS} presets are kept: delete one first.", "name")
        settings_json = json.dumps(settings.to_mapping(), ensure_ascii=False)
        self._rows.put(PresetRecord(self._visitor, name, now, settings_json, why))
        return KeptPreset(name, settings, why, now)

    def presets(self) -> tuple[KeptPreset, ...]:
        """The newest first; one that cannot be read is left out."""
        return tuple(preset for record in self._rows.presets(self._visitor) if (preset := _kept(record)) is not None)

    def delete(self, name: str) -> None:
        """One that is not there is no error."""
        self._rows.delete(self._visitor, name)


def _kept(record: PresetRecord) -> KeptPreset | None:
    try:
        settings = SamplerSettings.from_mapping(json.loads(record.settings))
    except (ValueError, TypeError, AttributeError, BadInput):  # damaged on the disk, or of a newer version
        return None
    return KeptPreset(record.name, settings, record.why, record.created)


def check_name(name: str) -> str:
    """A preset's name without outer space. Raises BadInput."""
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > LONGEST_NAME or not cleaned.isprintable():
        raise BadInput(f"A preset needs a name of 1 to {LONGEST_NAME} characters: type one.", "name")
    return cleaned


def preset_json(name: str, settings: SamplerSettings, why: str) -> str:
    """The preset as this playground's own file; ``read_preset`` gives it back."""
    values = {"name": name, "settings": settings.to_mapping(), "why": why}
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def read_preset(text: str) -> tuple[str, SamplerSettings, str]:
    """Name, settings and why out of a file of ``preset_json``. Raises BadInput."""
    try:
        values = parse_json(text)
    except ValueError as error:
        raise BadInput(
            f"The preset cannot be read as JSON ({str(error)[:100]}): choose another file.", "file"
        ) from None
    if not isinstance(values, Mapping) or not isinstance(values.get("settings"), Mapping):
        raise BadInput("The file holds no preset of this playground: it has no settings.", "file")
    why = values.get("why")
    settings = SamplerSettings.from_mapping(values["settings"])
    return check_name(str(values.get("name", ""))), settings, why[:LONGEST_WHY] if isinstance(why, str) else ""


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """One field as it was ``sent``, and as the server ``used`` it, None where it did not tell."""

    name: str
    sent: Any
    used: Any
    took: bool


def compare_fields(sent: Mapping[str, Any], used: Mapping[str, Any]) -> tuple[FieldCheck, ...]:
    """Field by field, in the order sent. Numbers are compared as float32 keeps them, biases in whatever form."""
    return tuple(
        FieldCheck(name, value, used.get(name), name in used and _same(value, used[name]))
        for name, value in sent.items()
    )


def _same(sent: Any, used: Any) -> bool:  # noqa: ANN401 - JSON of a stranger
    if isinstance(sent, int | float) and isinstance(used, int | float):
        return math.isclose(sent, used, rel_tol=_NEAR, abs_tol=1e-9)
    if isinstance(sent, list) and isinstance(used, list):
        return len(sent) == len(used) and all(
            _same(one, [other.get("token"), other.get("bias")] if isinstance(other, Mapping) else other)
            for one, other in zip(sent, used, strict=True)
        )
    return bool(sent == used)
