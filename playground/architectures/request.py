"""What is to be trained: a task, a model, its size and the training's. Checked when made; no torch."""

from __future__ import annotations

from dataclasses import dataclass

from playground.architectures.tasks import LEARNERS, TASKS
from playground.errors import BadInput

WIDTHS = (16, 32, 48, 64, 96, 128)
MOST_STEPS = 20_000
BATCH = 64


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """``size``: the largest that is trained on, a length or a number of pairs. Raises BadInput for what cannot be."""

    task: str
    model: str
    size: int
    width: int = 32
    steps: int = 600
    seed: int = 0
    learning_rate: float = 3e-3
    batch: int = BATCH

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise BadInput(f"There is no task {self.task[:40]!r}: choose one of {', '.join(TASKS)}.", "task")
        task = TASKS[self.task]
        if self.model not in task.models:
            model_exists = self.model in LEARNERS
            said = (
                f"{self.model} does not fit the task {self.task}"
                if model_exists
                else f"There is no model {self.model[:40]!r}"
            )
            raise BadInput(f"{said}: choose one of {', '.join(task.models)}.", "model")
        _check("width", self.width, 8, 256)
        if self.width % 8:
            raise BadInput(f"width must be a multiple of 8, for heads of equal size, not {self.width}.", "width")
        _check(task.axis, self.size, task.sizes[0], task.most)
        _check("steps", self.steps, 1, MOST_STEPS)
        _check("seed", self.seed, 0, 2**32 - 1)
        if not 0 < self.learning_rate <= 1:
            raise BadInput(f"learning_rate must be above 0 and at most 1, not {self.learning_rate:g}.", "learning_rate")


_USUAL = {
    "reverse": (64, 500),
    "copy": (64, 500),
    "mqar": (64, 800),
    "selective-copy": (64, 600),
    "induction": (32, 600),
}


def usual_request(task: str, model: str, seed: int = 0) -> LearnRequest:
    """A task's default width and steps: each model takes half a minute or less on two cores."""
    width, steps = _USUAL[task]
    return LearnRequest(task, model, TASKS[task].usual, width, steps, seed)


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise BadInput(f"{name} must be a whole number from {low:,} to {high:,}, not {value:,}.", name)
