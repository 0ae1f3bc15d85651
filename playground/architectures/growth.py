"""What must grow with the text, by formula: bytes of cache and state, FLOPs of a prefill and of one more token. No torch.

Attention keeps 2·L·k·dh numbers a token and its prefill has a part that grows with the square of the text; all others
keep a state of fixed size and do the same work for every token. Formulas of cache and state: ``playground.scaling``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from playground.architectures.families import VOCABULARY, WIDTH, Family
from playground.scaling.configs import read_config
from playground.scaling.inference import attention_decode_flops, attention_prefill_flops
from playground.scaling.memory import kv_bytes, state_bytes
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import ArchitectureSpec

_COMPLEX, _S4_STATES, _H3_KEYS = 2, 16, 3  # of our own layers


@dataclass(frozen=True, slots=True)
class Growth:
    """One model's formulas at ``number`` bytes a number. ``spec`` None for our own layers, whose state is ``fixed`` bytes."""

    parameters: int
    number: float
    spec: ArchitectureSpec | None = None
    fixed: float = 0.0

    def cache_bytes(self, tokens: int) -> float:
        """Of keys and values."""
        return 0.0 if self.spec is None else kv_bytes(self.spec, tokens, 1, self.number)

    @property
    def state_bytes(self) -> float:
        """Of what does not grow."""
        return self.fixed if self.spec is None else state_bytes(self.spec, 1, self.number)

    def bytes(self, tokens: int) -> float:
        return self.cache_bytes(tokens) + self.state_bytes

    def prefill_flops(self, tokens: int) -> float:
        """2 N a token, and attention's scores and sums."""
        attention = 0.0 if self.spec is None else attention_prefill_flops(self.spec, tokens)
        return 2.0 * self.parameters * tokens + attention

    def decode_flops(self, tokens: int) -> float:
        """Of the next token after ``tokens``."""
        attention = 0.0 if self.spec is None else attention_decode_flops(self.spec, tokens)
        return 2.0 * self.parameters + attention


def family_growth(family: Family) -> Growth:
    """The formulas of a family of the race, in float32."""
    if family.config:
        spec = read_config(family.config, name=family.label)
        return Growth(count_parameters(spec).active, 4.0, spec)
    numbers = {"s4": _COMPLEX * _S4_STATES, "h3": _COMPLEX * _S4_STATES + _H3_KEYS, "gru": 1}
    return Growth(own_parameters(family), 4.0, None, sum(4.0 * WIDTH * numbers[kind] for kind in family.layers))


def own_parameters(family: Family) -> int:
    """Of a model of our own layers, counted from their shapes."""
    d, states = WIDTH, _S4_STATES
    ssm = d * states * 4 + 2 * d  # decays, frequencies and two numbers of C; a step and a skip
    mixer = {
        "s4": ssm + 2 * d * d + 2 * d,
        "h3": ssm + 4 * d + 4 * d * d + 4 * d,
        "gru": 6 * d * d + 6 * d,
    }
    inner = round(family.wider * d)
    block = 4 * d + 2 * d * inner + inner + d
    return 2 * VOCABULARY * d + 2 * d + sum(mixer[kind] + block for kind in family.layers)


def exponent(contexts: Sequence[float], values: Sequence[float | None]) -> float | None:
    """The slope of log value over log context by least squares: 0 where nothing grows, 1 in proportion, 2 with the square.

    Of the points from a quarter of the longest context on where there are three of them, since short ones measure what a
    pass costs at all. None for fewer than two points.
    """
    points = [(x, y) for x, y in zip(contexts, values, strict=True) if y is not None and y > 0 and x > 0]
    if not points:
        return None
    longest = max(x for x, _y in points)
    far = [pair for pair in points if pair[0] >= longest / 4]
    used = far if len(far) >= 3 else points
    if len({x for x, _y in used}) < 2:
        return None
    slope, _level = np.polyfit(np.log([x for x, _y in used]), np.log([y for _x, y in used]), 1)
    return round(float(slope), 9) + 0.0  # no -0


def crossing(contexts: Sequence[float], one: Sequence[float | None], other: Sequence[float | None]) -> float | None:
    """The first context from which on ``one`` lies above ``other``, between two points on straight lines in logarithms.

    None where they do not cross within the range, or where one is above from the start.
    """
    points = [
        (math.log(x), math.log(a / b))
        for x, a, b in zip(contexts, one, other, strict=True)
        if a is not None and b is not None and a > 0 and b > 0
    ]
    for (x0, gap0), (x1, gap1) in zip(points, points[1:], strict=False):
        if gap0 <= 0 < gap1:
            return math.exp(x0 + (x1 - x0) * -gap0 / (gap1 - gap0))
    return None


def growth_of_config(spec: ArchitectureSpec, number: float = 4.0) -> Growth:
    return Growth(count_parameters(spec).active, number, spec)


def exponents_said(exponents: Mapping[str, float | None]) -> str:
    """ "prefill 1.9, decode 1.0, state 0": what could be fitted."""
    return ", ".join(f"{name} {_round(value)}" for name, value in exponents.items() if value is not None)


def _round(value: float) -> str:
    return "0" if abs(value) < 0.05 else f"{value:.1f}"
