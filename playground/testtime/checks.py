"""Checks of a stranger's text that may hang, explode or crash: pure functions, run only in a bounded child process.

Each takes a text and an argument and returns a ``Verdict``; none runs what it reads as code. Knows no candidate, no
model and no page, and imports nothing heavy before it is needed.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from playground.json_reading import read_json
from playground.testtime.math_text import other_readings, without_denied, without_emphasis
from playground.testtime.sql_check import check_sql
from playground.testtime.written_numbers import MINUS_SIGNS

LONGEST_TEXT = 100_000  # characters; no answer of a model here is longer
_FENCE = re.compile(r"```[^\n`]*\n([^`]*)```")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a text passes, or None where that could not be found out, and why in one sentence."""

    valid: bool | None
    note: str = ""


def payload(text: str) -> str:
    """The text itself, or the inside of its code block where it has exactly one.

    >>> payload("Here:\\n```json\\n[1]\\n```")
    '[1]\\n'
    """
    blocks = _FENCE.findall(text)
    return str(blocks[0]) if len(blocks) == 1 else text


def check_math(text: str, reference: str) -> Verdict:
    """Whether the numeric or LaTeX answer in ``text`` equals ``reference``, by math-verify.

    Its own timeouts use signals, which only a main thread may: they are off here, and the bounded call keeps the time.
    """
    import logging

    from math_verify import parse, verify

    logging.disable(logging.WARNING)  # it warns at each call that its timeouts are off
    text = without_emphasis(text)
    golds = [gold for written in (reference, *other_readings(reference)) if (gold := _as_math(parse, written))]
    if _bare(text) == _bare(reference) != "":
        return Verdict(True, "the same text as the reference")
    if not golds:
        return Verdict(None, "The reference is no number or formula: give one such as 42 or \\frac{1}{2}.")
    parts = [written for part in _answer_parts(text) for written in (part, *other_readings(part))]
    readings = [reading for part in parts if (reading := _as_math(parse, part))]
    if not readings:
        return Verdict(False, "No number or formula was found in the answer.")
    note = f"read as {str(readings[0][-1])[:60]}"
    return Verdict(any(verify(gold, reading, timeout_seconds=None) for gold in golds for reading in readings), note)


_PROSE = re.compile(r"(?<![\\A-Za-z])(?!(?:sin|cos|tan|log|exp|sqrt|and|inf)(?![A-Za-z]))[A-Za-z]{3,}")
_STATED_ANSWER = re.compile(r"\banswer(?: is)?[ :=]{1,4}([^\n$]+?)\.?(?:\n|$|\. )", re.IGNORECASE)
_OTHER_WORD = re.compile(r"(?<=\s)(?!(?:or|pi|ln)\b)[A-Za-z]{2}(?![A-Za-z(])|(?<=\s)a(?=\s)")  # a unit, "of a cake"
_MINUS_WORD = re.compile(r"^\s*(?:minus|negative)\s+(?=[\d.\\$])", re.IGNORECASE)
_TOWER = re.compile(r"\*\*\s*-?[\w.]+\s*\*\*")  # is not to be written with ^ but in braces
_EXPONENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)[eE]([+-]?\d+)(?!\w)")


def _bare(text: str) -> str:
    """The text without white space and the dollar signs around it."""
    return "".join(text.split()).strip("$")


def _answer_parts(text: str) -> list[str]:
    """What of an answer is read: all of it, or what follows "the answer is" where no sign says what is a formula."""
    stated = [] if re.search(r"\$|\\\(|\\\[|\\boxed", text) else _STATED_ANSWER.findall(text)
    return (
        [_first_formula(_MINUS_WORD.sub("-", stated[-1]))] if stated else [_MINUS_WORD.sub("-", without_denied(text))]
    )


def _first_formula(stated: str) -> str:
    """The first stretch without prose that has a digit, or else all: math-verify reads the last one.

    >>> _first_formula("8, not 7"), _first_formula("3/4 of a cake"), _first_formula("five")
    ('8', '3/4', 'five')
    """
    for stretch in _PROSE.split(stated):
        word = _OTHER_WORD.search(stretch)
        formula = (stretch[: word.start()] if word else stretch).lstrip(" ,;:)").rstrip(" ,;:.(")
        if re.search(r"\d", formula):
            return formula
    return stated


