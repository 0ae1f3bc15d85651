"""Samplers that remove tokens from a row. Pure functions of logits; every one keeps at least one token.

``logits`` is (batch, vocab) float32, -inf for tokens already removed; the result has the same shape. Comparisons are
made in float32 over the whole vocabulary and in the order of operations of transformers' processors where one
exists, so that the kept sets agree even at a boundary. ``diagnostics``, when asked for, receives what each row's rule came
to (its cutoff), for the page to fill into the formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.numerics import NEGLIGIBLE, entropy_rows, sum_rows
from playground.sampling.context import Contexts
from playground.sampling.rows import (
    NEGATIVE_INFINITY,
    RowDiagnostics,
    is_below,
    kth_largest,
    order_ascending,
    remove,
    sort_ascending,
)

if TYPE_CHECKING:
    import torch

TOP_H_CANDIDATES = 100  # Top-H looks at the likeliest hundred only, as transformers does


def top_k(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, top_k: int
) -> torch.Tensor:
    """Drop every logit below the k-th largest; all ties at the k-th stay (Fan et al. 2018)."""
    k = min(top_k, logits.shape[-1])
    kth = kth_largest(logits, k)
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["cutoff_logit"] = float(kth[row])
    return remove(logits, is_below(logits, kth))


def top_p(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, top_p: float
) -> torch.Tensor:
    """Keep the smallest descending prefix whose mass reaches p, the crossing token included (Holtzman et al. 2019).

    The mass is summed upwards from the least likely token and compared with 1 - p. Where the cut falls among exactly
    equal logits, which of them stay is torch's choice, the same as in transformers. p = 0 keeps exactly one token.
    """
    ascending = sort_ascending(logits)
    tail_mass = ascending.softmax(-1).cumsum(-1)  # (batch, vocab)
    remove_mask = tail_mass <= (1 - top_p)
    removed = remove_mask.sum(-1, keepdim=True).clamp_(max=logits.shape[-1] - 1)  # (batch, 1), never all
    if top_p == 0:
        removed.fill_(logits.shape[-1] - 1)
    cutoff = ascending.gather(-1, removed)  # the smallest kept logit
    result = _remove_smallest(logits, ascending, cutoff, removed)
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            first_kept = int(removed[row])
            before = float(tail_mass[row, first_kept - 1]) if first_kept else 0.0
            row_diagnostics["cutoff_logit"] = float(cutoff[row])
            row_diagnostics["crossing_prob"] = float(tail_mass[row, first_kept]) - before
            row_diagnostics["kept_mass"] = min(1.0, max(0.0, 1.0 - before))
    return result


def _remove_smallest(
    logits: torch.Tensor, ascending: torch.Tensor, cutoff: torch.Tensor, removed: torch.Tensor
) -> torch.Tensor:
    """Remove the ``removed`` smallest logits of each row, where ``cutoff`` is the smallest that stays."""
    import torch

    below = torch.searchsorted(ascending, cutoff)  # (batch, 1), how many lie strictly below the cutoff
    if torch.equal(below, removed):
        return remove(logits, is_below(logits, cutoff))
    # The cut parts equal logits. Torch's sort keeps no order among equals, so only the very call that transformers
    # makes parts them the same way.
    order = torch.sort(logits, descending=False)[1]
    remove_mask = torch.arange(logits.shape[-1], device=logits.device) < removed  # (batch, vocab), by place
    return remove(logits, remove_mask.scatter(-1, order, remove_mask))


def min_p(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, min_p: float
) -> torch.Tensor:
    """Drop every token less likely than m times the likeliest (Nguyen et al. 2024)."""
    probs = logits.softmax(-1)
    largest = probs.amax(-1, keepdim=True)  # (batch, 1)
    cutoff = min_p * largest
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["max_prob"] = float(largest[row])
            row_diagnostics["cutoff_prob"] = float(cutoff[row])
    return remove(logits, is_below(probs, cutoff))


def typical_p(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, typical_p: float
) -> torch.Tensor:
    """Keep the tokens whose surprise is closest to the entropy, up to mass tau (Meister et al. 2022).

    It may remove the likeliest token; that is the method. Ties in distance at the cut all stay.
    """
    log_probs = logits.log_softmax(-1)
    entropy = entropy_rows(log_probs)  # (batch, 1)
    distance = (-log_probs - entropy).abs()  # inf for removed tokens
    order = order_ascending(distance)
    mass = logits.gather(-1, order).softmax(-1).cumsum(-1)
    last = is_below(mass, typical_p).sum(-1, keepdim=True).clamp_(max=logits.shape[-1] - 1)  # (batch, 1)
    cutoff = distance.gather(-1, order.gather(-1, last))
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["entropy"] = float(entropy[row])
            row_diagnostics["cutoff_distance"] = float(cutoff[row])
    return remove(logits, is_below(-distance, -cutoff))


def epsilon_cutoff(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, epsilon_cutoff: float
) -> torch.Tensor:
    """Drop every token with a probability below epsilon; the likeliest always stays (Hewitt et al. 2022)."""
    if diagnostics is not None:
        for row_diagnostics in diagnostics:
            row_diagnostics["cutoff_prob"] = epsilon_cutoff
    remove_mask = is_below(logits.softmax(-1), epsilon_cutoff)
    return remove(logits, remove_mask & is_below(logits, logits.amax(-1, keepdim=True)))


def eta_cutoff(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, eta_cutoff: float
) -> torch.Tensor:
    """Epsilon cutoff that loosens when the entropy is high: min(eps, sqrt(eps) e^-H) (Hewitt et al. 2022)."""
    import torch

    largest = logits.amax(-1, keepdim=True)  # (batch, 1)
    log_probs = logits - logits.clamp(min=largest + NEGLIGIBLE).logsumexp(-1, keepdim=True)
    finite = log_probs.clamp(min=torch.finfo(log_probs.dtype).min)  # so that 0 * log 0 is 0
    entropy = -sum_rows(finite * log_probs.softmax(-1))  # (batch, 1), to the last bit as torch's Categorical has it
    epsilon = torch.tensor(eta_cutoff, dtype=torch.float32, device=logits.device)
    cutoff = torch.minimum(epsilon, epsilon.sqrt() * torch.exp(-entropy))  # (batch, 1)
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["entropy"] = float(entropy[row])
            row_diagnostics["cutoff_prob"] = float(cutoff[row])
    remove_mask = is_below(logits.softmax(-1), cutoff)
    return remove(logits, remove_mask & is_below(logits, largest))


def top_h(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, top_h: float
) -> torch.Tensor:
    """Within the likeliest hundred, keep the prefix while its entropy is within h of theirs (Potraghloo et al. 2025).

    The distribution is renormalised over those hundred; the likeliest token always stays.
    """
    import torch

    top, ids = torch.topk(logits, min(TOP_H_CANDIDATES, logits.shape[-1]), dim=-1)  # (batch, n)
    log_probs = top - top.logsumexp(-1, keepdim=True)
    probs = log_probs.softmax(-1)
    finite = log_probs.clamp(min=torch.finfo(log_probs.dtype).min)  # so that 0 * log 0 is 0
    # The entropy as torch's Categorical has it, to the last bit: the cut compares with it.
    ceiling = -(finite * probs).sum(-1, keepdim=True) * top_h  # (batch, 1)
    terms = -probs * torch.log(probs)  # NaN for p = 0, which then compares as "not within": removed
    spent = terms.cumsum(-1)
    within = spent <= ceiling
    within[:, 0] = True
    keep = torch.zeros_like(logits, dtype=torch.bool).scatter_(-1, ids, within)
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["entropy_budget"] = float(ceiling[row])
            row_diagnostics["entropy_spent"] = float(spent[row][within[row]][-1].nan_to_num())
    return remove(logits, ~keep)


def top_n_sigma(
    logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, top_n_sigma: float
) -> torch.Tensor:
    """Drop logits below max - n sigma, sigma the population deviation over finite logits (Tang et al. 2024)."""
    import torch

    alive = logits > NEGATIVE_INFINITY
    count = alive.sum(-1, keepdim=True)  # (batch, 1)
    values = torch.where(alive, logits, 0.0).double()  # float32 sums of squares over a vocabulary lose digits
    mean = sum_rows(values) / count
    variance = sum_rows(torch.where(alive, (values - mean).square(), 0.0)) / count
    sigma = variance.sqrt().float()
    largest = logits.amax(-1, keepdim=True)
    cutoff = largest - top_n_sigma * sigma
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["max_logit"] = float(largest[row])
            row_diagnostics["sigma"] = float(sigma[row])
            row_diagnostics["cutoff_logit"] = float(cutoff[row])
    return remove(logits, is_below(logits, cutoff))


def xtc(
    logits: torch.Tensor,
    contexts: Contexts,
    diagnostics: RowDiagnostics = None,
    /,
    *,
    xtc_probability: float,
    xtc_threshold: float,
) -> torch.Tensor:
    """With the set probability, drop every token at or above the threshold but the least likely of them.

    The uniform is ``context.xtc_u``. Of equal least likely ones the highest id stays. A threshold above one half can
    never find two tokens and does nothing (exclude top choices, p-e-w 2024; llama.cpp).
    """
    import torch

    above = (logits.softmax(-1) >= xtc_threshold) & (logits > NEGATIVE_INFINITY)
    triggered = [context.xtc_u <= xtc_probability for context in contexts]
    act = torch.tensor(triggered, dtype=torch.bool, device=logits.device)[:, None]  # (batch, 1)
    smallest = -remove(-logits, ~above).amax(-1, keepdim=True)  # (batch, 1)
    candidates = above & (logits == smallest)
    # argmax finds the first; flipped, the last: the highest id among the least likely.
    last = logits.shape[-1] - 1 - candidates.flip(-1).int().argmax(-1, keepdim=True)
    remove_mask = above.scatter(-1, last, False) & act
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["u"] = contexts[row].xtc_u
            row_diagnostics["acted"] = triggered[row]
            row_diagnostics["above_threshold"] = int(above[row].sum())
    return remove(logits, remove_mask)


def mirostat(
    logits: torch.Tensor,
    contexts: Contexts,
    diagnostics: RowDiagnostics = None,
    /,
    *,
    mirostat_tau: float,
    mirostat_eta: float,
) -> torch.Tensor:
    """Mirostat 2: drop tokens whose surprise in bits exceeds mu; the likeliest always stays (Basu et al. 2021).

    mu is the row's state (``context.mirostat_mu``), 2 tau at the start; ``updated_mu`` moves it after the draw.
    """
    import torch

    starts = [2 * mirostat_tau if c.mirostat_mu is None else c.mirostat_mu for c in contexts]
    mu = torch.tensor(starts, dtype=torch.float32, device=logits.device)[:, None]  # (batch, 1)
    surprise_bits = -torch.log2(logits.softmax(-1))
    if diagnostics is not None:
        for row, row_diagnostics in enumerate(diagnostics):
            row_diagnostics["mu"] = starts[row]
            row_diagnostics["cutoff_prob"] = 2.0 ** -min(max(starts[row], -1000.0), 1000.0)
    remove_mask = surprise_bits > mu
    best = logits.argmax(-1, keepdim=True)
    return remove(logits, remove_mask.scatter(-1, best, False))


def updated_mu(mu: float | None, surprise_bits: float, *, tau: float, eta: float) -> float:
    """Mirostat's ceiling after a draw: mu - eta (surprise - tau), in bits; ``None`` starts from 2 tau.

    ``surprise_bits`` is -log2 of the drawn token's final probability.
    """
    current = 2 * tau if mu is None else mu
    return current - eta * (surprise_bits - tau)
