"""From what a user typed to a running engine. The only place that knows which engine class a choice of model gets."""

from __future__ import annotations

from collections.abc import Callable

from playground.engine.prepack import pack_linears
from playground.engine.protocol import Engine
from playground.engine.transformers_engine import TransformersEngine
from playground.models.loading import load

Progress = Callable[[str, float], None]


def make_engine(
    spec: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    progress: Progress | None = None,
) -> Engine:
    """Load ``spec`` and put an engine around it.

    ``device`` and ``dtype`` None mean the best this machine has. ``progress`` is told what is being done and the
    fraction done, 0 to 1. Raises a ModelError of ``playground.errors`` when the model cannot be had.
    """
    loaded = load(spec, device=device, dtype=dtype, progress=progress)
    if loaded.info.device == "cpu":
        pack_linears(loaded.model)
    return TransformersEngine(loaded)
