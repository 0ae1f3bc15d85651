"""Who gets how many rows of a pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.serving.shares import MOST_ROWS, Debt, PassCost, share_rows, with_many


def cost_of(base: float, slope: float) -> PassCost:
    """``base`` and ``slope``: seconds of a pass."""
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
    assert sum(shares) == MOST_ROWS


@pytest.mark.parametrize(
    ("base", "slope", "few", "many"), [(0.025, 0.0018, 3, 15), (0.02, 0.0002, 7, MOST_ROWS), (0.03, 0.03, 2, 3)]
)
def test_what_goes_along_follows_from_what_a_pass_costs(base: float, slope: float, few: int, many: int) -> None:
    """A processor's pass slows with each row, a card's hardly does: 15% for some rows more, twice for many, which sit out
    after it."""
    assert sum(share_rows([1, 6], cost_of(base, slope))) == few
    assert sum(share_rows([1, 256], cost_of(base, slope))) == many
    alone, beside = base + slope, base + slope * many
    assert many == MOST_ROWS or 2 * alone - slope < beside <= 2 * alone + 1e-9


def test_who_wants_eight_times_as_much_as_another_has_many_rows() -> None:
    assert (
        with_many({}) == with_many({"a": 256}) == with_many({"a": 8, "b": 1}) == with_many({"a": 256, "b": 32}) == set()
    )
    assert with_many({"a": 9, "b": 1, "c": 256, "d": 4}) == {"a", "c"}


def test_what_many_rows_cost_the_others_is_paid_back_by_a_share_of_their_time() -> None:
    debt = Debt()
    debt.pay(100.0)  # what others had before counts for nothing
    debt.add(0.3)
    debt.add(-1.0)  # a pass that was quicker than thought
    debt.pay(1.9)
    assert debt.is_open
    debt.pay(0.2)
    assert not debt.is_open
    debt.add(1e9)
    debt.forget()
    assert not debt.is_open


def test_passes_of_a_size_cost_what_they_took_and_others_by_the_line() -> None:
    cost = PassCost()
    assert cost.seconds(1) is None
    for _ in range(50):
        for rows in (1, 2, 10):
            cost.add(rows, 0.08 if rows == 1 else 0.12 + 0.005 * rows)
    assert cost.seconds(1) == pytest.approx(0.08) and cost.seconds(10) == pytest.approx(0.17)
    assert 0.13 < (cost.seconds(6) or 0) < 0.16


def test_what_is_known_stays_known_while_all_passes_are_of_one_size() -> None:
    cost = cost_of(0.030, 0.0012)
    shares = share_rows([1, 256], cost)
    for _ in range(2_000):
        cost.add(sum(shares), 0.030 + 0.0012 * sum(shares))
    assert share_rows([1, 256], cost) == shares


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
    line = cost._line.fit()
    assert line is not None and np.allclose(line, (0.03, 0.002), rtol=0.05)
