"""Samplers that look back at the tokens so far, and the bias a person sets by hand. They act on raw logits.

``logits`` is (batch, vocab) float32 and ``contexts`` holds one history per row. Ids outside the vocabulary are
ignored: padding rows make a model's vocabulary larger or smaller than its tokenizer's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from playground.sampling.context import Contexts, IdArray, SamplingContext
from playground.sampling.rows import NEGATIVE_INFINITY, RowDiagnostics

if TYPE_CHECKING:
    import torch

LOG_FLOAT_MAX = 88.7228391  # ln of the largest float32: DRY's power is clamped below it, as in llama.cpp
LARGEST_PENALTY = 1e30  # a finite logit, so that a later temperature cannot turn the token into a removed one


def logit_bias(
    logits: torch.Tensor,
    contexts: Contexts,
    diagnostics: RowDiagnostics = None,
    /,
    *,
    logit_bias: tuple[tuple[int, float], ...],
) -> torch.Tensor:
    """z[id] += b for each biased id."""
    import torch

    vocab = logits.shape[-1]
    inside = [(token, bias) for token, bias in logit_bias if token < vocab]
    result = logits.clone()
    if inside:
        ids = torch.tensor([token for token, _ in inside], device=logits.device)
        result[:, ids] += torch.tensor([bias for _, bias in inside], dtype=torch.float32, device=logits.device)
    if diagnostics is not None:
        for row_diagnostics in diagnostics:
            row_diagnostics["biased"] = len(inside)
    return result


def repetition_penalty(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, repetition_penalty: float
) -> torch.Tensor:
    """Once per distinct token of prompt and output: z < 0 becomes z theta, else z / theta (Keskar et al. 2019)."""
    import torch

    result = logits.clone()
    for row, context in enumerate(contexts):
        ids = _inside(np.unique(context.all_ids), logits)
        repeated = result[row, ids]
        theta = repetition_penalty
        result[row, ids] = torch.where(repeated < 0, repeated * theta, repeated / theta)
        if diagnostics is not None:
            diagnostics[row]["penalised"] = len(ids)
    return result


def frequency_penalty(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, frequency_penalty: float
) -> torch.Tensor:
    """z - f count, the count over generated tokens only (OpenAI; vLLM)."""
    import torch

    result = logits.clone()
    for row, context in enumerate(contexts):
        ids, counts = context.generated_counts
        kept = (ids >= 0) & (ids < logits.shape[-1])
        where = torch.from_numpy(ids[kept]).to(logits.device)
        penalty = torch.from_numpy(counts[kept].astype(np.float32)).to(logits.device) * frequency_penalty
        result[row, where] -= penalty
        if diagnostics is not None:
            diagnostics[row]["penalised"] = len(where)
            diagnostics[row]["largest_count"] = int(counts.max()) if len(counts) else 0
    return result


def presence_penalty(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, presence_penalty: float
) -> torch.Tensor:
    """z - pi for each token generated at least once (OpenAI; vLLM)."""
    result = logits.clone()
    for row, context in enumerate(contexts):
        ids = _inside(context.generated_counts[0], logits)
        result[row, ids] -= presence_penalty
        if diagnostics is not None:
            diagnostics[row]["penalised"] = len(ids)
    return result


def no_repeat_ngram_size(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, no_repeat_ngram_size: int
) -> torch.Tensor:
    """Ban each token that would complete an n-gram already present in prompt and output (Paulus et al. 2017).

    Where that would ban every token left, the largest logit stays and the diagnostic ``rescued`` is set.
    """
    import torch

    result = logits.clone()
    for row, context in enumerate(contexts):
        banned = _inside(completing_ids(context.all_ids, no_repeat_ngram_size), logits)
        result[row, banned] = NEGATIVE_INFINITY
        rescued = len(banned) > 0 and bool(torch.isneginf(result[row].amax()))
        if rescued:
            best = int(logits[row].argmax())
            result[row, best] = logits[row, best]
        if diagnostics is not None:
            diagnostics[row]["banned"] = len(banned)
            diagnostics[row]["rescued"] = rescued
    return result


def completing_ids(ids: IdArray, size: int) -> IdArray:
    """The tokens that followed earlier occurrences of the last ``size - 1`` tokens."""
    if len(ids) < size:
        return np.empty(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(ids, size)  # (len - size + 1, size)
    suffix = ids[len(ids) - size + 1 :]
    return np.unique(windows[(windows[:, :-1] == suffix).all(axis=1), -1])


def dry(
    logits: torch.Tensor,
    contexts: Contexts,
    diagnostics: RowDiagnostics = None,
    /,
    *,
    dry_multiplier: float,
    dry_base: float,
    dry_allowed_length: int,
    dry_sequence_breakers: tuple[str, ...],
) -> torch.Tensor:
    """z -= multiplier base^(n - allowed) for a token that would extend a repeat of length n >= allowed.

    n counts tokens already in the context: for ``a b c a b`` the token ``c`` extends a repeat of length 2. A repeat
    never reaches across a sequence breaker (``context.dry_breakers``, as ids), and a one-token breaker is never
    penalised itself (p-e-w 2024; llama.cpp,
    looking back over the whole context).
    """
    import torch

    result = logits.clone()
    for row, context in enumerate(contexts):
        repeats = longest_repeats(context, dry_base, dry_allowed_length)
        inside = {token: length for token, length in repeats.items() if 0 <= token < logits.shape[-1]}
        if inside:
            exponents = np.array(list(inside.values()), dtype=np.float64) - dry_allowed_length
            penalties = dry_multiplier * dry_base**exponents
            penalties = np.minimum(penalties, LARGEST_PENALTY).astype(np.float32)
            ids = torch.tensor(list(inside), device=logits.device)
            result[row, ids] -= torch.from_numpy(penalties).to(logits.device)
        if diagnostics is not None:
            diagnostics[row]["penalised"] = len(inside)
            diagnostics[row]["longest_repeat"] = max(inside.values(), default=0)
    return result


def longest_repeats(context: SamplingContext, base: float, allowed: int) -> dict[int, int]:
    """For each token that would extend a repeat: the repeat's length in tokens (at least ``allowed``).

    Lengths stop where the penalty saturates, so a text of one endless token costs no more than any other.
    """
    ids = context.all_ids
    limit = min(_distance_to_breaker(ids, context.dry_breakers), allowed + _largest_exponent(base))
    if len(ids) <= allowed or limit < allowed:
        return {}
    ends = np.flatnonzero(ids[:-1] == ids[-1])  # where a repeat of the last token ends
    never = {breaker[0] for breaker in context.dry_breakers if len(breaker) == 1}
    longest: dict[int, int] = {}
    length = 1
    while len(ends):
        if length >= allowed:
            for token in np.unique(ids[ends + 1]).tolist():
                longest[token] = length
        if length == limit:
            break
        ends = ends[ends >= length]
        ends = ends[ids[ends - length] == ids[len(ids) - 1 - length]]
        length += 1
    return {token: n for token, n in longest.items() if token not in never}


def _largest_exponent(base: float) -> int:
    """The largest power of ``base`` that float32 holds; a base of 1 never grows, so one step says it all."""
    return int(LOG_FLOAT_MAX / math.log(base)) if base > 1.000001 else 1


def _distance_to_breaker(ids: IdArray, breakers: tuple[tuple[int, ...], ...]) -> int:
    """How many tokens stand after the last sequence breaker; all of them when there is none."""
    by_head: dict[int, list[tuple[int, ...]]] = {}
    for breaker in breakers:
        if breaker:
            by_head.setdefault(breaker[0], []).append(breaker)
    if by_head:
        for start in np.flatnonzero(np.isin(ids, list(by_head)))[::-1].tolist():
            fitting = [b for b in by_head[int(ids[start])] if tuple(ids[start : start + len(b)].tolist()) == b]
            if fitting:
                return int(len(ids) - start - max(len(b) for b in fitting))
    return len(ids)


def _inside(ids: IdArray, logits: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.from_numpy(ids[(ids >= 0) & (ids < logits.shape[-1])]).to(logits.device)
