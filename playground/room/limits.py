"""What one visitor of a shared server may ask for. Whether a server is shared, the environment says.

On one's own machine nothing is limited. On a shared one (``PLAYGROUND_SHARED=1``, and ``make room``) thirty visitors ask one
model, and the defaults are made for them: what a workshop's lesson needs, and no more than the others can wait for.
``PLAYGROUND_LIMITS`` changes them from outside, ``set_limits`` while the server runs. Knows no page and no model.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NoReturn

from playground.errors import BadInput, LimitReached

SHARED_VARIABLE = "PLAYGROUND_SHARED"
LIMITS_VARIABLE = "PLAYGROUND_LIMITS"
MOST_LIMIT = 1_000_000
_NO = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one visitor, on all tabs together, where nothing else is said. Each check raises LimitReached, one sentence."""

    tabs: int = 6
    queued: int = 40  # requests that wait or run: an open tab has some six at most
    rows: int = 32  # texts written at once: N of Best-of-N, texts of Generate, beams
    new_tokens: int = 512  # of each text
    prompt_tokens: int = 2_048
    runs: int = 20  # recorded
    address_tabs: int = 120  # open at once from one address, which may be a whole room behind a router

    def check_rows(self, wanted: int) -> None:
        if wanted > self.rows:
            _refuse(f"makes at most {self.rows:,} texts at a time", wanted)

    def check_new_tokens(self, wanted: int) -> None:
        if wanted > self.new_tokens:
            _refuse(f"writes at most {self.new_tokens:,} new tokens a text", wanted)

    def check_prompt(self, tokens: int) -> None:
        if tokens > self.prompt_tokens:
            _refuse(f"reads prompts of at most {self.prompt_tokens:,} tokens", tokens)

    def check_runs(self, stored: int) -> None:
        """Whether one more may be recorded where ``stored`` are."""
        if stored >= self.runs:
            raise LimitReached(
                f"This shared server records at most {self.runs:,} runs of a visitor, so this one is not: "
                "delete an older one."
            )

    def check_queued(self, waiting: int) -> None:
        """Whether one more may be asked for where ``waiting`` are."""
        if waiting >= self.queued:
            raise LimitReached(
                f"This shared server takes at most {self.queued:,} requests of a visitor at a time: stop one, or wait a moment."
            )

    def check_tabs(self, open_tabs: int) -> None:
        if open_tabs > self.tabs:
            raise LimitReached(
                f"This shared server takes at most {self.tabs:,} tabs of a visitor: close one, then load this page again."
            )


UNLIMITED = Limits(**{field.name: sys.maxsize for field in fields(Limits)})


def _refuse(what: str, wanted: int) -> NoReturn:
    raise LimitReached(f"This shared server {what}, not {wanted:,}: ask for fewer.")


def is_shared_server(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether several people use this server: then what is stored is each one's own, and limits hold."""
    return environment.get(SHARED_VARIABLE, "").strip().lower() not in _NO


def read_limits(text: str) -> Limits:
    """``rows=64, new_tokens=256``: the defaults with what is named changed. Raises BadInput.

    >>> read_limits("rows=64").rows
    64
    """
    names, limits = {field.name for field in fields(Limits)}, dict[str, int]()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (word.strip() for word in part.partition("="))
        if name not in names:
            raise BadInput(f"{LIMITS_VARIABLE} can name {', '.join(sorted(names))}, not {name[:40]!r}.")
        if not value.isascii() or not value.isdigit() or len(value) > 7 or not 1 <= int(value) <= MOST_LIMIT:
            raise BadInput(f"{LIMITS_VARIABLE}: {name} has to be a whole number from 1 to {MOST_LIMIT:,}.")
        limits[name] = int(value)
    return replace(Limits(), **limits)


class _Process:
    """What the leader set while this process runs; None: what the environment says."""

    given: Limits | None = None


def present_limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """What holds for a visitor now. Raises BadInput for a PLAYGROUND_LIMITS that cannot be read."""
    if not is_shared_server(environment):
        return UNLIMITED
    return _Process.given or read_limits(environment.get(LIMITS_VARIABLE, ""))


def set_limits(limits: Limits | None) -> None:
    """From now on, for all visitors of this process; None: as the environment says."""
    _Process.given = limits
