"""This session's plans: the present setup with the widgets bound to it, and the pinned scenarios."""

from __future__ import annotations

from playground.plan.scenarios import Pins, Scenarios
from playground.plan.setup import ScaleSetup
from playground.scaling.hardware import gpu_table
from playground.ui.kit import session
from playground.ui.kit.widgets import Bound

WIDGETS = Bound(ScaleSetup)


def setup() -> ScaleSetup:
    """The present setup."""
    return session.get(ScaleSetup)


def scenarios() -> Scenarios:
    """The present setup and the pinned ones."""
    return Scenarios(setup(), session.get(Pins).by_letter)


def choose_gpu() -> None:
    """One of the table's GPUs or of those that the reader added."""
    names = (*gpu_table(), *(gpu.name for gpu in setup().own_gpus))
    WIDGETS.choose("gpu", choices={name: name for name in names})
