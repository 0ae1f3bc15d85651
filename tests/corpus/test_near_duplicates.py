"""MinHash finds pairs as often as its bands predict, and what is found is alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from playground.corpus.near_duplicates import BANDS, ROWS, SHINGLE, Duplicates, matched_share, shingles, signature

_WORDS = np.array([f"w{number}" for number in range(5000)])


def pair(draw: np.random.Generator, words: int, replaced: int) -> tuple[str, str, float]:
    """Two texts that differ in one run of words, and their similarity."""
    first = draw.choice(_WORDS, words)
    second = first.copy()
    second[:replaced] = draw.choice(_WORDS, replaced)
    left, right = " ".join(first), " ".join(second)
    one, other = set(shingles(left).tolist()), set(shingles(right).tolist())
    return left, right, len(one & other) / len(one | other)


@pytest.mark.parametrize(
    ("similarity", "share"), [(0.5, 0.053), (0.7, 0.565), (0.75, 0.772), (0.8, 0.924), (0.85, 0.988)]
)
def test_the_bands_predict(similarity: float, share: float) -> None:
    assert matched_share(similarity) == pytest.approx(share, abs=6e-4)


@pytest.mark.parametrize("replaced", [36, 16, 8])
def test_recall_is_as_predicted(replaced: int) -> None:
    draw = np.random.default_rng(replaced)
    detected, predicted, agree = 0, list[float](), list[float]()
    for _ in range(150):
        left, right, alike = pair(draw, 110, replaced)
        one, other = signature(left), signature(right)
        assert one is not None and other is not None
        same = (one == other).reshape(BANDS, ROWS)
        detected += bool(same.all(axis=1).any())
        predicted.append(matched_share(alike))
        agree.append(float(same.mean()) - alike)
    assert abs(np.mean(agree)) < 0.015  # the share of equal hashes estimates the similarity without bias
    assert binomtest(detected, 150, float(np.mean(predicted))).pvalue > 0.01


def test_precision_strangers_are_not_found() -> None:
    draw, duplicates = np.random.default_rng(1), Duplicates()
    assert not any(duplicates.add(" ".join(draw.choice(_WORDS, 60)))[1] for _ in range(400))


def test_shingles_are_runs_of_words_without_case_and_signs() -> None:
    assert len(shingles("one two three four five six")) == 6 - SHINGLE + 1
    np.testing.assert_array_equal(shingles("One, two three; four FIVE six!"), shingles("one two three four five six"))
    assert len(shingles("one two")) == 1 and len(shingles("...")) == 0 and signature("…") is None
    assert not set(shingles("b a c d e f").tolist()) & set(shingles("a b c d e f").tolist())  # their order counts


def test_of_each_group_the_first_stays() -> None:
    duplicates = Duplicates()
    words = " ".join(_WORDS[:200])
    assert duplicates.add(words) == (0, 0, -1)
    assert duplicates.add("  " + words.replace(" ", "\n")) == (1, BANDS, 0)
    copies, bands, nearest = duplicates.add(words.upper() + " and a word more")
    assert copies == 0 and bands > 8 and nearest == 0
    assert duplicates.add("...") == (0, 0, -1)
