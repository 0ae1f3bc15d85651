"""The chain on a partial row: what is certain of each sampler's work and of the draw, and what lies between which bounds.

The counterpart of ``chain.trace_row`` and ``chain.examine`` for an engine that lists the likeliest tokens only; a row of
which all tokens are listed gives the same numbers. Knows no engine and no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from playground.sampling.context import SamplingContext
from playground.sampling.distribution import FinalDistribution
from playground.sampling.draw import UniformStream
from playground.sampling.partial_order import by_weight, least_before_rest, shares_before, shares_through
from playground.sampling.partial_row import (
    BoolArray,
    FloatArray,
    Interval,
    PartialRow,
    Unknowable,
    make_row,
    share,
    share_at_most,
)
from playground.sampling.partial_rules import RULES
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings

Verdict = Literal["exact", "bounded", "unknown"]


@dataclass(frozen=True, slots=True, eq=False)
class PartialStage:
    """One sampler's work. ``verdict``: what it leaves is known exactly, in bounds, or not at all; ``why`` says so in a sentence.

    ``kept`` counts the tokens that no sampler has removed; ``removed_mass`` is of the distribution that entered; ``entropy``
    in nats. ``row``: after the stage, None where nothing is known.
    """

    name: str
    label: str
    params: Mapping[str, object]
    verdict: Verdict
    why: str
    kept: Interval
    removed_mass: Interval
    entropy: Interval
    row: PartialRow | None


@dataclass(frozen=True, slots=True)
class PartialDraw:
    """Whose interval holds ``u``: ``ids`` are the listed tokens it can be, ``rest`` says that it can be another one.

    ``low``, ``high``: the widest interval that one listed token can have, where the draw is certain.
    """

    u: float
    ids: tuple[int, ...]
    rest: bool
    low: float
    high: float

    @property
    def id(self) -> int | None:
        """The token, where it is certain."""
        return self.ids[0] if len(self.ids) == 1 and not self.rest else None


@dataclass(frozen=True, slots=True, eq=False)
class PartialTrace:
    """What became of a partial row. ``raw_logprobs`` (k,) in nats, likeliest first; ``final`` is None where nothing is known.

    ``removed_by`` (k,): the index of the stage that removed a token for certain, -1 where none did.
    """

    raw: PartialRow
    raw_logprobs: FloatArray
    final: PartialRow | None
    stages: tuple[PartialStage, ...]
    removed_by: npt.NDArray[np.int16]

    @property
    def verdict(self) -> Verdict:
        """Of the final distribution."""
        return self.stages[-1].verdict if self.stages else "exact"

    @property
    def unknown(self) -> str | None:
        """The sentence of the sampler of which nothing can be said."""
        return next((stage.why for stage in self.stages if stage.verdict == "unknown"), None)

    @property
    def kept(self) -> BoolArray:
        """(k,): left for certain at the end."""
        return np.zeros(len(self.raw.ids), dtype=np.bool_) if self.final is None else self.final.kept

    def distribution(self) -> FinalDistribution | None:
        """The final distribution as far as it is known; None where nothing is."""
        row = self.final
        if row is None:
            return None
        low, high = row.probabilities()
        rest, exact = row.rest_probability(), self.verdict == "exact"
        return FinalDistribution(row.ids, low, high, row.kept, row.possible, rest, row.left, row.entropy(), exact)

    def final_probs(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of the listed tokens' final probabilities, (k,) each: from 0 to 1 where nothing is known."""
        if self.final is None:
            return np.zeros(len(self.raw.ids)), np.ones(len(self.raw.ids))
        return self.final.probabilities()

    def final_rest(self) -> Interval:
        """Bounds of what the others share at the end."""
        return (0.0, 1.0) if self.final is None else self.final.rest_probability()


@dataclass(frozen=True, slots=True, eq=False)
class PartialNext:
    """What is known of the distribution after ``ids`` under ``settings``, and of the token that ``seed`` draws from it."""

    ids: tuple[int, ...]
    prompt_length: int
    settings: SamplerSettings
    context: SamplingContext
    trace: PartialTrace
    draw: PartialDraw

    @property
    def step(self) -> int:
        """How many tokens were accepted after the prompt."""
        return len(self.ids) - self.prompt_length


def examine_partial(
    top_ids: Sequence[int] | npt.NDArray[np.integer],
    logprobs: npt.NDArray[np.floating],
    vocab_size: int,
    settings: SamplerSettings,
    *,
    log_cap: float | None = None,
    prompt_ids: Sequence[int] = (),
    generated_ids: Sequence[int] = (),
    seed: int = 0,
    breakers: tuple[tuple[int, ...], ...] = (),
) -> PartialNext:
    """Trace ``settings`` over the k listed tokens and the rest, and draw; see ``make_row`` and ``chain.examine``."""
    prompt, generated = tuple(prompt_ids), tuple(generated_ids)
    stream, step = UniformStream(seed), len(generated)
    context = SamplingContext(prompt, generated, stream.at(step, "xtc"), None, breakers)
    trace = trace_partial(make_row(top_ids, logprobs, vocab_size, log_cap), logprobs, settings, context)
    return PartialNext(prompt + generated, len(prompt), settings, context, trace, draw_partial(trace, stream.at(step)))


