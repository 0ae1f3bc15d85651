"""What each sampler makes of a partial row: one rule a sampler, in ``RULES``, each with the reason why it may be inexact.

A rule keeps what it keeps for certain, removes what it removes for certain and leaves the rest open, so that the true row
always lies within the bounds. Where nothing at all can be said it raises ``Unknowable`` with one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from playground.sampling import partial_penalties
from playground.sampling.context import SamplingContext
from playground.sampling.partial_order import EDGE, by_weight, keep_prefix
from playground.sampling.partial_row import (
    NO_REST,
    BoolArray,
    FloatArray,
    Interval,
    PartialRow,
    Rest,
    Unknowable,
    powered,
)
from playground.sampling.partial_typical import typical_p
from playground.sampling.temperature import SMALLEST
from playground.sampling.truncation import TOP_H_CANDIDATES

Values = Mapping[str, Any]
LOWEST_TEMPERATURE = 1e-30  # below it float32 may round to 0, which takes the likeliest


@dataclass(frozen=True, slots=True)
class Rule:
    """``apply`` gives the row after the sampler. ``why``: the reason, a sentence, where that is known only in bounds."""

    apply: Callable[[PartialRow, Values, SamplingContext], PartialRow]
    why: str


# -- temperatures ------------------------------------------------------------------------------------------------------


def _temperature(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    degrees = values["temperature"]
    return _greedy(row) if degrees == 0 else _heated(row, degrees, degrees)


def _heated(row: PartialRow, coolest: float, hottest: float) -> PartialRow:
    """Every weight w becomes w^(1/T) for one T between the two; weights are at most 1, so a cooler T makes them smaller."""
    coolest, hottest = max(coolest, SMALLEST), max(hottest, SMALLEST)  # as on a whole row
    rest = powered(row.rest, coolest, hottest)
    return replace(row, low=row.low / coolest, high=row.high / hottest, rest=rest).rescaled()


def _greedy(row: PartialRow) -> PartialRow:
    order = by_weight(row, equals="by id")
    sure, _ = row.largest
    rest = NO_REST if sure >= row.rest.log_cap else row.rest.maybe_gone()
    return row.select(order.first, np.asarray(order.sure.any(axis=1)), rest)


def _dynatemp(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    middle, reach, exponent = values["temperature"], values["dynatemp_range"], values["dynatemp_exponent"]
    low, high = max(0.0, middle - reach), max(0.0, middle + reach)
    alive, entropy = row.alive, row.entropy()
    if alive[1] <= 1:
        return row
    relative = [
        min(max(bound, 0.0) / math.log(max(count, 2.0)), 1.0)
        for bound, count in zip((entropy[0] - EDGE, entropy[1] + EDGE), reversed(alive), strict=True)
    ]
    coolest, hottest = (low + (high - low) * share**exponent for share in relative)
    if alive[0] <= 1:  # one token alone is left as it is
        coolest, hottest = min(coolest, 1.0), max(hottest, 1.0)
    if hottest == 0:
        return _greedy(row)
    if coolest > LOWEST_TEMPERATURE:
        return _heated(row, coolest, hottest)
    first = by_weight(row, equals="by id").first
    heated = _heated(row, coolest, hottest)
    return heated.select(first, np.zeros_like(first), heated.rest.maybe_gone())


# -- truncation --------------------------------------------------------------------------------------------------------


def _top_k(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    """A token stays while fewer than k weigh more."""
    rest, order = row.rest, by_weight(row, equals="together")
    most = min(values["top_k"], row.vocab_size)
    of_rest = np.zeros(len(row.low))
    if not rest.gone:
        above = np.minimum(rest.count[1], np.ceil(rest.mass[1] / np.maximum(np.exp(row.low), 1e-300)))
        of_rest = np.where(order.rest_perhaps, above, 0.0)
    keep = order.perhaps.sum(axis=1) + of_rest < most
    drop = order.sure.sum(axis=1) >= most
    ahead, listed = int((order.before_rest & row.kept).sum()), int(row.possible.sum())
    if rest.gone or ahead >= most:
        return row.select(keep, drop, NO_REST)
    count = (min(rest.count[0], max(0.0, most - listed)), min(rest.count[1], float(most - ahead)))
    cap = rest.cap
    mass = (rest.mass[0] * min(1.0, count[0] / rest.count[1]), min(rest.mass[1], count[1] * cap))
    return row.select(keep, drop, Rest(count, mass, rest.log_cap))


def _top_p(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    return keep_prefix(row, by_weight(row), values["top_p"])


def _typical(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    return typical_p(row, values["typical_p"])


def _min_p(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    ratio = math.log(values["min_p"])
    threshold = (row.largest[0] + ratio, row.largest[1] + ratio)
    keep = (row.low >= threshold[1] + EDGE) | (row.low == threshold[1])
    return _cut(row, keep, row.high < threshold[0] - EDGE, threshold)


def _epsilon(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    return _cut_probability(row, (values["epsilon_cutoff"], values["epsilon_cutoff"]))


def _eta(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    epsilon, entropy = values["eta_cutoff"], row.entropy()
    low, high = (min(epsilon, math.sqrt(epsilon) * math.exp(-bound)) for bound in reversed(entropy))
    return _cut_probability(row, (low * (1 - EDGE), high * (1 + EDGE)))


def _mirostat(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    if context.mirostat_mu is None and context.generated_ids:
        raise Unknowable(
            "Mirostat's ceiling follows from the probability of every token accepted so far, of which this engine tells "
            "some only: start over from the prompt, or reset it."
        )
    ceiling = 2 * values["mirostat_tau"] if context.mirostat_mu is None else context.mirostat_mu
    cutoff = 2.0 ** -min(max(ceiling, -1000.0), 1000.0)
    return _cut_probability(row, (cutoff, cutoff), equals="by id")


def _cut_probability(row: PartialRow, cutoff: Interval, equals: str = "together") -> PartialRow:
    """Drop what is less likely than a cutoff between two bounds; the likeliest stays."""
    low, high = row.if_left()
    total = row.total
    threshold = tuple(_log(bound) + _log(weight) for bound, weight in zip(cutoff, (total[0], total[1]), strict=True))
    keep, drop = low > cutoff[1] * (1 + EDGE), high < cutoff[0] * (1 - EDGE)
    return _cut(row, keep, drop, (threshold[0], threshold[1]), equals)


def _cut(
    row: PartialRow, keep: BoolArray, drop: BoolArray, threshold: Interval, equals: str = "together"
) -> PartialRow:
    """Drop what lies below a threshold of log-weights between two bounds; the likeliest stays whatever it weighs."""
    order = by_weight(row, equals=equals)
    return row.select(keep | order.first, drop & order.sure.any(axis=1), _above(row, threshold))


def _above(row: PartialRow, threshold: Interval) -> Rest:
    """What may be left of the rest above a threshold. With c tokens of mass m, each below the cap, those under the
    threshold t hold less than t each, so that the others have (m - c t) / (1 - t / cap) at least."""
    rest = row.rest
    if rest.gone or (rest.log_cap <= threshold[0] and row.largest[0] >= rest.log_cap):
        return NO_REST
    if row.largest[0] < rest.log_cap:  # the likeliest of all may be among them
        return rest.maybe_gone()
    low, high, cap = math.exp(threshold[0]), math.exp(min(threshold[1], 700.0)), rest.cap
    least = max(0.0, rest.mass[0] - rest.count[1] * high) / (1 - high / cap) if high < cap else 0.0
    count = min(rest.count[1], math.ceil(rest.mass[1] / max(low, 1e-300)))
    least = min(least, rest.mass[0])
    return Rest((min(rest.count[0], math.ceil(least / cap - 1e-9)), count), (least, rest.mass[1]), rest.log_cap)


def _top_h(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    """The prefix of the likeliest hundred whose entropy stays within h of theirs; see ``truncation.top_h``."""
    order, share_of_entropy = by_weight(row), values["top_h"]
    rest = _likeliest_of_rest(row, order.before_rest)
    inside = order.perhaps.sum(axis=1) + np.where(order.rest_perhaps, row.rest.count[1], 0.0) < TOP_H_CANDIDATES
    outside = order.sure.sum(axis=1) >= TOP_H_CANDIDATES
    hundred = row.select(inside, outside, rest)
    low, high = hundred.if_left()
    terms = np.sort([_information(low), _information(high)], axis=0)
    peak = (low < math.exp(-1)) & (high > math.exp(-1))
    terms_high = np.where(peak, math.exp(-1), terms[1])
    entropy = hundred.entropy()
    spent_low = order.sure @ np.where(hundred.kept, terms[0], 0.0) + terms[0]
    spent_high = order.perhaps @ np.where(hundred.possible, terms_high, 0.0) + terms_high
    budget = share_of_entropy * entropy[0] - EDGE, share_of_entropy * entropy[1] + EDGE
    keep = order.first | (inside & ~order.rest_perhaps & (spent_high <= budget[0]))
    drop = order.sure.any(axis=1) & (outside | (spent_low > budget[1]) | (row.high == -np.inf))
    ahead = float(terms[0][order.before_rest & row.kept].sum())
    some = (
        NO_REST
        if rest.gone or (ahead > budget[1] and bool((order.before_rest & row.kept).any()))
        else rest.maybe_gone()
    )
    return row.select(keep, drop, some)


def _likeliest_of_rest(row: PartialRow, before_rest: BoolArray) -> Rest:
    """What of the rest is among the likeliest hundred."""
    rest = row.rest
    most = max(0.0, TOP_H_CANDIDATES - float((before_rest & row.kept).sum()))
    if rest.gone or most == 0:
        return NO_REST
    least = min(rest.count[0], max(0.0, TOP_H_CANDIDATES - float(row.possible.sum())))
    count = (least, min(rest.count[1], most))
    mass = (rest.mass[0] * min(1.0, least / rest.count[1]), min(rest.mass[1], count[1] * rest.cap))
    return Rest(count, mass, rest.log_cap)


def _information(probabilities: FloatArray) -> FloatArray:
    safe = np.maximum(probabilities, 1e-300)
    return np.asarray(-probabilities * np.log(safe))


def _top_n_sigma(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    tokens_exact = bool((row.kept == row.possible).all()) and bool((row.low == row.high)[row.kept].all())
    if not (row.rest.gone and tokens_exact):
        raise Unknowable(
            "Top-n-sigma measures the spread of all logits, and how far down those of the other tokens lie is not told: "
            "put it after a sampler that ends within the tokens told, or reset it."
        )
    alive = row.low[row.kept]
    cutoff = alive.max() - values["top_n_sigma"] * alive.std()
    near = np.abs(row.low - cutoff) < EDGE
    return row.select((row.low >= cutoff) & ~near, (row.low < cutoff) & ~near, NO_REST)


def _xtc(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    """Where it acts, all tokens at or above the threshold go but the least likely of them."""
    if context.xtc_u > values["xtc_probability"]:
        return row
    threshold, order = values["xtc_threshold"], by_weight(row, equals="by id")
    low, high = row.if_left()
    above, perhaps = low >= threshold * (1 + EDGE), (high >= threshold * (1 - EDGE)) & row.possible
    total = row.total[0]
    rest_above = not row.rest.gone and (total == 0 or row.rest.cap / total > threshold)
    # A token goes where one that is above the threshold too is surely less likely: order.sure[j, i] says that i is more so.
    drop = above & (order.sure & (above & row.kept)[:, None]).any(axis=0)
    last = ~(order.perhaps & perhaps[:, None]).any(axis=0) & (not rest_above)
    return row.select(~perhaps | last, drop, row.rest.maybe_gone() if rest_above else row.rest)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else float("-inf")


_SPREAD = "how the rest's probability is spread over its tokens is not told"
RULES: dict[str, Rule] = {
    "logit_bias": Rule(partial_penalties.logit_bias, "It biases a token whose probability is not told."),
    "repetition_penalty": Rule(partial_penalties.repetition, ""),
    "frequency_penalty": Rule(partial_penalties.frequency, "It weakens a token whose probability is not told."),
    "presence_penalty": Rule(partial_penalties.presence, "It weakens a token whose probability is not told."),
    "no_repeat_ngram_size": Rule(partial_penalties.no_repeat, "It bans a token whose probability is not told."),
    "dry": Rule(partial_penalties.dry, "It weakens a token whose probability is not told."),
    "temperature": Rule(_temperature, f"It raises every probability to a power, and {_SPREAD}."),
    "dynatemp": Rule(_dynatemp, f"Its temperature follows the entropy, and {_SPREAD}."),
    "top_h": Rule(_top_h, "It measures the entropy of the likeliest hundred, which are not all told."),
    "top_k": Rule(_top_k, "It keeps tokens that are not told, and what they share is not known."),
    "top_p": Rule(_top_p, "It ends among tokens that are not told."),
    "min_p": Rule(_min_p, "Its threshold lies below the least likely token told."),
    "typical_p": Rule(_typical, f"It compares with the entropy, and {_SPREAD}."),
    "epsilon_cutoff": Rule(_epsilon, "Its threshold lies below the least likely token told."),
    "eta_cutoff": Rule(_eta, f"Its threshold follows the entropy, and {_SPREAD}."),
    "top_n_sigma": Rule(_top_n_sigma, "A logit that is told lies at its cutoff."),
    "xtc": Rule(_xtc, "A token that is not told may lie above its threshold."),
    "mirostat": Rule(_mirostat, "Its threshold lies below the least likely token told."),
}
