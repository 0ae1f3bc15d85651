"""Scores read off what was recorded while a candidate was made: no model runs.

Each is a pure function of one candidate. A larger value is the better one. None where the candidate has no tokens or
the numbers were not recorded, or not told by the engine that sampled.
"""

from __future__ import annotations

import math

import numpy as np

from playground.testtime.types import Candidate, Score

DEFAULT_EXPONENT = 0.6  # Wu et al. found 0.6 to 0.7 best for translation
DEFAULT_WINDOW = 16  # tokens; DeepConf uses 1,024 and 2,048 on reasoning traces of tens of thousands
_EMPTY = Score(None, note="The answer has no tokens.")
_UNTOLD = Score(None, note="The engine did not tell the log-probability of every token.")


def _lacking(candidate: Candidate) -> Score | None:
    """The score of an answer whose tokens' log-probabilities are not all there; None where they are."""
    if not candidate.n_tokens:
        return _EMPTY
    return _UNTOLD if np.isnan(candidate.raw_logprobs).any() else None


def average_logprob(candidate: Candidate) -> Score:
    """(1/n) Σ ln p(token): the mean raw log-probability, in nats a token. The mean of transformers'
    ``compute_transition_scores`` over the tokens that are not padding, for a draw without samplers.
    """
    return _lacking(candidate) or Score(candidate.avg_logprob)


def sum_logprob(candidate: Candidate) -> Score:
    """Σ ln p(token) = ln P(answer | prompt), in nats."""
    return _lacking(candidate) or Score(candidate.sum_logprob)


def length_normalised(candidate: Candidate, exponent: float) -> Score:
    """Σ ln p / lp with lp = ((5 + n) / (5 + 1))^exponent (Wu et al. 2016, "Google's Neural Machine Translation System",
    equation 14, without its coverage penalty). Exponent 0 gives the sum.
    """
    return _lacking(candidate) or Score(candidate.sum_logprob / ((5 + candidate.n_tokens) / 6) ** exponent)


def token_confidences(candidate: Candidate) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """C_i = -(1/k) Σ_j ln p_i(j) over the k likeliest tokens of step i (Fu et al. 2025, "Deep Think with Confidence",
    arXiv 2508.15260, "token confidence"): (n,), large where the model is sure, since the other likely tokens are
    unlikely then. None without a record of the k likeliest, or where one of them has probability 0.
    """
    top = candidate.top_logprobs
    if top.ndim != 2 or top.shape[0] != candidate.n_tokens or top.shape[1] == 0 or not np.isfinite(top).all():
        return None
    confidences: np.ndarray[tuple[int], np.dtype[np.float64]] = -top.astype(np.float64).mean(axis=1)
    return confidences


def group_confidences(candidate: Candidate, window: int) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """The mean token confidence of each group of ``window`` tokens that follow each other (DeepConf, "group confidence").

    Groups overlap by all but one token: n - window + 1 of them; an answer shorter than the window is one group.
    """
    confidences = token_confidences(candidate)
    if confidences is None or not len(confidences):
        return None
    width = min(window, len(confidences))
    sums = np.cumsum(np.concatenate(([0.0], confidences)))
    groups: np.ndarray[tuple[int], np.dtype[np.float64]] = (sums[width:] - sums[:-width]) / width
    return groups


def lowest_group_confidence(candidate: Candidate, window: int) -> Score:
    """min over groups of their confidence (DeepConf, "lowest group confidence"): the place where the model was least
    sure."""
    if not candidate.n_tokens:
        return _EMPTY
    groups = group_confidences(candidate, window)
    if groups is None:
        return Score(None, note="The likeliest tokens of each step were not recorded.")
    k = candidate.top_logprobs.shape[1]
    place = int(groups.argmin())
    width = min(window, candidate.n_tokens)
    return Score(float(groups[place]), note=f"tokens {place + 1} to {place + width}, k = {k}")


def self_certainty(candidate: Candidate) -> Score:
    """-(1/nV) Σ_i Σ_j ln(V · p_i(j)) over all n steps and all V tokens of the vocabulary (Kang et al. 2025, "Scalable
    Best-of-N Selection for Large Language Models via Self-Certainty", arXiv 2502.18581): the mean KL divergence from the
    uniform distribution to the model's, KL(U ‖ p_i) = -ln V - mean_j ln p_i(j).
    """
    if not candidate.n_tokens:
        return _EMPTY
    means = candidate.mean_logprobs
    if len(means) != candidate.n_tokens or not np.isfinite(means).all():
        return Score(None, note="The mean log-probability over the vocabulary was not recorded.")
    return Score(-math.log(candidate.vocab_size) - float(means.astype(np.float64).mean()))
