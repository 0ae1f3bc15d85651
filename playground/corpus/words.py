"""English words and sentences as filters count them: signs apart, contractions in two, hyphens apart.

The rules are those of spaCy's English tokenizer, which datatrove counts with, in the same order: what stands between spaces
loses signs at both ends, and is parted inside at some. Written out because that library is 140 MB and slower;
`docs/data.md` says how often the two differ. Other languages are split in the same way: at spaces and signs, which for
Chinese, Thai or Burmese makes "words" of whole clauses, as English rules on such text do. Knows no rule and no document.
"""

from __future__ import annotations

import string
import unicodedata
from functools import lru_cache

import regex

_QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_PUNCTUATION = "….,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪".replace(".", "", 1)
_ENDS = rf"\.\.+|[{regex.escape(_PUNCTUATION + _QUOTES)}]|\p{{So}}"
_CURRENCY = r"US\$|C\$|A\$|\p{Sc}"
_UNITS = "km²|km³|km/h|kmh|km|m²|m³|m/s|mph|mm²|mm³|mm|mg|mbar|mb|m|dm|cm²|cm³|cm|ha|µm|nm|yd|in|ft|kg|kb|g|µg|t|lb|oz|hPa|Pa"
_PREFIX = regex.compile(rf"(?:§|%|=|—|–|\+(?![0-9])|{_ENDS}|{_CURRENCY})")
_SUFFIX = regex.compile(
    rf"(?:{_ENDS}|['’][sS]|—|–|(?<=[0-9])(?:\+|{_CURRENCY}|{_UNITS}|MB|KB|GB|gb|TB|tb|T|G|M|K|%)"
    rf"|(?<=[0-9\p{{Ll}}\p{{Lo}}%²+{regex.escape(_QUOTES + _PUNCTUATION)}-])\.|(?<=[\p{{Lu}}\p{{Lo}}]{{2}})\.)$"
)
_INFIX = regex.compile(
    rf"\.\.+|…|\p{{So}}|(?<=[0-9])[+\-*^](?=[0-9-])"
    rf"|(?<=[\p{{Ll}}\p{{Lo}}{regex.escape(_QUOTES)}])\.(?=[\p{{Lu}}\p{{Lo}}{regex.escape(_QUOTES)}])"
    r"|(?<=\p{L}),(?=\p{L})|(?<=[\p{L}0-9])(?:---|--|——|[-–—~])(?=\p{L})|(?<=[\p{L}0-9])[:<>=/](?=\p{L})"
)
_ADDRESS = regex.compile(
    r"(?:[\w+.-]{2,}://)[^\s>]*[^\s.,;:!?)\]}'\"”’>]|(?:\S+@)?(?:[\w-]+\.)+(?:com|org|net|edu|gov|io|co|de|uk|fr)(?::\d+)?(?:/\S*)?"
)
_WHOLE = frozenset(
    """a.m. p.m. e.g. E.g. i.e. I.e. v.s. vs. Adm. Bros. co. Co. Corp. D.C. Dr. Gen. Gov. Inc. Jr. Ltd. Md. Messrs. Mo.
    Mont. Mr. Mrs. Ms. Mt. Ph.D. Prof. Rep. Rev. Sen. St. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. Feb. Fla.
    Ga. Ia. Id. Ill. Ind. Jan. Jul. Jun. Kan. Ky. La. Mar. Mass. Mich. Minn. Miss. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nev.
    Nov. Okla. Ore. Pa. S.C. Sep. Sept. Tenn. Va. Wash. Wis. and/or w/o C++ ma'am o'clock ma’am o’clock '' 'em 'cause 'bout
    """.split()  # noqa: SIM905 - a table
) | {f"{letter}." for letter in string.ascii_lowercase}
_NEGATED = regex.compile(
    r"((?:ai|are|ca|could|did|does|do|had|has|have|is|might|must|need|ought|sha|should|was|were|wo|would)(?=n['’]?t$))"
    r"(n['’]?t)",
    regex.I,
)
_SHORTENED = regex.compile(
    r"((?:i|you|he|she|it|we|they|who|what|when|where|why|how|there|that|this|these|those))"
    r"(['’](?:m|re|ve|ll|d|s))|(i)(m|d)|(could|might|must|should|would)(['’]ve)|(let)(['’]s)|(can)(not)|(gon|wan|got)(na|ta)",
    regex.I,
)
_TERMINAL = regex.compile(r"\p{Sentence_Terminal}|[៖៙៚]")
_SIGNS = frozenset(
    string.punctuation
    + "«´»–—’“”„…∶━►、。〈〉《》「」【】！％（），．１：；？～"
    + "".join(map(chr, [*range(32), *range(127, 160)]))
) - {"\t", "\n"}
_LONGEST = 300  # characters of what is parted inside; longer ones are no words


