"""One name for one wish: a model, device or number format spelt out where the default would give the same is the default.

Two readers whose links differ in words only so share one model in memory. Loads nothing and asks no network.
"""

from __future__ import annotations

from playground.errors import PlaygroundError
from playground.models.catalogue import CATALOGUE, ModelSource, resolve
from playground.models.hardware import Hardware, probe
from playground.models.placement import choose

_ANY_SIZE = (1, 10**15)  # parameters: of a model whose size is not known, what holds for the smallest and the largest


def normal_names(
    spec: str | None, device: str | None, dtype: str | None, hardware: Hardware | None = None
) -> tuple[str | None, str | None, str | None]:
    """The same wish in its shortest words, None for each that would be chosen anyway; a folder is its resolved path.

    What cannot be understood stays as it is: loading it says why. ``("smollm2-135m-instruct", "cpu", "fp32")`` on a
    machine without a GPU is ``(None, None, None)``.
    """
    wanted_device, wanted_dtype = _wish(device), _wish(dtype)
    source = _source(spec)
    name = spec if source is None else _name(source)
    if source is not None and source.kind == "server":
        return name, None, None  # it runs where its server put it
    if wanted_device is None and wanted_dtype is None:
        return name, None, None  # the usual case, which need not wait for torch to be imported
    entry = CATALOGUE.get(source.id) if source else None
    sizes = _ANY_SIZE if entry is None else (entry.parameters,)
    machine = hardware or probe()
    try:
        asked = [choose(machine, device=wanted_device, dtype=wanted_dtype, parameters=size) for size in sizes]
        anyway = [choose(machine, dtype=wanted_dtype, parameters=size) for size in sizes]
        formats = {choose(machine, device=wanted_device, parameters=size).dtype for size in sizes}
    except PlaygroundError:
        return name, wanted_device, wanted_dtype
    same_place = all((a.device, a.device_map) == (b.device, b.device_map) for a, b in zip(asked, anyway, strict=True))
    named = asked[0].dtype
    return (
        name,
        None if same_place else wanted_device,
        None if wanted_dtype is None or formats == {named} else named,
    )


def _wish(given: str | None) -> str | None:
    text = (given or "").strip().lower()
    return None if text in ("", "auto") else text


def _source(spec: str | None) -> ModelSource | None:
    try:
        return resolve(spec if spec and spec.strip() else None)
    except PlaygroundError:
        return None


def _name(source: ModelSource) -> str | None:
    default = _source(None)
    if default is not None and _weights(source) == _weights(default):
        return None
    if source.path is not None:
        return str(source.path)
    listed = (name for name, entry in CATALOGUE.items() if not entry.bundled and entry.hub_id == source.hub_id)
    return source.id if source.revision else next(listed, source.id)


def _weights(source: ModelSource) -> tuple[object, ...]:
    return source.kind, source.path, source.hub_id, source.revision
