"""What can be loaded here, for the command line and the sidebar. Reads headers and folder listings, never weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from playground.errors import ModelNotFound, PlaygroundError
from playground.models.bundled import SHAPE, bundled_available
from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL, CatalogueEntry, ModelSource, resolve
from playground.models.estimate import MemoryNeed, config_dict, estimate_config, estimate_folder, estimate_gguf
from playground.models.hardware import Hardware, probe
from playground.models.hub import cached_models, cached_snapshot, is_whole
from playground.models.placement import Placement, choose


@dataclass(frozen=True, slots=True)
class ModelListing:
    """One line of the list. ``memory_bytes`` is what ``device`` would hold in ``dtype``, weights and working memory.

    ``weights_bytes`` is the weights alone. ``available`` means it loads without the network. For a model that is not
    here, nothing but its number of parameters is known, and its working memory is left out.
    """

    id: str
    name: str
    parameters: int
    weights_bytes: int
    memory_bytes: int
    device: str
    dtype: str
    available: bool
    license: str | None = None
    note: str = ""


def list_models(
    hardware: Hardware | None = None, *, device: str | None = None, dtype: str | None = None
) -> tuple[ModelListing, ...]:
    """The catalogue, the default first, then every other whole model in the hub's local cache by name.

    ``device`` and ``dtype`` as in ``placement.choose``, which may raise BadInput. Broken models in the cache are left
    out, as they cannot be loaded.
    """
    machine = hardware or probe()

    def listing(id: str, name: str, need: MemoryNeed, available: bool, entry: CatalogueEntry | None) -> ModelListing:
        placement = choose(machine, device=device, dtype=dtype, parameters=need.parameters)
        need = need.in_dtype(placement.dtype)
        return ModelListing(
            id=id,
            name=name,
            parameters=need.parameters,
            weights_bytes=need.weights_bytes,
            memory_bytes=need.total_bytes,
            device=placement.device,
            dtype=placement.dtype,
            available=available,
            license=entry.license if entry else None,
            note=entry.note if entry else "",
        )

    rows = [listing(id, entry.title, *_catalogue_need(id, entry), entry) for id, entry in CATALOGUE.items()]
    catalogued = {entry.hub_id for entry in CATALOGUE.values() if not entry.bundled}
    for hub_id, folder in sorted(cached_models().items()):
        if hub_id not in catalogued and (need := _cached_need(folder)) is not None:
            rows.append(listing(hub_id, hub_id.rsplit("/", 1)[-1], need, True, None))
    return tuple(rows)


def estimate(source: ModelSource, dtype: str) -> MemoryNeed:
    """The memory ``source`` needs in ``dtype``, without reading weights or the network.

    Of a hub model that is not cached only a catalogue model's weights are known. Raises ModelNotFound or ModelCorrupt.
    """
    if source.kind == "bundled":
        return estimate_config(SHAPE, dtype, CATALOGUE[DEFAULT_MODEL].parameters)
    if source.kind == "gguf" and source.path is not None:
        return estimate_gguf(source.path, dtype)
    folder = source.path or cached_snapshot(str(source.hub_id), source.revision)
    if folder is not None:
        return estimate_folder(folder, dtype)
    entry = CATALOGUE.get(source.id)
    if entry is None:
        raise ModelNotFound(f"The size of {source.id!r} is not known before it is fetched: load it to find out.")
    return estimate_config({}, dtype, entry.parameters)


def place(
    spec: str | None, device: str | None = None, dtype: str | None = None, hardware: Hardware | None = None
) -> tuple[MemoryNeed, Placement] | None:
    """What a choice of model would need and where it would run; None of a model behind an address, which is not here.

    Reads headers at most. Raises as ``catalogue.resolve``, ``estimate`` and ``placement.choose``.
    """
    source = resolve(spec)
    if source.kind == "server":
        return None
    need = estimate(source, "float32")
    placement = choose(hardware or probe(), device=device, dtype=dtype, parameters=need.parameters)
    return need.in_dtype(placement.dtype), placement


def _catalogue_need(id: str, entry: CatalogueEntry) -> tuple[MemoryNeed, bool]:
    """(what it needs in float32, whether it is here)."""
    if entry.bundled:
        return estimate(ModelSource("bundled", id, hub_id=entry.hub_id), "float32"), bundled_available()
    folder = cached_snapshot(entry.hub_id)
    need = _cached_need(folder) if folder is not None else None
    return need or estimate_config({}, "float32", entry.parameters), need is not None


def _cached_need(folder: Path) -> MemoryNeed | None:
    """What a cached model needs in float32, or None where it could not be loaded."""
    try:
        return estimate_folder(folder, "float32") if config_dict(folder) and is_whole(folder) else None
    except PlaygroundError:
        return None
