"""Guesses: from a typed word to a token, and their scores against SciPy's log-softmax and entropy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_softmax
from scipy.stats import entropy

from playground.engine.fake.codec import FakeCodec
from playground.engine.types import NextLogits
from playground.errors import BadInput
from playground.room.questions.guess import (
    GuessFigures,
    continuation,
    figures,
    first_token,
    histogram,
    score_guesses,
    scores_of,
)
from playground.room.questions.types import Answer, Guess, Guessed, Question, Round

CODEC = FakeCodec()
LOGITS = np.random.default_rng(3).standard_normal(273).astype(np.float32)
PARIS = CODEC.encode(" Paris")[0]
LOGITS[PARIS] = 9.0  # the likeliest


@pytest.mark.parametrize(
    ("prompt", "typed", "joined", "wanted"),
    [
        ("on the", "mat", False, " mat"),
        ("on the", " mat", False, " mat"),
        ("on the", "mat ", False, " mat"),
        ("on the", "7", False, " 7"),
        ("on the", "(", False, " ("),
        ("on the", ",", False, ","),
        ("on the", "…", False, "…"),
        ("walk", "ing", True, "ing"),
        ("A line\n", "Next", False, "Next"),
        ("a (", "short", False, "short"),
        ('She said "', "Yes", False, "Yes"),
        ('She said "Yes"', "and", False, " and"),
        ("ב־", "שלום", False, " שלום"),
        ("今日は", "天気", False, "天気"),
        ("오늘", "날씨", False, " 날씨"),
    ],
)
def test_a_word_goes_on_where_a_writer_would_put_it(prompt: str, typed: str, joined: bool, wanted: str) -> None:
    assert continuation(prompt, typed, joined=joined) == wanted


@pytest.mark.parametrize("typed", ["", "   ", "m" * 10_000])
def test_a_guess_is_one_word(typed: str) -> None:
    with pytest.raises(BadInput):
        continuation("on the", typed)


def test_a_word_becomes_the_first_token_it_begins_with() -> None:
    assert CODEC.piece(first_token(CODEC, continuation("It is", "Paris"))) == " Paris"
    assert first_token(CODEC, "Paris") == ord("P")


def revealed(*guesses: str, real: str = "", series_round: int = 1) -> Round:
    answers = tuple(Answer(f"visitor {place}", Guessed(text), 1.0) for place, text in enumerate(guesses))
    about = Guess("The capital of France is", real)
    row = NextLogits(CODEC.encode(about.prompt), LOGITS, 1, 0.0)
    result = score_guesses(CODEC, row, about, answers, model="Fake")
    return Round(Question("q", "ABCD", "s", series_round, 0.0, "revealed", about, result), answers)


def test_guesses_are_scored_as_scipy_scores_them() -> None:
    one = revealed(" Paris", " London", " Paris", "x", real="London")
    reference = log_softmax(LOGITS.astype(np.float64))
    tokens = [PARIS, CODEC.encode(" London")[0], PARIS, ord("x")]
    assert [token.id for _answer, token in scores_of(one)] == tokens
    assert [token.logprob for _answer, token in scores_of(one)] == pytest.approx(reference[tokens], abs=1e-5)
    order = list(np.argsort(-LOGITS, kind="stable"))
    assert [token.rank for _answer, token in scores_of(one)] == [order.index(token) for token in tokens]

    scores = figures([one])
    assert scores is not None and scores.guesses == 4
    assert (scores.likeliest, scores.right, scores.model_right) == (0.5, 0.25, 0.0)
    assert scores.room_perplexity == pytest.approx(math.exp(-reference[tokens].mean()), rel=1e-5)
    assert scores.model_perplexity == pytest.approx(math.exp(entropy(np.exp(reference))), rel=1e-5)
    assert [(token.text, count) for token, count in histogram(one)][0] == (" Paris", 2)


def test_a_room_that_guesses_by_the_model_has_the_models_perplexity() -> None:
    """The definition: guesses drawn from p itself score -H(p) on average."""
    p = np.array([0.5, 0.25, 0.25])
    drawn = np.repeat(np.log(p), [2, 1, 1])
    assert GuessFigures(4, None, None, None, float(drawn.mean()), float(entropy(p))).room_perplexity == pytest.approx(
        math.exp(entropy(p))
    )


def test_rounds_together_count_every_guess_once() -> None:
    both = [revealed(" Paris", real="Paris"), revealed("x", "y", "z", series_round=2)]
    scores = figures(both)
    assert scores is not None
    assert (scores.guesses, scores.likeliest, scores.right, scores.model_right) == (
        4,
        0.25,
        1.0,
        1.0,
    )  # the second has no real word


def test_a_round_without_a_guess_or_a_reveal_says_so() -> None:
    nobody = figures([revealed()])
    assert nobody is not None and nobody.guesses == 0 and nobody.room_perplexity is None
    assert figures([Round(Question("q", "A", "s", 1, 0.0, "open", Guess("a")), ())]) is None
