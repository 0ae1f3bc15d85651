"""Agreement: published figures, statsmodels, and what the measures must be at their ends."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa, to_table
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from playground.errors import BadInput
from playground.preferences.agreement import (
    agreeing_share,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    measure_agreement,
)
from playground.preferences.votes import Vote

# Krippendorff (2011), Computing Krippendorff's alpha-reliability, examples A and C; "." is not judged
TWO_OBSERVERS = ("0100000010", "1110010000")
FOUR_OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "1233244 1251.".replace(" ", ""))


def table(observers: tuple[str, ...]) -> np.ndarray:
    words = sorted(set("".join(observers)) - {"."})
    return np.array([[unit.count(word) for word in words] for unit in map("".join, zip(*observers, strict=True))])


@pytest.mark.parametrize(("observers", "alpha"), [(TWO_OBSERVERS, 0.095), (FOUR_OBSERVERS, 0.743)])
def test_krippendorffs_own_examples(observers: tuple[str, ...], alpha: float) -> None:
    assert krippendorff_alpha(table(observers)) == pytest.approx(alpha, abs=5e-4)


def test_kappas_equal_statsmodels() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.integers(3, size=(2, 40))
    b = np.where(rng.random(40) < 0.5, a, b)
    ours = cohen_kappa(a.tolist(), b.tolist())
    assert ours == pytest.approx(cohens_kappa(to_table(np.column_stack([a, b]))[0]).kappa)
    counts = rng.multinomial(5, [0.6, 0.3, 0.1], size=30)
    assert fleiss_kappa(counts) == pytest.approx(reference_fleiss(counts))


def test_alpha_and_fleiss_differ_by_the_size_of_the_sample_alone() -> None:
    """With n words in all, alpha = kappa + (1 - kappa) / n (Krippendorff 2004)."""
    counts = np.random.default_rng(6).multinomial(4, [0.5, 0.5], size=20)
    kappa, alpha = fleiss_kappa(counts), krippendorff_alpha(counts)
    assert kappa is not None and alpha == pytest.approx(kappa + (1 - kappa) / 80)


def test_votes_agree_whichever_side_the_winner_stood_on() -> None:
    votes = [
        Vote("A", "B", "left", "x"),
        Vote("B", "A", "right", "y"),
        Vote("A", "B", "tie", "x", subject="2"),
        Vote("A", "B", "both_bad", "y", subject="2"),
        Vote("A", "B", "right", "x", subject="3"),
        Vote("A", "B", "left", "y", subject="3"),
        Vote("A", "B", "right", "y", subject="3"),  # y's last word
        Vote("A", "C", "left", "x"),
        Vote("A", "C", "left"),  # nobody's
    ]
    agreement = measure_agreement(votes)
    assert (agreement.voters, agreement.units) == (2, 3) and agreement.share == pytest.approx(2 / 3)
    (own,) = agreement.cohen
    assert own[:2] == ("x", "y") and own[2] == pytest.approx((2 / 3 - 2 / 9) / (1 - 2 / 9))
    assert agreement.fleiss is not None and agreement.alpha is not None and 0 < agreement.fleiss < agreement.alpha < 1


def test_full_agreement_none_and_nothing_to_compare() -> None:
    assert krippendorff_alpha(np.array([[3, 0], [0, 3]])) == fleiss_kappa(np.array([[3, 0], [0, 3]])) == 1
    assert cohen_kappa("aabb", "aabb") == 1 and cohen_kappa("aa", "aa") is None and cohen_kappa("", "") is None
    assert krippendorff_alpha(np.array([[3, 0], [3, 0]])) is None and fleiss_kappa(np.array([[3], [3]])) is None
    assert agreeing_share(np.array([[1, 0]])) is None and krippendorff_alpha(np.array([[1, 0]])) is None
    one = measure_agreement([Vote("A", "B", "left", "x")])
    assert (one.voters, one.units, one.share, one.alpha, one.fleiss, one.cohen) == (1, 0, None, None, None, ())
    assert measure_agreement([]).alpha is None


def test_unequal_numbers_are_refused() -> None:
    with pytest.raises(BadInput, match="same comparisons"):
        cohen_kappa("ab", "a")
    with pytest.raises(BadInput, match="equally many"):
        fleiss_kappa(np.array([[2, 1], [1, 1]]))


def test_random_words_agree_by_chance_alone() -> None:
    counts = np.random.default_rng(7).multinomial(6, [0.7, 0.3], size=4000)
    alpha = krippendorff_alpha(counts)
    assert alpha is not None and math.isclose(alpha, 0, abs_tol=0.02)
