"""The schema of a saved generation: what a file may hold, with bounds on everything.

The field names are those of the dataclasses that the reader makes (``Prompt``, ``Limits``, ``Origin``, ``Branch``,
``TokenStep``, ``Alternative``). A file from outside is hostile; what else it holds is ignored, such as the pieces of
text that stand beside the prompt's ids for people.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

from playground.constraint import ConstraintKind
from playground.generation.tree import LONGEST_NAME, MOST_BRANCHES, Ended
from playground.generation.types import LONGEST_STOP_STRING, MOST_ALTERNATIVES, MOST_NEW_TOKENS, MOST_STOP_STRINGS
from playground.sampling.registry import SAMPLERS

FORMAT: Literal["playground-generation-1"] = "playground-generation-1"
MOST_BYTES = 20_000_000
LONGEST_TEXT = 10_000  # characters that one token adds
MOST_BESIDE = 3
MOST_PROMPT = 100_000  # characters, and tokens


def _or_minus_infinity(value: float | None) -> float:
    """JSON has no infinity: a removed token's log-probability is null."""
    return -math.inf if value is None else value


def _sampler_name(name: str | None) -> str | None:
    if name is not None and name not in SAMPLERS:
        raise ValueError("there is no such sampler")
    return name


Id = Annotated[int, Field(ge=0, lt=2**31)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Real = Annotated[float, Field(allow_inf_nan=False)]
Logprob = Annotated[float, Field(le=1e-3, allow_inf_nan=False)]
StepLogprob = Annotated[Logprob | None, AfterValidator(_or_minus_infinity)]
Text = Annotated[str, Field(max_length=MOST_PROMPT)]
Short = Annotated[str, Field(max_length=300)]
StopString = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP_STRING)]


class Part(BaseModel):
    """Types as they are written: "5" and true are no numbers."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class AlternativePart(Part):
    id: Id
    raw_logprob: StepLogprob
    raw_prob: Share
    prob: Share | None
    removed_by: Annotated[Short | None, AfterValidator(_sampler_name)] = None


class StepPart(Part):
    """A token that was drawn here has all of these; of one that its engine sampled null is what it did not tell."""

    id: Id | None
    raw_logprob: Logprob | None
    prob: Share | None
    rank: Id | None
    entropy: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    kept: Annotated[int, Field(ge=1, lt=2**31)] | None
    u: Share | None
    low: Real | None
    high: Real | None
    text: Annotated[str, Field(max_length=LONGEST_TEXT)] = ""
    mirostat_mu: Real | None = None
    mean_logprob: Logprob | None = None
    top: Annotated[tuple[AlternativePart, ...], Field(max_length=MOST_ALTERNATIVES)] = ()


class BranchPart(Part):
    parent: Id | None
    fork: Id
    picked: bool
    name: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    settings: dict[Short, Any]
    seed: Annotated[int, Field(ge=0, lt=2**64)]
    random_stream: Id = Field(
        0, validation_alias=AliasChoices("random_stream", "luck_row")
    )  # the latter in older files
    ended: Ended
    stopped_by: Text | None = None
    hidden_text: Text = ""
    steps: Annotated[tuple[StepPart, ...], Field(max_length=MOST_NEW_TOKENS)]


class PromptPart(Part):
    text: Text
    chat: bool
    system: Text = ""
    parse_special: bool = False
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MOST_PROMPT)]
    logprobs: Annotated[tuple[Logprob | None, ...], Field(max_length=MOST_PROMPT)] = ()
    ranks: Annotated[tuple[Id | None, ...], Field(max_length=MOST_PROMPT)] = ()
    entropies: Annotated[tuple[Real | None, ...], Field(max_length=MOST_PROMPT)] = ()


class ConstraintPart(Part):
    kind: ConstraintKind
    text: Text


class LimitsPart(Part):
    max_new_tokens: Annotated[int, Field(ge=1, le=MOST_NEW_TOKENS)]
    stop_strings: Annotated[tuple[StopString, ...], Field(max_length=MOST_STOP_STRINGS)]
    stop_ids: Annotated[tuple[Id, ...], Field(max_length=1024)]
    ignore_eos: bool
    constraint: ConstraintPart | None = None  # not in older files


class OriginPart(Part):
    id: Short
    name: Short
    revision: Short
    dtype: Short
    device: Short
    vocab_size: Annotated[int, Field(ge=1, lt=2**31)]


class SavedRun(Part):
    """What one model wrote. ``current``: the branch in view."""

    format: Literal["playground-generation-1"]
    model: OriginPart
    prompt: PromptPart
    limits: LimitsPart
    current: Id
    folded: Annotated[tuple[Id, ...], Field(max_length=MOST_BRANCHES)] = ()
    branches: Annotated[tuple[BranchPart, ...], Field(min_length=1, max_length=MOST_BRANCHES)]


class SavedRuns(SavedRun):
    """A whole file. ``beside``: what other models wrote of the same prompt."""

    beside: Annotated[tuple[SavedRun, ...], Field(max_length=MOST_BESIDE)] = ()
