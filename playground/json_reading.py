"""JSON that a stranger wrote, read without recursion in Python.

``json.loads`` goes down one call a bracket and ends a few calls before the interpreter's limit: the error can be caught,
but whatever else Python does down there (a finalizer, a callback) fails too. So what nests too deeply is refused before.
Knows no format of ours; whoever reads a file turns these failures into its own sentence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


class NestedTooDeeply(ValueError):
    """More brackets within each other than any text of use has (200)."""

    def __init__(self) -> None:
        super().__init__("it is nested too deeply")


def read_json(text: str | bytes, **hooks: Any) -> Any:  # noqa: ANN401 - as json.loads
    """``json.loads(text, **hooks)``. Raises ValueError for what is no JSON, and of that NestedTooDeeply."""
    from pydantic_core import from_json

    try:
        from_json(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    except (
        ValueError
    ) as error:  # other faults are told by the reader whose rules count: half a surrogate pair is none there
        if "recursion limit" in str(error):
            raise NestedTooDeeply from None
    try:
        return json.loads(text, **hooks)
    except RecursionError:  # what stands behind something that only the other reader refuses
        raise NestedTooDeeply from None


class RepeatedKey(ValueError):
    """A JSON object names one key twice: a reader would keep the last and drop the others."""


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """For ``read_json(object_pairs_hook=)``. Raises RepeatedKey."""
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [key for key, _value in pairs]
        raise RepeatedKey(f"it has the key {repeated(keys)!r} twice")
    return unique


def repeated(names: Iterable[str]) -> str | None:
    """The first name that is there twice, short; empty names do not count."""
    before: set[str] = set()
    for name in names:
        if name and name in before:
            return name[:40]
        before.add(name)
    return None
