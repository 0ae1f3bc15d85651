"""Which language a text is in: py3langid's own answer, from the 97 languages that it knows."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

_lock = threading.Lock()
_UNIFORM = 0.0145  # no more than this (2 in 142) does the package give where it finds no feature of any language


@dataclass(frozen=True, slots=True)
class Identified:
    """``language``: a code of ISO 639-1; "" where the package sees nothing of any language, as in "42".

    ``ranked``: the likeliest three with their probabilities, that one first.
    """

    language: str
    probability: float
    ranked: tuple[tuple[str, float], ...]

    def probability_of(self, language: str) -> float:
        """What it gives to ``language``; 0 where that is not among the likeliest."""
        return dict(self.ranked).get(language, 0.0)


@cache
def _identifier() -> Any:  # noqa: ANN401 - the package has no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def identify(text: str) -> Identified:
    """Its language. Safe to call from any thread; the first call reads the package's model (0.3 s)."""
    with _lock:
        identifier = _identifier()
    ranked = tuple((code, float(share)) for code, share in identifier.rank(text)[:3])
    language, share = ranked[0]
    return Identified(language if share > _UNIFORM else "", share, ranked)


def supported_languages() -> tuple[str, ...]:
    """The codes that it may answer."""
    with _lock:
        return tuple(sorted(_identifier().labels))
