"""Small texts of different domains: a dozen that ship, and what somebody uploads."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from playground.errors import BadInput
from playground.uploads import RepeatedKey, decode, parse_json

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


def read_domains(data: bytes) -> tuple[DomainSample, ...]:
    """Texts from JSON lines of {domain, text}; several lines of one domain are one text. Raises BadInput with the line."""
    if len(data) > MOST_BYTES:
        raise BadInput(f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are read.", "text-file")
    text, _known = decode(data)
    if "\x00" in text:
        raise BadInput(
            "The file has NUL characters in it: it is no text, or in an encoding without a mark.", "text-file"
        )
    found: dict[str, list[str]] = {}
    for place, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            domain, said = _read_line(line, place)
            found.setdefault(domain, []).append(said)
    if not found:
        raise BadInput('The file is empty; each line is {"domain": "…", "text": "…"}.', "text-file")
    if len(found) > MOST_DOMAINS:
        raise BadInput(f"The file has {len(found)} domains; at most {MOST_DOMAINS} are compared.", "text-file")
    return tuple(DomainSample(name, name, "\n".join(texts), "yours") for name, texts in found.items())


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
