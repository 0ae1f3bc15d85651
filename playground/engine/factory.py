"""From what a user typed to a running engine. The only place that knows which engine class a choice of model gets."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from playground.engine.api import Engine, Streamer
from playground.errors import BadInput
from playground.models.adapters import find_adapter
from playground.models.address import ServerAccess, key_for, parse_address
from playground.models.catalogue import MODEL_VARIABLE, resolve
from playground.models.locating import LocatedModel, locate
from playground.models.naming import base_names
from playground.models.wording import Progress, silent, within


def make_engine(
    spec: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    progress: Progress | None = None,
    streamer: Streamer | None = None,
    access: ServerAccess | None = None,
    admit: Callable[[LocatedModel], None] = lambda located: None,
    crowded: Callable[[], bool] = lambda: False,
) -> Engine:
    """Load ``spec`` and put an engine around it, or find out what answers where it is an address.

    ``device`` and ``dtype`` None mean the best this machine has. ``progress`` is told what is being done and the
    fraction done, 0 to 1; ``streamer`` makes ``Stream`` of an engine's rows; ``access`` says which servers may be asked,
    None: as a visitor of the app may. ``admit`` may refuse a model of this process before a weight is read;
    ``crowded`` says whether others need this machine's processors now.

    Raises a ModelError of ``playground.errors`` when the model cannot be had.
    """
    report = progress or silent
    source = resolve(spec)
    if source.adapter is not None:
        find_adapter(source.adapter)  # what can be refused is, before a weight of the base is read
        names = base_names(spec, device, dtype)
        assert names is not None
        return adapted(make_engine(*names, progress, streamer, access, admit, crowded), spec)
    if source.kind == "server":
        if any(wish not in (None, "", "auto") for wish in (device, dtype)):
            raise BadInput("A served model runs where its server put it: leave device and dtype out.", field="device")
        return _connected(source.id, access or ServerAccess(), report)
    located = locate(spec, device=device, dtype=dtype, progress=within(report, 0.0, 0.6))
    admit(located)
    # Only now what imports transformers' models, which takes seconds.
    from playground.engine.hf.engine import TransformersEngine
    from playground.engine.hf.prepack import tune_for_cpu
    from playground.models.loading import read

    loaded = read(located, progress=within(report, 0.6, 0.9))
    step_threads = None
    if loaded.info.device == "cpu" and not loaded.model._is_stateful:  # recurrent layers read weights themselves
        report("Arranging the weights for this processor", 0.9)
        step_threads = tune_for_cpu(loaded.model).step_threads
    report("The model is ready", 1.0)
    return TransformersEngine(loaded, step_threads=step_threads, crowded=crowded, streamer=streamer)


def adapted(
    base: Engine, spec: str | None, at_rest: Callable[[], AbstractContextManager[None]] = nullcontext
) -> Engine:
    """The engine of a name with an adapter in it, over the weights of ``base``, the engine of its base. Milliseconds.

    Both must be used by one thread; from another one, ``at_rest`` is a block in which that runs no pass. Raises
    ModelNotFound, ModelRefused, ModelCorrupt or BadInput as ``find_adapter`` and ``adapt`` do.
    """
    from playground.engine.hf.adapted import adapt
    from playground.engine.hf.engine import TransformersEngine

    name = resolve(spec).adapter
    if name is None or not isinstance(base, TransformersEngine):
        raise BadInput(
            "An adapter needs a model whose weights are in this process: choose one that runs here.", "model"
        )
    return adapt(base, find_adapter(name), name, at_rest)


def over_weights_of(first: Engine, spec: str | None) -> Engine:
    """The engine of a name on the same base as ``first``, with an adapter of its own or none: no weight is read again."""
    from playground.engine.hf.engine import TransformersEngine

    base = first.base if isinstance(first, TransformersEngine) else first
    if resolve(spec).adapter is None and isinstance(base, TransformersEngine):
        return base.beside(base.loaded)
    return adapted(base, spec)


def _connected(spec: str, access: ServerAccess, report: Progress) -> Engine:
    address = parse_address(spec)
    key = key_for(address, access, default=os.environ.get(MODEL_VARIABLE, "").strip())
    from playground.engine.remote.connect import connect
    from playground.engine.remote.http import ServerClient

    client = ServerClient(address, key)
    try:
        return connect(client, report)
    except BaseException:
        client.close()
        raise