def _as_math(parse: Callable[..., list[Any]], text: str) -> list[Any]:
    """What math-verify reads in ``text``. A bare formula is given the dollar signs without which it is read as prose."""
    plain = re.sub(f"[{MINUS_SIGNS}]", "-", text)
    plain = re.sub(r"-\s?\\?\$\s?(?=[\d.])", "-", plain)  # minus twelve dollars
    wrapped = any(sign in plain for sign in ("$", "\\boxed", "\\(", "\\[")) or "\n" in plain.strip()
    if not wrapped and plain.strip() and not _PROSE.search(plain):
        formula = re.sub(r"(?<![\\A-Za-z])pi(?![A-Za-z])", r"\\pi ", plain.strip().removesuffix("."))
        if not _TOWER.search(formula):
            formula = formula.replace("**", "^")
        plain = "$" + _EXPONENT.sub(r"\1\\cdot 10^{\2}", formula) + "$"
    return parse(plain, parsing_timeout=None)


def parse_json(text: str) -> object:
    """The JSON value of ``payload(text)``, strictly: no NaN, no Infinity. Raises ValueError."""

    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is not JSON")

    return read_json(payload(text), parse_constant=refuse)


def check_json(text: str, schema_text: str) -> Verdict:
    """Whether ``text`` is JSON, and fits the schema where there is one ("" for none)."""
    try:
        value = parse_json(text)
    except ValueError as error:
        return Verdict(False, f"no JSON: {_line(error)}")
    if not schema_text:
        return Verdict(True)
    return _fits(value, json.loads(schema_text))


def _fits(value: object, schema: object) -> Verdict:
    import jsonschema
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import NoSuchResource, Unresolvable

    def refuse(uri: str) -> NoReturn:
        raise NoSuchResource(ref=uri)  # type: ignore[call-arg]  # an attrs class

    kind = validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        problem = next(iter(kind(schema, registry=Registry(retrieve=refuse)).iter_errors(value)), None)  # type: ignore[call-arg]
    except RecursionError:
        return Verdict(None, "The schema refers to itself without end: give each loop a property or item between.")
    except Unresolvable:
        return Verdict(None, "The schema refers to something outside itself, which is never fetched: put it in $defs.")
    except re.error as error:
        return Verdict(None, f"A pattern of the schema is no regular expression: {_line(error)}.")
    if problem is None:
        return Verdict(True)
    where = "/".join(str(part) for part in problem.absolute_path) or "the whole"
    return Verdict(False, f"{where[:80]}: {_line(problem.message)}")


def check_json_equals(text: str, reference: str) -> Verdict:
    """Whether ``text`` is JSON of the same value as ``reference``; the order of an object's keys does not count."""
    try:
        wanted = parse_json(reference)
    except ValueError as error:
        return Verdict(None, f"The reference is no JSON ({_line(error)}): give one such as [1, 2].")
    try:
        parsed = parse_json(text)
    except ValueError as error:
        return Verdict(False, f"no JSON: {_line(error)}")
    return Verdict(_same(parsed, wanted), "" if _same(parsed, wanted) else "another value than the reference")


def _same(left: object, right: object) -> bool:
    """Equality of JSON values: ``true`` is not 1, but 1.0 is."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return (
        type(left) in (int, float)
        and type(right) in (int, float)
        and left == right
        or (type(left) is type(right) and left == right)
    )


def check_python(text: str, _argument: str) -> Verdict:
    """Whether the code compiles. It is never run; an empty text is no program."""
    code = payload(text)
    if not code.strip():
        return Verdict(False, "There is no code.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            compile(tree, "<candidate>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return Verdict(False, f"line {error.lineno}: {_line(error.msg)}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Verdict(False, f"cannot be compiled: {_line(error) or type(error).__name__}")
    if not any(isinstance(node, ast.stmt) and not _is_text(node) for node in tree.body):
        return Verdict(True, "compiles, but is nothing but a name or a text")
    return Verdict(True)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, (ast.Constant, ast.Name))


def _line(error: object) -> str:
    """The first line of a message, short."""
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else ""


def _run_sql(text: str, argument: str) -> Verdict:
    dialect, _, setup = argument.partition("\n")
    valid, note = check_sql(payload(text), dialect, setup)
    return Verdict(valid, note)


CHECKS: dict[str, Callable[[str, str], Verdict]] = {
    "math": check_math,
    "json": check_json,
    "json-equals": check_json_equals,
    "python": check_python,
    "sql": _run_sql,
}


def run_check(check: str, text: str, argument: str) -> tuple[bool | None, str]:
    """The verdict of one check, in a form that leaves the child process."""
    verdict = CHECKS[check](text, argument)
    return verdict.valid, verdict.note
