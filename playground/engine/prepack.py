"""Linear layers whose weights lie in memory as the CPU's matrix kernels read them.

oneDNN multiplies fastest from a blocked layout and otherwise reorders or reads a weight badly at every call; a decode
step is nothing but such reads. Packing once gave 1.2 to 1.6 times the decode speed on the CPUs measured, with the
same results up to float rounding. The operators are torch's own but private, so their absence, any refusal and any
failure leave the model as it was. Knows no prompts and no tokens.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import cast

import torch
from torch import nn

_TIMED_RUNS = 7
_WORTHWHILE = 1.05  # packed must be at least this much faster, or the plain layers stay
_DTYPES = (torch.float32, torch.bfloat16)


class PackedLinear(nn.Module):
    """A drop-in for ``nn.Linear`` on the CPU. ``weight`` is kept only where another module shares it."""

    def __init__(self, linear: nn.Linear, *, shares_weight: bool) -> None:
        super().__init__()
        self.in_features = linear.in_features
        self.out_features = linear.out_features
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self.bias = linear.bias
        self.dtype = linear.weight.dtype
        if shares_weight:
            self.weight = linear.weight  # an embedding's: no second copy of it here

    def forward(self, states: torch.Tensor) -> torch.Tensor:  # (..., in_features) -> (..., out_features)
        result = torch.ops.mkldnn._linear_pointwise(states, self.packed, self.bias, "none", [], "")
        return cast(torch.Tensor, result)


def pack_linears(model: nn.Module) -> int:
    """Replace the model's linear layers by packed ones if that is possible and pays here; returns how many.

    In place: each plain weight is released as its layer is replaced, so the peak is one layer more. A head tied to
    the embedding gets a packed copy, and the embedding keeps the weight. Never raises: 0 means nothing changed.
    """
    found = list(_plain_linears(model))
    if not found or not _is_possible(found) or not _pays(found):
        return 0
    shared = _shared_weights(model)
    for parent, name, linear in found:
        setattr(parent, name, PackedLinear(linear, shares_weight=id(linear.weight) in shared))
    return len(found)


def _plain_linears(model: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """(parent, attribute, layer) of exact ``nn.Linear``s: a subclass or a hooked one may do more than multiply."""
    for parent in model.modules():
        for name, child in parent.named_children():
            hooked = child._forward_hooks or child._forward_pre_hooks or hasattr(child, "_hf_hook")
            if type(child) is nn.Linear and not hooked:
                yield parent, name, child


def _shared_weights(model: nn.Module) -> set[int]:
    """Identities of weights that more than one module holds (a head tied to the embedding)."""
    owners: dict[int, int] = {}
    for module in model.modules():
        for parameter in module._parameters.values():
            if parameter is not None:
                owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return {identity for identity, count in owners.items() if count > 1}


def _is_possible(found: list[tuple[nn.Module, str, nn.Linear]]) -> bool:
    linears = [linear for _parent, _name, linear in found]
    if not torch._C._has_mkldnn or not torch.backends.mkldnn.enabled:
        return False
    if any(linear.weight.device.type != "cpu" or linear.weight.dtype not in _DTYPES for linear in linears):
        return False
    if linears[0].weight.dtype is torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    try:
        with torch.inference_mode():
            probe = linears[0]
            states = torch.linspace(-1, 1, probe.in_features, dtype=probe.weight.dtype)[None]
            expected, packed = probe(states), PackedLinear(probe, shares_weight=False)(states)
            tolerance = 1e-4 if states.dtype is torch.float32 else 3e-2
            return torch.allclose(expected, packed, rtol=tolerance, atol=tolerance * float(expected.abs().max() + 1))
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


def _pays(found: list[tuple[nn.Module, str, nn.Linear]]) -> bool:
    """Time one row through one layer of each frequent shape, both ways, interleaved. A few tens of milliseconds."""
    by_shape: dict[tuple[int, int], list[nn.Linear]] = {}
    for _parent, _name, linear in found:
        by_shape.setdefault((linear.in_features, linear.out_features), []).append(linear)
    plain_seconds = packed_seconds = 0.0
    with torch.inference_mode():
        for (in_features, _out_features), linears in by_shape.items():
            states = torch.ones(1, in_features, dtype=linears[0].weight.dtype)
            packed = PackedLinear(linears[0], shares_weight=False)
            plain_one, packed_one = _race(linears[0], packed, states)
            plain_seconds += plain_one * len(linears)
            packed_seconds += packed_one * len(linears)
    return plain_seconds > packed_seconds * _WORTHWHILE


def _race(left: nn.Module, right: nn.Module, states: torch.Tensor) -> tuple[float, float]:
    """Median seconds a call of each, taken in turns so that a busy machine slows both alike."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_TIMED_RUNS):
        for layer, seconds in zip((left, right), times, strict=True):
            started = time.perf_counter()
            layer(states)
            seconds.append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])
