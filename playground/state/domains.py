"""What the page Domains can be set to beside the shared setup."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.corpus.domains import samples
from playground.errors import BadInput
from playground.state.link_fields import link_field

_NAME = re.compile(r"[^\x00-\x1f]{1,60}")


def _read_domain(given: str) -> str:
    if not _NAME.fullmatch(given):
        raise BadInput(f"{given[:20]!r} is no name of a domain.")
    return given


def _is_own(name: str) -> bool:
    """Whether it is a text that somebody uploaded: its name is his, and no link brings it back."""
    return name not in {each.domain for each in samples()}


@dataclass(frozen=True, slots=True)
class DomainsState:
    """``domain``: the text whose tokens are shown."""

    domain: str = link_field("protein", _read_domain, label="Text", name="domain", unlinked=_is_own)
