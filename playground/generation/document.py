"""A generation that leaves the page and comes back: one JSON file, and a CSV of its steps.

A file from outside is hostile: it is read through a strict schema with bounds on everything, and whatever does not fit
is one sentence. Pieces of text in the file are for people and never read back: ids are what counts.

Longer than most files: the schema and its two directions are kept side by side,
because a field changed in one must be changed in the other.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from playground.downloads import csv_text, harmless
from playground.engine.api import TextCodec
from playground.engine.types import TokenIds
from playground.errors import BadInput, PlaygroundError
from playground.generation.tree import LONGEST_NAME, MOST_BRANCHES, Branch, Ended, Tree
from playground.generation.types import (
    LONGEST_STOP_STRING,
    MOST_ALTERNATIVES,
    MOST_NEW_TOKENS,
    MOST_STOP_STRINGS,
    Alternative,
    TokenStep,
)
from playground.models.info import ModelInfo, told
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings
from playground.uploads import RepeatedKey, decode, parse_json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FORMAT: Literal["playground-generation-1"] = "playground-generation-1"
MOST_BYTES = 20_000_000
MOST_PROMPT = 100_000  # characters, and tokens
_CONTEXT = 8  # ids before a token that can matter for its text


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
    """When a text ends. Checked where a ``GenerationRequest`` is made of it."""

    max_new_tokens: int = 64
    stop_strings: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    ignore_eos: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """The model that generated. Ids mean the same under the same ``id``; numbers under the same ``revision``."""

    id: str
    name: str
    revision: str
    dtype: str
    device: str
    vocab_size: int


def origin_of(info: ModelInfo) -> Origin:
    return Origin(info.id, info.name, info.revision, told(info.dtype), told(info.device), info.vocab_size)


@dataclass(frozen=True, slots=True)
class Run:
    """All that one generation left: enough to show it again, to branch from it and to make its numbers again."""

    origin: Origin
    prompt: Prompt
    limits: Limits
    tree: Tree


# -- the file's schema --------------------------------------------------------------------------------------------

_Id = Annotated[int, Field(ge=0, lt=2**31)]
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_Real = Annotated[float, Field(allow_inf_nan=False)]
_Logprob = Annotated[float, Field(le=1e-3, allow_inf_nan=False)] | None
_Text = Annotated[str, Field(max_length=MOST_PROMPT)]
_Short = Annotated[str, Field(max_length=300)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class _Alternative(_Part):
    id: _Id
    raw_logprob: _Logprob
    raw_prob: _Share
    prob: _Share
    removed_by: _Short | None = None


class _Step(_Part):
    id: _Id
    raw_logprob: _Logprob
    prob: _Share
    rank: _Id
    entropy: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    kept: Annotated[int, Field(ge=1, lt=2**31)]
    u: _Share
    low: _Real
    high: _Real
    mirostat_mu: _Real | None = None
    mean_logprob: _Logprob = None
    top: Annotated[list[_Alternative], Field(max_length=MOST_ALTERNATIVES)] = []


class _Branch(_Part):
    parent: _Id | None
    fork: _Id
    picked: bool
    name: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    settings: dict[_Short, Any]
    seed: Annotated[int, Field(ge=0, lt=2**64)]
    random_stream: _Id = Field(
        0, validation_alias=AliasChoices("random_stream", "luck_row")
    )  # the latter in older files
    ended: Ended
    stopped_by: _Text | None = None
    hidden_text: _Text = ""
    steps: Annotated[list[_Step], Field(max_length=MOST_NEW_TOKENS)]


class _Prompt(_Part):
    text: _Text
    chat: bool
    system: _Text = ""
    parse_special: bool = False
    ids: Annotated[list[_Id], Field(min_length=1, max_length=MOST_PROMPT)]
    logprobs: Annotated[list[_Logprob], Field(max_length=MOST_PROMPT)] = []
    ranks: Annotated[list[_Id | None], Field(max_length=MOST_PROMPT)] = []
    entropies: Annotated[list[_Real | None], Field(max_length=MOST_PROMPT)] = []


class _Limits(_Part):
    max_new_tokens: Annotated[int, Field(ge=1, le=MOST_NEW_TOKENS)]
    stop_strings: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_STOP_STRING)]], Field(max_length=MOST_STOP_STRINGS)
    ]
    stop_ids: Annotated[list[_Id], Field(max_length=1024)]
    ignore_eos: bool


class _Origin(_Part):
    id: _Short
    name: _Short
    revision: _Short
    dtype: _Short
    device: _Short
    vocab_size: Annotated[int, Field(ge=1, lt=2**31)]


class _File(_Part):
    format: Literal["playground-generation-1"]
    model: _Origin
    prompt: _Prompt
    limits: _Limits
    current: _Id
    folded: Annotated[list[_Id], Field(max_length=MOST_BRANCHES)] = []
    branches: Annotated[list[_Branch], Field(min_length=1, max_length=MOST_BRANCHES)]


# -- writing ------------------------------------------------------------------------------------------------------


def to_json(run: Run, codec: TextCodec) -> str:
    """The file. ``text`` beside each id is for people."""
    tree = run.tree
    data = {
        "format": FORMAT,
        "model": _fields(run.origin),
        "prompt": {**_fields(run.prompt), "pieces": pieces(codec, run.prompt.ids)},
        "limits": _fields(run.limits),
        "current": tree.current,
        "folded": sorted(tree.folded),
        "branches": [_branch_fields(run, branch, codec) for branch in tree.branches],
    }
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=1)


def _fields(item: DataclassInstance) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def _branch_fields(run: Run, branch: Branch, codec: TextCodec) -> dict[str, Any]:
    before = run.prompt.ids + run.tree.path_ids(branch.id)[: branch.fork]
    ids = tuple(step.id for step in branch.steps)
    texts = pieces(codec, ids, before)
    steps = [
        _step_fields(step, text, before + ids[:place], codec)
        for place, (step, text) in enumerate(zip(branch.steps, texts, strict=True))
    ]
    fields = {name: value for name, value in _fields(branch).items() if name not in ("id", "settings", "steps")}
    return {**fields, "settings": branch.settings.to_mapping(), "steps": steps}


def _step_fields(step: TokenStep, text: str, before: TokenIds, codec: TextCodec) -> dict[str, Any]:
    fields = {name: value for name, value in _fields(step).items() if name not in ("row", "index", "top")}
    tail = before[-_CONTEXT:]
    top = [
        {**_fields(other), "raw_logprob": _finite(other.raw_logprob), "text": codec.piece(other.id, tail)}
        for other in step.top
    ]
    return {"text": text, **fields, "raw_logprob": _finite(step.raw_logprob), "top": top}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def pieces(codec: TextCodec, ids: TokenIds, before: TokenIds = ()) -> list[str]:
    """What each token adds to those before it."""
    whole = before[-_CONTEXT:] + ids
    first = len(whole) - len(ids)
    return [codec.piece(token, whole[max(0, first + i - _CONTEXT) : first + i]) for i, token in enumerate(ids)]


CSV_COLUMNS = (
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


def to_csv(run: Run, codec: TextCodec) -> str:
    """One line a token of every branch's whole path. Text that a spreadsheet would run as a formula is quoted."""
    lines: list[list[object]] = []
    for branch in run.tree.branches:
        path, picked = run.tree.path(branch.id), run.tree.hand_picked(branch.id)
        texts = pieces(codec, tuple(step.id for step in path), run.prompt.ids)
        for place, (step, text) in enumerate(zip(path, texts, strict=True)):
            lines.append(
                [
                    branch.id,
                    harmless(branch.name),
                    place + 1,
                    step.id,
                    harmless(text),
                    f"{step.raw_logprob:.6f}",
                    f"{math.exp(step.raw_logprob):.8g}",
                    f"{step.prob:.8g}",
                    step.rank + 1,
                    f"{step.entropy:.6f}",
                    step.kept,
                    f"{step.u:.12f}",
                    int(place in picked),
                    branch.ended if place == len(path) - 1 else "",
                ]
            )
    return csv_text(CSV_COLUMNS, lines)


