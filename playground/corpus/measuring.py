"""All rules' values of documents, one row a document: what thresholds are then held against as often as one likes.

A row is computed once, when the document is read; no slider computes it again. Personal data is counted and masked before
the text is stored. Knows no page and no threshold.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache

from playground.corpus.c4 import c4_values
from playground.corpus.documents import Document
from playground.corpus.fineweb import fineweb_values, refinedweb_values
from playground.corpus.gopher import quality_values, repetition_values
from playground.corpus.language_id import Identified, identify
from playground.corpus.near_duplicates import Duplicates
from playground.corpus.personal_data import mask_mail, mask_personal_data
from playground.corpus.rules import COLUMN, RULES
from playground.corpus.words import split_words
from playground.errors import BadInput

Values = npt.NDArray[np.float64]
BLOCKED = ("casino", "jackpot", "viagra", "porn", "xxx", "escort", "payday loan", "free money", "crypto giveaway")
MOST_BLOCKED = 500
_REMEMBERED = 2_000  # texts whose copies are known
_COMPUTED: Mapping[str, Callable[[str, Sequence[str]], dict[str, float]]] = {
    "c4": lambda text, words: c4_values(text),
    "gopher-quality": quality_values,
    "gopher-repetition": repetition_values,
    "fineweb": fineweb_values,
    "refinedweb": lambda text, words: refinedweb_values(text),
}
COMPUTED = (*_COMPUTED, "language", "duplicates", "personal", "words", "popularity")  # groups that need no model


def blocked_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Whole words of a list, as C4's filter looks for them in lower case. Raises BadInput; None for an empty list."""
    wanted = [word.strip().lower() for word in words if word.strip()]
    if len(wanted) > MOST_BLOCKED or any(len(word) > 60 for word in wanted):
        raise BadInput(
            f"The list of blocked words has more than {MOST_BLOCKED} words, or one over 60 letters.", "blocked"
        )
    return re.compile(rf"(?:\W|^)(?:{'|'.join(map(re.escape, wanted))})(?=\W|$)") if wanted else None


@dataclass(slots=True)
class Measured:
    """Documents with their values. ``values`` (documents, rules), NaN where a document has none or nobody has computed it.

    ``texts``: masked and packed; ``text`` unpacks one. ``sizes`` (documents,): bytes of each in UTF-8. ``nearest``: which
    earlier document it repeats, -1 for none.
    """

    ids: list[str | int] = field(default_factory=list)
    texts: list[bytes] = field(default_factory=list)
    tags: list[Mapping[str, str]] = field(default_factory=list)
    languages: list[Identified | None] = field(default_factory=list)
    nearest: list[int] = field(default_factory=list)
    sizes: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    values: Values = field(default_factory=lambda: np.zeros((0, len(RULES))))
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, number: int) -> str:
        """A document's text, with personal data masked."""
        return zlib.decompress(self.texts[number]).decode("utf-8")

    def column(self, rule: str) -> Values:
        """(documents,) the values of one rule; a view."""
        values: Values = self.values[:, COLUMN[rule]]
        return values


def measure_text(text: str, groups: Iterable[str] = tuple(_COMPUTED)) -> dict[str, float]:
    """The values of a text's own rules, by name: those that need no other document, no model and no list."""
    words = split_words(text)
    return {name: value for group in groups for name, value in _COMPUTED[group](text, words).items()}


def measure(
    documents: Iterable[Document],
    *,
    groups: Sequence[str] = COMPUTED,
    language: str = "en",
    blocked: Iterable[str] = BLOCKED,
    notes: Callable[[], Iterable[str]] = tuple,
) -> Generator[int, None, Measured]:
    """Read and measure ``documents``; yields how many are done. ``groups``: what is computed, the rest stays NaN.

    ``language``: the wanted one. ``notes`` is asked at the end. Raises what reading raises.
    """
    own = tuple(group for group in groups if group in _COMPUTED)
    pattern, duplicates, measured = blocked_pattern(blocked), Duplicates(), Measured()
    cache: LRUCache[bytes, _Judged] = LRUCache(_REMEMBERED)
    rows, sizes = list[Values](), list[int]()
    for document in documents:
        key = blake2b(document.text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        judged = cache.get(key)
        if judged is None:
            judged = cache[key] = _judge(document.text, own, language if "language" in groups else "", pattern)
        row, nearest = judged.row.copy(), -1
        if "duplicates" in groups:
            copies, shared, nearest = duplicates.add(document.text)
            row[COLUMN["duplicates-exact"]], row[COLUMN["duplicates-near"]] = copies, shared
        row[COLUMN["popularity"]] = np.nan if document.votes is None else document.votes
        measured.ids.append(document.id if isinstance(document.id, int) else mask_mail(document.id))
        measured.texts.append(judged.packed)
        measured.tags.append({name: mask_mail(tag) for name, tag in document.tags.items()})
        measured.languages.append(judged.identified)
        measured.nearest.append(nearest)
        rows.append(row)
        sizes.append(judged.size)
        yield len(rows)
    measured.values, measured.sizes = np.array(rows).reshape(-1, len(RULES)), np.array(sizes, dtype=np.int64)
    measured.notes = tuple(notes())
    return measured


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a text alone decides: copies of it are judged once. ``packed`` is masked; ``size`` in bytes of UTF-8."""

    row: Values
    identified: Identified | None
    packed: bytes
    size: int


def _judge(text: str, groups: Sequence[str], language: str, blocked: re.Pattern[str] | None) -> _Judged:
    """``language``: the wanted one, "" where nobody asks."""
    row = np.full(len(RULES), np.nan)
    for name, value in measure_text(text, groups).items():
        row[COLUMN[name]] = value
    identified = identify(text) if language else None
    if identified is not None:
        row[COLUMN["language"]] = identified.probability_of(language)
    masked, personal = mask_personal_data(text)
    row[COLUMN["personal-data"]] = personal.total()
    row[COLUMN["blocked-words"]] = 0 if blocked is None else sum(1 for _ in blocked.finditer(text.lower()))
    data = masked.encode("utf-8", "replace")
    return _Judged(row, identified, zlib.compress(data, 1), len(data))


def want_language(measured: Measured, language: str) -> None:
    """Hold the documents against another language: from what was identified, nothing is computed again."""
    measured.values[:, COLUMN["language"]] = [
        np.nan if each is None else each.probability_of(language) for each in measured.languages
    ]


def block_words(measured: Measured, blocked: Iterable[str]) -> Generator[int, None, None]:
    """Count the words of another list; yields how many documents are done."""
    pattern = blocked_pattern(blocked)
    column = measured.column("blocked-words")
    for number in range(len(measured)):
        column[number] = 0 if pattern is None else sum(1 for _ in pattern.finditer(measured.text(number).lower()))
        yield number + 1
