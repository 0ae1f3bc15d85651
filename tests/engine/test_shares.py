"""Who gets how many rows of a pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.serving.shares import MOST_ROWS, PassCost, share_rows


def cost_of(base: float, slope: float, drawn: float = 1e-9) -> PassCost:
    """``base`` and ``slope``: seconds of a pass; ``drawn``: of drawing, a row."""
    cost = PassCost()
    for rows in (1, 2, 8, 30, 31, 4):
        cost.add(rows, base + slope * rows)
        cost.add_draw(rows, 0.002 + drawn * rows)
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
    assert alone < beside <= 1.15 * alone


@pytest.mark.parametrize(("base", "slope", "expected"), [(0.025, 0.0018, 3), (0.02, 0.0002, 16)])
def test_what_goes_along_follows_from_what_a_pass_costs(base: float, slope: float, expected: int) -> None:
    """A processor's pass slows with each row, a card's hardly does."""
    assert sum(share_rows([1, 256], cost_of(base, slope))) == expected


@pytest.mark.parametrize(("drawn", "beside"), [(1e-9, 3), (0.0005, 2), (0.0013, 1)])
def test_the_drawing_of_what_goes_along_is_part_of_its_price(drawn: float, beside: int) -> None:
    """A neighbour's 256 candidates are drawn on the thread that the one row waits for."""
    one, others = share_rows([1, 256], cost_of(0.030, 0.0012, drawn))
    assert (one, others) == (1, beside)
    assert 0.030 + 0.0012 * (one + others) + drawn * others <= 1.15 * (0.030 + 0.0012)


def test_a_drawing_that_was_never_seen_is_as_dear_as_its_place_in_the_pass() -> None:
    cost = PassCost()
    for rows in (1, 2, 8, 30):
        cost.add(rows, 0.030 + 0.0012 * rows)
    assert share_rows([1, 256], cost) == share_rows([1, 256], cost_of(0.030, 0.0012, drawn=0.0012)) == [1, 1]


def test_what_is_known_stays_known_while_all_passes_are_of_one_size() -> None:
    cost = cost_of(0.030, 0.0012)
    known = share_rows([1, 256], cost)
    for _ in range(2_000):
        cost.add(sum(known), 0.030 + 0.0012 * sum(known))
    assert share_rows([1, 256], cost) == known


def test_nothing_known_and_nothing_wanted() -> None:
    assert share_rows([], PassCost()) == [] and share_rows([1, 256], PassCost()) == [1, 3]
    assert share_rows([256], PassCost(), others=True) == [4] and share_rows([2], PassCost(), others=True) == [2]
    assert share_rows([256], PassCost()) == [MOST_ROWS] and share_rows([2, 2, 2], PassCost()) == [2, 2, 2]


def test_the_cost_is_the_least_squares_line_of_late() -> None:
    rng = np.random.default_rng(0)
    cost = PassCost()
    for rows in rng.integers(1, 40, 400):
        cost.add(int(rows), 1.0 + 0.5 * rows)  # another machine, before others came
    for rows in rng.integers(1, 40, 900):
        cost.add(int(rows), 0.03 + 0.002 * rows + rng.normal(0, 1e-4))
    line = cost._passes.fit()
    assert line is not None and np.allclose(line, (0.03, 0.002), rtol=0.05)
