"""Which pair is asked about next, when asking stops, and that the best is found within the votes promised."""

from __future__ import annotations

import numpy as np

from playground.preferences.asking import look_ahead, votes_promised
from playground.preferences.davidson import covariance, fit
from playground.preferences.settling import any_time_reach, votes_until_settled
from playground.preferences.strengths import fit_strengths
from playground.preferences.votes import Vote
from tests.preferences.simulated import shares, votes_of


def _next(votes: list[Vote], items: tuple[str, ...]) -> tuple[str, str] | None:
    open_pairs = look_ahead(votes, items).open
    return (open_pairs[0].leader, open_pairs[0].other) if open_pairs else None


def test_a_manager_finds_the_best_of_four_settings_in_the_promised_number_of_votes() -> None:
    """ "B" wins 75% of its votes against each of the others, who are equals. Asked until nothing is asked any more."""
    items = ("A", "B", "C", "D")
    promised = votes_promised(4)
    assert promised == 3 * votes_until_settled(0.75, power=0.9, alpha=0.05 / 6)
    rng, best, asked = np.random.default_rng(4), [], []
    for _ in range(8):
        votes: list[Vote] = []
        while (pair := _next(votes, items)) is not None:
            likely = 0.75 if pair[0] == "B" else 0.25 if pair[1] == "B" else 0.5
            votes += [Vote(*pair, "left" if rng.random() < likely else "right") for _ in range(10)]
        best.append(look_ahead(votes, items).leader)
        asked.append(len(votes))
    assert best == ["B"] * 8 and np.mean(np.array(asked) <= promised) > 0.8


def test_what_is_settled_is_asked_no_more() -> None:
    assert _next([], ("A", "B")) == ("A", "B") and _next([], ("A",)) is None
    won = votes_of({("A", "B"): (40, 5)})
    assert _next(won, ("A", "B")) is None
    assert _next(won, ("A", "B", "C")) == ("A", "C")  # B has lost, C has not been asked about
    assert _next([*won, *votes_of({("A", "C"): (40, 5)})], ("A", "B", "C")) is None
    assert _next(votes_of({("A", "B"): (300, 300)}), ("A", "B")) is None  # level
    round_table = votes_of({("A", "B"): (40, 5), ("B", "C"): (40, 5), ("C", "A"): (40, 5)})
    assert look_ahead(round_table, ("A", "B", "C")).leader is None and _next(round_table, ("A", "B", "C")) is None
    same = look_ahead([], ("A", "B"), same={("A", "B")})
    assert same.leader == "A" and not same.open and same.verdicts == {("A", "B"): "level"}


def test_the_least_certain_is_asked_about_first() -> None:
    votes = votes_of({("A", "B"): (9, 8), ("A", "C"): (9, 3), ("B", "C"): (6, 3)})
    outlook = look_ahead(votes, ("A", "B", "C"))
    assert [pair.other for pair in outlook.open] == ["B", "C"] and outlook.leader == "A"
    assert outlook.more == sum(pair.more or 0 for pair in outlook.open)
    fitted = outlook.fitted
    assert fitted is not None and fitted.difference("B", "A")[2] > fitted.difference("C", "A")[2]


def test_votes_to_go_count_ties() -> None:
    none, half = (look_ahead(votes_of({("A", "B"): (14, 6, ties)}), ("A", "B")).open[0].more or 0 for ties in (0, 20))
    assert none > 0 and half == 2 * none
    assert look_ahead([], ("A", "B")).open[0].more == votes_until_settled(0.75)


def test_intervals_hold_whenever_one_looks() -> None:
    """500 runs of 400 votes between three, looked at eight times: in how many the true difference was ever left out."""
    truth, rng, runs = np.array([0.6, 0.0, -0.6]), np.random.default_rng(5), 500
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    likely = shares(truth[first] - truth[second], 0.5)  # (3, 3)
    drawn = np.stack([rng.multinomial(17, row, size=(runs, 8)) for row in likely], axis=2)  # (runs, looks, pairs, 3)
    wins = drawn.cumsum(axis=1)[..., [0, 1, 2]].astype(float)
    missed, naive = np.zeros(runs, bool), np.zeros(runs, bool)
    for look in range(8):
        prior = np.full(runs, 0.25)
        estimate = fit(first, second, wins[:, look], 3, prior)
        errors = covariance(first, second, wins[:, look], prior, estimate)
        variance = errors[:, 0, 0] + errors[:, 1, 1] - 2 * errors[:, 0, 1]
        off = np.abs(estimate.log_strengths[:, 0] - estimate.log_strengths[:, 1] - 0.6)
        missed |= off > any_time_reach(variance)
        naive |= off > 1.96 * np.sqrt(variance)
    assert missed.mean() <= 0.05 and naive.mean() > 0.1


def test_a_fit_says_which_intervals_it_has() -> None:
    votes = votes_of({("A", "B"): (12, 5, 3)})
    wald, any_time = fit_strengths(votes), fit_strengths(votes, any_time=True)
    assert wald.interval == "Wald" and "Robbins" in any_time.interval
    assert any_time.items[0].low < wald.items[0].low < wald.items[0].high < any_time.items[0].high
    low, high = any_time.difference("A", "B")[1:]
    assert high - low > wald.difference("A", "B")[2] - wald.difference("A", "B")[1]
