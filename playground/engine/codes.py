"""Weights that were stored in four or eight bits, told from their float32 values alone and written small again.

A model converted from a GGUF file holds float32 weights that take only 16 (Q4_1) or 255 (Q8_0) values in each group of
32 along the input. Reading the codes instead of the floats is a fifth of the memory traffic, and a decode step on a CPU
is little else. Nothing is rounded: a weight that is not exactly on such a grid has no codes. Knows no models.

The layouts are those of llama.cpp's block formats: w = low + scale * code (4 bits), w = scale * code (8 bits).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

GROUP = 32  # weights along the input that share a scale
LANES = 16  # outputs that stand side by side in memory: a vector or several, whatever the processor has
_EXACT = 2.0**-20  # of a group's largest weight: float32 keeps 24 bits, and scale * code + low rounds a few times


@dataclass(frozen=True, slots=True)
class Codes:
    """A weight of (outputs, inputs), as ``code_kernels`` reads it.

    ``packed``: uint8, (outputs / 16, inputs / 32, 16, 16) for 4 bits, input i of a group in the low and input i + 16 in
    the high half; int8, (outputs / 16, inputs / 32, 32, 16) for 8. ``scale`` and ``low``: float32, (outputs / 16,
    inputs / 32, 16); ``low`` is None for 8 bits.
    """

    bits: int
    outputs: int
    inputs: int
    packed: torch.Tensor
    scale: torch.Tensor
    low: torch.Tensor | None

    @property
    def nbytes(self) -> int:
        low = 0 if self.low is None else self.low.nbytes
        return self.packed.nbytes + self.scale.nbytes + low


def find_codes(weight: torch.Tensor) -> Codes | None:
    """The codes of a (outputs, inputs) float32 weight on the CPU, or None if it is not exactly on a grid."""
    outputs, inputs = weight.shape
    fits = outputs % LANES == 0 and inputs % GROUP == 0 and outputs and inputs
    if weight.dtype != torch.float32 or weight.device.type != "cpu" or not fits:
        return None
    groups = weight.detach().reshape(outputs, inputs // GROUP, GROUP)
    for bits, read in ((4, _four_bits), (8, _eight_bits)):
        if read(groups[:LANES]) is None:  # a look at a few rows is cheap
            continue
        found = read(groups)
        if found is not None:
            code, scale, low = found
            return Codes(
                bits, outputs, inputs, _by_lanes(code), _by_lanes(scale), None if low is None else _by_lanes(low)
            )
    return None


def join_codes(parts: Sequence[Codes]) -> Codes:
    """The codes of a weight from those of its pieces, cut between outputs."""
    lows = [part.low for part in parts if part.low is not None]
    return Codes(
        parts[0].bits,
        sum(part.outputs for part in parts),
        parts[0].inputs,
        torch.cat([part.packed for part in parts]),
        torch.cat([part.scale for part in parts]),
        torch.cat(lows) if lows else None,
    )


def weight_of(codes: Codes) -> torch.Tensor:
    """The float32 weight (outputs, inputs) that ``codes`` stand for."""
    code = codes.packed.permute(0, 3, 1, 2).reshape(codes.outputs, codes.inputs // GROUP, -1)
    scale = codes.scale.permute(0, 2, 1).reshape(codes.outputs, -1, 1)
    if codes.low is None:
        return (code * scale).reshape(codes.outputs, codes.inputs)
    low = codes.low.permute(0, 2, 1).reshape(codes.outputs, -1, 1)
    return (torch.cat([code & 15, code >> 4], dim=-1) * scale + low).reshape(codes.outputs, codes.inputs)


_Found = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]


def _four_bits(groups: torch.Tensor) -> _Found | None:
    """Codes 0 to 15 whose ends are a group's smallest and largest weight. ``groups``: (outputs, groups, 32)."""
    low, high = groups.aminmax(dim=-1, keepdim=True)
    scale = _as_stored((high - low) / 15)
    code = ((groups - low) / scale.clamp_min(torch.finfo(torch.float32).tiny)).round_().clamp_(0, 15)
    if not _is_exact(code * scale + low, groups, torch.maximum(low.abs(), high.abs())):
        return None
    whole = code.to(torch.uint8)
    return whole[..., :16] | (whole[..., 16:] << 4), scale[..., 0], low[..., 0]


def _eight_bits(groups: torch.Tensor) -> _Found | None:
    """Codes -127 to 127 whose largest size is that of a group's largest weight."""
    largest = groups.abs().amax(dim=-1, keepdim=True)
    scale = _as_stored(largest / 127)
    code = (groups / scale.clamp_min(torch.finfo(torch.float32).tiny)).round_().clamp_(-127, 127)
    if not _is_exact(code * scale, groups, largest):
        return None
    return code.to(torch.int8), scale[..., 0], None


def _as_stored(scale: torch.Tensor) -> torch.Tensor:
    """Files keep scales in float16: take that value where it is within rounding, so that nothing is lost."""
    half = scale.half().float()
    return torch.where((half - scale).abs() <= _EXACT * scale, half, scale)


def _is_exact(made: torch.Tensor, groups: torch.Tensor, largest: torch.Tensor) -> bool:
    return bool(((made - groups).abs_() <= _EXACT * largest).all())


def _by_lanes(values: torch.Tensor) -> torch.Tensor:
    """(outputs, groups[, codes]) -> (outputs / 16, groups[, codes], 16), contiguous."""
    split = values.reshape(-1, LANES, *values.shape[1:])
    return split.movedim(1, -1).contiguous()
