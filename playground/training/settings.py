"""What a training can be set to, with the values that are allowed. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, cast, get_args

from playground.errors import BadInput

Kind = Literal["sft", "reward", "dpo"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DTYPES = ("auto", "float32", "bfloat16")
MOST_TOKENS = 2048

TARGETS = ("q_proj", "v_proj")
"""LoRA's own choice (2106.09685, section 7.1), by their names in models of the Llama kind."""

_RATES: Mapping[Kind, float] = {"sft": 1e-3, "reward": 1e-3, "dpo": 2e-4}
"""LoRA of a small model on tens of rows wants more than TRL's defaults for full models (2e-5, 1e-4, 1e-6)."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """``rank`` and ``alpha``: of LoRA (2106.09685), which adds alpha/rank · B·A to the layers whose names end in ``targets``.

    ``batch``: rows a step. ``dtype``: of the frozen weights; "auto" is bfloat16 where the processor has it, float32 elsewhere
    (docs/teach.md has what was measured). ``mask_prompt``: count the loss on responses only. ``chat``: put rows into the
    model's chat template. ``heldout_share``: of the rows, not taught. ``most_tokens``: longer rows are cut at their end.
    ``beta``: of DPO (2305.18290). ``margin``: whether pairs' margins count in the reward loss.
    """

    kind: Kind = "sft"
    rank: int = 8
    alpha: float = 16.0
    targets: tuple[str, ...] = TARGETS
    learning_rate: float = 1e-3
    epochs: int = 3
    batch: int = 4
    seed: int = 0
    dtype: str = "auto"
    mask_prompt: bool = True
    chat: bool = True
    heldout_share: float = 0.15
    most_tokens: int = 512
    beta: float = 0.1
    margin: bool = True

    @classmethod
    def of(cls, kind: Kind) -> TrainSettings:
        """The defaults of a kind."""
        return cls(kind=kind, learning_rate=_RATES[kind])

    def checked(self) -> TrainSettings:
        """Itself. Raises BadInput that names the field."""
        if self.kind not in KINDS:
            raise BadInput(f"A training is one of {', '.join(KINDS)}, not {str(self.kind)[:20]!r}.", "kind")
        _whole("rank", self.rank, 1, 256)
        _whole("epochs", self.epochs, 1, 100)
        _whole("batch", self.batch, 1, 64)
        _whole("seed", self.seed, 0, 2**32 - 1)
        _whole("most_tokens", self.most_tokens, 16, MOST_TOKENS)
        _number("alpha", self.alpha, 0.0, 1024.0)
        _number("learning_rate", self.learning_rate, 0.0, 100.0)
        _number("beta", self.beta, 0.0, 100.0)
        if not 0 <= self.heldout_share <= 0.9:
            raise BadInput(f"heldout_share must be from 0 to 0.9, not {self.heldout_share}.", "heldout_share")
        if self.dtype not in DTYPES:
            raise BadInput(f"dtype must be one of {', '.join(DTYPES)}, not {self.dtype[:20]!r}.", "dtype")
        if not self.targets or not all(name and name.replace("_", "").isalnum() for name in self.targets):
            raise BadInput("targets must name layers, such as q_proj and v_proj.", "targets")
        return self

    def values(self) -> dict[str, Any]:
        """As JSON stores it; ``read_train_settings`` reads it."""
        return asdict(self) | {"targets": list(self.targets)}


def read_train_settings(values: Mapping[str, Any]) -> TrainSettings:
    """What ``values`` wrote; unknown names and wrong kinds raise BadInput."""
    names = {field.name for field in fields(TrainSettings)}
    if unknown := sorted(set(values) - names):
        raise BadInput(f"There is no setting {unknown[0][:40]!r} of a training: leave it out.", unknown[0][:40])
    kind = values.get("kind", "sft")
    if kind not in KINDS:
        raise BadInput(f"A training is one of {', '.join(KINDS)}, not {str(kind)[:20]!r}.", "kind")
    given = dict(values)
    if isinstance(given.get("targets"), (list, tuple)):
        given["targets"] = tuple(map(str, given["targets"]))
    return replace(TrainSettings.of(cast(Kind, kind)), **given).checked()


def _whole(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"{name} must be a whole number from {low:,} to {high:,}, not {str(value)[:20]}.", name)


def _number(name: str, value: object, above: float, high: float) -> None:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not fits or not above < cast(float, value) <= high:
        raise BadInput(f"{name} must be a number above {above:g} and at most {high:g}, not {str(value)[:20]}.", name)
