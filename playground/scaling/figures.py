"""A number that shows its working: the formula, the same with the values in it, the unit and the source.

The formula text IS the computation: ``figure`` parses it, evaluates it, fills it in and checks its units, so what a
page shows cannot differ from what was computed. A literal that carries a unit is written with it in braces, and the
braces are not shown: ``6{FLOP/param/token} · N · D`` reads as ``6 · N · D``. Knows nothing of models or machines.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

BASE_UNITS = ("FLOP", "B", "s", "param", "token", "USD", "J", "kg", "GPU", "seq", "person")
SCALED_UNITS: dict[str, tuple[float, dict[str, int]]] = {
    "h": (3600.0, {"s": 1}),
    "day": (86400.0, {"s": 1}),
    "W": (1.0, {"J": 1, "s": -1}),
    "kWh": (3.6e6, {"J": 1}),
    "1": (1.0, {}),
}


class UnitMismatch(ValueError):
    """A formula adds different units or ends in another unit than it declares: a fault in our code, not in input."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A scale and the powers of the base units. Multiplied and divided as the numbers they belong to."""

    scale: float
    powers: tuple[tuple[str, float], ...]

    def times(self, other: Unit, sign: int = 1) -> Unit:
        powers = dict(self.powers)
        for name, power in other.powers:
            powers[name] = powers.get(name, 0) + sign * power
        kept = tuple(sorted((name, power) for name, power in powers.items() if power))
        return Unit(self.scale * other.scale**sign, kept)

    def raised(self, exponent: float) -> Unit:
        return Unit(self.scale**exponent, tuple((name, power * exponent) for name, power in self.powers))

    def same(self, other: Unit) -> bool:
        return self.powers == other.powers and math.isclose(self.scale, other.scale, rel_tol=1e-12)


ONE = Unit(1.0, ())


@lru_cache(maxsize=512)
def parse_unit(text: str) -> Unit:
    """``USD/GPU/h``, ``GPU·h``, ``B/token``, ``1``. Products bind before the slashes: ``a·b/c`` is (a·b)/c."""
    result = ONE
    for position, factor in enumerate(text.split("/")):
        for name in factor.split("·"):
            result = result.times(_named_unit(name.strip()), -1 if position else 1)
    return result


def _named_unit(name: str) -> Unit:
    if name in SCALED_UNITS:
        scale, powers = SCALED_UNITS[name]
        return Unit(scale, tuple(sorted(powers.items())))
    if name in BASE_UNITS:
        return Unit(1.0, ((name, 1),))
    raise UnitMismatch(f"{name!r} is no unit; the units are {', '.join((*BASE_UNITS, *SCALED_UNITS))}.")


@dataclass(frozen=True, slots=True)
class Symbol:
    """One input of a formula: how it is written there, its value and unit."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A computed number with everything needed to check it by hand.

    ``formula`` is plain text (``6 · N · D``), ``filled`` the same with values, ``unit`` in the notation of
    ``parse_unit``, ``source`` the paper, table or file the formula comes from.
    """

    value: float
    unit: str
    name: str
    formula: str
    filled: str
    source: str
    symbols: tuple[Symbol, ...] = ()


FUNCTIONS: dict[str, Callable[..., float]] = {"max": max, "min": min, "sqrt": math.sqrt}
_LITERAL = re.compile(r"([0-9.]+(?:e[0-9]+)?)\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class _Formula:
    shown: str
    tree: ast.expr
    literals: tuple[tuple[str, float, str], ...]


@lru_cache(maxsize=512)
def _parse_formula(text: str) -> _Formula:
    literals: list[tuple[str, float, str]] = []

    def name_literal(match: re.Match[str]) -> str:
        literals.append((f"_c{len(literals)}", float(match[1]), match[2]))
        return literals[-1][0]

    code = _LITERAL.sub(name_literal, text).replace("·", "*").replace("^", "**").replace("−", "-")
    return _Formula(_LITERAL.sub(r"\1", text), ast.parse(code, mode="eval").body, tuple(literals))


def figure(name: str, unit: str, formula: str, source: str, **symbols: tuple[float, str]) -> Figure:
    """Evaluate ``formula`` over ``symbols`` (value, unit) and keep the working.

    >>> figure("Training compute", "FLOP", "6{FLOP/param/token} · N · D", "Kaplan et al. 2020",
    ...        N=(7e9, "param"), D=(1e12, "token")).filled
    '6 · 7e9 · 1e12'

    Raises UnitMismatch when the units of the formula do not work out to ``unit``.
    """
    parsed = _parse_formula(formula)
    quantities = {key: (value, parse_unit(text)) for key, (value, text) in symbols.items()}
    quantities.update({key: (value, parse_unit(text)) for key, value, text in parsed.literals})
    value, computed_unit = _evaluate(parsed.tree, quantities)
    if not computed_unit.same(parse_unit(unit)):
        raise UnitMismatch(f"{formula!r} gives {computed_unit}, not {unit}.")
    filled = re.sub(
        r"[A-Za-z_][A-Za-z_0-9]*",
        lambda match: show_value(symbols[match[0]][0]) if match[0] in symbols else match[0],
        parsed.shown,
    )
    used = tuple(Symbol(key, float(symbol[0]), symbol[1]) for key, symbol in symbols.items())
    return Figure(float(value), unit, name, parsed.shown, filled, source, used)


def given(name: str, value: float, unit: str, source: str) -> Figure:
    """A figure that is read from a table or counted, not computed from a formula."""
    return Figure(float(value), unit, name, name, show_value(value), source)


def show_value(value: float) -> str:
    """Short where nothing is lost, whole for counts, seven digits otherwise: ``7e9``, ``6738415616``, ``0.3333333``."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) and (abs(value) < 1e6 or (abs(value) < 1e13 and float(f"{value:.6e}") != value)):
        return str(int(value))
    text = f"{value:.7g}" if 1e-4 <= abs(value) < 1e6 else f"{value:.6e}"
    mantissa, _, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def _evaluate(node: ast.expr, quantities: dict[str, tuple[float, Unit]]) -> tuple[float, Unit]:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number), ONE
        case ast.Name(id=name):
            return quantities[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value, unit = _evaluate(operand, quantities)
            return -value, unit
        case ast.BinOp(left=left, op=op, right=right):
            return _combine(op, _evaluate(left, quantities), _evaluate(right, quantities))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            parts = [_evaluate(argument, quantities) for argument in arguments]
            _require_same(parts)
            unit = parts[0][1].raised(0.5) if name == "sqrt" else parts[0][1]
            return FUNCTIONS[name](*(value for value, _ in parts)), unit
    raise UnitMismatch(f"{ast.unparse(node)!r} is not arithmetic.")


def _combine(op: ast.operator, left: tuple[float, Unit], right: tuple[float, Unit]) -> tuple[float, Unit]:
    match op:
        case ast.Mult():
            return left[0] * right[0], left[1].times(right[1])
        case ast.Div():
            return left[0] / right[0], left[1].times(right[1], -1)
        case ast.Pow():
            _require_same([right, (0.0, ONE)])
            return left[0] ** right[0], left[1].raised(right[0])
        case ast.Add():
            _require_same([left, right])
            return left[0] + right[0], left[1]
        case ast.Sub():
            _require_same([left, right])
            return left[0] - right[0], left[1]
    raise UnitMismatch(f"{op!r} is not an operation of a formula.")


def _require_same(parts: list[tuple[float, Unit]]) -> None:
    for _, unit in parts[1:]:
        if not unit.same(parts[0][1]):
            raise UnitMismatch(f"{parts[0][1]} and {unit} cannot be added or compared.")
