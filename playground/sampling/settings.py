"""One frozen value that holds every sampling parameter and the order. Always valid: a bad value raises BadSetting.

Pages, share links, the command line and exports all pass this value; none of them checks a range again.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.errors import BadSetting
from playground.sampling.orders import ORDERS, order_name, resolve_order
from playground.sampling.parameters import PARAMETERS, Parameter, Value
from playground.sampling.registry import SAMPLERS

MOST_BIASES = 1024
MOST_BREAKERS = 64


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """Every parameter, neutral by default, and the order of the samplers.

    Values are checked and converted on creation: 1, "1" and 1.0 are all the temperature 1.0. ``order`` accepts what
    ``resolve_order`` does and always ends up naming every sampler once.
    """

    logit_bias: tuple[tuple[int, float], ...] = ()
    repetition_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    no_repeat_ngram_size: int = 0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    temperature: float = 1.0
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    top_h: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    typical_p: float = 1.0
    epsilon_cutoff: float = 0.0
    eta_cutoff: float = 0.0
    top_n_sigma: float = -1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    mirostat_tau: float = 0.0
    mirostat_eta: float = 0.1
    order: tuple[str, ...] = ORDERS["hf"]

    def __post_init__(self) -> None:
        for name, parameter in PARAMETERS.items():
            object.__setattr__(self, name, _checked(parameter, getattr(self, name)))
        if self.order not in ORDERS.values():  # the presets need no second look
            object.__setattr__(self, "order", resolve_order(self.order))

    def replace(self, **changes: Any) -> SamplerSettings:
        """The same settings with some fields changed. Raises BadSetting for an unknown name or a bad value."""
        _refuse_unknown(changes)
        return dataclasses.replace(self, **changes)

    def is_neutral(self, name: str) -> bool:
        """Whether the sampler of this name does nothing under these settings."""
        if name not in SAMPLERS:
            raise BadSetting(f"{name}: unknown sampler; use one of {', '.join(SAMPLERS)}.", name)
        return name not in self.active()

    def active(self) -> tuple[str, ...]:
        """The samplers that do something, in the order applied.

        Mirostat, when on, replaces all other truncation; dynamic temperature replaces the fixed one.
        """
        names = tuple(name for name in self.order if not SAMPLERS[name].is_neutral(self))
        replaced = set(self.replaced())
        return tuple(name for name in names if name not in replaced)

    def replaced(self) -> tuple[str, ...]:
        """Samplers that are set but idle because Mirostat or dynamic temperature takes their place."""
        names = [name for name in self.order if not SAMPLERS[name].is_neutral(self)]
        idle: list[str] = []
        if "mirostat" in names:
            idle += [n for n in names if SAMPLERS[n].group == "truncation" and n != "mirostat"]
        if "dynatemp" in names and "temperature" in names:
            idle.append("temperature")
        return tuple(idle)

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> SamplerSettings:
        """Settings from a share link, the command line or JSON: values may be strings. Raises BadSetting.

        ``logit_bias`` may be a mapping {id: bias}, pairs, or "id=bias,id=bias"; ``order`` a preset's name or a list.
        """
        _refuse_unknown(values)
        return cls(**dict(values))  # type: ignore[arg-type]  # __post_init__ checks and converts each value

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


def _checked(parameter: Parameter, value: object) -> Value:
    if parameter.kind == "bias":
        return _checked_biases(parameter, value)
    if parameter.kind == "strings":
        return _checked_strings(parameter, value)
    return _checked_number(parameter, value, whole=parameter.kind == "int")


def _checked_number(parameter: Parameter, value: object, *, whole: bool) -> float | int:
    kind = "a whole number" if whole else "a number"
    wanted = f"{parameter.name} must be {kind} from {parameter.low:,.9g} to {parameter.high:,.9g}"
    if isinstance(value, bool) or value is None:
        raise BadSetting(f"{wanted}, not {value}.", parameter.name)
    try:
        number = float(value)  # type: ignore[arg-type]  # anything that float() takes: str, NumPy scalars
    except (TypeError, ValueError, OverflowError):
        raise BadSetting(f"{wanted}, not {str(value)[:40]!r}.", parameter.name) from None
    if not math.isfinite(number) or not parameter.low <= number <= parameter.high:
        raise BadSetting(f"{wanted}, not {str(value)[:40]}.", parameter.name)
    if not whole:
        return number + 0.0  # -0.0 becomes 0.0
    if number != int(number):
        raise BadSetting(f"{wanted}, not {str(value)[:40]}.", parameter.name)
    return int(number)


def _checked_biases(parameter: Parameter, value: object) -> tuple[tuple[int, float], ...]:
    biases: dict[int, float] = {}
    for token, bias in _bias_pairs(parameter, value):
        token_id = _token_id(parameter, token)
        if token_id in biases:
            raise BadSetting(f"logit_bias: token {token_id} is there twice; give each token one bias.", parameter.name)
        biases[token_id] = float(_checked_number(parameter, bias, whole=False))
    if len(biases) > MOST_BIASES:
        raise BadSetting(f"logit_bias: at most {MOST_BIASES} tokens can be biased, not {len(biases)}.", parameter.name)
    return tuple(sorted(biases.items()))


def _bias_pairs(parameter: Parameter, value: object) -> list[tuple[object, object]]:
    """Pairs out of a mapping, a sequence of pairs or of "id=bias" strings, or one such comma-separated string."""
    hint = "logit_bias: write token ids and biases as id=bias, for example 7042=-5."
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, str):
        value = [part for part in value.split(",") if part.strip()]
    if not isinstance(value, Iterable):
        raise BadSetting(hint, parameter.name)
    pairs: list[tuple[object, object]] = []
    for item in value:
        pair = item.split("=") if isinstance(item, str) else item
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise BadSetting(hint, parameter.name)
        pairs.append((pair[0], pair[1]))
    return pairs


def _token_id(parameter: Parameter, value: object) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
        raise BadSetting(
            f"logit_bias: {str(value)[:40]!r} is no token id; write id=bias, for example 7042=-5.", parameter.name
        )
    return number


def _checked_strings(parameter: Parameter, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = _strings_of_json(value)
    if isinstance(value, (tuple, list)):
        value = [item for item in value if item != ""]  # a lone empty string is how a flag says "none"
    if not isinstance(value, (tuple, list)) or not all(isinstance(item, str) and 0 < len(item) <= 40 for item in value):
        raise BadSetting(f"{parameter.name}: give strings of 1 to 40 characters.", parameter.name)
    if any("\ud800" <= character <= "\udfff" for item in value for character in item):
        raise BadSetting(
            f"{parameter.name}: a string has a broken character in it (half of a surrogate pair); type it again.",
            parameter.name,
        )
    if len(value) > MOST_BREAKERS:
        raise BadSetting(f"{parameter.name}: at most {MOST_BREAKERS} strings, not {len(value)}.", parameter.name)
    return tuple(dict.fromkeys(value))  # a repeated breaker is no fault, only one too many


def _strings_of_json(text: str) -> object:
    """A link carries the list as JSON; a string that is no JSON list is one breaker itself."""
    try:
        decoded = json.loads(text)
    except ValueError:
        return [text]
    return decoded if isinstance(decoded, list) else [text]


NEUTRAL = SamplerSettings()
