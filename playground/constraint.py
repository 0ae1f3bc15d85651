"""What a text must match: the kinds, why one cannot be used, and how each kind of server is told one. Knows no engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from playground.json_reading import read_json
from playground.json_schema import schema_problem

ConstraintKind = Literal["json_schema", "grammar", "regex", "choice"]
CONSTRAINT_NAMES: dict[ConstraintKind, str] = {
    "json_schema": "JSON schema",
    "grammar": "grammar",
    "regex": "regular expression",
    "choice": "list of choices",
}


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a whole text must match. ``text``: a JSON schema, a grammar in GBNF (llama.cpp's), a regular expression, or the
    choices, one a line. An engine says in ``ModelInfo.constraints`` which kinds it has."""

    kind: ConstraintKind
    text: str

    @property
    def choices(self) -> list[str]:
        return [line for line in self.text.splitlines() if line]


def constraint_problem(constraint: Constraint) -> str | None:
    """Why no engine can use it, as one sentence, or None. Whether a grammar or a pattern is right the server says."""
    if not constraint.text.strip():
        return f"The {CONSTRAINT_NAMES[constraint.kind]} is empty: write one, or leave it out."
    if constraint.kind != "json_schema":
        return None
    problem = schema_problem(constraint.text)
    if problem is None and not constraint.text.strip().startswith("{"):
        problem = "a schema is a JSON object such as {}"
    return None if problem is None else f"The JSON schema cannot be used: {problem}."


ForServer = Callable[[Constraint], dict[str, object]]


def choices_grammar(choices: list[str]) -> str:
    """A grammar in GBNF (llama.cpp, XGrammar) of which each choice is a text. Its strings are JSON's, but know no halves of
    surrogate pairs.

    >>> choices_grammar(["yes", "no 😀"])
    'root ::= "yes" | "no 😀"'
    """
    return "root ::= " + " | ".join(json.dumps(choice, ensure_ascii=False) for choice in choices)


def _structured(constraint: Constraint) -> dict[str, object]:
    """vLLM's ``structured_outputs``."""
    name = {"json_schema": "json"}.get(constraint.kind, constraint.kind)
    value: object = constraint.text
    if constraint.kind == "json_schema":
        value = read_json(constraint.text)
    elif constraint.kind == "choice":
        value = constraint.choices
    return {"structured_outputs": {name: value}}


def _ebnf(constraint: Constraint) -> dict[str, object]:
    """SGLang's three fields."""
    if constraint.kind == "choice":
        return {"ebnf": choices_grammar(constraint.choices)}
    return {{"grammar": "ebnf"}.get(constraint.kind, constraint.kind): constraint.text}


def _gbnf(constraint: Constraint) -> dict[str, object]:
    """llama.cpp's two fields."""
    if constraint.kind == "json_schema":
        return {"json_schema": read_json(constraint.text)}
    return {"grammar": choices_grammar(constraint.choices) if constraint.kind == "choice" else constraint.text}


# by the server's kind: the kinds of constraints that it has, and how it is told one
CONSTRAINTS: Mapping[str, tuple[tuple[str, ...], ForServer]] = {
    "llama.cpp": (("json_schema", "grammar", "choice"), _gbnf),
    "vLLM": (("json_schema", "grammar", "regex", "choice"), _structured),
    "SGLang": (("json_schema", "grammar", "regex", "choice"), _ebnf),
}


def constraint_kinds(server: str) -> tuple[str, ...]:
    """The kinds of constraints that a kind of server has."""
    return CONSTRAINTS[server][0] if server in CONSTRAINTS else ()


def constraint_fields(server: str, constraint: Constraint | None) -> dict[str, object]:
    """The fields of a request that say ``constraint``, which ``limits.check_constraint`` has looked at."""
    return {} if constraint is None else CONSTRAINTS[server][1](constraint)
