"""A generation as a file: JSON that comes back (``document_reading.py``), and a CSV of its steps for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from playground.downloads import csv_text, harmless
from playground.engine.api import TextCodec
from playground.engine.types import TokenIds
from playground.generation.document import Run, ids_before, pieces, step_pieces
from playground.generation.document_schema import FORMAT
from playground.generation.tree import Branch
from playground.generation.types import TokenStep

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


Written = tuple[Run, TextCodec]
"""A run and the codec of the model that wrote it."""


def to_json(run: Run, codec: TextCodec, beside: Sequence[Written] = ()) -> str:
    """The file. ``text`` beside each id is for people. ``beside``: what other models wrote of the same prompt."""
    data: dict[str, Any] = {"format": FORMAT, **_run_fields(run, codec)}
    if beside:
        data["beside"] = [{"format": FORMAT, **_run_fields(*each)} for each in beside]
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


def _run_fields(run: Run, codec: TextCodec) -> dict[str, Any]:
    tree = run.tree
    return {
        "model": _fields(run.origin),
        "prompt": {**_fields(run.prompt), "pieces": pieces(codec, run.prompt.ids)},
        "limits": _fields(run.limits),
        "current": tree.current,
        "folded": sorted(tree.folded),
        "branches": [_branch_fields(run, branch, codec) for branch in tree.branches],
    }


def _fields(item: DataclassInstance, *without: str) -> dict[str, Any]:
    """Not ``asdict``, which would copy all that is below, step by step."""
    return {name: getattr(item, name) for name in item.__dataclass_fields__ if name not in without}


def _branch_fields(run: Run, branch: Branch, codec: TextCodec) -> dict[str, Any]:
    path = run.tree.path(branch.id)
    texts = step_pieces(codec, path, run.prompt.ids)
    steps = [
        _step_fields(step, texts[place], ids_before(run.prompt.ids, path, place), codec)
        for place, step in enumerate(path)
        if place >= branch.fork
    ]
    return {**_fields(branch, "id"), "settings": branch.settings.to_mapping(), "steps": steps}


def _step_fields(step: TokenStep, text: str, before: TokenIds, codec: TextCodec) -> dict[str, Any]:
    top = [
        {**_fields(other), "raw_logprob": _finite(other.raw_logprob), "text": codec.piece(other.id, before)}
        for other in step.top
    ]
    return {**_fields(step, "row", "index"), "text": text, "raw_logprob": _finite(step.raw_logprob), "top": top}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


CSV_COLUMNS = (
    "model",
    "dtype",
    "branch",
    "name",
    "step",
    "id",
    "text",
    "raw_logprob",
    "raw_prob",
    "final_prob",
    "rank",
    "entropy_nats",
    "kept",
    "u",
    "picked_by_hand",
    "ended",
)


def to_csv(run: Run, codec: TextCodec, beside: Sequence[Written] = ()) -> str:
    """One line a token of every branch's whole path, of ``beside`` too. Text that a spreadsheet would run as a formula is
    quoted.
    """
    written = [(run, codec), *beside]
    return csv_text(
        CSV_COLUMNS,
        (line for one, own in written for branch in one.tree.branches for line in _lines(one, branch, own)),
    )


def _lines(run: Run, branch: Branch, codec: TextCodec) -> Iterator[tuple[object, ...]]:
    path, picked = run.tree.path(branch.id), run.tree.hand_picked(branch.id)
    texts = step_pieces(codec, path, run.prompt.ids)
    for place, (step, text) in enumerate(zip(path, texts, strict=True)):
        yield (
            harmless(run.origin.name),
            harmless(run.origin.dtype),
            branch.id,
            harmless(branch.name),
            place + 1,
            step.id,
            harmless(text),
            _written(step.raw_logprob, ".6f"),
            _written(None if step.raw_logprob is None else math.exp(step.raw_logprob), ".8g"),
            _written(step.prob, ".8g"),
            "" if step.rank is None else step.rank + 1,
            _written(step.entropy, ".6f"),
            step.kept,
            _written(step.u, ".12f"),
            int(place in picked),
            branch.ended if place == len(path) - 1 else "",
        )


def _written(value: float | None, form: str) -> str:
    """An empty cell for what the engine did not tell."""
    return "" if value is None else format(value, form)
