"""How commands say what they found: one JSON object or a table on stdout, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def finite(value: float) -> float | None:
    """A float for JSON: None where it is undefined or infinite."""
    return float(value) if math.isfinite(value) else None


def run_counted(steps: Generator[object, None, T], most: int, *, shown: bool) -> T:
    """Run to the end; ``shown`` says on stderr after each step how far it is."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            if shown:
                print(file=sys.stderr)
            result: T = end.value
            return result
        count += 1
        if shown:
            print(f"\r{count:,} of at most {most:,} tokens", end="", file=sys.stderr, flush=True)


def print_json(result: dict[str, Any]) -> None:
    """Exactly one JSON object on stdout."""
    print(json.dumps(result, ensure_ascii=True, allow_nan=False))


def stage_words(stage: Mapping[str, Any]) -> str:
    """A sampler's stage of the JSON object with its values.

    >>> stage_words({"name": "top_p", "params": {"top_p": 0.9}})
    'top_p 0.9'
    >>> stage_words({"name": "xtc", "params": {"threshold": 0.1, "probability": 0.5}})
    'xtc threshold = 0.1, probability = 0.5'
    """
    params = dict(stage["params"])
    said = (
        str(*params.values()) if len(params) == 1 else ", ".join(f"{name} = {value}" for name, value in params.items())
    )
    return f"{stage['name']} {said}".rstrip()


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Aligned columns; control characters made visible, so that a token cannot move the cursor."""
    from playground.engine.text.display import glyphs

    lines = [list(head), *([glyphs(cell) if cell else "" for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
