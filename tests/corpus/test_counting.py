"""Premiums: control counts of a script that is not ours, and what makes a premium up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from playground.corpus.counting import CountStore, count_tokens, language_counts
from playground.corpus.parallel import Parallel, ParallelText, declaration
from playground.corpus.tokenizer import Piece, TokenizerFacts
from playground.corpus.tokenizers import packaged

ENGLISH = {
    "llama3": 1525,
    "gemma3": 1559,
    "qwen3": 1525,
    "deepseek": 1517,
    "smollm2": 1565,
    "tekken": 1536,
    "mistral-v1": 1689,
    "cl100k": 1525,
}
PREMIUMS = {
    "hin": {"llama3": 2.89, "gemma3": 1.34, "qwen3": 5.18, "smollm2": 5.82, "tekken": 1.84},
    "mya": {"llama3": 15.70, "gemma3": 3.17, "qwen3": 12.17, "smollm2": 21.82, "tekken": 4.35},
    "cmn_hans": {"llama3": 1.17, "gemma3": 0.96, "qwen3": 0.87, "smollm2": 2.37, "tekken": 1.28},
}


class Letters:
    """A tokenizer of letters, that counts how often it is asked."""

    facts = TokenizerFacts("letters", "Letters", "", "", 3)

    def __init__(self) -> None:
        self.asked = 0

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        self.asked += 1
        return [[1] * len(text) for text in texts]

    def pieces(self, text: str) -> list[Piece]:
        return [Piece(1, letter.encode(), "text") for letter in text]


def toy(**texts: dict[str, str]) -> Parallel:
    return Parallel({code: ParallelText(code, code, each) for code, each in texts.items()}, "a", "a test")


@pytest.mark.model
def test_counts_and_premiums_are_those_of_an_independent_script() -> None:
    whole = declaration()
    some = Parallel({code: whole.languages[code] for code in ("eng", *PREMIUMS)}, "eng", "a part")
    counts = language_counts(some, {name: count_tokens(some, packaged(name)) for name in ENGLISH})
    by_code = {each.text.code: each for each in counts}
    assert by_code["eng"].tokens == ENGLISH
    for code, premiums in PREMIUMS.items():
        assert {name: round(by_code[code].premium(name), 2) for name in premiums} == premiums


def test_a_premium_is_the_product_of_its_three_ratios() -> None:
    text = toy(a={"1": "abcd"}, b={"1": "ééé"})
    (_, own) = language_counts(text, {"letters": count_tokens(text, Letters())})
    assert own.factors("letters") == (0.75, 2.0, 0.5)
    assert math.prod(own.factors("letters")) == own.premium("letters") == 0.75


def test_a_language_is_held_against_the_keys_that_both_have() -> None:
    text = toy(a={"1": "abcd", "2": "ab"}, b={"2": "xyz"})
    (base, own) = language_counts(text, {"letters": count_tokens(text, Letters())})
    assert own.premium("letters") == 1.5 and base.premium("letters") == 1


def test_what_was_counted_is_known_until_the_text_or_the_baseline_is_another() -> None:
    store, letters, text = CountStore(), Letters(), toy(a={"1": "ab"}, b={"1": "c"})
    first = store.count(text, letters)
    assert store.count(text, letters) is first and letters.asked == 1
    assert store.count(text.with_baseline("b"), letters)["a"] == (2, 1)
    assert store.count(toy(a={"1": "abc"}, b={"1": "c"}), letters)["a"] == (3, 3) and letters.asked == 3
