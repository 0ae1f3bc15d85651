"""An engine for a base with an adapter on it, beside the base's own engine and over the same weights.

Both run on one thread (see ``serving/adapted_worker.py``), share what is kept of texts read, each under its own
revision, and agree on what was tried out of the architecture. Knows no names and no sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.prepack import PackedLinear, pack_linears
from playground.errors import ModelTooLarge
from playground.models.adapter_names import AdapterName
from playground.models.adapters import Adapter, require_base
from playground.models.hardware import probe
from playground.models.low_rank import attach, merge, merged_bytes, read_factors, share
from playground.models.wording import shown, size_text


def adapt(
    base: TransformersEngine,
    adapter: Adapter,
    name: AdapterName,
    at_rest: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> TransformersEngine:
    """``base`` with ``adapter`` on it, at the strength of ``name``. ``base`` stays as it is, and must outlive it.

    Its modules are copied ``at_rest``: a pass hangs hooks into them and names its attention in their config.

    Raises BadInput for an adapter of another base, ModelCorrupt for one with broken weights, ModelTooLarge where a merged
    copy does not fit.
    """
    loaded = base.loaded
    require_base(adapter, loaded.source)
    factors = read_factors(adapter)
    if name.merged:
        _require_room(base, adapter)
    with at_rest():
        twin = share(loaded.model)
    if name.merged:
        model = merge(twin, adapter, factors, name.strength)
        if any(isinstance(module, PackedLinear) for module in loaded.model.modules()):
            pack_linears(model)
    else:
        model = attach(twin, adapter, factors, name.strength)
    source = replace(loaded.source, adapter=name)
    added = 0 if name.merged else adapter.parameters
    how = ", merged" if name.merged else ""
    info = replace(
        loaded.info,
        id=f"{loaded.source.id}{replace(name, adapter=adapter.id).wish}",
        name=f"{loaded.info.name} + {adapter.name}{'' if name.strength == 1 else f' × {name.strength:g}'}{how}",
        revision=f"{loaded.info.revision}+{adapter.revision}*{name.strength:g}{how}",
        parameters=loaded.info.parameters + added,
        weights_bytes=loaded.info.weights_bytes + 4 * added,
    )
    return base.beside(replace(loaded, model=model, source=source, info=info))


def _require_room(base: TransformersEngine, adapter: Adapter) -> None:
    needed = 2 * merged_bytes(adapter, base.loaded.model.dtype.itemsize)  # plain, then packed
    free = base.loaded.placement.memory_bytes(probe())
    if needed > free:
        raise ModelTooLarge(
            f"The merged weights of {shown(adapter.name)} need about {size_text(needed)} and {size_text(free)} are free: use the "
            "adapter without merging, or close other programs.",
            needed,
            free,
        )