# -- reading ------------------------------------------------------------------------------------------------------


def from_json(data: bytes, info: ModelInfo) -> tuple[Run, str | None]:
    """The run in a file, and a sentence to tell if its numbers were made in another precision or on another device.

    Raises BadInput with one sentence for anything that is not such a file, or is from another model than ``info``.
    """
    if len(data) > MOST_BYTES:
        raise BadInput(f"The file has more than {MOST_BYTES // 10**6} MB; load one saved by this page.", "file")
    text, _is_known = decode(data)
    try:
        parse_json(text)
    except RepeatedKey as error:
        raise BadInput(f"The file cannot be used: {error}; save it again.", "file") from None
    except ValueError:
        pass  # told below
    try:
        file = _File.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(_refusal(error), "file") from None
    if file.model.id != info.id or file.model.vocab_size != info.vocab_size:
        raise BadInput(
            f"The file was generated by {file.model.name[:80]}, not by {info.name}: choose that model to load it.",
            "file",
        )
    _check_ids(file, info.vocab_size)
    try:
        run = _run(file)
    except PlaygroundError as error:
        raise BadInput(
            f"The file contradicts itself ({str(error).rstrip('.')[:200]}); save it again.", "file"
        ) from None
    note = None
    if file.model.revision != info.revision:
        note = (
            f"This file was generated in {file.model.dtype} on {file.model.device}; the model now runs in {told(info.dtype)} "
            f"on {told(info.device)}, so what is generated from here on may differ a little."
        )
    return run, note


