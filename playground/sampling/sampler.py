"""What a sampler and its parameters are: the columns of the registry's rows. Types only; knows no sampler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from playground.sampling.formulas import Template, fill
from playground.sampling.rows import DiagnosticValue

if TYPE_CHECKING:
    import torch

Kind = Literal["float", "int", "bias", "strings"]
Value = float | int | tuple[tuple[int, float], ...] | tuple[str, ...]
Group = Literal["bias", "penalty", "temperature", "truncation"]
Panel = Literal["Main", "Penalties", "Truncation", "Adaptive"]
Engine = Literal["transformers", "vllm", "sglang", "llama.cpp", "ollama", "openai"]

# (batch, vocab) float32 logits, one context a row, diagnostics to write into or None, and the row's parameters by
# keyword; the same shape out. Never changes its input.
Apply = Callable[..., "torch.Tensor"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting. ``name`` is the attribute of ``SamplerSettings`` and, with dashes, the command line's flag.

    ``low`` and ``high`` bound what is accepted (inclusive); ``usual`` is the span people work in, the ends of a slider.
    Bounds of a "bias" are those of each value; a "strings" parameter has none. ``exported_as``: by engine (or command), its
    name there where that is another one. ``sent_when_off``: by engine, the value that switches it off there, for engines whose
    default is another one.
    """

    name: str
    label: str
    kind: Kind
    neutral: Value
    low: float
    high: float
    step: float
    usual: tuple[float, ...]
    help: str
    exported_as: Mapping[str, str] = field(default_factory=dict)
    sent_when_off: Mapping[str, Value] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


def real(
    name: str,
    label: str,
    neutral: float,
    bounds: tuple[float, float],
    step: float,
    usual: tuple[float, float],
    help: str,
    **more: Any,
) -> Parameter:
    """A parameter that is a real number; ``more`` are the fields of ``Parameter`` with defaults."""
    return Parameter(name, label, "float", neutral, bounds[0], bounds[1], step, usual, help, **more)


def whole(
    name: str, label: str, neutral: int, bounds: tuple[int, int], usual: tuple[int, int], help: str, **more: Any
) -> Parameter:
    """A parameter that is a whole number."""
    return Parameter(name, label, "int", neutral, bounds[0], bounds[1], 1, usual, help, **more)


@dataclass(frozen=True, slots=True)
class Sampler:
    """One step of the chain. ``parameters[0]`` is its switch: at its neutral value the sampler does nothing.

    ``reads``: parameters of other samplers that ``apply`` takes too. ``formula`` is LaTeX, ``filled`` the same with
    placeholders for a stage's numbers (see ``formulas.fill``). ``reference`` names the implementation that is not ours
    with which the tests compare: "transformers <class>" where there is one, and the page's proof then runs it too.
    ``places``: by order ("hf", "vllm", "llama.cpp"), its place among that order's samplers, smallest first; an order
    it has no place in runs it at the end of its group. ``engines`` can be sent it; ``llama_cpp_step`` is its name in
    llama.cpp's list of samplers and ``sent_along`` what an engine must be told besides. ``panel``: the group of
    controls it stands in. ``aliases``: short names people use in an order.
    """

    name: str
    label: str
    group: Group
    parameters: tuple[Parameter, ...]
    apply: Apply
    formula: str
    filled: Template
    explain: str
    source: str
    reference: str
    panel: Panel
    places: Mapping[str, int] = field(default_factory=dict)
    engines: tuple[Engine, ...] = ()
    llama_cpp_step: str | None = None
    sent_along: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    off: Callable[[Mapping[str, Any]], bool] | None = None  # where "neutral" is more than one value of the switch

    def values(self, settings: object) -> dict[str, Any]:
        """The keyword arguments of ``apply`` out of settings."""
        names = (*(parameter.name for parameter in self.parameters), *self.reads)
        return {name: getattr(settings, name) for name in names}

    def is_neutral(self, settings: object) -> bool:
        """Whether these settings make the sampler do nothing."""
        if self.off is not None:
            return self.off(self.values(settings))
        switch = self.parameters[0]
        return bool(getattr(settings, switch.name) == switch.neutral)

    def filled_formula(self, settings: object, diagnostics: Mapping[str, DiagnosticValue]) -> str:
        """LaTeX of the formula with the values it had at a stage with these diagnostics."""
        return fill(self.filled, self.values(settings), diagnostics)