def split_words(text: str) -> list[str]:
    """The words and signs of ``text`` in their order.

    >>> split_words("It's well-known, isn't it?")
    ['It', "'s", 'well', '-', 'known', ',', 'is', "n't", 'it', '?']
    """
    words = list[str]()
    for chunk in text.split():
        words += _parts(chunk)
    return words


@lru_cache(maxsize=50_000)
def _short_parts(chunk: str) -> tuple[str, ...]:
    """Of what stands between spaces: signs off both ends, then parted inside."""
    before, after = list[str](), list[str]()
    while chunk:
        if cached := _cached_words(chunk):
            return (*before, *cached, *reversed(after))
        if _ADDRESS.fullmatch(chunk):
            return (*before, chunk, *reversed(after))
        if start := _PREFIX.match(chunk):
            before.append(start.group())
            chunk = chunk[start.end() :]
        elif end := _SUFFIX.search(chunk):
            after.append(end.group())
            chunk = chunk[: end.start()]
        else:
            break
    return (*before, *_inside(chunk), *reversed(after))


def _parts(chunk: str) -> tuple[str, ...]:
    return _short_parts(chunk) if len(chunk) <= _LONGEST else (chunk,)


def _cached_words(chunk: str) -> tuple[str, ...]:
    """Abbreviations, which stay whole, and contractions, which come in two."""
    if chunk in _WHOLE:
        return (chunk,)
    match = _NEGATED.fullmatch(chunk) or _SHORTENED.fullmatch(chunk)
    return tuple(part for part in match.groups() if part) if match else ()


def _inside(chunk: str) -> list[str]:
    parts, start = list[str](), 0
    for sign in _INFIX.finditer(chunk):
        if sign.start() > start:
            parts.append(chunk[start : sign.start()])
        parts.append(sign.group())
        start = sign.end()
    return [*parts, chunk[start:]] if start < len(chunk) else parts


@lru_cache(maxsize=4096)
def ends_sentences(character: str) -> bool:
    """Whether a sign ends sentences in some script (Unicode's Sentence_Terminal)."""
    return _TERMINAL.match(character) is not None


@lru_cache(maxsize=8192)
def is_sign(character: str) -> bool:
    """Whether it counts as punctuation, not as part of a word."""
    return character in _SIGNS or ends_sentences(character)


def has_word_character(word: str) -> bool:
    """Whether anything in ``word`` is more than punctuation."""
    return not all(map(is_sign, word))


def has_letter(word: str) -> bool:
    """Whether a letter of any script is in it."""
    return word[0].isalpha() or any(map(str.isalpha, word))


@lru_cache(maxsize=8192)
def _is_punctuation(word: str) -> bool:
    return all(unicodedata.category(character).startswith("P") for character in word)


def count_sentences(text: str) -> int:
    """How many sentences ``text`` has: one begins at the first word, and at each after a sign that ends one.

    That is spaCy's sentencizer. Closing quotes and brackets belong to what they close.

    >>> count_sentences("Dr. Smith came. Did he? He did!"), count_sentences(""), count_sentences("no end")
    (3, 0, 1)
    """
    words = split_words(text)
    count, ended = int(bool(words)), False
    for word in words:
        if len(word) == 1 and ends_sentences(word):
            ended = True
        elif ended and not _is_punctuation(word):
            count, ended = count + 1, False
    return count
