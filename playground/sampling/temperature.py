"""Samplers that reshape a row without choosing tokens: temperature, fixed or driven by the entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from playground.numerics import entropy_rows
from playground.sampling.context import Contexts
from playground.sampling.rows import RowDiagnostics, count_alive, is_below, remove

if TYPE_CHECKING:
    import torch

# A logit that a tiny temperature pushes beyond float32 is held here: far below any probability, yet not "removed".
LOWEST_FINITE = float(np.finfo(np.float32).min)
SMALLEST = float(np.finfo(np.float32).tiny)  # a temperature below this would round to 0 and divide by it


def temperature(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, temperature: float
) -> torch.Tensor:
    """z / T. T = 0 leaves only the largest logit, the lowest id on a tie. (batch, vocab) -> (batch, vocab)."""
    import torch

    if temperature == 0:
        return _keep_largest(logits)
    if temperature >= 1:
        return logits / temperature  # cannot overflow
    return _divide(logits, torch.full_like(logits[:, :1], max(temperature, SMALLEST)))


def dynatemp(
    logits: torch.Tensor,
    contexts: Contexts,
    diagnostics: RowDiagnostics = None,
    /,
    *,
    dynatemp_range: float,
    dynatemp_exponent: float,
    temperature: float,
) -> torch.Tensor:
    """Temperature from the entropy: T = Tmin + (Tmax - Tmin) (H / ln n)^exponent, n the tokens still alive (llama.cpp).

    Tmin, Tmax = max(0, T -+ range). A row with one token left is untouched; a row whose T comes to 0 is greedy.
    """
    import torch

    low = max(0.0, temperature - dynatemp_range)
    high = max(0.0, temperature + dynatemp_range)
    entropy = entropy_rows(logits.log_softmax(-1))  # (batch, 1)
    count = count_alive(logits)
    relative = (entropy / torch.log(count.float()).clamp(min=1e-9)).clamp(0.0, 1.0)
    effective = low + (high - low) * relative**dynatemp_exponent  # (batch, 1)
    effective = torch.where(count > 1, effective, 1.0)
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["entropy"] = float(entropy[row])
            row_diagnostics["alive"] = int(count[row])
            row_diagnostics["low"], row_diagnostics["high"] = low, high
            row_diagnostics["effective_temperature"] = float(effective[row])
    warm = _divide(logits, effective.clamp(min=SMALLEST))
    if bool((effective > 0).all()):
        return warm
    return torch.where(effective > 0, warm, _keep_largest(logits))


def _keep_largest(logits: torch.Tensor) -> torch.Tensor:
    import torch

    best = logits.argmax(-1, keepdim=True)  # the first of equals: the lowest id
    everything = torch.ones_like(logits, dtype=torch.bool)
    return remove(logits, everything.scatter_(-1, best, False))


def _divide(logits: torch.Tensor, temperatures: torch.Tensor) -> torch.Tensor:
    """``logits / temperatures`` without overflow: a row that would reach +inf is shifted so that its largest is 0."""
    import torch

    largest = logits.amax(-1, keepdim=True)
    offset = torch.where(torch.isinf(largest / temperatures), largest, 0.0)  # (batch, 1)
    shifted = logits - offset if bool(offset.any()) else logits
    scaled = (shifted / temperatures).clamp_(min=LOWEST_FINITE)
    if bool((logits.amin() >= LOWEST_FINITE).item()):
        return scaled  # nothing had been removed
    return remove(scaled, is_below(logits, LOWEST_FINITE))
