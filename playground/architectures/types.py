"""What comes of a training: its steps, and the accuracy at each size. No torch."""

from __future__ import annotations

from dataclasses import dataclass

from playground.architectures.request import LearnRequest

TRIED = 256  # texts at each size, after the training


@dataclass(frozen=True, slots=True)
class LearnStep:
    """``loss`` in nats and ``accuracy`` on the largest size trained on, of answers that were asked for."""

    step: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """``accuracies``: by size, of ``TRIED`` texts each. ``alignment``: of one text (written, read), with its symbols."""

    request: LearnRequest
    steps: tuple[LearnStep, ...]
    accuracies: tuple[tuple[int, float], ...]
    parameters: int
    seconds: float
    alignment: tuple[tuple[float, ...], ...] = ()
    symbols: tuple[int, ...] = ()

    @property
    def accuracy(self) -> float:
        """At the largest size that was trained on."""
        return dict(self.accuracies)[self.request.size]
