"""Penalties and biases on a partial row: exact for a listed token, within bounds for one of the rest. See ``partial_rules``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from playground.sampling import penalties
from playground.sampling.context import IdArray, SamplingContext
from playground.sampling.partial_order import by_weight
from playground.sampling.partial_row import NO_REST, FloatArray, PartialRow, Rest, Unknowable

Values = Mapping[str, Any]


def _shift(row: PartialRow, ids: IdArray, shifts: FloatArray) -> PartialRow:
    """Add to the logits of some tokens, each id once: exact for a listed one, within bounds for one of the rest."""
    inside = (ids >= 0) & (ids < row.vocab_size)
    change = dict(zip(ids[inside].tolist(), shifts[inside].tolist(), strict=True))
    own = np.array([change.pop(token, 0.0) for token in row.ids.tolist()])
    rest = row.rest
    if change and not rest.gone:
        down, up = min(0.0, *change.values()), max(0.0, *change.values())
        share_of_rest = len(change) * rest.cap  # what the changed ones weigh at most
        mass = (
            rest.mass[0] - min(rest.mass[0], share_of_rest) * -math.expm1(down),
            rest.mass[1] + min(rest.mass[1], share_of_rest) * math.expm1(up),
        )
        rest = replace(rest, mass=mass, log_cap=rest.log_cap + up)
    return replace(row, low=row.low + own, high=row.high + own, rest=rest).rescaled()


def logit_bias(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    pairs = np.array(values["logit_bias"], dtype=np.float64).reshape(-1, 2)
    return _shift(row, pairs[:, 0].astype(np.int64), pairs[:, 1])


def repetition(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    ids = context.all_ids[(context.all_ids >= 0) & (context.all_ids < row.vocab_size)]
    if not len(ids) or (row.rest.gone and not np.isin(row.ids[row.possible], ids).any()):
        return row
    raise Unknowable(
        "The repetition penalty multiplies logits, and this engine tells log-probabilities, which are logits less an "
        "unknown number: reset it, or choose a model that runs in this process."
    )


def frequency(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    ids, counts = context.generated_counts
    return _shift(row, ids, -values["frequency_penalty"] * counts)


def presence(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    ids = context.generated_counts[0]
    return _shift(row, ids, np.full(len(ids), -values["presence_penalty"]))


def dry(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    base, allowed = values["dry_base"], values["dry_allowed_length"]
    repeats = penalties.longest_repeats(context, base, allowed)
    lengths = np.array(list(repeats.values()), dtype=np.float64)
    penalty = np.minimum(values["dry_multiplier"] * base ** (lengths - allowed), penalties.LARGEST_PENALTY)
    return _shift(row, np.array(list(repeats), dtype=np.int64), -penalty)


def no_repeat(row: PartialRow, values: Values, context: SamplingContext) -> PartialRow:
    banned = penalties.completing_ids(context.all_ids, values["no_repeat_ngram_size"])
    banned = banned[(banned >= 0) & (banned < row.vocab_size)]
    drop = np.isin(row.ids, banned)
    rest, count = row.rest, len(banned) - int(drop.sum())
    if count and not rest.gone:
        left = min(rest.count[1], float(row.vocab_size - len(row.ids) - count))  # they may have been removed before
        mass = (max(0.0, rest.mass[0] - count * rest.cap), rest.mass[1])
        rest = Rest((max(0.0, rest.count[0] - count), left), mass, rest.log_cap) if left else NO_REST
    if (row.kept & ~drop).any() or rest.count[0] > 0:
        return row.select(~drop, drop, rest)
    # All that is left may be banned: then the largest stays, be it listed or not.
    order, alone = by_weight(row, equals="by id"), row.rest.gone and not (row.possible & ~drop).any()
    return row.select(~drop | (order.first & alone), drop & order.sure.any(axis=1), row.rest.maybe_gone())
