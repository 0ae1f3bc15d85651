"""What a beam search is asked for. Knows no engine, and no torch: links and the command line read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from playground.errors import BadInput

MOST_BEAMS = 32


@dataclass(frozen=True, slots=True)
class BeamSettings:
    """``beams`` in ``groups`` of equal size (1: plain beam search). Checked on creation: BadInput names its field.

    A finished text of n tokens scores sum(log p) / n ** ``length_penalty``. ``early_stopping`` as in transformers: True
    ends once ``beams`` texts are finished, False when the best running beam cannot win at its present length, "never"
    only when it could not win at any length.
    """

    beams: int = 4
    groups: int = 1
    diversity_penalty: float = 0.0
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False

    def __post_init__(self) -> None:
        if isinstance(self.beams, bool) or not isinstance(self.beams, int) or not 1 <= self.beams <= MOST_BEAMS:
            raise BadInput(f"beams: from 1 to {MOST_BEAMS}, not {str(self.beams)[:40]}.", "beams")
        if isinstance(self.groups, bool) or not isinstance(self.groups, int) or not 1 <= self.groups <= self.beams:
            raise BadInput(f"beam_groups: from 1 to the number of beams, not {str(self.groups)[:40]}.", "beam_groups")
        if self.beams % self.groups:
            raise BadInput(
                f"beam_groups: {self.beams} beams cannot be split into {self.groups} equal groups.", "beam_groups"
            )
        for name, value, low, high in (
            ("diversity_penalty", self.diversity_penalty, 0.0, 100.0),
            ("length_penalty", self.length_penalty, -5.0, 5.0),
        ):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                raise BadInput(f"{name}: from {low:g} to {high:g}, not {str(value)[:40]}.", name)
