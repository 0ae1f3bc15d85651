"""What this machine can compute on. The only module that asks torch, psutil and the processor; tests inject answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Gpu:
    """One CUDA device. Sizes in bytes; ``bf16`` is true where bfloat16 runs natively (compute capability 8 and up)."""

    index: int
    name: str
    total_bytes: int
    free_bytes: int
    bf16: bool


@dataclass(frozen=True, slots=True)
class Hardware:
    """What ``placement`` chooses from. ``ram_available_bytes`` is what could be taken without swapping."""

    cuda: tuple[Gpu, ...] = ()
    mps: bool = False
    cpu_bf16: bool = False
    cpu_threads: int = 1
    ram_available_bytes: int = 0


def probe() -> Hardware:
    """Ask the machine. Imports torch, which takes a second or two the first time."""
    import torch

    memory = psutil.virtual_memory()
    return Hardware(
        cuda=_cuda_devices(),
        mps=bool(torch.backends.mps.is_available()),
        cpu_bf16=_cpu_has_bf16(),
        cpu_threads=torch.get_num_threads(),
        ram_available_bytes=min(int(memory.available), _container_headroom_bytes()),
    )


def _cuda_devices() -> tuple[Gpu, ...]:
    import torch

    if not torch.cuda.is_available():
        return ()
    gpus = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        free, total = torch.cuda.mem_get_info(index)
        gpus.append(Gpu(index, str(properties.name), int(total), int(free), bf16=properties.major >= 8))
    return tuple(gpus)


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated, it is slower than float32."""
    import torch

    probe_capabilities = getattr(torch.cpu, "get_capabilities", None)  # torch 2.11 and later
    if probe_capabilities is not None:
        capabilities = probe_capabilities()
        return any(bool(capabilities.get(flag)) for flag in ("avx512_bf16", "amx_bf16", "arm_bf16", "bf16"))
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").lower().split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


def _container_headroom_bytes() -> int:
    """Memory left under a container's limit (cgroup v2), which psutil does not see; huge where there is none."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        statistics = (folder / "memory.stat").read_text(encoding="ascii").split()
        reclaimable = int(statistics[statistics.index("inactive_file") + 1])
        return max(0, int(limit) - used + reclaimable)  # "max" is no number: no limit
    except (OSError, ValueError, IndexError):
        return 1 << 62
