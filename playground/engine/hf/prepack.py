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
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from playground.engine.cpu_threads import cpu_threads

_TIMED_RUNS, _FEWEST_RUNS = 9, 3
_LONGEST_RACE_SECONDS = 0.6
_SAMPLE_BYTES = 64 * 1024 * 1024
_WORTHWHILE = 1.05  # packed must be at least this much faster, or the plain layers stay
_TOLERANCES = {torch.float32: 1e-4, torch.bfloat16: 3e-2}  # by dtype, relative to the largest output


class PackedLinear(nn.Module):
    """A drop-in for ``nn.Linear`` on the CPU, without gradients."""

    def __init__(self, linear: nn.Linear, *, shares_weight: bool) -> None:
        super().__init__()
        self.in_features = linear.in_features
        self.out_features = linear.out_features
        self.packed = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), None)
        self.bias = linear.bias
        self.shared = linear.weight if shares_weight else None  # an embedding's: no second copy of it here

    @property
    def weight(self) -> torch.Tensor:  # (out_features, in_features)
        """The plain weight, for code that reads it: the shared one, else unpacked at each call."""
        if self.shared is not None:
            return self.shared
        unpacked: torch.Tensor = self.packed.to_dense()
        return unpacked

    def forward(self, states: torch.Tensor) -> torch.Tensor:  # (..., in_features) -> (..., out_features)
        result = torch.ops.mkldnn._linear_pointwise(states, self.packed, self.bias, "none", [], "")
        return cast(torch.Tensor, result)


@dataclass(frozen=True, slots=True)
class Tuning:
    """How decode steps run: how many layers were packed, and on how many threads one token is computed."""

    packed_layers: int
    step_threads: int


def tune_for_cpu(model: nn.Module) -> Tuning:
    """Measure how this processor runs one token fastest, now, and arrange the model so. Tenths of a second, once.

    Packing happens in place: each plain weight is released as its layer is replaced, so the peak is one layer more.
    A head tied to the embedding gets a packed copy, and the embedding keeps the weight. More threads are not always
    faster: a token's products are so small that waiting for a second core can cost more than it computes, above all
    when the machine has other work. Never raises; a model that cannot be packed keeps its layers.
    """
    linears = list(_plain_linears(model))
    threads = torch.get_num_threads()
    if not linears or any(linear.weight.device.type != "cpu" for _parent, _name, linear in linears):
        return Tuning(0, threads)
    packable = _is_possible([linear for _parent, _name, linear in linears])
    seconds = _race([linear for _parent, _name, linear in linears], packable, sorted({1, threads}))
    quickest_plain = min((choice for choice in seconds if not choice.packed), key=lambda choice: seconds[choice])
    quickest = min(seconds, key=lambda choice: seconds[choice])
    if not quickest.packed or seconds[quickest] * _WORTHWHILE > seconds[quickest_plain]:
        return Tuning(0, quickest_plain.threads)
    return Tuning(pack_linears(model), quickest.threads)


def pack_linears(model: nn.Module) -> int:
    """Replace the model's plain linear layers by packed ones, in place; returns how many. They must be packable."""
    linears, shared = list(_plain_linears(model)), _shared_weights(model)
    for parent, name, linear in linears:
        setattr(parent, name, PackedLinear(linear, shares_weight=id(linear.weight) in shared))
    return len(linears)


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


def _is_possible(linears: list[nn.Linear]) -> bool:
    """Whether the operators are there, take these weights and give the plain layer's result."""
    dtypes = {linear.weight.dtype for linear in linears}
    if not torch._C._has_mkldnn or not torch.backends.mkldnn.enabled or not dtypes <= set(_TOLERANCES):
        return False
    if torch.bfloat16 in dtypes and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    try:
        with torch.inference_mode():
            probe = linears[0]
            states = torch.linspace(-1, 1, probe.in_features, dtype=probe.weight.dtype)[None]
            expected, packed = probe(states), PackedLinear(probe, shares_weight=False)(states)
            tolerance = _TOLERANCES[states.dtype] * float(expected.abs().max() + 1)
            return torch.allclose(expected, packed, rtol=0.0, atol=tolerance)
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


@dataclass(frozen=True, slots=True)
class _Choice:
    packed: bool
    threads: int


def _race(linears: list[nn.Linear], packable: bool, thread_counts: list[int]) -> dict[_Choice, float]:
    """Median seconds one token spends in a sample of the layers, each way. The ways take turns: a busy machine slows
    all alike.

    The sample is larger than a processor's caches, because a decode step reads every weight from memory once; timing
    one layer over and over would measure the caches.
    """
    sample = _sample(linears)
    kinds: dict[bool, list[nn.Module]] = {False: list(sample)}
    if packable:
        kinds[True] = [PackedLinear(linear, shares_weight=False) for linear in sample]
    inputs = {size: torch.ones(1, size, dtype=sample[0].weight.dtype) for size in {one.in_features for one in sample}}
    states = [inputs[linear.in_features] for linear in sample]
    times: dict[_Choice, list[float]] = {_Choice(packed, threads): [] for packed in kinds for threads in thread_counts}
    deadline = time.perf_counter() + _LONGEST_RACE_SECONDS
    with torch.inference_mode():
        for turn in range(_TIMED_RUNS):
            if turn >= _FEWEST_RUNS and time.perf_counter() > deadline:
                break
            for choice, seconds in times.items():
                with cpu_threads(choice.threads):
                    seconds.append(_seconds_of(kinds[choice.packed], states))
    return {choice: statistics.median(seconds) for choice, seconds in times.items()}


def _sample(linears: list[nn.Linear]) -> list[nn.Linear]:
    """The first layers up to ``_SAMPLE_BYTES``, at least one of each shape; the largest (the head) comes last."""
    sample: list[nn.Linear] = []
    shapes: set[tuple[int, int]] = set()
    used_bytes = 0
    largest = max(linears, key=lambda linear: linear.weight.nbytes)
    for linear in [*(one for one in linears if one is not largest), largest]:
        shape = (linear.in_features, linear.out_features)
        if used_bytes < _SAMPLE_BYTES or shape not in shapes:
            sample.append(linear)
            shapes.add(shape)
            used_bytes += linear.weight.nbytes
    return sample


def _seconds_of(layers: list[nn.Module], states: list[torch.Tensor]) -> float:
    started = time.perf_counter()
    for layer, state in zip(layers, states, strict=True):
        layer(state)
    return time.perf_counter() - started
