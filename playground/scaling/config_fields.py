"""Reading hostile JSON: one value at a time, each refusal one sentence naming the field. Knows no architecture."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from playground.errors import BadInput
from playground.json_reading import NestedTooDeeply, read_json, unique_object

MAX_CONFIG_CHARS = 1_000_000  # the longest real config.json is below 100 kB
MAX_DEPTH = 32
MAX_LAYERS = 2_000
MAX_EXPERTS = 10_000
MAX_SIZE = 10_000_000  # widths, heads, vocabulary rows
MAX_CONTEXT = 10**10


def parse_json_object(text: str, field: str = "config") -> dict[str, Any]:
    """The JSON object in ``text``. BadInput when it is too long, too deep, no JSON, no object or holds NaN."""
    if len(text) > MAX_CONFIG_CHARS:
        raise too_long(len(text), field)
    try:
        parsed = read_json(
            text.removeprefix("\ufeff"), parse_constant=_refuse_constant, object_pairs_hook=unique_object
        )
    except NestedTooDeeply:
        raise _too_deep(field) from None
    except ValueError as error:
        reason = getattr(error, "msg", str(error))
        raise BadInput(f"{field} is not JSON ({reason}); give the whole config.json.", field) from None
    if not isinstance(parsed, dict):
        raise BadInput(f"{field} must be a JSON object in braces, not a {type(parsed).__name__}.", field)
    check_depth(parsed, field)
    return parsed


def too_long(size: int, field: str = "config") -> BadInput:
    """The refusal of a text of ``size`` characters."""
    return BadInput(
        f"{field} is {size / 1e6:.1f} MB long; a config.json is below {MAX_CONFIG_CHARS / 1e6:.0f} MB, "
        "so give the config file and not the weights or the tokenizer.",
        field,
    )


def check_depth(value: object, field: str = "config") -> None:
    """BadInput when ``value`` nests deeper than any real config. Walks without recursion."""
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for item in level:
            if isinstance(item, Mapping):
                below.extend(item.values())
            elif isinstance(item, list | tuple):
                below.extend(item)
        if not below:
            return
        level = below
    raise _too_deep(field)


def _too_deep(field: str) -> BadInput:
    return BadInput(f"{field} nests more than {MAX_DEPTH} levels deep; give a plain config.json.", field)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"it holds {name}")


class NotedConfig(dict[str, Any]):
    """A config that notes which of its keys were asked for: those that the numbers depend on."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        super().__init__(raw)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as a dict of JSON has it
        self.asked.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


class Fields:
    """Typed access to a config's keys. ``prefix`` is shown before a key that sits in a nested config.

    ``default_of`` is asked for a size that is left out and may not know it (None); ``assumed`` lists what it gave.
    """

    def __init__(
        self, raw: Mapping[str, Any], prefix: str = "", default_of: Callable[[str], object] = lambda key: None
    ) -> None:
        self._raw = raw
        self._prefix = prefix
        self._default_of = default_of
        self.assumed: dict[str, int] = {}

    def has(self, key: str) -> bool:
        return self._raw.get(key) is not None

    def declares(self, key: str) -> bool:
        """Whether the key is written at all, be it as null."""
        return key in self._raw

    def is_word(self, key: str, word: str) -> bool:
        return self._raw.get(key) == word

    def either(self, key: str, alias: str) -> str:
        """The name under which a value stands that has two names: ``alias`` where that is there, else ``key``."""
        return alias if self.has(alias) else key

    def integer(self, key: str, default: int | None = None, *, maximum: int = MAX_SIZE, minimum: int = 1) -> int:
        """A whole number in [minimum, maximum]. Without a default the key must be there."""
        value = self._raw.get(key)
        name = self._prefix + key
        if value is None:
            return self._left_out(key) if default is None else default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadInput(f"{name} must be a whole number, not {_shown(value)}.", name)
        if value > maximum:
            raise BadInput(f"{name} is {_shown(value)}, which no model has; it can be at most {maximum:,}.", name)
        if value < minimum:
            raise BadInput(f"{name} must be at least {minimum}, not {_shown(value)}.", name)
        if not isinstance(value, int):
            raise BadInput(f"{name} must be a whole number, not {_shown(value)}.", name)
        return value

    def _left_out(self, key: str) -> int:
        """The class's default of a size that is not written. Raises BadInput where it has none, or null is written."""
        name = self._prefix + key
        given = None if self.declares(key) else self._default_of(key)
        if type(given) is not int:
            raise BadInput(f"The config lacks {name}; give the model's whole config.json.", name)
        self.assumed[name] = given
        return given

    def nested(self, key: str) -> Fields:
        """The fields of the config under ``key``; empty where there is none."""
        value = self._raw.get(key)
        return Fields(value if isinstance(value, Mapping) else {}, f"{self._prefix}{key}.")

    def number(self, key: str, default: float, *, maximum: float) -> float:
        """A number above 0 and at most ``maximum``."""
        value = default if self._raw.get(key) is None else self._raw[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= maximum:
            name = self._prefix + key
            raise BadInput(f"{name} must be a number above 0 and at most {maximum:g}, not {_shown(value)}.", name)
        return float(value)

    def optional(self, key: str, *, maximum: int = MAX_SIZE) -> int | None:
        """A whole number, or None where the key is absent or null."""
        return self.integer(key, maximum=maximum) if self.has(key) else None

    def flag(self, key: str, default: bool) -> bool:
        value = self._raw.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            name = self._prefix + key
            raise BadInput(f"{name} must be true or false, not {_shown(value)}.", name)
        return value

    def text(self, key: str) -> str:
        value = self._raw.get(key)
        name = self._prefix + key
        if value is None:
            raise BadInput(f"The config lacks {name}, which says what architecture it is.", name)
        if not isinstance(value, str) or not value:
            raise BadInput(f"{name} must be a word such as llama, not {_shown(value)}.", name)
        return value

    def words(self, key: str, length: int) -> list[str] | None:
        """A list of ``length`` words, or None where the key is absent."""
        value = self._raw.get(key)
        if value is None:
            return None
        name = self._prefix + key
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadInput(f"{name} must be a list of words, not {_shown(value)}.", name)
        if len(value) != length:
            raise BadInput(f"{name} has {len(value)} entries for {length} layers; the two must agree.", name)
        return value

    def integers(self, key: str) -> list[int]:
        """A list of whole numbers of at least 0; empty where the key is absent."""
        value = self._raw.get(key)
        if value is None:
            return []
        name = self._prefix + key
        if not isinstance(value, list) or not all(type(item) is int and item >= 0 for item in value):
            raise BadInput(f"{name} must be a list of whole numbers, not {_shown(value)}.", name)
        return value

    def divide(self, key: str, by: str, default_divisor: int | None = None) -> int:
        """``key`` / ``by``, which must come out whole (a head's size)."""
        size, parts = self.integer(key), self.integer(by, default_divisor)
        if size % parts:
            raise BadInput(
                f"{self._prefix}{key} ({size}) must be a multiple of {self._prefix}{by} ({parts}).", self._prefix + by
            )
        return size // parts


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return repr(value)  # 64.0, which is why it is refused
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) or abs(value) < 10**15 else "a number of very many digits"
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else text[:37] + "..."
