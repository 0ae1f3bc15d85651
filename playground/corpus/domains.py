"""Small texts of different domains: a dozen that ship, and what somebody uploads."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from playground.corpus.upload_lines import Masking, upload_text
from playground.errors import BadInput
from playground.json_reading import RepeatedKey
from playground.uploads import parse_json

DATA_FILE = Path(__file__).with_name("data") / "domains.jsonl"
MOST_BYTES, MOST_DOMAINS = 2_000_000, 60


@dataclass(frozen=True, slots=True)
class DomainSample:
    """``domain`` is its name in links and files, ``name`` on the page."""

    domain: str
    name: str
    text: str
    licence: str


@functools.cache
def samples() -> tuple[DomainSample, ...]:
    """The texts that ship, written or chosen for this project."""
    lines = DATA_FILE.read_text(encoding="utf-8").splitlines()
    return tuple(DomainSample(**json.loads(line)) for line in lines)


@dataclass(frozen=True, slots=True)
class OwnTexts:
    """What somebody uploaded. ``notes``: what is to be told of it, a sentence each."""

    texts: tuple[DomainSample, ...] = ()
    notes: tuple[str, ...] = ()


def read_domains(data: bytes) -> OwnTexts:
    """Texts from JSON lines of {domain, text}; several lines of one domain are one text, and personal data is masked.

    Raises BadInput with the line.
    """
    text, notes = upload_text(data, MOST_BYTES)
    masking = Masking()
    by_domain: dict[str, list[str]] = {}
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            domain, said = map(masking, _read_line(line, place))
            by_domain.setdefault(domain, []).append(said)
    if not by_domain:
        raise BadInput('The file is empty; each line is {"domain": "…", "text": "…"}.', "text-file")
    if len(by_domain) > MOST_DOMAINS:
        raise BadInput(f"The file has {len(by_domain)} domains; at most {MOST_DOMAINS} are compared.", "text-file")
    texts = tuple(DomainSample(name, name, "\n".join(own), "yours") for name, own in by_domain.items())
    return OwnTexts(texts, (*notes, *masking.notes))


def _read_line(line: str, place: int) -> tuple[str, str]:
    example = '{"domain": "…", "text": "…"}'
    try:
        row = parse_json(line)
    except RepeatedKey as error:
        raise BadInput(f"Line {place}: {error}.", "text-file") from None
    except ValueError:
        raise BadInput(f"Line {place} is not a JSON object like {example}.", "text-file") from None
    domain, text = (row.get("domain"), row.get("text")) if isinstance(row, dict) else (None, None)
    if not isinstance(domain, str) or not domain.strip() or not isinstance(text, str) or not text.strip():
        raise BadInput(
            f"Line {place}: 'domain' and 'text' must be texts that are not empty, as in {example}.", "text-file"
        )
    try:
        f"{domain}{text}".encode()
    except UnicodeEncodeError:
        raise BadInput(f"Line {place} has half a character (a lone surrogate) in it.", "text-file") from None
    return domain.strip()[:60], text
