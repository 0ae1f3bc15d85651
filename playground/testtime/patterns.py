"""Regular expressions typed by a person, on texts written by a model: compiled or refused, and searched under a clock.

The ``regex`` package, because the standard library's ``re`` cannot be stopped: a pattern such as ``(a+)+$`` would hold
the page for ever.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable
from dataclasses import dataclass

import regex

from playground.errors import BadInput

LONGEST_PATTERN = 1000  # characters
SEARCH_SECONDS = 0.5  # for one text
MOST_TIMEOUTS = 3  # texts that may run out of time; the rest are not searched then


@dataclass(frozen=True, slots=True)
class LastMatch:
    """One text's last match. ``text`` is the group "answer", else the first group, else the whole match; None where
    nothing matched. ``too_slow``: the search was given up, so nothing is known.
    """

    text: str | None
    too_slow: bool = False


def compile_pattern(pattern: str, field: str = "pattern", flags: int = 0) -> regex.Pattern[str]:
    """The compiled pattern. Raises BadInput that names ``field``."""
    if not pattern:
        raise BadInput(f"{field}: an empty pattern matches everything; type one such as (\\d+).", field)
    if len(pattern) > LONGEST_PATTERN:
        raise BadInput(f"{field}: a pattern has at most {LONGEST_PATTERN:,} characters; shorten it.", field)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of ambiguous sets; what they mean now is what they will be given
            return regex.compile(pattern, flags | regex.VERSION0)
    except (regex.error, RecursionError, OverflowError, MemoryError, ValueError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise BadInput(f"{field}: {pattern[:60]!r} is no regular expression ({reason}); correct it.", field) from None


def last_matches(compiled: regex.Pattern[str], texts: Iterable[str]) -> Generator[LastMatch, None, None]:
    """The last match in each text, in order."""
    lost = 0
    for text in texts:
        if lost >= MOST_TIMEOUTS:
            yield LastMatch(None, too_slow=True)
            continue
        match = _last_match(compiled, text)
        lost += match.too_slow
        yield match


def _last_match(compiled: regex.Pattern[str], text: str) -> LastMatch:
    match = None
    try:
        for match in compiled.finditer(text, timeout=SEARCH_SECONDS, concurrent=True):  # noqa: B007
            pass
    except TimeoutError:
        return LastMatch(None, too_slow=True)
    if match is None:
        return LastMatch(None)
    if "answer" in compiled.groupindex:
        return LastMatch(match["answer"])
    return LastMatch(match[1] if compiled.groups else match[0])
