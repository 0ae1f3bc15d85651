"""One frozen value that holds every sampling parameter and the order. Always valid: a bad value raises BadSetting.

Pages, share links, the command line and exports all pass this value; none of them checks a range again. Which
parameters there are is the registry's to say; this module names none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from playground.errors import BadSetting
from playground.sampling.orders import ORDERS, order_name, resolve_order
from playground.sampling.registry import PARAMETERS, SAMPLERS
from playground.sampling.sampler import Value
from playground.sampling.values import check_value


@dataclass(frozen=True, init=False)
class SamplerSettings:
    """Every parameter of the registry as an attribute, neutral unless given, and the order of the samplers.

    Values are checked and converted on creation, so any object may be given: 1, "1" and 1.0 are all the temperature
    1.0. ``order`` accepts what ``resolve_order`` does and always ends up naming every sampler once. ``changed``: what
    is not neutral, by parameter, in the registry's order, so that equal settings are equal however they were given.
    """

    changed: tuple[tuple[str, Value], ...]
    order: tuple[str, ...]

    def __init__(self, *, order: object = "hf", **values: object) -> None:
        _refuse_unknown(values)
        checked = {name: check_value(PARAMETERS[name], values[name]) for name in PARAMETERS if name in values}
        changed = tuple((name, value) for name, value in checked.items() if value != PARAMETERS[name].neutral)
        object.__setattr__(self, "changed", changed)
        preset = isinstance(order, tuple) and order in ORDERS.values()  # the presets need no second look
        object.__setattr__(self, "order", order if preset else resolve_order(order))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the registry says what each parameter is
        if name not in PARAMETERS:
            raise AttributeError(f"there is no sampling parameter {name!r}")
        return self._given.get(name, PARAMETERS[name].neutral)

    @cached_property
    def _given(self) -> dict[str, Value]:
        return dict(self.changed)

    def replace(self, **changes: object) -> SamplerSettings:
        """The same settings with some fields changed. Raises BadSetting for an unknown name or a bad value."""
        return SamplerSettings(**{**self._given, "order": self.order, **changes})

    def is_neutral(self, name: str) -> bool:
        """Whether the sampler of this name does nothing under these settings."""
        if name not in SAMPLERS:
            raise BadSetting(f"{name}: unknown sampler; use one of {', '.join(SAMPLERS)}.", name)
        return name not in self.active()

    def active(self) -> tuple[str, ...]:
        """The samplers that do something, in the order applied.

        Mirostat, when on, replaces all other truncation; dynamic temperature replaces the fixed one.
        """
        return self._active

    @cached_property
    def _active(self) -> tuple[str, ...]:  # asked at every step of every row
        replaced = set(self.replaced())
        return tuple(name for name in self._set() if name not in replaced)

    def replaced(self) -> tuple[str, ...]:
        """Samplers that are set but idle because Mirostat or dynamic temperature takes their place."""
        names = self._set()
        idle: list[str] = []
        if "mirostat" in names:
            idle += [n for n in names if SAMPLERS[n].group == "truncation" and n != "mirostat"]
        if "dynatemp" in names and "temperature" in names:
            idle.append("temperature")
        return tuple(idle)

    def _set(self) -> tuple[str, ...]:
        return tuple(name for name in self.order if not SAMPLERS[name].is_neutral(self))

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> SamplerSettings:
        """Settings from a share link, the command line or JSON: values may be strings. Raises BadSetting.

        ``logit_bias`` may be a mapping {id: bias}, pairs, or "id=bias,id=bias"; ``order`` a preset's name or a list.
        """
        _refuse_unknown(values)
        return cls(**values)

    def to_mapping(self, only_changed: bool = True) -> dict[str, object]:
        """Plain values for JSON or a link; ``from_mapping`` gives the same settings back."""
        result: dict[str, object] = {}
        for name, parameter in PARAMETERS.items():
            value = getattr(self, name)
            if only_changed and value == parameter.neutral:
                continue
            if parameter.kind == "bias":
                result[name] = {str(token): bias for token, bias in value}
            else:
                result[name] = list(value) if parameter.kind == "strings" else value
        if not only_changed or self.order != ORDERS["hf"]:
            result["order"] = order_name(self.order) or ",".join(self.order)
        return result


def _refuse_unknown(values: Iterable[str]) -> None:
    for name in values:
        if name not in PARAMETERS and name != "order":
            raise BadSetting(
                f"{str(name)[:40]}: unknown sampling parameter; use one of {', '.join(PARAMETERS)} or order.", str(name)
            )


NEUTRAL = SamplerSettings()
