"""The loss of a training, step by step: what is taught in grey, what is held out in the accent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from playground.charts.light import LightChart
from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series, lines_chart
from playground.training.steps import TrainStep


def loss_chart(steps: Sequence[TrainStep]) -> LightChart | None:
    """Both losses over the steps with a mark on the best held-out one; None before there is anything to draw."""
    series, marks = list[Series](), list[Mark]()
    taught = [(step.step, step.loss) for step in steps if step.loss is not None]
    heldout = [(step.step, step.heldout) for step in steps if step.heldout is not None]
    for name, points, kind in (("taught", taught, ""), ("held out", heldout, NOW)):
        if len(points) > 1:
            x, y = (np.array(values, dtype=np.float64) for values in zip(*points, strict=True))
            series.append(Series(name, x, y, kind))
    best = best_step(steps)
    if best is not None and best.heldout is not None:
        near_the_end = best.step > 0.8 * steps[-1].step  # where the curves' names stand; the sentence says its number
        marks.append(
            Mark("" if near_the_end else f"best {best.heldout:.3f}", float(best.step), best.heldout, strong=True)
        )
    if not series:
        return None
    whole = (0.0, float(max(1, steps[-1].steps)))
    return lines_chart(
        LinesData(
            Axis("step", log=False, range=whole), Axis("loss, nats a token", log=False), tuple(series), tuple(marks)
        )
    )


def best_step(steps: Sequence[TrainStep]) -> TrainStep | None:
    """The step whose adapter is kept: the one with the lowest held-out loss so far."""
    return next((step for step in reversed(steps) if step.best), None)


def loss_description(steps: Sequence[TrainStep]) -> str:
    """The curves in words and numbers."""
    taught = [step for step in steps if step.loss is not None]
    heldout = [step for step in steps if step.heldout is not None]
    said = ["Loss over the steps of the training."]
    if taught:
        said.append(
            f"Taught: {taught[0].loss:.3f} at step {taught[0].step}, {taught[-1].loss:.3f} at step {taught[-1].step}."
        )
    if heldout:
        said.append(
            f"Held out: {heldout[0].heldout:.3f} at step {heldout[0].step}, {heldout[-1].heldout:.3f} at step "
            f"{heldout[-1].step}."
        )
    best = best_step(steps)
    if best is not None:
        said.append(f"Best: {best.heldout:.3f} at step {best.step}.")
    return " ".join(said)
