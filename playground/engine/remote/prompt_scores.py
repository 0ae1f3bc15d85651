"""Log-probabilities of a prompt's own tokens, as vLLM tells them (``prompt_logprobs``). Knows no requests."""

from __future__ import annotations

import math

import numpy as np

from playground.engine.remote.reading import Answer
from playground.engine.types import SequenceScore, TokenIds


def prompt_score(choice: Answer, ids: TokenIds) -> SequenceScore:
    """The score of ``ids`` from a choice that tells of each its log-probability and rank, 1 the likeliest. Raises ServerError.

    Entropies, which need whole rows, are not told: NaN throughout.
    """
    entries = choice.items("prompt_logprobs")
    if len(entries) != len(ids):
        raise choice.wrong("prompt_logprobs")
    logprobs, ranks = [math.nan], [-1]
    for token, entry in zip(ids[1:], entries[1:], strict=True):
        one = Answer(entry, choice.address).child(str(token))
        logprobs.append(one.logprob("logprob"))
        ranks.append(max(one.whole("rank"), 1) - 1)
    unknown = np.full(len(ids), np.nan, dtype=np.float32)
    return SequenceScore(ids, np.array(logprobs, np.float32), np.minimum(ranks, 2**31 - 1).astype(np.int32), unknown)
