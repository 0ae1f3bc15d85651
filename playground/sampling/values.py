"""What a person gives for a parameter, checked and converted; every refusal names the field. Knows no sampler."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from playground.errors import BadSetting
from playground.json_reading import read_json
from playground.sampling.sampler import Parameter, Value

MOST_BIASES = 1024
MOST_BREAKERS = 64


def check_value(parameter: Parameter, value: object) -> Value:
    """``value`` as the parameter's own type, within its bounds. Raises BadSetting."""
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
        decoded = read_json(text)
    except ValueError:
        return [text]
    return decoded if isinstance(decoded, list) else [text]
