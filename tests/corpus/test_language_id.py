"""Language identification is the package's own: its answer and its probabilities, on every language that ships."""

from __future__ import annotations

import py3langid
import pytest

from playground.corpus.language_id import identify, supported_languages
from playground.corpus.parallel import declaration

NOTHING = ["", "42", "ok"]
TEXTS = [each.texts["1"] for each in declaration().languages.values()] + ["👩‍👩‍👧‍👦", "שלום hello"]


def test_what_is_identified_is_what_the_package_says() -> None:
    for text in TEXTS:
        guess = identify(text)
        assert guess.language == py3langid.classify(text)[0]
        assert guess.ranked[0] == (guess.language, guess.probability) and len(guess.ranked) == 3
        assert guess.language in supported_languages()


@pytest.mark.parametrize("text", NOTHING)
def test_where_the_package_sees_nothing_no_language_is_named(text: str) -> None:
    assert py3langid.classify(text)[1] < -1e38  # its own sign that no feature was found
    guess = identify(text)
    assert guess.language == "" and guess.probability_of("en") < 0.02


def test_probabilities_are_the_packages_own() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    package = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    for text in TEXTS[::7]:
        whole, guess = dict(package.rank(text)), identify(text)
        assert sum(whole.values()) == pytest.approx(1, abs=1e-3)
        assert {code: pytest.approx(whole[code]) for code, _ in guess.ranked} == dict(guess.ranked)
        assert guess.probability_of("nowhere") == 0
