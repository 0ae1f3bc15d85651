"""The answers that ship: twelve everyday prompts, each answered twice by the bundled model under three temperatures.

Written by SmolLM2-135M-Instruct (Apache-2.0) in its chat template, top-p 0.95, at most 72 new tokens, seeds 1 and 2. The votes on
them are the reader's.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from playground.preferences.ballot_file import read_ballot
from playground.preferences.ballots import Ballot

READY_NAME = "Ready answers"


@cache
def ready_ballot() -> Ballot:
    """The same every time."""
    return read_ballot(files("playground.preferences").joinpath("data/answers.jsonl").read_bytes()).ballot
