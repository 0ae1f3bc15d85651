"""Linear layers that multiply a few rows from their weights' codes and many rows as before.

The layer keeps its float weight and its place in the model; only its ``forward`` learns a shorter way for a decode
step. Done piece by piece when the engine has nothing else to do, and measured: where the short way is not the faster
one, it is taken out again. Knows no prompts and no tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

import torch
from torch import nn

from playground.engine.code_kernels import KERNEL_ROWS, kernel, multiply
from playground.engine.codes import Codes, find_codes, join_codes
from playground.engine.prepack import PackedLinear, cpu_threads

_WORTHWHILE = 1.05  # the short way must be at least this much faster
_RACES = 3
_PIECE_OUTPUTS = 2048
MOST_ROWS = KERNEL_ROWS[-1]  # taken by one loop
TWICE = 2 * MOST_ROWS  # by two, where that is measured to be faster; beyond, torch's kernels on all threads always are


class CodedForward:
    """A linear layer's ``forward``: (..., inputs) -> (..., outputs)."""

    def __init__(self, layer: nn.Linear | PackedLinear, codes: Codes) -> None:
        self._plain: Callable[[torch.Tensor], torch.Tensor] = layer.forward
        self._bias = layer.bias
        self.codes = codes
        self.most_rows = MOST_ROWS

    def plain(self, states: torch.Tensor) -> torch.Tensor:
        return self._plain(states)

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        inputs = self.codes.inputs
        rows = states.numel() // inputs
        fits = 0 < rows <= self.most_rows and states.dtype == torch.float32 and states.device.type == "cpu"
        if not fits or states.requires_grad or torch.is_grad_enabled():
            return self._plain(states)
        result = multiply(self.codes, states.reshape(rows, inputs).contiguous())
        if self._bias is not None:
            result += self._bias
        return result.view(*states.shape[:-1], self.codes.outputs)


def attach_codes(model: nn.Module, most_bytes: int) -> Iterator[None]:
    """Teach every layer whose weight has codes the short way, one layer a piece; nothing where it does not pay.

    ``most_bytes``: memory the codes may take; a model that needs more stays as it is. Weights that do not lie exactly
    on a grid (almost all models but converted four- and eight-bit ones) end this at the first layer. Never raises.
    """
    layers: list[Any] = [layer for layer in model.modules() if type(layer) in (nn.Linear, PackedLinear)]
    if not layers or not _can_compile():
        return
    done: list[Any] = []
    used_bytes = 0
    for layer in layers:
        codes = None if hasattr(layer, "_hf_hook") else (yield from _codes_of(layer.weight))
        if codes is None and not done:
            return
        if codes is not None:
            used_bytes += codes.nbytes
            if used_bytes > most_bytes:
                _detach(done)
                return
            layer.forward = CodedForward(layer, codes)
            done.append(layer)
        yield
    for rows in KERNEL_ROWS:  # compiled here and not within somebody's first steps
        for bits in sorted({layer.forward.codes.bits for layer in done}):
            kernel(bits, rows)
            yield
    if not (yield from _is_faster(done, 1)):
        _detach(done)
        return
    if not done:
        return
    for layer in done:
        layer.forward.most_rows = TWICE
    if not (yield from _is_faster(done, TWICE)):
        for layer in done:
            layer.forward.most_rows = MOST_ROWS


def _codes_of(weight: torch.Tensor) -> Generator[None, None, Codes | None]:
    """``find_codes``, some outputs a piece, on one thread: whoever asks meanwhile waits for milliseconds."""
    parts: list[Codes] = []
    for begin in range(0, weight.shape[0], _PIECE_OUTPUTS):
        if parts:
            yield
        with cpu_threads(1):
            found = find_codes(weight[begin : begin + _PIECE_OUTPUTS])
        if found is None or (parts and found.bits != parts[0].bits):
            return None
        parts.append(found)
    return join_codes(parts) if parts else None


def coded_layers(model: nn.Module) -> int:
    """How many layers know the short way."""
    return sum(isinstance(layer.__dict__.get("forward"), CodedForward) for layer in model.modules())


def _detach(layers: list[Any]) -> None:
    for layer in layers:
        del layer.forward  # the class's own comes to light again


def _can_compile() -> bool:
    try:
        kernel(4, 1)
    except (ImportError, OSError, RuntimeError):
        return False
    return True


def _is_faster(layers: list[Any], rows: int) -> Generator[None, None, bool]:
    """Race so many rows through all layers, both ways in turns; returns whether the short way won."""
    shorter: list[float] = []
    longer: list[float] = []
    for _ in range(_RACES):
        shorter.append(_seconds(layers, rows, lambda layer: layer.forward))
        yield
        longer.append(_seconds(layers, rows, lambda layer: layer.forward.plain))
        yield
    return min(shorter) * _WORTHWHILE < min(longer)


def _seconds(layers: list[Any], rows: int, way: Callable[[Any], Callable[[torch.Tensor], torch.Tensor]]) -> float:
    with torch.inference_mode():
        states = {layer.in_features: torch.ones(rows, layer.in_features) for layer in layers}
        started = time.perf_counter()
        for layer in layers:
            way(layer)(states[layer.in_features])
        return time.perf_counter() - started
