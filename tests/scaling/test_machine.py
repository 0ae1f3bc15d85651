"""The fit of a machine's rates: it finds those that measurements were made from, alone, added and overlapping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import least_squares

from playground.errors import BadInput
from playground.scaling.machine import OVERLAPS, MachineFit, fit_machine

FLOPS = [1e9, 1e10, 1e11, 5e9, 3e9, 2e11]
TRAFFIC = [1e9, 2e8, 1e9, 5e9, 4e8, 3e9]


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_the_fit_finds_the_machine(overlap: float) -> None:
    true = MachineFit(2e11, 9e9, overlap)
    seconds = [true.seconds(flops, traffic) for flops, traffic in zip(FLOPS, TRAFFIC, strict=True)]
    fit = fit_machine(FLOPS, TRAFFIC, seconds)
    assert fit.flops_per_s == pytest.approx(2e11) and fit.bytes_per_s == pytest.approx(9e9)
    assert fit.overlap == overlap and max(map(abs, fit.errors)) < 1e-9


def test_a_sum_is_the_slowest_and_a_large_exponent_the_roofline() -> None:
    times = [MachineFit(1e9, 1e9, overlap).seconds(3e9, 4e9) for overlap in (1.0, 2.0, 200.0)]
    assert times == pytest.approx([7.0, 5.0, 4.0])
    both = MachineFit(1e9, 1e9, 2.0).seconds(np.array([3e9, 0.0]), np.array([4e9, 1e9]))
    np.testing.assert_allclose(both, [5.0, 1.0])


def test_a_noisy_fit_is_the_least_squares_of_scipy() -> None:
    """The same sum of squared relative errors, minimised by a general solver."""
    rng = np.random.default_rng(0)
    flops, traffic = np.array(FLOPS), np.array(TRAFFIC)
    seconds = (flops / 2e11 + traffic / 9e9) * np.exp(0.1 * rng.standard_normal(6))
    fit = fit_machine(flops[:4].tolist(), traffic[:4].tolist(), seconds[:4].tolist())  # too few for another exponent
    assert fit.overlap == 1

    def errors(inverse: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        predicted: npt.NDArray[np.float64] = flops[:4] * inverse[0] * 1e-11 + traffic[:4] * inverse[1] * 1e-9
        return predicted / seconds[:4] - 1

    theirs = least_squares(errors, [1.0, 1.0]).x
    assert 1 / fit.flops_per_s == pytest.approx(theirs[0] * 1e-11, rel=1e-5)
    assert 1 / fit.bytes_per_s == pytest.approx(theirs[1] * 1e-9, rel=1e-5)


def test_one_rate_that_explains_everything_stands_alone() -> None:
    alone = fit_machine([1e9, 2e9], [0.0, 0.0], [1.0, 2.0])
    assert alone.flops_per_s == pytest.approx(1e9) and alone.bytes_per_s == float("inf")
    same_shape = fit_machine([1e9, 2e9], [1e9, 2e9], [1.0, 2.0])  # cannot tell which of the two it is
    assert max(map(abs, same_shape.errors)) < 1e-9


@pytest.mark.parametrize(
    "bad", [([1e9], [1e9], [1.0]), ([0.0, 0.0], [0.0, 0.0], [1.0, 1.0]), ([1e9, 1e9], [1e9, 1e9], [0.0, 1.0])]
)
def test_measurements_that_tell_nothing_are_refused(bad: tuple[list[float], ...]) -> None:
    with pytest.raises(BadInput):
        fit_machine(*bad)
