"""Find a model's files and decide where it will run, before a weight is read.

What can be refused is refused here: foreign code, pickles, a model that does not fit. Knows neither torch's modules nor
transformers' models.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.errors import ModelCorrupt, ModelTooLarge
from playground.models.bundled import bundled_revision, ensure_bundled
from playground.models.catalogue import ModelSource, resolve
from playground.models.estimate import (
    MemoryNeed,
    config_dict,
    empty_model,
    estimate_config,
    estimate_folder,
    estimate_gguf,
    read_header,
    require_buildable,
    weight_files,
)
from playground.models.hardware import Hardware, probe
from playground.models.hub import Admit, ensure_snapshot
from playground.models.placement import Placement, choose
from playground.models.safety import check_config, check_folder, check_gguf
from playground.models.wording import Progress, shown, silent, size_text

ALMOST_ALL = 0.98  # some tensors are made, not read
_MOST_PACKED = 32  # numbers of one bit in an integer of a quantized model's file


@dataclass(frozen=True, slots=True)
class LocatedModel:
    """A model that is here, may be loaded and will fit. ``folder`` holds its files, or is its .gguf file.

    ``revision`` names the exact weights, their dtype and the kind of device.
    """

    source: ModelSource
    folder: Path
    revision: str
    memory: MemoryNeed
    placement: Placement

    @property
    def is_quantised(self) -> bool:
        """Whether its weights are quantised, as its config says. A .gguf file's are made plain as they are read."""
        return self.source.kind != "gguf" and bool(config_dict(self.folder).get("quantization_config"))


def locate(
    spec: str | None = None,
    *,
    device: str | None = None,
    dtype: str | None = None,
    hardware: Hardware | None = None,
    progress: Progress | None = None,
) -> LocatedModel:
    """The files of what ``spec`` names, fetched or unpacked if need be; arguments and errors as ``loading.load``."""
    source = resolve(spec)
    machine = hardware or probe()
    choose(machine, device=device, dtype=dtype)  # an impossible wish is refused before minutes are spent

    def admit(config: dict[str, Any], parameters: int | None) -> None:
        check_config(source.id, config)
        require_buildable(source.id, config)
        need = estimate_config(config, "float32", parameters)
        placement = choose(machine, device=device, dtype=dtype, parameters=need.parameters)
        require_memory(source.id, need.in_dtype(placement.dtype), placement, machine)

    folder, weights = _fetch(source, admit, progress or silent)
    need, placement = _place(source, folder, machine, device, dtype)
    return LocatedModel(source, folder, _revision(weights or weights_fingerprint(folder), placement), need, placement)


def _revision(weights: str, placement: Placement) -> str:
    return f"{weights}:{placement.dtype}:{placement.device.split(':')[0]}"


def _fetch(source: ModelSource, admit: Admit, progress: Progress) -> tuple[Path, str | None]:
    """The folder (or .gguf file) that holds the model, fetched or unpacked if need be, and what names its weights."""
    if source.kind == "bundled":
        return ensure_bundled(progress), bundled_revision()
    if source.kind == "hub":
        return ensure_snapshot(str(source.hub_id), source.revision, progress, admit=admit)
    assert source.path is not None
    return source.path, None


def weights_fingerprint(path: Path) -> str:
    """A stable digest of a folder's or file's weights: names, sizes, times and headers, not the contents."""
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    digest = hashlib.sha256(str(path).encode())
    for file in [*files, *((path / "config.json",) if path.is_dir() else ())]:
        facts = file.stat()
        digest.update(f"{file.name}:{facts.st_size}:{facts.st_mtime_ns};".encode())
        with file.open("rb") as opened:
            digest.update(opened.read(65536))
    return digest.hexdigest()[:16]


def _place(
    source: ModelSource, folder: Path, hardware: Hardware, device: str | None, dtype: str | None
) -> tuple[MemoryNeed, Placement]:
    """Check what can be checked without reading weights, then choose; raises ModelTooLarge when it cannot fit."""
    if source.kind == "gguf":
        check_gguf(folder)
        need = estimate_gguf(folder, "float32")
    else:
        check_folder(folder)
        require_buildable(source.id, config_dict(folder))
        need = estimate_folder(folder, "float32")
        if source.kind != "bundled":
            require_all_parameters(source.id, folder, need.parameters)
    placement = choose(hardware, device=device, dtype=dtype, parameters=need.parameters)
    need = need.in_dtype(placement.dtype)
    require_memory(source.id, need, placement, hardware)
    return need, placement


def require_all_parameters(name: str, folder: Path, stored: int) -> None:
    """Raise ModelCorrupt where the files hold fewer numbers than the config describes: the rest would be allocated first
    and found missing then. A quantized model stores several numbers in one; a config that cannot be built is read later.
    """
    config = config_dict(folder)
    most = _MOST_PACKED if config.get("quantization_config") else 1
    try:
        described = {key: weight.numel() for key, weight in empty_model(config).named_parameters()}
    except Exception:  # each architecture has its own complaints
        return
    if most * stored >= sum(described.values()) * ALMOST_ALL:
        return
    here = {key for file in weight_files(folder) for key in read_header(file)}
    lacking = [key for key in described if key not in here]
    if lacking and most == 1 and here <= set(described):  # saved under the names it has now
        raise ModelCorrupt(
            f"{shown(name)} lacks {len(lacking)} of its tensors, {shown(lacking[0])} first: fetch the model again."
        )
    raise ModelCorrupt(
        f"The config of {shown(name)} describes {sum(described.values()):,} parameters and its weight files hold "
        f"{stored:,}: fetch the model again."
    )


def require_memory(
    name: str, need: MemoryNeed, placement: Placement, hardware: Hardware, promised_bytes: int = 0
) -> None:
    """Raise ModelTooLarge, with both numbers, when ``need`` is more than ``placement`` has beside what is promised."""
    available = max(0, placement.memory_bytes(hardware) - promised_bytes)
    if need.total_bytes > available:
        raise ModelTooLarge(
            f"{shown(name)} needs about {size_text(need.total_bytes)} in {placement.dtype} and {placement.device} has "
            f"{size_text(available)} free: choose a smaller model, a smaller dtype, or close other programs.",
            need.total_bytes,
            available,
        )
