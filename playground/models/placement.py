"""Which device and number format a model gets, and why. Pure: hardware in, decision out."""

from __future__ import annotations

import os
from dataclasses import dataclass

from playground.errors import BadInput
from playground.models.hardware import Gpu, Hardware
from playground.models.wording import shown

DEVICE_VARIABLE = "PLAYGROUND_DEVICE"
DTYPE_VARIABLE = "PLAYGROUND_DTYPE"
DTYPE_BYTES: dict[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
DTYPE_ALIASES: dict[str, str] = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "half": "float16"}

_LARGE_PARAMETERS = 1_000_000_000  # above this, float32 on a CPU is too slow to explore with
_GPU_SHARE = 0.8  # of the free memory may be weights; the rest is for caches and logits


@dataclass(frozen=True, slots=True)
class Placement:
    """``device`` is what torch calls it ("cpu", "mps", "cuda:0"); ``device_map`` is "auto" for several GPUs."""

    device: str
    dtype: str
    device_map: str | None
    reason: str

    def memory_bytes(self, hardware: Hardware) -> int:
        """Bytes this placement may use: the GPU's free memory, all GPUs' and the RAM, or the RAM."""
        if self.device_map == "auto":
            return sum(gpu.free_bytes for gpu in hardware.cuda) + hardware.ram_available_bytes
        if self.device.startswith("cuda"):
            return next(gpu.free_bytes for gpu in hardware.cuda if f"cuda:{gpu.index}" == self.device)
        return hardware.ram_available_bytes

    def shares_memory(self, other: Placement) -> bool:
        """Whether both take from the same memory: the same GPU's, or the RAM, which Apple's GPU has no other than."""
        own, others = (one.device if one.device.startswith("cuda") else "" for one in (self, other))
        return own == others or "auto" in (self.device_map, other.device_map)


def choose(
    hardware: Hardware, *, device: str | None = None, dtype: str | None = None, parameters: int | None = None
) -> Placement:
    """Decide where a model of ``parameters`` runs and in which format.

    An argument wins over PLAYGROUND_DEVICE or PLAYGROUND_DTYPE, and "auto" (or nothing) leaves the choice to us.
    Raises BadInput for a device or format that this machine or torch does not have, listing those it has.
    """
    wanted_device, device_field = _wish(device, DEVICE_VARIABLE, "device")
    wanted_dtype, dtype_field = _wish(dtype, DTYPE_VARIABLE, "dtype")
    if wanted_dtype is not None:
        wanted_dtype = DTYPE_ALIASES.get(wanted_dtype.removeprefix("torch."), wanted_dtype.removeprefix("torch."))
        if wanted_dtype not in DTYPE_BYTES:
            choices = ", ".join(DTYPE_BYTES)
            raise BadInput(f"{dtype_field} {shown(wanted_dtype)} is unknown: choose one of {choices}.", field="dtype")
    place, device_map, why_device = _device(hardware, wanted_device, device_field, parameters, wanted_dtype)
    if wanted_dtype is not None:
        return Placement(place, wanted_dtype, device_map, f"{why_device}; {wanted_dtype} as asked")
    format_, why_dtype = _dtype(hardware, place, parameters)
    return Placement(place, format_, device_map, f"{why_device}; {why_dtype}")


def possible_devices(hardware: Hardware) -> tuple[str, ...]:
    """The names ``choose`` accepts on this machine."""
    cuda = tuple(f"cuda:{gpu.index}" for gpu in hardware.cuda)
    return ("cpu", *(("mps",) if hardware.mps else ()), *(("cuda", *cuda) if cuda else ()))


def _wish(argument: str | None, variable: str, field: str) -> tuple[str | None, str]:
    """What was asked for, if anything, and how to name the place it was asked in."""
    text, name = (argument, f"The {field}") if argument else (os.environ.get(variable), variable)
    text = (text or "").strip().lower()
    return (None if text in ("", "auto") else text), name


def _device(
    hardware: Hardware, wanted: str | None, field: str, parameters: int | None, dtype: str | None
) -> tuple[str, str | None, str]:
    """(device, device map, why)."""
    if wanted is not None:
        possible = possible_devices(hardware)
        if wanted not in possible:
            choices = ", ".join(possible)
            raise BadInput(f"{field} {shown(wanted)} is not on this machine: choose one of {choices}.", field="device")
        if wanted != "cuda":
            return wanted, None, f"{wanted} as asked"
    if hardware.cuda:
        return _gpu(hardware.cuda, parameters, dtype)
    if hardware.mps:
        return "mps", None, "Apple's GPU is faster than its processor cores"
    return "cpu", None, "there is no GPU"


def _gpu(gpus: tuple[Gpu, ...], parameters: int | None, dtype: str | None) -> tuple[str, str | None, str]:
    """The emptiest GPU when the weights fit on it, since every hop between GPUs costs time; otherwise all of them."""
    best = max(gpus, key=lambda gpu: (gpu.free_bytes, -gpu.index))
    width = DTYPE_BYTES[dtype or "bfloat16"]
    if len(gpus) == 1 or (parameters is not None and parameters * width <= _GPU_SHARE * best.free_bytes):
        return f"cuda:{best.index}", None, f"the GPU {best.name} is the fastest device here"
    return f"cuda:{gpus[0].index}", "auto", f"spread over {len(gpus)} GPUs"


def _dtype(hardware: Hardware, device: str, parameters: int | None) -> tuple[str, str]:
    """(format, why) for ``device``."""
    large = parameters is not None and parameters > _LARGE_PARAMETERS
    if device.startswith("cuda"):
        if all(gpu.bf16 for gpu in hardware.cuda):
            return "bfloat16", "bfloat16 is what GPUs are fastest in and has float32's range"
        return "float16", "this GPU has no bfloat16, float16 is the fastest it has"
    if device == "mps":
        if large:
            return "float16", "float16 halves a large model's memory, which the GPU shares with everything else"
        return "float32", "float32 is exact and a small model fits"
    if large and hardware.cpu_bf16:
        return "bfloat16", "bfloat16 halves what a large model must read, and this processor has it"
    return "float32", "float32 is exact" + ("" if hardware.cpu_bf16 else " and this processor has no bfloat16")
