"""The table of devices and number formats, with hardware that this machine need not have."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from playground.errors import BadInput
from playground.models.hardware import Gpu, Hardware, probe
from playground.models.placement import choose

GB = 10**9
AMPERE = Gpu(0, "A100", 80 * GB, 70 * GB, bf16=True)
SECOND = Gpu(1, "A100", 80 * GB, 78 * GB, bf16=True)
TURING = Gpu(0, "T4", 16 * GB, 15 * GB, bf16=False)
RAM: dict[str, Any] = {"ram_available_bytes": 20 * GB}
SMALL, LARGE, HUGE = 135_000_000, 3_000_000_000, 70_000_000_000


@pytest.mark.parametrize(
    ("hardware", "parameters", "expected"),
    [
        (Hardware(**RAM), SMALL, ("cpu", "float32", None)),
        (Hardware(**RAM), LARGE, ("cpu", "float32", None)),
        (Hardware(cpu_bf16=True, **RAM), None, ("cpu", "float32", None)),
        (Hardware(cpu_bf16=True, **RAM), SMALL, ("cpu", "float32", None)),
        (Hardware(cpu_bf16=True, **RAM), 1_000_000_000, ("cpu", "float32", None)),
        (Hardware(cpu_bf16=True, **RAM), 1_000_000_001, ("cpu", "bfloat16", None)),
        (Hardware(mps=True, **RAM), SMALL, ("mps", "float32", None)),
        (Hardware(mps=True, **RAM), LARGE, ("mps", "float16", None)),
        (Hardware(cuda=(AMPERE,), **RAM), SMALL, ("cuda:0", "bfloat16", None)),
        (Hardware(cuda=(TURING,), **RAM), SMALL, ("cuda:0", "float16", None)),
        (Hardware(cuda=(AMPERE, SECOND), **RAM), None, ("cuda:0", "bfloat16", "auto")),
        (Hardware(cuda=(AMPERE, SECOND), **RAM), HUGE, ("cuda:0", "bfloat16", "auto")),
        (Hardware(cuda=(AMPERE, SECOND), **RAM), SMALL, ("cuda:1", "bfloat16", None)),
        (Hardware(cuda=(TURING, SECOND), **RAM), HUGE, ("cuda:0", "float16", "auto")),
    ],
)
def test_the_automatic_choice(hardware: Hardware, parameters: int | None, expected: tuple[object, ...]) -> None:
    placement = choose(hardware, parameters=parameters)
    assert (placement.device, placement.dtype, placement.device_map) == expected
    assert placement.reason


def test_memory_belongs_to_the_chosen_device() -> None:
    hardware = Hardware(cuda=(AMPERE, SECOND), **RAM)
    assert choose(hardware, parameters=HUGE).memory_bytes(hardware) == 168 * GB
    assert choose(hardware, device="cuda:1").memory_bytes(hardware) == 78 * GB
    assert choose(hardware, device="cpu").memory_bytes(hardware) == 20 * GB


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    hardware = Hardware(cuda=(AMPERE,), **RAM)
    monkeypatch.setenv("PLAYGROUND_DEVICE", "cpu")
    monkeypatch.setenv("PLAYGROUND_DTYPE", "bfloat16")
    chosen = choose(hardware)
    assert (chosen.device, chosen.dtype) == ("cpu", "bfloat16")
    chosen = choose(hardware, device="CUDA", dtype="torch.float32")
    assert (chosen.device, chosen.dtype) == ("cuda:0", "float32")
    monkeypatch.setenv("PLAYGROUND_DEVICE", "auto")
    assert choose(hardware).device == "cuda:0"


@pytest.mark.parametrize("asked", ["cuda", "cuda:0", "mps", "gpu", "cuda:zero", "x" * 5000, "\x1b[31m"])
def test_an_impossible_device_lists_the_possible_ones(asked: str) -> None:
    with pytest.raises(BadInput, match=r"choose one of cpu\.") as caught:
        choose(Hardware(**RAM), device=asked)
    assert caught.value.field == "device"
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


def test_an_unknown_dtype_names_where_it_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="float32, bfloat16, float16") as caught:
        choose(Hardware(**RAM), dtype="int8")
    assert caught.value.field == "dtype"
    monkeypatch.setenv("PLAYGROUND_DTYPE", "float64")
    with pytest.raises(BadInput, match="PLAYGROUND_DTYPE"):
        choose(Hardware(**RAM))


def test_the_real_machine_can_be_asked() -> None:
    hardware = probe()
    assert 0 < hardware.ram_available_bytes <= psutil.virtual_memory().total
    assert hardware.cpu_threads >= 1
    assert choose(hardware, device="cpu").dtype == "float32"