def trace_partial(
    raw: PartialRow, logprobs: npt.NDArray[np.floating], settings: SamplerSettings, context: SamplingContext
) -> PartialTrace:
    """Run the active samplers' rules in their order; after one of which nothing can be said, nothing more is known."""
    row: PartialRow | None = raw
    stages: list[PartialStage] = []
    removed_by = np.full(len(raw.ids), -1, dtype=np.int16)
    for index, name in enumerate(settings.active()):
        stage = (
            _unknown_stage(name, settings, _after(stages))
            if row is None
            else _stage(row, name, settings, context, stages)
        )
        if row is not None and stage.row is not None:
            removed_by[row.possible & ~stage.row.possible] = index
        stages.append(stage)
        row = stage.row
    return PartialTrace(raw, np.asarray(logprobs, dtype=np.float64), row, tuple(stages), removed_by)


def _stage(
    row: PartialRow,
    name: str,
    settings: SamplerSettings,
    context: SamplingContext,
    before: Sequence[PartialStage],
) -> PartialStage:
    sampler, rule = SAMPLERS[name], RULES.get(name)
    params = sampler.values(settings)
    if rule is None:
        return _unknown_stage(
            name, settings, f"What {sampler.label} does to a partial row is not worked out: reset it."
        )
    try:
        after = rule.apply(row, params, context)
    except Unknowable as error:
        return _unknown_stage(name, settings, str(error))
    verdict: Verdict = "exact" if after.exact else "bounded"
    why, removed = _why(row, after, rule.why, before), _removed(row, after)
    return PartialStage(name, sampler.label, params, verdict, why, after.left, removed, after.entropy(), after)


def _unknown_stage(name: str, settings: SamplerSettings, why: str) -> PartialStage:
    sampler = SAMPLERS[name]
    anything = (0.0, float("inf"))
    return PartialStage(
        name, sampler.label, sampler.values(settings), "unknown", why, anything, (0.0, 1.0), anything, None
    )


def _after(stages: Sequence[PartialStage]) -> str:
    first = next(stage for stage in stages if stage.verdict == "unknown")
    return f"Nothing is known after {first.label}: {first.why[0].lower()}{first.why[1:]}"


def _why(row: PartialRow, after: PartialRow, reason: str, before: Sequence[PartialStage]) -> str:
    """Why the row after a stage is known exactly, or only in bounds."""
    if after.exact:
        if after.rest.gone and not row.rest.gone:
            return "It ends within the tokens told, so none of the others is left."
        return "Nothing in it depends on how the rest is spread."
    if row.exact:
        return reason
    first = next(stage.label for stage in before if stage.verdict == "bounded")
    return f"What comes in is known in bounds only, since {first}."


def _removed(row: PartialRow, after: PartialRow) -> Interval:
    """The share of what a stage removed, under the distribution that entered it."""
    if after.low is not row.low:  # it changed weights; only a temperature that may be 0 may have removed any
        same = bool((after.kept == row.kept).all()) and after.rest.count == row.rest.count
        return 0.0, 0.0 if same else 1.0
    low, high = row.weights
    least = float(low[row.kept & ~after.possible].sum()) + max(0.0, row.rest.mass[0] - after.rest.mass[1])
    most = float(high[row.possible & ~after.kept].sum()) + row.rest.mass[1] - after.rest.mass[0]
    kept = after.total
    return float(share(least, kept[1])), float(share_at_most(most, kept[0]))


def draw_partial(trace: PartialTrace, u: float) -> PartialDraw:
    """The tokens whose interval can hold ``u`` in [0, 1), over descending final probability.

    >>> row = make_row([7, 8], np.log([0.5, 0.25]), 10)
    >>> trace = trace_partial(row, np.log([0.5, 0.25]), SamplerSettings(), SamplingContext(()))
    >>> draw_partial(trace, 0.6).id, draw_partial(trace, 0.9).ids, draw_partial(trace, 0.9).rest
    (8, (), True)
    """
    row = trace.final
    if row is None:
        return PartialDraw(u, tuple(trace.raw.ids[trace.raw.possible].tolist()), not trace.raw.rest.gone, 0.0, 1.0)
    order = by_weight(row, equals="by id")
    starts, ends = shares_before(row, order), shares_through(row, order)
    perhaps = row.possible & (starts[0] <= u) & (u < ends[1])
    listed = np.flatnonzero(perhaps)
    in_rest = not row.rest.gone and u >= least_before_rest(row, order)
    certain = np.flatnonzero(row.kept & (starts[1] <= u) & (u < ends[0]))
    if len(certain) == 1:
        index = certain[0]
        return PartialDraw(u, (int(row.ids[index]),), False, float(starts[0][index]), float(ends[1][index]))
    span = (float(starts[0][listed].min()), float(ends[1][listed].max())) if len(listed) else (0.0, 1.0)
    return PartialDraw(u, tuple(row.ids[listed].tolist()), in_rest, *span)
