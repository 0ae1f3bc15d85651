"""The loop of a training: steps that are seen, paused, repeated by their seed and taken up again from a checkpoint.

TRL's Trainer owns its loop and runs it to the end; here each pass gives others their turn at the model, so the loop is ours
and the losses are held against TRL's. Rows and a student in, ``TrainStep``s out; knows no disk and no page.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import torch

from playground.errors import TrainingDiverged
from playground.training.objectives import Objective
from playground.training.settings import TrainSettings
from playground.training.steps import PreferenceNumbers, Reading, TrainStep
from playground.training.student import Student, Tensors

LARGEST_GRADIENT = 1.0  # longer ones are scaled down to it, as TRL's max_grad_norm does
_RECENT = 3  # steps whose mean loss tells a divergence
Curve = tuple[TrainStep, ...]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that a training goes on from after its last finished step. ``optimizer``: Adam's moments and counts, by name.

    ``reference``: what the objective has read before the first step.
    """

    steps: Curve
    taught: Tensors
    optimizer: Tensors
    best: Tensors
    best_value: float | None
    reference: Tensors = field(default_factory=dict)


Saved = Callable[[Checkpoint], None]


class Training:
    """``run`` is its steps; ``checkpoint`` can be asked for between two of them."""

    def __init__(
        self,
        student: Student,
        objective: Objective[Any],
        train: Sequence[int],
        heldout: Sequence[int],
        settings: TrainSettings,
        start: Checkpoint | None = None,
    ) -> None:
        """``train``, ``heldout``: places of the objective's rows. ``start``: where to go on."""
        self._student, self._objective, self._settings = student, objective, settings
        self._train, self._heldout = list(train), list(heldout)
        self._named = student.trainable()
        self._optimizer = torch.optim.AdamW(
            list(self._named.values()), lr=settings.learning_rate, weight_decay=0.0, foreach=False
        )
        self._steps: list[TrainStep] = []
        self.reading: Reading | None = None  # while rows are read before step 0, or before a resumed one goes on
        self._best: Tensors = {}
        self._best_value: float | None = None
        if start is not None:
            self._load(start)

    @property
    def total(self) -> int:
        """Steps in all."""
        return self._settings.epochs * self._per_epoch

    @property
    def _per_epoch(self) -> int:
        return math.ceil(len(self._train) / self._settings.batch)

    @property
    def steps(self) -> Curve:
        return tuple(self._steps)

    @property
    def best(self) -> Tensors:
        """What was taught when the held-out loss was lowest; without held-out rows, at the last step."""
        return self._best or self._student.state()

    # -- going on ------------------------------------------------------------------------------------------------------

    def checkpoint(self) -> Checkpoint:
        """Of the last finished step."""
        read = self._objective.what_was_read()
        return Checkpoint(self.steps, self._student.state(), self._moments(), dict(self._best), self._best_value, read)

    def _moments(self) -> Tensors:
        state = self._optimizer.state
        return {
            f"{name}|{what}": value.detach().cpu().clone()
            for name, one in self._named.items()
            for what, value in state.get(one, {}).items()
        }

    def _load(self, start: Checkpoint) -> None:
        self._student.load_state(start.taught)
        self._objective.take_read(start.reference)
        self._steps, self._best, self._best_value = list(start.steps), dict(start.best), start.best_value
        for key, value in start.optimizer.items():
            name, _, what = key.rpartition("|")
            one = self._named[name]
            self._optimizer.state[one][what] = value.clone() if what == "step" else value.to(one.device).clone()

    # -- running -------------------------------------------------------------------------------------------------------

    def run(self) -> Generator[TrainStep | None, None, Curve]:
        """Each step as it ends; None gives others a turn. Raises TrainingDiverged once the loss runs away."""
        places, read = [*self._train, *self._heldout], 0
        for rows in self._objective.before(places):
            read += rows
            self.reading = Reading(read / len(places))
            yield None
        self.reading = None
        if not self._steps:
            value, pairs = yield from self._held_out()
            first = TrainStep(0, self.total, 0.0, None, value, self._rate(0), None, 0, 0.0, heldout_preference=pairs)
            self._steps.append(first)
            yield first
        elif self._heldout and self._is_measured(self._steps[-1].step) and self._steps[-1].heldout is None:
            yield (yield from self._measure_last())  # it was paused before that
        while len(self._steps) <= self.total:
            step = yield from self._step(len(self._steps))
            self._steps.append(step)  # its weights are there: a checkpoint may be asked for before it is measured
            if self._is_measured(step.step):
                step = yield from self._measure_last()
            self._refuse_divergence()
            yield step
        return self.steps

    def _step(self, number: int) -> Generator[None, None, TrainStep]:
        places = self._places(number)
        weight, total, sums, spent = self._objective.weight(places), 0.0, dict[str, float](), 0.0
        rate = self._rate(number - 1)
        self._optimizer.zero_grad(set_to_none=True)
        for group in self._objective.passes(places):
            started = time.perf_counter()
            with torch.enable_grad():
                loss = self._objective.loss(group, sums)
            spent += time.perf_counter() - started
            yield
            started = time.perf_counter()
            (loss / weight).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) / weight
            spent += time.perf_counter() - started
            yield
        started = time.perf_counter()
        norm = float(torch.nn.utils.clip_grad_norm_(list(self._named.values()), LARGEST_GRADIENT))
        numbers = self._objective.numbers(sums)
        step = self._new_step(number, total, rate, norm, places, numbers)
        if math.isfinite(total) and math.isfinite(norm):
            for group_ in self._optimizer.param_groups:
                group_["lr"] = rate
            self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return replace(step, seconds=spent + time.perf_counter() - started)

    def _new_step(
        self, number: int, loss: float, rate: float, norm: float, places: list[int], pairs: PreferenceNumbers | None
    ) -> TrainStep:
        epoch = number / self._per_epoch
        tokens = self._objective.tokens(places)
        return TrainStep(number, self.total, epoch, loss, None, rate, norm, tokens, 0.0, preference=pairs)

    def _places(self, number: int) -> list[int]:
        """The rows of a step: each epoch in an order of its own, drawn by the seed."""
        epoch, within = divmod(number - 1, self._per_epoch)
        order = list(self._train)
        Random(f"{self._settings.seed}/{epoch}").shuffle(order)
        return order[within * self._settings.batch : (within + 1) * self._settings.batch]

    def _rate(self, done: int) -> float:
        """The learning rate after ``done`` steps: down to 0 in a straight line, as TRL's default."""
        return self._settings.learning_rate * (1 - done / self.total)

    def _is_measured(self, number: int) -> bool:
        """Whether the held-out rows are looked at after a step: twice an epoch, and at the end."""
        half = max(1, self._per_epoch // 2)
        return number == self.total or number % self._per_epoch in (0, half)

    def _held_out(self) -> Generator[None, None, tuple[float | None, PreferenceNumbers | None]]:
        if not self._heldout:
            return None, None
        value, pairs = yield from self._objective.evaluate(self._heldout)
        return value, pairs

    def _measure_last(self) -> Generator[None, None, TrainStep]:
        """The last step with its loss on held-out rows, if there are any."""
        value, pairs = yield from self._held_out()
        step = self._steps[-1] = self._judged(replace(self._steps[-1], heldout=value, heldout_preference=pairs))
        return step

    def _judged(self, step: TrainStep) -> TrainStep:
        """The step, marked and kept where it is the best so far."""
        if step.heldout is None or not math.isfinite(step.heldout):
            return step
        if self._best_value is not None and step.heldout >= self._best_value:
            return step
        self._best, self._best_value = self._student.state(), step.heldout
        return replace(step, best=True)

    def _refuse_divergence(self) -> None:
        """Raises where the loss is no number, or of late lies far above where it began."""
        losses = [step.loss for step in self._steps if step.loss is not None]
        last, norm = self._steps[-1].loss, self._steps[-1].gradient_norm
        if last is None:
            return
        finite = math.isfinite(last) and (norm is None or math.isfinite(norm))
        recent = sum(losses[-_RECENT:]) / len(losses[-_RECENT:])
        if finite and (len(losses) <= 1 or recent <= 2 * losses[0] + 1):
            return
        rate = self._settings.learning_rate
        went = f"went from {losses[0]:.3g} to {recent:.3g}" if finite else "is no number any more"
        raise TrainingDiverged(
            f"The loss {went} at step {self._steps[-1].step} of {self.total}: the learning rate {rate:g} is too high. Train "
            f"anew with {min(rate / 10, 1e-3):.0e}; what was best until then is kept."
        )
