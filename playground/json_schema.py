"""Why a JSON schema that a stranger wrote cannot be used. Asks nobody, runs no pattern, and checks no text against it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NoReturn

from playground.json_reading import RepeatedKey, read_json, unique_object

LONGEST_SCHEMA = 100_000  # characters
_REMOTE = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|//)")


@lru_cache(maxsize=64)
def schema_problem(schema_text: str) -> str | None:
    """What is wrong with it, as a clause ("it is no JSON …"), or None."""
    import jsonschema
    from jsonschema.validators import validator_for

    if len(schema_text) > LONGEST_SCHEMA:
        return f"a schema has at most {LONGEST_SCHEMA:,} characters; shorten it"
    try:
        schema = read_json(schema_text, parse_constant=_refuse, object_pairs_hook=unique_object)
        if not isinstance(schema, (dict, bool)):
            return "a schema is a JSON object such as {}"
        remote = _remote_reference(schema)
        if remote is not None:
            return f"it refers to {remote[:80]!r}, which is never fetched; put that part into $defs and refer to it by #/$defs/…"
        validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(schema)
    except RepeatedKey as error:
        return f"{error}; keep one of them"
    except ValueError as error:
        return f"it is no JSON ({_line(error)})"
    except RecursionError:
        return "it is nested too deeply"
    except jsonschema.exceptions.SchemaError as error:
        return f"it is no JSON schema ({_line(error.message)})"
    return None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _line(error: object) -> str:
    """The first line of a message, short."""
    lines = str(error).strip().splitlines()
    return lines[0][:120] if lines else ""


def _remote_reference(schema: object) -> str | None:
    """The first ``$ref`` that leaves the document; one that an ``$id`` inside it answers stays."""
    references: list[str] = []
    schema_ids: set[str] = set()
    waiting = [schema]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if isinstance(part.get("$id"), str):
                schema_ids.add(part["$id"].rstrip("#"))
            references += [part[key] for key in ("$ref", "$dynamicRef") if isinstance(part.get(key), str)]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return next((r for r in references if _REMOTE.match(r) and r.split("#")[0] not in schema_ids), None)
