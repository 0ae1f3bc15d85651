"""One position under the lamp: its candidates by rank, their texts, and what the chain must be told of texts.

The page and ``python -m playground next`` both stand on this module and on ``sampling.chain.examine``, so they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from playground.downloads import csv_text, harmless
from playground.engine.api import TextCodec
from playground.engine.text.prompt import continuation_ids
from playground.engine.types import FloatArray, TokenIds
from playground.numerics import rank_of, top_ids
from playground.sampling.chain import NextToken, examine
from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import updated_mu

CONTEXT_TAIL = 8  # ids before a token that can matter for what it adds: no character has more bytes than four


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token of the distribution. ``text`` is what it adds to the ids before it; ``removed_by`` names a stage."""

    id: int
    text: str
    rank: int
    raw_logprob: float
    raw_prob: float
    final_prob: float
    removed_by: str | None

    @property
    def kept(self) -> bool:
        return self.removed_by is None


def breaker_ids(codec: TextCodec | None, settings: SamplerSettings, history: TokenIds) -> tuple[TokenIds, ...]:
    """DRY's sequence breakers as token ids; none without a codec.

    As in llama.cpp, every token whose text holds a breaker is one; only those in ``history`` can matter. A breaker of
    several tokens is added as their sequence.
    """
    if codec is None or "dry" not in settings.active():
        return ()
    texts = [text.encode("utf-8") for text in settings.dry_sequence_breakers]
    single = [(token,) for token in dict.fromkeys(history) if any(text in codec.token_bytes(token) for text in texts)]
    sequences = [continuation_ids(codec, text) for text in settings.dry_sequence_breakers]
    return (*single, *(ids for ids in sequences if len(ids) > 1))


def mirostat_mu(
    row_after: Callable[[TokenIds], FloatArray],
    settings: SamplerSettings,
    prompt_ids: TokenIds,
    generated_ids: TokenIds,
    seed: int = 0,
    codec: TextCodec | None = None,
) -> float | None:
    """Mirostat's ceiling after ``generated_ids``, in bits: each one's surprise moved it. None when Mirostat is off.

    ``row_after`` gives the logits (vocab,) after some ids; it is asked once for every generated token.
    """
    if "mirostat" not in settings.active():
        return None
    mu: float | None = None
    for count, token_id in enumerate(generated_ids):
        before = generated_ids[:count]
        view = examine(
            row_after(prompt_ids + before),
            settings,
            prompt_ids=prompt_ids,
            generated_ids=before,
            seed=seed,
            mirostat_mu=mu,
            breakers=breaker_ids(codec, settings, prompt_ids + before),
        )
        probability = max(float(view.trace.final_probs[token_id]), 1e-12)  # a token picked by hand may be a removed one
        mu = updated_mu(mu, -math.log2(probability), tau=settings.mirostat_tau, eta=settings.mirostat_eta)
    return mu


def candidate(view: NextToken, token_id: int, codec: TextCodec | None, rank: int | None = None) -> Candidate:
    """One token's place in the distribution."""
    trace = view.trace
    stage = int(trace.removed_by[token_id])
    return Candidate(
        id=token_id,
        text="" if codec is None else codec.piece(token_id, view.ids[-CONTEXT_TAIL:]),
        rank=rank_of(trace.raw_logits, token_id) if rank is None else rank,
        raw_logprob=float(trace.raw_logprobs[token_id]),
        raw_prob=float(trace.raw_probs[token_id]),
        final_prob=float(trace.final_probs[token_id]),
        removed_by=trace.stages[stage].name if stage >= 0 else None,
    )


def top_candidates(view: NextToken, codec: TextCodec | None, count: int) -> tuple[Candidate, ...]:
    """The ``count`` likeliest tokens by raw rank."""
    ids = top_ids(view.trace.raw_logits, count)
    return tuple(candidate(view, int(token_id), codec, rank) for rank, token_id in enumerate(ids))


def kept_prefix(view: NextToken) -> int | None:
    """How many tokens are kept when they are exactly the likeliest ones; None when the kept set has holes.

    A cut-off by rank can be drawn as one line; typical-p or XTC remove from the top, which no line can show.
    """
    kept = view.trace.removed_by < 0
    if kept.all():
        return int(kept.size)
    lowest_kept = view.trace.raw_logits[kept].min()
    highest_removed = view.trace.raw_logits[~kept].max()
    return int(np.count_nonzero(kept)) if lowest_kept >= highest_removed else None


def distribution_csv(view: NextToken, codec: TextCodec) -> str:
    """Every token, by raw rank: rank, id, text, raw probability, log-probability, final probability, stage."""
    columns = ("rank", "id", "text", "raw_probability", "raw_log_probability", "final_probability", "removed_by")
    return csv_text(
        columns,
        (
            (
                row.rank + 1,
                row.id,
                harmless(row.text),
                repr(row.raw_prob),
                repr(row.raw_logprob),
                repr(row.final_prob),
                row.removed_by or "",
            )
            for row in top_candidates(view, codec, view.trace.raw_probs.size)
        ),
    )
