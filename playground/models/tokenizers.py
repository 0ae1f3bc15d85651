"""A tokenizer without its model, for a server that has the model and tells no ids. Reads what is here and fetches nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from playground.errors import ModelNotFound, PlaygroundError
from playground.models.bundled import ensure_bundled
from playground.models.catalogue import ModelSource, resolve
from playground.models.hub import cached_snapshot
from playground.models.loading import read_tokenizer
from playground.models.wording import shown

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TOKENIZER_VARIABLE = "PLAYGROUND_TOKENIZER"


def tokenizer_for(model: str) -> tuple[PreTrainedTokenizerBase, str]:
    """The tokenizer that PLAYGROUND_TOKENIZER names (as a model is named, or a folder), or that of ``model``; and its name.

    Raises ModelNotFound where it is not on this machine, ModelCorrupt where it cannot be read.
    """
    named = os.environ.get(TOKENIZER_VARIABLE, "").strip()
    try:
        source, place = _located(named or model)
    except PlaygroundError:
        if named:
            raise
        raise _missing(model) from None
    return read_tokenizer(source, place), source.id


def _located(spec: str) -> tuple[ModelSource, Path]:
    if (Path(spec) / "tokenizer.json").is_file():
        return ModelSource("folder", spec, path=Path(spec).resolve()), Path(spec).resolve()
    source = resolve(spec)
    if source.kind == "bundled":
        return source, ensure_bundled()
    place = cached_snapshot(str(source.hub_id), source.revision) if source.kind == "hub" else source.path
    if place is None:
        raise _missing(spec)
    return source, place


def _missing(spec: str) -> ModelNotFound:
    return ModelNotFound(
        f"The server tells no token ids, and the tokenizer of {shown(spec)} is not on this machine: name a folder or a fetched "
        f"model that has it with {TOKENIZER_VARIABLE}."
    )
