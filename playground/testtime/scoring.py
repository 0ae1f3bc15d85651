"""What a scorer is, what it is given, and the forms from which most are made. The list of them is ``registry``.

A scorer is made once from its argument (which is refused there if it is no good) and then reads candidates, one score
each, lazily, so that work can be shown, stopped and shared between sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from playground.engine.api import CancelToken, Engine
from playground.errors import BadInput
from playground.testtime.checking import check_texts
from playground.testtime.checks import Verdict
from playground.testtime.types import Candidate, Score

Family = Literal["log-probability", "verifier", "reference", "model"]
Reads = Literal["", "raw_logprobs", "top_logprobs", "mean_logprobs"]


@dataclass(frozen=True, slots=True)
class ScoringContext:
    """What a scorer may need beside the candidates. ``engine`` only on the model's own thread (``Worker.submit``).

    ``prompt`` is the question as typed, without chat template; ``reference`` the right answer, where there is one;
    ``answer_pattern`` how an answer is found in a text (a name of ``answers.PATTERNS`` or a regular expression);
    ``visitor`` the session that asks, "" for the command line: bounded checks of one visitor wait for each other.
    """

    prompt: str = ""
    reference: str | None = None
    answer_pattern: str | None = None
    engine: Engine | None = None
    visitor: str = ""
    cancel: CancelToken = field(default_factory=CancelToken)


Scores = Generator[Score, None, None]
ScoreFunction = Callable[[Sequence[Candidate], ScoringContext], Scores]
Maker = Callable[[str | None], ScoreFunction]


@dataclass(frozen=True, slots=True)
class ScorerKind:
    """One row of the registry. A larger score is always the better one.

    ``purpose``: what it is for, ``fails``: when it misleads, each one plain sentence. ``formula`` and ``source`` say
    where the number comes from. ``reads``: the recorded numbers of a candidate that it needs, "" for none. ``argument``:
    what may follow the name after a colon, "" for nothing; ``argument_needed`` where it cannot do without.
    ``gives_verdict``: its scores say valid or not.
    """

    name: str
    label: str
    family: Family
    purpose: str
    fails: str
    formula: str
    source: str
    make: Maker
    reads: Reads = ""
    argument: str = ""
    argument_needed: bool = False
    needs_engine: bool = False
    needs_reference: bool = False
    gives_verdict: bool = False


def refuse(name: str, message: str) -> BadInput:
    """The error for an argument that is no good; ``message`` is a sentence with a next step."""
    return BadInput(f"scorer {name}: {message}", "scorer")


def each(score: Callable[[Candidate], Score]) -> ScoreFunction:
    """A scorer that looks at one candidate at a time."""

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        for candidate in candidates:
            context.cancel.check()
            yield score(candidate)

    return run


def without_argument(name: str, function: ScoreFunction) -> Maker:
    """A maker that refuses any argument."""

    def make(argument: str | None) -> ScoreFunction:
        if argument is not None:
            raise refuse(name, "takes no argument; write its name alone.")
        return function

    return make


def with_number(
    name: str,
    default: float,
    low: float,
    high: float,
    score: Callable[[Candidate, float], Score],
    *,
    whole: bool = False,
) -> Maker:
    """A maker whose argument is a number from ``low`` to ``high``."""

    def make(argument: str | None) -> ScoreFunction:
        try:
            value = default if argument is None else float(argument)
        except ValueError:
            value = float("nan")
        if not low <= value <= high or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            raise refuse(name, f"takes {kind} from {low:g} to {high:g}, not {str(argument)[:40]!r}.")
        return each(lambda candidate: score(candidate, value))

    return make


def verdict_score(verdict: Verdict) -> Score:
    """1 for valid, 0 for not, no value where it could not be found out."""
    return Score(None if verdict.valid is None else float(verdict.valid), verdict.valid, verdict.note)


def bounded_check(check: str, argument: str = "") -> ScoreFunction:
    """A scorer that asks a bounded child process."""

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        texts = [candidate.text for candidate in candidates]
        for verdict in check_texts(check, texts, argument, cancel=context.cancel, visitor=context.visitor):
            yield verdict_score(verdict)

    return run


def against_reference(check: str) -> ScoreFunction:
    """A scorer that asks a bounded child process about the reference."""

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        yield from bounded_check(check, context.reference or "")(candidates, context)

    return run
