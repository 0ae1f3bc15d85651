"""Makers of the verifiers: rules that say valid or not. What could hang or crash is asked in a bounded child process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import regex

from playground.json_schema import schema_problem
from playground.testtime.answers import extract_answers, normalise
from playground.testtime.checking import check_texts
from playground.testtime.patterns import compile_pattern, last_matches
from playground.testtime.scoring import (
    ScoreFunction,
    Scores,
    ScoringContext,
    bounded_check,
    each,
    refuse,
)
from playground.testtime.sql_check import SAMPLE_DATABASE, supported_dialects
from playground.testtime.types import Candidate, Score

LENGTH_UNITS = {"t": "tokens", "w": "words", "c": "characters"}
_MOST_WORDS = 200
_REFERENCE_SEPARATOR = "|"


def make_json(argument: str | None) -> ScoreFunction:
    """JSON, and a schema where one is given."""
    if argument is not None and (problem := schema_problem(argument)) is not None:
        raise refuse("json", f"the schema cannot be used: {problem}.")
    return bounded_check("json", argument or "")


def make_sql(argument: str | None) -> ScoreFunction:
    """``DIALECT`` or ``DIALECT;CREATE TABLE …``. The statements are tried at once, in the child, and refused there."""
    dialect, _, setup = (argument or "sqlite").partition(";")
    dialect = dialect.strip().lower()
    if dialect not in supported_dialects():
        raise refuse("sql", f"there is no dialect {dialect[:40]!r}; choose one of {', '.join(supported_dialects())}.")
    own = setup if setup.strip() else SAMPLE_DATABASE
    asked = f"{dialect}\n{own}"
    if setup.strip():
        _try_schema(own)
    return bounded_check("sql", asked)


@lru_cache(maxsize=64)
def _try_schema(statements: str) -> None:
    """Raise BadInput unless the statements build a database. Only success is remembered.

    Nobody in particular asks here: each text of statements is a visitor of its own, so that none waits for another's.
    """
    verdict = next(check_texts("sql", ["SELECT 1"], f"sqlite\n{statements}", visitor=f"sql {statements}"))
    if verdict.valid is not True:
        raise refuse("sql", verdict.note or "the schema cannot be run; correct its statements.")


def make_regex(argument: str | None) -> ScoreFunction:
    """Valid where the pattern matches somewhere."""
    compiled = compile_pattern(argument or "", "scorer regex")

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        for match in last_matches(compiled, (candidate.text for candidate in candidates)):
            context.cancel.check()
            if match.too_slow:
                yield Score(None, None, "The pattern takes too long on this text; make it simpler.")
            else:
                yield Score(float(match.text is not None), match.text is not None, "")

    return run


def make_length(argument: str | None) -> ScoreFunction:
    """``LOW-HIGH`` with a unit: ``10-50t`` (tokens, the default), ``-100w`` (words), ``20-c`` (characters).

    The value is minus the distance to the range: 0 inside it. Without a range, minus the tokens and no verdict.
    """
    if argument is None:
        return each(lambda candidate: Score(-float(candidate.n_tokens), None, f"{candidate.n_tokens} tokens"))
    match = regex.fullmatch(r"(\d{0,6})-(\d{0,6})([twc]?)", (argument or "").strip())
    if match is None or not (match[1] or match[2]):
        raise refuse("length", f"takes a range such as 10-50, -100w or 20-c, not {str(argument)[:40]!r}.")
    low, high = int(match[1] or 0), int(match[2]) if match[2] else None
    if high is not None and high < low:
        raise refuse("length", f"the range {match[0]} ends before it begins; turn it round.")
    unit = match[3] or "t"

    def score(candidate: Candidate) -> Score:
        length = {"t": candidate.n_tokens, "w": len(candidate.text.split()), "c": len(candidate.text)}[unit]
        over = max(low - length, 0 if high is None else length - high, 0)
        return Score(0.0 - over, over == 0, f"{length} {LENGTH_UNITS[unit]}")

    return each(score)


def make_forbidden(argument: str | None) -> ScoreFunction:
    """Words or phrases with commas; valid where none occurs as a whole word, in any case."""
    words = [word.strip() for word in (argument or "").split(",") if word.strip()]
    if not words or len(words) > _MOST_WORDS:
        raise refuse("forbidden", f"takes 1 to {_MOST_WORDS} words with commas such as sorry,as an AI.")
    compiled = compile_pattern(_whole_words(words), "scorer forbidden", regex.IGNORECASE)

    def score(candidate: Candidate) -> Score:
        match = compiled.search(candidate.text)
        return Score(float(match is None), match is None, f"has {match[0][:40]!r}" if match else "")

    return each(score)


def _whole_words(words: Sequence[str]) -> str:
    alternatives = "|".join(r"\s+".join(regex.escape(part) for part in word.split()) for word in words)
    return rf"(?<![\p{{L}}\p{{N}}_])(?:{alternatives})(?![\p{{L}}\p{{N}}_])"


def make_exact(argument: str | None) -> ScoreFunction:
    """Valid where the extracted answer equals the reference, both normalised. The argument is the answer pattern."""
    if argument is not None:
        extract_answers([], argument, "scorer exact")

    def run(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
        pattern = argument or context.answer_pattern or "whole"
        wanted = {normalise(part) for part in (context.reference or "").split(_REFERENCE_SEPARATOR)}
        answers = extract_answers([candidate.text for candidate in candidates], pattern)
        for answer in answers:
            if answer.key is None:
                yield Score(0.0, False, answer.note)
            else:
                yield Score(float(answer.key in wanted), answer.key in wanted, f"answer {answer.key[:60]!r}")

    return run


def score_mentions(candidates: Sequence[Candidate], context: ScoringContext) -> Scores:
    """Valid where the text has the reference as whole words; several spellings are parted by |."""
    words = [part.strip() for part in (context.reference or "").split(_REFERENCE_SEPARATOR) if part.strip()]
    if not words:
        for _candidate in candidates:
            yield Score(None, None, "The reference is empty.")
        return
    compiled = compile_pattern(_whole_words(words), "reference", regex.IGNORECASE)
    for candidate in candidates:
        context.cancel.check()
        mentioned = compiled.search(candidate.text) is not None
        yield Score(float(mentioned), mentioned)
