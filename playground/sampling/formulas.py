"""The samplers' formulas with the numbers of one stage filled in, as LaTeX. Text only; nothing is computed twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from string import Template as StringTemplate
from typing import Any

from playground.sampling.rows import DiagnosticValue

Diagnostics = Mapping[str, DiagnosticValue]
Template = str | Callable[[Mapping[str, Any], Diagnostics], str]


def fill(template: Template, values: Mapping[str, Any], diagnostics: Diagnostics) -> str:
    """LaTeX of ``template``: ``$name`` stands for a parameter or a diagnostic, ``${name_tokens}`` for a count of tokens.

    A template that is a function writes itself. What is unknown is a dash.

    >>> fill(r"p_i < $min_p", {"min_p": 0.05}, {})
    'p_i < 0.05'
    """
    if callable(template):
        return template(values, diagnostics)
    return StringTemplate(template).substitute(_Numbers({**values, **diagnostics}))


class _Numbers(dict[str, Any]):
    """Values as LaTeX, looked up by the names of a template."""

    def __getitem__(self, name: str) -> str:
        count = name.removesuffix("_tokens")
        return number(self.get(name)) if count == name else tokens(self.get(count))


def number(value: DiagnosticValue | None) -> str:
    """A number for a formula: four significant digits, powers of ten for the very small, a dash where unknown."""
    if not isinstance(value, (int, float)):
        return r"\text{–}"
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return r"\text{–}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    if value != 0 and not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        return rf"{mantissa} \times 10^{{{int(exponent)}}}"
    return f"{value:.4g}"


def tokens(count: DiagnosticValue | None) -> str:
    """A count of tokens with its noun."""
    return rf"\text{{{count if count is not None else '–'} token{'' if count == 1 else 's'}}}"
