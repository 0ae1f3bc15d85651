"""Ask a check of ``checks`` about many texts, each in a bounded child process. Knows the checks by name only."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from playground.bounded import BoundedFailure, RaisedInChild, call_bounded
from playground.engine.api import CancelToken
from playground.testtime.checks import LONGEST_TEXT, Verdict, run_check

TEXT_SECONDS = 3.0  # of the child's own computing, for one text: a busy machine must change no verdict
MOST_TIMEOUTS = 5  # texts of one column that may run out of time; the rest are not tried then

_FIRST = {
    "math": (r"$\frac{1}{2}$", r"\frac{1}{2}"),  # reading LaTeX imports more than reading a number
    "json": ("1", "{}"),
    "json-equals": ("1", "1"),
    "python": ("1", ""),
    "sql": ("SELECT 1", "sqlite"),
}
"""A harmless question to each check, asked first, so that imports do not count against a text."""


def check_texts(
    check: str,
    texts: Iterable[str],
    argument: str = "",
    *,
    seconds: float = TEXT_SECONDS,
    cancel: CancelToken | None = None,
    visitor: str = "",
) -> Generator[Verdict, None, None]:
    """The verdict on each text, in order; equal texts are checked once. Raises Cancelled at any time.

    A text that takes more than ``seconds`` of computing, or that ends the child, gets a verdict of None and a note. After
    ``MOST_TIMEOUTS`` of them the rest are not tried. Checks of one ``visitor`` wait for each other.
    """
    cancel = cancel or CancelToken()
    cached: dict[str, Verdict] = {}
    lost = 0
    for text in texts:
        cancel.check()
        if len(text) > LONGEST_TEXT:
            yield Verdict(None, f"longer than {LONGEST_TEXT:,} characters, so not checked")
            continue
        if text not in cached and lost >= MOST_TIMEOUTS:
            yield Verdict(None, f"not tried, because {lost} others could not be checked in time")
            continue
        if text not in cached:
            verdict = _ask(check, text, argument, seconds, cancel, visitor)
            lost += verdict is None
            cached[text] = verdict or Verdict(None, f"could not be checked within {seconds:g} s of computing")
        yield cached[text]


def _ask(check: str, text: str, argument: str, seconds: float, cancel: CancelToken, visitor: str) -> Verdict | None:
    """One verdict; None where there was none in time."""
    try:
        valid, note = call_bounded(
            run_check,
            check,
            text,
            argument,
            seconds=seconds,
            visitor=visitor,
            check=cancel.check,
            warm_up=(check, *_FIRST[check]),
        )
    except RaisedInChild as error:  # libraries that read hostile text raise whatever they like
        return Verdict(False, f"could not be read ({error.kind})")
    except BoundedFailure:
        return None
    return Verdict(valid, note)
