"""``generate --compare-model``: the same prompt, settings and seed given to other models, and where their texts part."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from playground.cli import compared

if TYPE_CHECKING:
    from playground.engine.api import Engine
    from playground.generation import Generation, GenerationRequest
    from playground.generation.types import RowResult
    from playground.models.naming import ComparedModel

Written = tuple[dict[str, Any], "Engine", "Generation"]
"""What is said about a text beside the first, the model and the text. A model here may be closed: its codec still works."""


def write_beside(
    args: argparse.Namespace,
    engine: Engine,
    first: RowResult,
    others: list[ComparedModel],
    write: Callable[[Engine, GenerationRequest], Generation],
) -> list[Written]:
    """A text by each of ``others``, opened one after the other so that one at a time is in memory beside the first.

    Stop token ids are left out where they mean other tokens. Raises BadSetting for a logit bias there, and as ``generate``.
    """
    from playground.inspection.alignment import align
    from playground.inspection.compared import require_portable

    entries = list[Written]()
    for other in others:
        with compared.opened(args, other, engine) as (own, ids):
            same = align([(one.codec, one.info.vocab_size) for one in (engine, own)]).same
            require_portable(first.request.settings, same)
            stop_ids = first.request.stop_ids if same else ()
            written = write(own, replace(first.request, prompt_ids=ids, stop_ids=stop_ids))
            entries.append((_about(other, engine, first, own, written.rows[0], same), own, written))
    return entries


def _about(
    other: ComparedModel, engine: Engine, first: RowResult, own: Engine, row: RowResult, same: bool
) -> dict[str, Any]:
    from playground.generation.document import step_pieces
    from playground.generation.parting import parting

    left = step_pieces(engine.codec, first.steps, first.request.prompt_ids)
    right = step_pieces(own.codec, row.steps, row.request.prompt_ids)
    divergence = parting(first.steps, row.steps, left, right, same_vocabulary=same)
    info = own.info
    return {
        "compared": other.text,
        "dtype": info.dtype,
        "device": info.device,
        "server": None if info.server is None else info.server.kind,
        "weights_bytes": info.weights_bytes,
        "same_vocabulary": same,
        "parts_at": None
        if divergence is None
        else {
            "token": divergence.left,
            "token_compared": divergence.right,
            "character": divergence.character,
            "text": left[divergence.left] if divergence.left < len(left) else None,
            "text_compared": right[divergence.right] if divergence.right < len(right) else None,
        },
    }


def print_head(about: dict[str, Any]) -> None:
    """Whose text follows, and where it parts from the first."""
    where = about["server"] or about["device"] or "unknown"
    print(f"\ncompared with {about['compared']}: {about['dtype'] or 'unknown'}, {where}")
    parts = about["parts_at"]
    if parts is None:
        print("the same text")
        return
    place = f"token {parts['token'] + 1}" if parts["character"] is None else f"character {parts['character'] + 1}"
    one, two = ("the end" if text is None else repr(text) for text in (parts["text"], parts["text_compared"]))
    print(f"parts from the first text at {place}: {one} against {two}")
