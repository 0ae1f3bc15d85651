"""What the page Domains can be set to beside the shared setup."""

from __future__ import annotations

import re
from dataclasses import dataclass

from playground.errors import BadInput
from playground.state.link_fields import link_field

_NAME = re.compile(r"[^\x00-\x1f]{1,60}")


def _read_domain(given: str) -> str:
    if not _NAME.fullmatch(given):
        raise BadInput(f"{given[:20]!r} is no name of a domain.")
    return given


@dataclass(frozen=True, slots=True)
class DomainsState:
    """``domain``: the text whose tokens are shown."""

    domain: str = link_field("protein", _read_domain, label="Text", name="domain")
