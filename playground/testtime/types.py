"""The frozen data of best-of-N: candidates, their scores, and who may ask for what.

A candidate is one finished answer with the numbers that were recorded while it was made, as compact float32 arrays: no
scorer needs to run the model again to read them. Knows no model, no text codec and no page. Log-probabilities are
natural; "raw" is the model's own distribution (softmax of untouched logits), "final" the one after the samplers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadInput
from playground.generation.types import RowResult

Origin = Literal["sampling", "beam", "diverse beam", "race", "retry", "loaded"]

MOST_CANDIDATES = 256


def check_count(n: object, field: str = "n") -> int:
    """``n`` as a number of candidates, 1 to 256. Raises BadInput that names ``field``."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_CANDIDATES:
        raise BadInput(f"{field}: from 1 to {MOST_CANDIDATES} candidates can be compared, not {str(n)[:40]}.", field)
    return n


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One answer of n tokens, the ending one included (as in ``RowResult.steps``).

    Where the engine sampled by itself, what it did not tell is NaN, an id None. ``pieces`` is then what each token adds to
    the text; () where that is the codec's.

    ``raw_logprobs``, ``probs``, ``entropies``: (n,) float32; the raw log-probability of each token, its final
    probability, the entropy in nats of the raw distribution. ``mean_logprobs``: (n,) float32, the mean of the raw
    log-probabilities over the whole vocabulary, NaN where it was not recorded. ``top_logprobs``: (n, k) float32, the k
    largest raw log-probabilities of each step, largest first. ``text`` is what is shown, without a stop string or end
    token. ``setting`` names the setting where several are mixed. ``elapsed_ms``: from the end of the prefill to its
    last token. ``beam_score`` is the rank key of a beam search, None for a sample.
    """

    index: int
    prompt_ids: TokenIds
    ids: tuple[int | None, ...]
    text: str
    finish_reason: str
    raw_logprobs: FloatArray
    probs: FloatArray
    entropies: FloatArray
    mean_logprobs: FloatArray
    top_logprobs: FloatArray
    vocab_size: int
    elapsed_ms: float = 0.0
    origin: Origin = "sampling"
    setting: str = ""
    seed: int = 0
    random_stream: int = 0
    beam_score: float | None = None
    pieces: tuple[str, ...] = ()

    @property
    def n_tokens(self) -> int:
        return len(self.ids)

    @property
    def keys(self) -> tuple[int | str, ...]:
        """What tells its tokens from one another: their ids, or their text where the engine tells no id."""
        return tuple(token if token is not None else self.pieces[place] for place, token in enumerate(self.ids))

    @property
    def sum_logprob(self) -> float:
        """log P(ids | prompt) under the raw distribution: the sum over its tokens, in nats. 0 for an empty answer, NaN where
        one of them is not told.
        """
        return math.fsum(float(value) for value in self.raw_logprobs)

    @property
    def avg_logprob(self) -> float:
        """``sum_logprob`` a token: the mean of transformers' ``compute_transition_scores``. NaN for an empty answer too."""
        return self.sum_logprob / self.n_tokens if self.n_tokens else math.nan


def candidate_from_row(
    row: RowResult,
    *,
    index: int,
    vocab_size: int,
    elapsed_ms: float = 0.0,
    origin: Origin = "sampling",
    setting: str = "",
) -> Candidate:
    """The candidate that a finished row of ``generation.generate`` is. ``top`` of its request gives the k recorded."""
    steps = row.steps
    width = max((len(step.top) for step in steps), default=0)
    sampled_there = any(step.text is not None for step in steps)
    return Candidate(
        index=index,
        prompt_ids=row.request.prompt_ids,
        ids=tuple(step.id for step in steps),
        text=row.text,
        finish_reason=row.finish_reason,
        raw_logprobs=frozen([_or_nan(step.raw_logprob) for step in steps]),
        probs=frozen([_or_nan(step.prob) for step in steps]),
        entropies=frozen([_or_nan(step.entropy) for step in steps]),
        mean_logprobs=frozen([_or_nan(step.mean_logprob) for step in steps]),
        top_logprobs=frozen(
            [[*(option.raw_logprob for option in step.top), *[math.nan] * (width - len(step.top))] for step in steps],
            (len(steps), width),
        ),
        vocab_size=vocab_size,
        elapsed_ms=elapsed_ms,
        origin=origin,
        setting=setting,
        seed=row.request.seed,
        random_stream=row.request.random_stream,
        pieces=tuple(step.text or "" for step in steps) if sampled_there else (),
    )


def _or_nan(value: float | None) -> float:
    """NaN is what nobody told."""
    return math.nan if value is None else value


def frozen(
    values: Sequence[float] | Sequence[Sequence[float]] | FloatArray, shape: tuple[int, ...] | None = None
) -> FloatArray:
    """A float32 array that nobody writes to."""
    array = np.array(values, dtype=np.float32)
    array = array.reshape(shape) if shape is not None else array
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True)
class Score:
    """What one rule says of one candidate.

    ``value`` is None where the rule does not apply or could not be computed; ``note`` then says why. ``valid`` is a
    verifier's verdict and None for a rule that gives none. ``note`` is one plain sentence for the table, or "".
    """

    value: float | None
    valid: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """A rule by name with its argument, as typed on the command line (``NAME`` or ``NAME:ARG``) and kept with a run."""

    name: str
    argument: str | None = None

    @property
    def label(self) -> str:
        """``name`` or ``name:argument``: the key of its column."""
        return self.name if self.argument is None else f"{self.name}:{self.argument}"


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """One rule's scores for all candidates, in their order. A larger value is always the better one."""

    spec: ScorerSpec
    scores: tuple[Score, ...]
    elapsed_ms: float = 0.0
    problem: str = ""  # why the rule could not be used at all, in one sentence with a next step; else ""

    @property
    def label(self) -> str:
        return self.spec.label

    @property
    def values(self) -> tuple[float | None, ...]:
        return tuple(score.value for score in self.scores)

    @property
    def gives_verdicts(self) -> bool:
        return any(score.valid is not None for score in self.scores)


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """Candidates, every rule's column and the extracted answers, side by side. ``answers`` as ``answers.extract``."""

    candidates: tuple[Candidate, ...]
    columns: tuple[ScoreColumn, ...] = ()
    answers: tuple[str | None, ...] = ()

    def column(self, label: str) -> ScoreColumn:
        """The column of that label. Raises BadInput where no such rule was run."""
        for column in self.columns:
            if column.label == label:
                return column
        raise BadInput(f"{label[:60]!r} was not scored: choose one of {[c.label for c in self.columns]}.", "scorer")

    def samples(self) -> ScoredCandidates:
        """Those that were drawn: beams are the same at every search, so nothing may be averaged over drawing them."""
        places = [place for place, candidate in enumerate(self.candidates) if candidate.beam_score is None]
        if len(places) == len(self.candidates):
            return self
        columns = tuple(
            replace(column, scores=tuple(column.scores[place] for place in places)) for column in self.columns
        )
        answers = tuple(self.answers[place] for place in places) if self.answers else ()
        return ScoredCandidates(tuple(self.candidates[place] for place in places), columns, answers)

    def valid(self) -> tuple[bool | None, ...]:
        """A candidate is valid where every verifier says so, not where one says no, None where none has judged it."""
        verdicts = [[column.scores[place].valid for column in self.columns] for place in range(len(self.candidates))]
        return tuple(
            None if all(verdict is None for verdict in row) else all(verdict is not False for verdict in row)
            for row in verdicts
        )
