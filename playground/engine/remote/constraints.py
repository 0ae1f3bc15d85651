"""What a text must match, as each server is told it. Knows no requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from playground.engine.types import Constraint
from playground.json_reading import read_json

ForServer = Callable[[Constraint], dict[str, object]]


def choices_grammar(choices: list[str]) -> str:
    """A grammar in GBNF (llama.cpp, XGrammar) of which each choice is a text.

    >>> choices_grammar(["yes", "no"])
    'root ::= "yes" | "no"'
    """
    return "root ::= " + " | ".join(json.dumps(choice) for choice in choices)


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
