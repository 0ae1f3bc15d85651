"""Candidates made by hand, with known numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from playground.testtime.types import Candidate, Score, ScoreColumn, ScoredCandidates, ScorerSpec


def candidate(
    index: int = 0,
    text: str = "an answer",
    logprobs: Sequence[float] = (-1.0, -2.0),
    *,
    top: Sequence[Sequence[float]] | None = None,
    means: Sequence[float] | None = None,
    vocab: int = 100,
    ids: Sequence[int] | None = None,
) -> Candidate:
    n = len(logprobs)
    raw = np.array(logprobs, dtype=np.float32)
    return Candidate(
        index=index,
        prompt_ids=(1, 2),
        ids=tuple(range(n)) if ids is None else tuple(ids),
        text=text,
        finish_reason="eos",
        raw_logprobs=raw,
        probs=np.exp(raw),
        entropies=np.zeros(n, dtype=np.float32),
        mean_logprobs=np.full(n, np.nan, dtype=np.float32) if means is None else np.array(means, dtype=np.float32),
        top_logprobs=np.zeros((n, 0), dtype=np.float32) if top is None else np.array(top, dtype=np.float32),
        vocab_size=vocab,
    )


def texts(*given: str) -> tuple[Candidate, ...]:
    return tuple(candidate(index, text) for index, text in enumerate(given))


def column(name: str, values: Sequence[float | None], valid: Sequence[bool | None] | None = None) -> ScoreColumn:
    verdicts = [None] * len(values) if valid is None else list(valid)
    return ScoreColumn(ScorerSpec(name), tuple(Score(v, w) for v, w in zip(values, verdicts, strict=True)))


def scored(
    columns: Sequence[ScoreColumn], answers: Sequence[str | None] = (), order: Sequence[int] | None = None
) -> ScoredCandidates:
    """As many candidates as the first column has scores; ``order`` permutes everything."""
    count = len(columns[0].scores) if columns else len(answers)
    places = list(range(count)) if order is None else list(order)
    moved = tuple(
        ScoreColumn(item.spec, tuple(item.scores[place] for place in places), item.elapsed_ms, item.problem)
        for item in columns
    )
    return ScoredCandidates(
        tuple(candidate(place) for place in places), moved, tuple(answers[place] for place in places) if answers else ()
    )
