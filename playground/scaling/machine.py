"""How fast a machine is, by two rates fitted to measured work: arithmetic and memory traffic, and how far they overlap.

time^p = (FLOPs / arithmetic)^p + (bytes / bandwidth)^p. The exponent is 1 where one waits for the other (the sum) and
grows towards the roofline (Williams et al. 2009), the slower of the two alone. A roofline drawn through real passes is
too optimistic near its ridge, and a sum too pessimistic. Knows no model and measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playground.errors import BadInput
from playground.scaling.quantity import check_number

if TYPE_CHECKING:
    from typing import TypeVar

    import numpy as np
    import numpy.typing as npt

    Number = TypeVar("Number", float, npt.NDArray[np.float64])

OVERLAPS = (1.0, 1.25, 1.5, 2.0, 3.0)
_ENOUGH = 5  # measurements; fewer tell two rates and no exponent


@dataclass(frozen=True, slots=True)
class MachineFit:
    """Effective arithmetic (FLOP/s) and bandwidth (bytes/s), infinite where the measurements do not show a bound.

    ``overlap``: the exponent, see the module. ``errors``: predicted / measured - 1, one a measurement.
    """

    flops_per_s: float
    bytes_per_s: float
    overlap: float = 1.0
    errors: tuple[float, ...] = ()

    def seconds(self, flops: Number, traffic: Number) -> Number:
        """Of so many FLOPs and bytes; elementwise for arrays."""
        terms = (flops / self.flops_per_s) ** self.overlap + (traffic / self.bytes_per_s) ** self.overlap
        result: Number = terms ** (1 / self.overlap)
        return result


def fit_machine(flops: Sequence[float], traffic: Sequence[float], seconds: Sequence[float]) -> MachineFit:
    """The rates that fit measurements with the least squares of the relative error, both positive.

    Three equally long sequences, at least two measurements. For each exponent of ``OVERLAPS`` the equation is linear in
    two unknowns; the exponent that leaves the least error is taken. Raises BadInput for too few measurements or for
    measurements that hold no work.
    """
    if not len(flops) == len(traffic) == len(seconds) >= 2:
        raise BadInput("A fit needs at least two measurements with flops, bytes and seconds for each.", "measurements")
    for group in (flops, traffic, seconds):
        for value in group:
            check_number(value, "measurement", above_minimum=group is seconds)
    if not any(flops) and not any(traffic):
        raise BadInput("The measurements hold no work; give flops or bytes above zero.", "measurements")
    best: MachineFit | None = None
    for overlap in OVERLAPS if len(seconds) >= _ENOUGH else OVERLAPS[:1]:
        fit = _fit_rates(flops, traffic, seconds, overlap)
        if best is None or _squares(fit) < _squares(best):
            best = fit
    assert best is not None
    return best


def _squares(fit: MachineFit) -> float:
    return sum(error * error for error in fit.errors)


def _fit_rates(
    flops: Sequence[float], traffic: Sequence[float], seconds: Sequence[float], overlap: float
) -> MachineFit:
    """The two rates for one exponent: 1 = a · (FLOPs / t)^p + b · (bytes / t)^p by least squares, a and b not negative."""
    scales = [
        max((amount / t for amount, t in zip(group, seconds, strict=True)), default=0.0) or 1.0
        for group in (flops, traffic)
    ]  # the largest rate seen: no power of a number overflows
    columns = [
        tuple((amount / t / scale) ** overlap for amount, scale in zip(work, scales, strict=True))
        for *work, t in zip(flops, traffic, seconds, strict=True)
    ]
    ff, fb, bb = (sum(x[i] * x[j] for x in columns) for i, j in ((0, 0), (0, 1), (1, 1)))
    f1, b1 = sum(x[0] for x in columns), sum(x[1] for x in columns)
    determinant = ff * bb - fb * fb
    by_flops = (f1 * bb - b1 * fb) / determinant if determinant > 1e-9 * ff * bb else -1.0
    by_bytes = (b1 * ff - f1 * fb) / determinant if determinant > 1e-9 * ff * bb else -1.0
    if by_flops <= 0 or by_bytes <= 0:  # one term explains everything: fit it alone
        alone_f, alone_b = (f1 / ff if ff else 0.0), (b1 / bb if bb else 0.0)
        by_flops, by_bytes = (alone_f, 0.0) if f1 * alone_f > b1 * alone_b else (0.0, alone_b)
    rates = [
        scale / share ** (1 / overlap) if share else float("inf")
        for scale, share in zip(scales, (by_flops, by_bytes), strict=True)
    ]
    plain = MachineFit(rates[0], rates[1], overlap)
    errors = tuple(plain.seconds(f, b) / t - 1 for f, b, t in zip(flops, traffic, seconds, strict=True))
    return MachineFit(rates[0], rates[1], overlap, errors)
