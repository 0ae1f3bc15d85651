"""One position of an engine that lists the likeliest tokens only: its candidates, the rest, and what is said of them.

The page and ``python -m playground next`` both stand on this module and on ``sampling.partial_chain``, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.downloads import csv_text, harmless
from playground.engine.api import TextCodec
from playground.engine.types import TokenIds, TopTokens
from playground.inspection.next_token import CONTEXT_TAIL, breaker_ids, candidate
from playground.sampling.chain import NextToken
from playground.sampling.partial_chain import PartialNext, examine_partial
from playground.sampling.partial_row import EXACT_WITHIN, Interval, PartialRow, share
from playground.sampling.settings import SamplerSettings

NOT_TOLD = "not told by this engine"
WHAT_THE_WORDS_MEAN = (
    "Exact: the probability of each token told, and that of all others together, is known. Bounded: it lies between two numbers, "
    "because how the others share theirs is not told. Each of them is taken to be less likely than every token told, and equal "
    "to none."
)


@dataclass(frozen=True, slots=True)
class PartialCandidate:
    """One token. ``final``: bounds of its final probability; ``kept`` is None where that is open. ``rank`` and the raw figures
    are None for a token that is not listed.
    """

    id: int
    text: str
    rank: int | None
    raw_logprob: float | None
    raw_prob: float | None
    final: Interval
    kept: bool | None
    removed_by: str | None


@dataclass(frozen=True, slots=True)
class RestOfRow:
    """All tokens that are not listed. ``kept`` bounds how many of them are left, ``final`` what they share then."""

    count: int
    raw_prob: float
    final: Interval
    kept: Interval


def examine_top(
    row: TopTokens, settings: SamplerSettings, prompt_ids: TokenIds, seed: int, codec: TextCodec
) -> PartialNext:
    """What is known of the distribution after ``row.ids``, of which the first are ``prompt_ids``, and of the draw."""
    return examine_partial(
        row.top_ids,
        row.logprobs,
        row.vocab_size,
        settings,
        log_cap=row.cap,
        prompt_ids=prompt_ids,
        generated_ids=row.ids[len(prompt_ids) :],
        seed=seed,
        breakers=breaker_ids(codec, settings, row.ids),
    )


def listed_candidates(view: PartialNext, codec: TextCodec, count: int) -> tuple[PartialCandidate, ...]:
    """The ``count`` likeliest of the listed tokens."""
    trace = view.trace
    low, high = trace.final_probs()
    return tuple(
        PartialCandidate(
            id=token,
            text=codec.piece(token, view.ids[-CONTEXT_TAIL:]),
            rank=rank,
            raw_logprob=float(trace.raw_logprobs[rank]),
            raw_prob=float(np.exp(trace.raw_logprobs[rank])),
            final=(float(low[rank]), float(high[rank])),
            kept=_kept(view, rank),
            removed_by=None if (stage := int(trace.removed_by[rank])) < 0 else trace.stages[stage].name,
        )
        for rank, token in enumerate(trace.raw.ids[:count].tolist())
    )


def _kept(view: PartialNext, rank: int) -> bool | None:
    if view.trace.removed_by[rank] >= 0:
        return False
    return True if view.trace.kept[rank] else None


def candidate_of(view: NextToken | PartialNext, token: int, codec: TextCodec) -> PartialCandidate:
    """One token, listed or not; of a whole row, with equal bounds."""
    if isinstance(view, NextToken):
        one = candidate(view, token, codec)
        bounds = (one.final_prob, one.final_prob)
        return PartialCandidate(
            token, one.text, one.rank, one.raw_logprob, one.raw_prob, bounds, one.kept, one.removed_by
        )
    place = np.flatnonzero(view.trace.raw.ids == token)
    if len(place):
        return listed_candidates(view, codec, int(place[0]) + 1)[-1]
    final, rest = view.trace.final, rest_of_row(view)
    most = 1.0 if final is None else most_of_one(final)
    kept = False if rest.kept[1] == 0 else True if rest.kept[0] == rest.count else None
    stages = view.trace.stages
    by = next((stage.name for stage in stages if stage.row is not None and stage.row.rest.gone), None)
    text = codec.piece(token, view.ids[-CONTEXT_TAIL:])
    return PartialCandidate(token, text, None, None, None, (0.0, most), kept, by)


def rest_of_row(view: PartialNext) -> RestOfRow:
    """The bar "not told by this engine"."""
    raw, final = view.trace.raw, view.trace.final
    return RestOfRow(
        count=raw.vocab_size - len(raw.ids),
        raw_prob=middle(raw.rest_probability()) if len(raw.ids) < raw.vocab_size else 0.0,
        final=view.trace.final_rest(),
        kept=(0.0, raw.rest.count[1]) if final is None else final.left_of_rest,
    )


def most_of_one(row: PartialRow) -> float:
    """The largest probability that one token of the rest can have."""
    if row.rest.gone:
        return 0.0
    return min(row.rest_probability()[1], float(share(row.rest.cap, row.listed_mass[0])))


def middle(bounds: Interval) -> float:
    """The number that an exact interval is."""
    return (bounds[0] + bounds[1]) / 2


def is_number(bounds: Interval) -> bool:
    """Whether an interval of probabilities is so narrow that it is a number."""
    return bounds[1] - bounds[0] <= EXACT_WITHIN


def exact_or_none(bounds: Interval) -> float | None:
    """The number, or None where there are two."""
    return middle(bounds) if is_number(bounds) else None


def verdict_sentence(view: PartialNext) -> str:
    """What may be said of the final distribution, and why."""
    trace = view.trace
    listed, vocab = len(trace.raw.ids), trace.raw.vocab_size
    if trace.unknown is not None:
        return f"The final distribution is not known. {trace.unknown}"
    if trace.verdict == "exact":
        return f"The final distribution is exact, though this engine tells {listed:,} of {vocab:,} tokens."
    first = next(stage for stage in trace.stages if stage.verdict == "bounded")
    return (
        f"The final distribution is bounded: this engine tells {listed:,} of {vocab:,} tokens. {first.label}: "
        f"{first.why[0].lower()}{first.why[1:]}"
    )


def draw_sentence(view: PartialNext, texts: dict[int, str]) -> str | None:
    """Which tokens the draw can be, where that is open. ``texts``: of the listed tokens, by id. None where it is certain."""
    draw = view.draw
    if draw.id is not None:
        return None
    if view.trace.final is None:
        return f"u = {draw.u:.6f} points at no token, since the final distribution is not known."
    named = [texts[token] for token in draw.ids[:5]] + (["more"] if len(draw.ids) > 5 else [])
    listed = "" if not named else named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"
    if not draw.rest:
        return f"u = {draw.u:.6f} could give {listed}: the bounds leave it open."
    if not listed:
        return f"u = {draw.u:.6f} falls among the tokens that are {NOT_TOLD}: which one it is cannot be said."
    return f"u = {draw.u:.6f} could give {listed}, or a token that is {NOT_TOLD}."


def partial_csv(view: PartialNext, codec: TextCodec) -> str:
    """The listed tokens, likeliest first, and a last row for all others. Where the final probability is a number, the two
    bounds are equal but for rounding.
    """
    columns = (
        "rank",
        "id",
        "text",
        "raw_probability",
        "raw_log_probability",
        "final_probability_low",
        "final_probability_high",
        "kept",
        "removed_by",
    )
    words = {True: "yes", False: "no", None: "open"}
    rest = rest_of_row(view)
    rows: list[tuple[object, ...]] = [
        (
            index + 1,
            row.id,
            harmless(row.text),
            repr(row.raw_prob),
            repr(row.raw_logprob),
            repr(row.final[0]),
            repr(row.final[1]),
            words[row.kept],
            row.removed_by or "",
        )
        for index, row in enumerate(listed_candidates(view, codec, len(view.trace.raw.ids)))
    ]
    if rest.count:
        kept = "no" if rest.kept[1] == 0 else "yes" if rest.kept[0] == rest.count else "open"
        name = f"{rest.count} tokens {NOT_TOLD}"
        rows.append(("", "", name, repr(rest.raw_prob), "", repr(rest.final[0]), repr(rest.final[1]), kept, ""))
    return csv_text(columns, rows)
