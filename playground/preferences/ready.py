"""The answers that ship: twelve everyday prompts, each answered twice by the bundled model under three temperatures.

Written by SmolLM2-135M-Instruct (Apache-2.0) in its chat template, top-p 0.95, at most 72 new tokens, seeds 1 and 2. The votes on
them are the reader's.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from importlib.resources import files

from playground.preferences.ballot_file import read_ballot
from playground.preferences.ballots import Ballot

READY_NAME = "Ready answers"


@cache
def ready_ballot() -> Ballot:
    """The same every time."""
    return read_ballot(files("playground.preferences").joinpath("data/answers.jsonl").read_bytes()).ballot


_SENTENCES = (1, 0, 2, 0, 1, 3)  # of each prompt's six answers so many sentences are left; 0: all of it
_END = re.compile(r"(?<!\d)[.!?]+[\"”)]*(?=\s|$)")


@cache
def varied_ballot() -> Ballot:
    """The same answers, four of each prompt's six cut after one, two or three sentences: at one length for all nothing can be
    learnt from who likes them short.
    """
    whole = ready_ballot()
    return Ballot(
        tuple(
            replace(whole.answers[place], text=first_sentences(whole.answers[place].text, count))
            for places in whole.questions
            for place, count in zip(places, _SENTENCES, strict=True)
        )
    )


def first_sentences(text: str, count: int) -> str:
    """The first so many; all of a text that has fewer, and for a count of 0.

    >>> first_sentences("Yes. It is. Or not?", 2)
    'Yes. It is.'
    """
    ends = [match.end() for match in _END.finditer(text)]
    return text[: ends[count - 1]] if 0 < count <= len(ends) else text
