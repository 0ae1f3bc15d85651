"""Sets of problems with references: the built-in one, and what a person uploads as CSV, JSON lines or a JSON list.

An upload is hostile: its size, its encoding, its columns and every field are checked before anything is kept, and what
does not fit is one sentence that names the line. Knows no model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice, zip_longest
from typing import Any

from playground.errors import BadInput
from playground.tables import UnreadableTable, read_table, text_of
from playground.testtime.answers import extract_answers
from playground.testtime.registry import SCORERS, parse_spec
from playground.testtime.types import ScorerSpec

MOST_BYTES = 10_000_000
MOST_PROBLEMS = 1000
LONGEST_FIELD = 20_000  # characters
DEFAULT_TRUTH = "exact"
DEFAULT_PATTERN = "last-line"
DEFAULT_VERIFIER = "length:1-"
_NEEDED = ("prompt", "reference")
_KNOWN = ("id", "kind", "difficulty", "prompt", "reference", "truth", "answer_pattern", "verifier")


@dataclass(frozen=True, slots=True)
class Problem:
    """One question. ``truth``: the scorer that says whether an answer is right, given ``reference``.

    ``answer_pattern``: how an answer is found in a text, for votes. ``verifier``: a check that needs no reference, which
    a program could make in earnest. ``difficulty`` is any word; results are grouped by it.
    """

    id: str
    kind: str
    difficulty: str
    prompt: str
    reference: str
    truth: str = DEFAULT_TRUTH
    answer_pattern: str = DEFAULT_PATTERN
    verifier: str = DEFAULT_VERIFIER

    @property
    def truth_spec(self) -> ScorerSpec:
        return parse_spec(self.truth)

    @property
    def verifier_spec(self) -> ScorerSpec:
        return parse_spec(self.verifier)


@dataclass(frozen=True, slots=True)
class ProblemSet:
    """Problems in order, and sentences to tell about how they were read."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()

    def kinds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(problem.kind for problem in self.problems))

    def difficulties(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(problem.difficulty for problem in self.problems))


@cache
def built_in() -> ProblemSet:
    """The 48 problems that come with the playground: four kinds, each easy, medium and hard."""
    text = files("playground.testtime").joinpath("data/problems.json").read_text(encoding="utf-8")
    return ProblemSet(tuple(_problem(row, place) for place, row in enumerate(json.loads(text)["problems"], 1)))


def spread(problems: Sequence[Problem], count: int) -> tuple[Problem, ...]:
    """The first ``count``, taken in turn from every kind of every difficulty: a small bake-off asks something of each."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.difficulty, problem.kind), []).append(problem)
    turns = zip_longest(*groups.values())
    return tuple(problem for turn in turns for problem in turn if problem is not None)[:count]


def read_problems(data: bytes, file_name: str = "") -> ProblemSet:
    """The problems in an uploaded CSV, JSON lines or JSON list. Raises BadInput with one sentence for anything else.

    Needed columns or keys: prompt, reference. Known beside: id, kind, difficulty, truth (a scorer that takes a
    reference), answer_pattern, verifier. Others are left out, and said.
    """
    if len(data) > MOST_BYTES:
        raise _bad(f"it has {len(data) / 1e6:,.0f} MB and at most {MOST_BYTES // 10**6} are read; cut it down")
    try:
        read, notes = read_table(data, file_name, _NEEDED)
        rows = list(islice(read, MOST_PROBLEMS + 1))
    except UnreadableTable as error:
        raise _bad(str(error)) from None
    if len(rows) > MOST_PROBLEMS:
        raise _bad(f"it has more than {MOST_PROBLEMS:,} problems; cut it down")
    if not rows:
        raise _bad("it has a heading and no problems; add a line for each")
    unknown = sorted({key for _line, row in rows for key in row} - set(_KNOWN))
    if unknown:
        notes.append(f"Left out: {', '.join(key[:30] for key in unknown[:5])}.")
    problems = tuple(_problem(row, line) for line, row in rows)
    repeated = len(problems) - len({problem.id for problem in problems})
    if repeated:
        raise _bad(f"{repeated} of its ids are there twice; give each problem an id of its own")
    return ProblemSet(problems, tuple(notes))


def _bad(reason: str) -> BadInput:
    return BadInput(f"The problem file cannot be used: {reason}.", "file")


def _problem(row: Mapping[str, Any], line: int) -> Problem:
    values: dict[str, str] = {}
    for name in _KNOWN:
        try:
            text = text_of(row.get(name))
        except UnreadableTable as error:
            raise _bad(f"line {line}: {name} {error}") from None
        if not text:
            continue
        if len(text) > LONGEST_FIELD:
            raise _bad(f"line {line}: {name} has more than {LONGEST_FIELD:,} characters; shorten it")
        values[name] = text.strip() if name in ("id", "kind", "difficulty", "truth") else text
    for name in _NEEDED:
        if not values.get(name, "").strip():
            raise _bad(f"line {line} has no {name}; fill it in")
    values = {"id": f"line {line}", "kind": "uploaded", "difficulty": "any", **values}
    problem = Problem(**values)
    _check(problem, line)
    return problem


def _check(problem: Problem, line: int) -> None:
    try:
        truth, verifier = problem.truth_spec, problem.verifier_spec
        extract_answers([], problem.answer_pattern)
    except BadInput as error:
        raise _bad(f"line {line}: {str(error).rstrip('.')}") from None
    if not SCORERS[truth.name].needs_reference or not SCORERS[truth.name].gives_verdict:
        choices = ", ".join(kind.name for kind in SCORERS.values() if kind.needs_reference and kind.gives_verdict)
        raise _bad(f"line {line}: truth must be one of {choices}, not {truth.name}")
    if not SCORERS[verifier.name].gives_verdict or SCORERS[verifier.name].needs_engine:
        raise _bad(f"line {line}: {verifier.name} is no verifier that works without a model; choose another")
