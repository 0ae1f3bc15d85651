"""Who gets how many rows of a pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.serving.shares import MOST_ROWS, PassCost, share_rows


def cost_of(base: float, slope: float) -> PassCost:
    cost = PassCost()
    for rows in (1, 2, 8, 30, 31, 4):
        cost.add(rows, base + slope * rows)
    return cost


@given(st.lists(st.integers(1, 300), min_size=1, max_size=MOST_ROWS))
def test_shares_are_max_min_fair(wanted: list[int]) -> None:
    shares = share_rows(wanted, cost_of(0.03, 0.002))
    assert all(0 < share <= want for share, want in zip(shares, wanted, strict=True))
    assert sum(shares) <= max(MOST_ROWS, len(wanted))
    for share, want in zip(shares, wanted, strict=True):
        if share < want:  # who goes short has as much as anybody, but for one row of the rest
            assert share >= max(shares) - 1


def test_one_visitor_with_256_rows_beside_thirty_with_one() -> None:
    shares = share_rows([256] + [1] * 30, cost_of(0.03, 0.002))
    assert shares[1:] == [1] * 30
    alone, beside = 0.03 + 0.002 * 30, 0.03 + 0.002 * sum(shares)
    assert alone < beside <= 1.2 * alone


@pytest.mark.parametrize(("base", "slope", "expected"), [(0.025, 0.0018, 3), (0.02, 0.0002, 21)])
def test_what_goes_along_follows_from_what_a_pass_costs(base: float, slope: float, expected: int) -> None:
    """A processor's pass slows with each row, a card's hardly does."""
    assert sum(share_rows([1, 256], cost_of(base, slope))) == expected


def test_nothing_known_and_nothing_wanted() -> None:
    assert share_rows([], PassCost()) == [] and share_rows([1, 256], PassCost()) == [1, 3]
    assert share_rows([256], PassCost()) == [MOST_ROWS] and share_rows([2, 2, 2], PassCost()) == [2, 2, 2]


def test_the_cost_is_the_least_squares_line_of_late() -> None:
    rng = np.random.default_rng(0)
    cost = PassCost()
    for rows in rng.integers(1, 40, 400):
        cost.add(int(rows), 1.0 + 0.5 * rows)  # another machine, before others came
    for rows in rng.integers(1, 40, 900):
        cost.add(int(rows), 0.03 + 0.002 * rows + rng.normal(0, 1e-4))
    line = cost._line()
    assert line is not None and np.allclose(line, (0.03, 0.002), rtol=0.05)