def _refusal(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return "The file is not complete JSON: it was cut off or is something else; save it again."
    place = ".".join(str(part) for part in first["loc"])[:80] or "the beginning"
    return f"The file is not a generation saved by this page (see {place}: {first['msg'][:100]}); choose another."


def _check_ids(file: _File, vocab_size: int) -> None:
    ids = [*file.prompt.ids, *file.limits.stop_ids]
    for branch in file.branches:
        for step in branch.steps:
            ids.append(step.id)
            ids.extend(other.id for other in step.top)
    if max(ids) >= vocab_size:
        raise BadInput(
            f"The file names token {max(ids)}, but the model has only {vocab_size:,}; save it again.", "file"
        )


def _run(file: _File) -> Run:
    tree = Tree()
    for index, branch in enumerate(file.branches):
        if branch.parent is not None and branch.parent >= index:
            raise BadInput("A branch comes before its parent.")
        tree = tree.add(_branch(branch))
    given = file.prompt
    if any(len(part) not in (0, len(given.ids)) for part in (given.logprobs, given.ranks, given.entropies)):
        raise BadInput("The prompt's figures are not as many as its tokens.")
    prompt = Prompt(
        given.text,
        tuple(given.ids),
        given.chat,
        given.system,
        given.parse_special,
        tuple(given.logprobs),
        tuple(given.ranks),
        tuple(given.entropies),
    )
    limits = Limits(
        file.limits.max_new_tokens,
        tuple(file.limits.stop_strings),
        tuple(file.limits.stop_ids),
        file.limits.ignore_eos,
    )
    tree = replace(tree, folded=frozenset(tree[branch].id for branch in file.folded)).select(file.current)
    return Run(Origin(**file.model.model_dump()), prompt, limits, tree)


def _branch(given: _Branch) -> Branch:
    steps = tuple(
        TokenStep(
            row=0,
            index=given.fork + place,
            id=step.id,
            raw_logprob=_minus_infinity(step.raw_logprob),
            prob=step.prob,
            rank=step.rank,
            entropy=step.entropy,
            kept=step.kept,
            u=step.u,
            low=step.low,
            high=step.high,
            top=tuple(_alternative(other) for other in step.top),
            mirostat_mu=step.mirostat_mu,
            mean_logprob=step.mean_logprob,
        )
        for place, step in enumerate(given.steps)
    )
    if given.picked and not steps:
        raise BadInput("A branch was picked by hand but has no token.")
    return Branch(
        id=0,
        parent=given.parent,
        fork=given.fork,
        steps=steps,
        settings=SamplerSettings.from_mapping(given.settings),
        seed=given.seed,
        random_stream=given.random_stream,
        picked=given.picked,
        name=given.name,
        ended=given.ended,
        stopped_by=given.stopped_by,
        hidden_text=given.hidden_text,
    )


def _alternative(given: _Alternative) -> Alternative:
    if given.removed_by is not None and given.removed_by not in SAMPLERS:
        raise BadInput(f"There is no sampler called {given.removed_by[:40]}.")
    return Alternative(given.id, _minus_infinity(given.raw_logprob), given.raw_prob, given.prob, given.removed_by)


def _minus_infinity(value: float | None) -> float:
    return -math.inf if value is None else value
