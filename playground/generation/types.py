"""The frozen data of a generation: what is asked for, what happened at each step, how each row ended.

Probabilities are natural; log-probabilities and entropies in nats. "raw" is the model's own distribution (softmax of
untouched logits), "final" the one after the samplers, from which the token was drawn. Where the engine samples by itself,
what it does not tell is None: nobody makes up a number for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from playground.constraint import Constraint
from playground.engine.types import TokenIds
from playground.errors import BadInput, CapabilityMissing
from playground.sampling.settings import NEUTRAL, SamplerSettings

FinishReason = Literal["length", "stop", "eos", "stop_id"]

MOST_ROWS = 256
MOST_NEW_TOKENS = 100_000
MOST_STOP_STRINGS = 16
LONGEST_STOP_STRING = 200  # characters
MOST_ALTERNATIVES = 200


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One row. Checked on creation: a bad value raises BadInput that names its field.

    ``generated_ids`` are tokens this row has generated already (a branch goes on from there): they count as generated
    for the penalties, the steps' numbers, the random stream and the stop strings, and toward ``max_new_tokens`` they do not.
    ``random_stream`` chooses one of the streams of uniforms under ``seed``: rows with both equal are drawn with common random
    numbers.
    ``top`` is how many alternatives each step records; ``mirostat_mu`` continues Mirostat's state; ``constraint`` is what the
    text must match, where the engine can be told it.
    """

    prompt_ids: TokenIds
    settings: SamplerSettings = NEUTRAL
    max_new_tokens: int = 128
    seed: int = 0
    random_stream: int = 0
    stop_strings: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    ignore_eos: bool = False
    top: int = 10
    generated_ids: TokenIds = ()
    mirostat_mu: float | None = None
    constraint: Constraint | None = None

    def __post_init__(self) -> None:
        _require_whole("max_new_tokens", self.max_new_tokens, 1, MOST_NEW_TOKENS)
        _require_whole("seed", self.seed, 0, 2**64 - 1)
        _require_whole("random_stream", self.random_stream, 0, 2**31 - 1)
        _require_whole("top", self.top, 0, MOST_ALTERNATIVES)
        if len(self.stop_strings) > MOST_STOP_STRINGS:
            raise BadInput(f"stop: at most {MOST_STOP_STRINGS} stop strings, not {len(self.stop_strings)}.", "stop")
        for text in self.stop_strings:
            if not text:
                raise BadInput("stop: an empty stop string would stop at once; remove it.", "stop")
            if len(text) > LONGEST_STOP_STRING:
                raise BadInput(f"stop: a stop string has at most {LONGEST_STOP_STRING} characters; shorten it.", "stop")
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise BadInput("stop: a stop string holds half a surrogate pair; type it again.", "stop")
        for token in self.stop_ids:
            _require_whole("stop_ids", token, 0, 2**31 - 1)


def _require_whole(field: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BadInput(f"{field}: must be a whole number from {low:,} to {high:,}, not {str(value)[:40]}.", field)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could have come at this step. ``removed_by`` names the sampler that removed it, if one did.

    ``prob`` is its final probability, None where the engine sampled: it tells the raw ones alone.
    """

    id: int
    raw_logprob: float
    raw_prob: float
    prob: float | None
    removed_by: str | None = None


@dataclass(frozen=True, slots=True)
class TokenStep:
    """One token of one row, and why it was this one: ``low <= u < high`` in the cumulative final distribution.

    ``index`` counts the row's generated tokens from 0. ``rank`` is the token's place by raw logits (0 the likeliest,
    ties by lower id), ``prob`` its final and ``raw_logprob`` its raw log-probability. ``entropy`` is that of the raw
    distribution, ``kept`` how many tokens could be drawn. ``top``: the likeliest by raw logits. ``mirostat_mu`` is
    Mirostat's ceiling in bits after this step, None where it is off. ``mean_logprob`` is the mean of the raw
    log-probabilities over the vocabulary (-KL(uniform, raw) - ln vocab), None where it was
    not recorded or is infinite.

    Of a token that the engine sampled by itself ``text``, what it adds to the text, is sure to be known and the rest where
    the engine tells it. A token that was drawn here is a ``DrawnStep``: its text is the codec's (``document.step_pieces``).
    """

    row: int
    index: int
    id: int | None
    raw_logprob: float | None
    prob: float | None = None
    rank: int | None = None
    entropy: float | None = None
    kept: int | None = None
    u: float | None = None
    low: float | None = None
    high: float | None = None
    top: tuple[Alternative, ...] = ()
    mirostat_mu: float | None = None
    mean_logprob: float | None = None
    text: str | None = None

    @property
    def key(self) -> int | str:
        """What tells this token from others of the same engine: its id, else its text."""
        return self.id if self.id is not None else self.text or ""


@dataclass(frozen=True, slots=True)
class DrawnStep(TokenStep):
    """The same of a token that was drawn here: all is recorded, and ``text`` is None."""

    id: int
    raw_logprob: float
    prob: float
    rank: int
    entropy: float
    kept: int
    u: float
    low: float
    high: float


def ids_of(steps: Sequence[TokenStep]) -> TokenIds:
    """Raises CapabilityMissing where the engine that sampled did not tell the id of one: nothing can go on from there."""
    ids = tuple(step.id for step in steps if step.id is not None)
    if len(ids) < len(steps):
        raise CapabilityMissing(
            "The engine did not tell the ids of all these tokens: take a place further to the left, generate anew, or choose "
            "a model that runs in this process."
        )
    return ids


@dataclass(frozen=True, slots=True)
class RowResult:
    """How a row ended. ``steps`` are its new tokens, the ending one included.

    ``text`` is what is shown; ``hidden_text`` what the ending hides: a stop string and whatever overhung it in its
    last token, or the spelling of the end token. ``stopped_by`` is the stop string, or the id as text, that ended it, None
    where the engine does not tell which of several did.
    """

    row: int
    request: GenerationRequest
    steps: tuple[TokenStep, ...]
    text: str
    hidden_text: str
    finish_reason: FinishReason
    stopped_by: str | None

    @property
    def ids(self) -> TokenIds:
        """Of its new tokens. Raises CapabilityMissing as ``ids_of``."""
        return ids_of(self.steps)


@dataclass(frozen=True, slots=True)
class GenerationStep:
    """One decode step: a token for each row still running, and the rows that ended with it.

    Where the engine samples, a step is what came next from it: a token of one row, or one row's end.
    ``elapsed_ms`` is the time since the step before; for the first one since the prompts were read. Without tokens or
    ended rows: a piece of long prompts was read, or some of ``drawn_rows`` were drawn. ``engine_ms`` is what of it the model and
    the samplers took, the turns of others not counted but for rows that went through the model along with these; 0 where the
    engine samples.
    """

    tokens: tuple[TokenStep, ...]
    finished: tuple[RowResult, ...]
    elapsed_ms: float
    engine_ms: float = 0.0
    drawn_rows: int = 0

    @property
    def new_tokens(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Generation:
    """All rows of one call, in the order of the requests, and what it cost.

    ``computed_tokens`` are the prompt positions the model was really run on, None where the engine does not tell;
    ``new_tokens`` those of all rows. An engine that samples by itself has read the prompts, and waited for its turn, when
    its first token comes.
    """

    rows: tuple[RowResult, ...]
    prefill_ms: float
    decode_ms: float
    computed_tokens: int | None
    new_tokens: int
