"""The base and the same weights with an adapter on them, as two models that can be asked; other strengths are other models."""

from __future__ import annotations

from dataclasses import dataclass

from playground.engine.serving.loading import ModelChoice
from playground.engine.serving.worker import Worker
from playground.models.adapter_names import with_adapter, without_adapter
from playground.ui.runtime import model_pool
from playground.ui.workspace.beside_loading import page_loadings
from playground.ui.workspace.model import worker_of
from playground.ui.workspace.setup import setup


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """``before``: the base alone. ``after``: with the adapter at the strength that was asked for."""

    before: Worker
    after: Worker


def base_name() -> str | None:
    """The base of the model in use, as the setup names it."""
    return without_adapter(setup().model)


def adapted_name(adapter: str, strength: float, *, merged: bool = False) -> str:
    """The base of the model in use with that adapter, as one word."""
    return with_adapter(base_name(), adapter, strength, merged=merged)


def before_and_after(adapter: str, strength: float, *, merged: bool = False) -> BeforeAfter:
    """Raises Pending while either is loaded, and what refuses the adapter."""
    own = setup()
    choices = [
        model_pool().normalised(ModelChoice(name, own.device, own.dtype))
        for name in (base_name(), adapted_name(adapter, strength, merged=merged))
    ]
    before, after = page_loadings(choices)
    return BeforeAfter(worker_of(before, "moved before"), worker_of(after, "moved after"))
