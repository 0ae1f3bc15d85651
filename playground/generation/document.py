"""What a generation leaves when it leaves the page: its model, prompt, limits and tree of texts.

``document_writing.py`` makes a file of it, ``document_reading.py`` takes one back by ``document_schema.py``. Pure data:
knows no page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from playground.constraint import Constraint
from playground.engine.api import TextCodec
from playground.engine.types import TokenIds
from playground.generation.tree import Tree
from playground.generation.types import DrawnStep, TokenStep
from playground.models.info import ModelInfo, or_unknown

CONTEXT = 8  # ids before a token that can matter for its text


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt as typed and as read. ``logprobs``: each of its tokens' raw log-probability, None for the first
    (nothing comes before it); empty where it was not computed. ``ranks`` and ``entropies`` likewise.
    """

    text: str
    ids: TokenIds
    chat: bool = False
    system: str = ""
    parse_special: bool = False
    logprobs: tuple[float | None, ...] = ()
    ranks: tuple[int | None, ...] = ()
    entropies: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """When a text ends, and what it must match. Checked where a ``GenerationRequest`` is made of it."""

    max_new_tokens: int = 64
    stop_strings: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """The model that generated. Ids mean the same under the same ``id``; numbers under the same ``revision``."""

    id: str
    name: str
    revision: str
    dtype: str
    device: str
    vocab_size: int


def public_id(model: str) -> str:
    """A model's id as it may leave this machine: of a folder or file by its full path, the name alone."""
    return PurePath(model).name if PurePath(model).is_absolute() else model


def origin_of(info: ModelInfo) -> Origin:
    return Origin(
        public_id(info.id), info.name, info.revision, or_unknown(info.dtype), or_unknown(info.device), info.vocab_size
    )


@dataclass(frozen=True, slots=True)
class Run:
    """All that one generation left: enough to show it again, to branch from it and to make its numbers again."""

    origin: Origin
    prompt: Prompt
    limits: Limits
    tree: Tree


def ids_before(prompt: TokenIds, path: Sequence[TokenStep], place: int) -> TokenIds:
    """The last ids before a place in a path that its text can depend on; what the engine did not tell is left out."""
    own = tuple(step.id for step in path[max(0, place - CONTEXT) : place] if step.id is not None)
    return (prompt[-CONTEXT:] + own)[-CONTEXT:]


def step_pieces(codec: TextCodec, steps: Sequence[TokenStep], before: TokenIds = ()) -> list[str]:
    """What each token of a path adds to those before it, ``before`` among them; told by the engine or by the codec."""
    token_ids, texts = list(before[-CONTEXT:]), list[str]()
    for step in steps:
        texts.append(codec.piece(step.id, token_ids[-CONTEXT:]) if isinstance(step, DrawnStep) else step.text or "")
        token_ids += [] if step.id is None else [step.id]
    return texts


def pieces(codec: TextCodec, ids: TokenIds, before: TokenIds = ()) -> list[str]:
    """What each token adds to those before it."""
    whole = before[-CONTEXT:] + ids
    first = len(whole) - len(ids)
    return [codec.piece(token, whole[max(0, first + i - CONTEXT) : first + i]) for i, token in enumerate(ids)]
