"""Arithmetic on rows of logits that several samplers share: removal, comparison, a fast exact sort.

All functions take ``(batch, vocab)`` float32 tensors in which -inf marks a token already removed, and none of them
returns a NaN for such a row. Results for a row do not depend on the other rows of its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

DiagnosticValue = float | int | bool | str
Diagnostics = dict[str, DiagnosticValue]
RowDiagnostics = Sequence[Diagnostics] | None  # one dict per row to write into, or None when nobody asks

NEGATIVE_INFINITY = float("-inf")
_NEGATIVE_INFINITY_BITS = np.float32(-np.inf).view(np.int32)


def count_alive(logits: torch.Tensor) -> torch.Tensor:  # (batch, vocab) -> (batch, 1)
    """How many tokens of each row have not been removed."""
    return (logits > NEGATIVE_INFINITY).sum(-1, keepdim=True)


def remove(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """A copy of ``logits`` with -inf where ``mask`` is true.

    On a CPU this blends bits instead of branching on each token: four times faster on a mask without a pattern.
    """
    import torch

    if logits.device.type != "cpu":
        return logits.masked_fill(mask, NEGATIVE_INFINITY)
    chosen = mask.numpy().astype(np.int32)
    np.negative(chosen, out=chosen)  # all bits set where removed
    bits = logits.numpy().view(np.int32) & ~chosen
    bits |= chosen & _NEGATIVE_INFINITY_BITS
    return torch.from_numpy(bits.view(np.float32))


def is_below(values: torch.Tensor, limit: torch.Tensor | float) -> torch.Tensor:
    """``values < limit`` in float32. NumPy compares several times faster than torch on a CPU."""
    import torch

    if values.device.type != "cpu":
        return values < limit
    return torch.from_numpy(values.numpy() < (limit.numpy() if isinstance(limit, torch.Tensor) else limit))


def kth_largest(logits: torch.Tensor, k: int) -> torch.Tensor:  # (batch, vocab) -> (batch, 1)
    """The k-th largest value of each row, counting equals; by selection, not by sorting."""
    import torch

    if logits.device.type != "cpu" or k <= 1024:  # torch's heap wins for a short list
        return torch.topk(logits, k)[0][:, -1:]
    return torch.from_numpy(np.stack([_kth_largest(row, k) for row in logits.numpy()]))


def _kth_largest(row: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.float32]:
    alive = row[np.flatnonzero(row > NEGATIVE_INFINITY)]  # selection is slow among thousands of equal -inf
    if len(alive) < k:
        return np.full(1, NEGATIVE_INFINITY, dtype=np.float32)
    place = len(alive) - k
    return np.partition(alive, place)[place : place + 1]


def sort_ascending(values: torch.Tensor) -> torch.Tensor:
    """Each row's values from small to large. NumPy's sort is an order of magnitude faster than torch's on a CPU."""
    import torch

    if values.device.type == "cpu":
        return torch.from_numpy(np.sort(values.numpy(), axis=-1))
    return torch.sort(values, dim=-1)[0]


def order_ascending(values: torch.Tensor) -> torch.Tensor:
    """Ids that sort each row from small to large, equal values by id. Values may be +inf. (batch, vocab) int64.

    On a CPU the float's bits (made monotone) and the id are packed into one 64-bit key: a plain sort of integers is
    then a stable argsort, several times faster than either library's own.
    """
    import torch

    if values.device.type == "cpu":
        return torch.from_numpy(np.stack([_stable_order(row) for row in values.numpy()]))
    return torch.sort(values, dim=-1, stable=True)[1]


def _stable_order(row: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    finite = np.isfinite(row)
    if np.count_nonzero(finite) < row.shape[0] // 2:  # mostly +inf: sort the few, and leave the many by id
        few = np.flatnonzero(finite)
        return np.concatenate([few[_packed_order(row[few])], np.flatnonzero(~finite)])
    return _packed_order(row)


def _packed_order(row: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    bits = (row + np.float32(0.0)).view(np.int32)  # + 0.0 turns -0.0 into 0.0: they are equal, their bits are not
    # Negative floats order backwards by their bits; flipping all but the sign bit mends that.
    monotone = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)
    keys = (monotone.astype(np.int64) << 32) | np.arange(row.shape[0], dtype=np.int64)
    keys.sort()
    return keys & np.int64(0xFFFFFFFF)
