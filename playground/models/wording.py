"""Words and numbers for the messages of this folder. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction of the whole done so far, from 0 to 1."""

_SHOWN_CHARACTERS = 80


def silent(what: str, fraction: float) -> None:
    """The progress callback of somebody who does not watch."""


def within(progress: Progress, start: float, end: float) -> Progress:
    """A callback whose 0..1 is the part ``start``..``end`` of ``progress``."""
    return lambda what, fraction: progress(what, start + (end - start) * fraction)


def shown(text: object) -> str:
    """``text`` quoted, on one line and short, whatever a stranger typed.

    >>> shown("gpt2")
    "'gpt2'"
    """
    quoted = ascii(text) if not str(text).isprintable() else repr(str(text))
    return quoted if len(quoted) <= _SHOWN_CHARACTERS else quoted[: _SHOWN_CHARACTERS - 1] + "…"


def size_text(size_bytes: int) -> str:
    """A size in the disk maker's unit and in the memory maker's, because people compare with both.

    >>> size_text(538_090_408)
    '538 MB (513 MiB)'
    >>> size_text(14_000_000_000)
    '14.0 GB (13.0 GiB)'
    """
    if size_bytes < 1_000_000_000:
        return f"{size_bytes / 1e6:.0f} MB ({size_bytes / 2**20:.0f} MiB)"
    return f"{size_bytes / 1e9:.1f} GB ({size_bytes / 2**30:.1f} GiB)"


def reason_text(error: BaseException) -> str:
    """The first line of a library's complaint, short enough to stand inside a sentence, without its full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    text = text.rstrip(".:")
    return text if len(text) <= 200 else text[:199] + "…"
