"""What a training tells after each step. Frozen data, written to disk and read back as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PreferenceNumbers:
    """Means over pairs. Rewards: a reward model's scores, or DPO's implicit rewards β(log π − log π_ref) (2305.18290).

    ``margin``: chosen less rejected. ``accuracy``: share of pairs whose chosen has the higher reward. ``logps_*``: summed
    log-probabilities of the responses, nats; None of a reward model. ``kl``: KL(π‖π_ref) in nats a token along the chosen
    responses; measured with the held-out pairs, else None.
    """

    rewards_chosen: float
    rewards_rejected: float
    margin: float
    accuracy: float
    logps_chosen: float | None = None
    logps_rejected: float | None = None
    kl: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Before step 0 the rows are read as the model is before it is taught; ``share`` of that is done, 0 to 1."""

    share: float


@dataclass(frozen=True, slots=True)
class Noted:
    """Sentences on the rows, told before the first step: what was cut, left out, or stands on one side of the split."""

    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainStep:
    """Step ``step`` of ``steps``; step 0 is the untaught model, measured on what is held out (``loss`` None).

    ``loss``: of the step's rows before the step, nats. ``heldout``: loss on the held-out rows after it, where it was
    measured. ``tokens``: read in the step; ``seconds``: its own work, the turns of others left out, held-out not counted.
    ``best``: whether this is the best so far. ``preference``: of the step's pairs; ``heldout_preference``: of the held-out ones.
    """

    step: int
    steps: int
    epoch: float
    loss: float | None
    heldout: float | None
    learning_rate: float
    gradient_norm: float | None
    tokens: int
    seconds: float
    best: bool = False
    preference: PreferenceNumbers | None = None
    heldout_preference: PreferenceNumbers | None = None

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds if self.seconds > 0 else 0.0


def step_values(step: TrainStep) -> dict[str, Any]:
    """As JSON stores it; ``read_step`` reads it."""
    return asdict(step)


def read_step(values: Mapping[str, Any]) -> TrainStep:
    """What ``step_values`` wrote. Raises TypeError where it is something else."""
    given = dict(values)
    for name in ("preference", "heldout_preference"):
        if given.get(name) is not None:
            given[name] = PreferenceNumbers(**given[name])
    return TrainStep(**given)
