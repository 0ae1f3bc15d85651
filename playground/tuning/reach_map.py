"""The reach of many settings at once, fast enough to follow a slider: no model call, and of each row some hundred numbers.

``cuts.py`` says what a setting leaves of sorted rows. Where it is in doubt, in float32 or among equal logits, that token
goes through the chain itself, so what is kept and what is forbidden is exact; log-probabilities and choices are within
what one token at the cut weighs, some thousandths. Penalties and biases that come before all else, as in every engine's
order, are applied by their own samplers with the reference's tokens as history, and the rows are sorted anew for them. A
setting with any other sampler, or one of those later, goes through the chain at every token: exact, and slow.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile

import numpy as np
import numpy.typing as npt

from playground.engine.pieces import finish
from playground.errors import BadInput
from playground.numerics import entropy, log_softmax
from playground.sampling.context import SamplingContext
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.tuning.cuts import CUTS, Leftover, apply_cuts
from playground.tuning.reach import Breakers, Floats, Reach, chain_tokens, check_rows, reach_along
from playground.tuning.sorted_rows import HEAD, SortedRows, sort_rows_in_pieces

MOST_BYTES = 512 * 1024 * 1024  # of rows held: 2,700 tokens of references with 49,152 logits each
_REMEMBERED = 3  # sets of penalties whose sorted rows are held
_ROWS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference, the model's ``rows`` (n, vocab) float32 along it, and DRY's breakers as ids where that is used."""

    prompt_ids: tuple[int, ...]
    ids: tuple[int, ...]
    rows: npt.NDArray[np.float32]
    breakers: Breakers = ()


@dataclass(frozen=True, slots=True, eq=False)
class MapCell:
    """What one setting makes of each reference. ``chained``: how many tokens went through the chain itself."""

    settings: SamplerSettings
    references: tuple[Reach, ...]
    chained: int

    @property
    def kept_share(self) -> float:
        """Of the tokens of all references, those that are not forbidden."""
        return float(np.concatenate([reach.kept for reach in self.references]).mean())

    @property
    def reached(self) -> int:
        """References that the setting could have written."""
        return sum(bool(reach.kept.all()) for reach in self.references)


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """Rows after the penalties, sorted; and what removed a reference's token among those."""

    sorted: SortedRows
    removed_by: tuple[str | None, ...]


def refuse_too_large(rows_bytes: int) -> None:
    """Raises BadInput for more bytes of rows than are held."""
    if rows_bytes > MOST_BYTES:
        raise BadInput(
            f"The rows along these references take {rows_bytes / 1e6:,.0f} MB and at most {MOST_BYTES / 1e6:,.0f} MB are held: "
            "choose fewer or shorter ones.",
            "reference",
        )


class ReachMap:
    """References whose rows are held; ``look`` answers for settings. For one thread at a time."""

    def __init__(self, references: Sequence[Reference]) -> None:
        """Raises BadInput for none, for rows that cannot be sampled from, and for more of them than are held."""
        if not references:
            raise BadInput("There is no reference to look at; give one at least.", "reference")
        refuse_too_large(sum(reference.rows.nbytes for reference in references))
        self._references = tuple(references)
        self._ends = np.cumsum([len(reference.ids) for reference in references])
        self._targets = [token for reference in references for token in reference.ids]
        self._prepared: OrderedDict[SamplerSettings, _Prepared] = OrderedDict()
        for reference in references:
            check_rows(reference.rows, reference.ids)

    @property
    def references(self) -> tuple[Reference, ...]:
        return self._references

    @cached_property
    def _raw(self) -> Floats:
        """The model's own log-probability of each token."""
        raw = apply_cuts(finish(self._prepare(NEUTRAL, ())).sorted, NEUTRAL, ())
        return np.where(raw.alive, raw.logprobs, -np.inf)

    def look(self, many: Sequence[SamplerSettings], *, roughly: bool = False) -> tuple[MapCell, ...]:
        """Each setting's cell, in order. ``roughly``: what is kept is as exact, but log-probabilities and choices only within
        what a token at the cut weighs, whatever that is: for a picture of many settings that follows a slider.
        """
        return tuple(finish(self.look_in_pieces(settings, roughly=roughly)) for settings in many)

    def look_in_pieces(self, settings: SamplerSettings, *, roughly: bool = False) -> Generator[None, None, MapCell]:
        """One setting's cell, with turns for others where it takes long: see ``is_quick``."""
        lead, rest = _parts(settings)
        if not all(name in CUTS for name in rest):
            reaches = []
            for reference in self._references:
                reaches.append(self._along(reference, settings))
                yield
            return MapCell(settings, tuple(reaches), len(self._targets))
        yield from self._prepare(NEUTRAL, ())  # for the raw log-probabilities
        prepared = yield from self._prepare(settings, lead)
        left = apply_cuts(prepared.sorted, settings, rest)
        names = np.array([None, *rest], dtype=object)
        removed_by = [a or b for a, b in zip(prepared.removed_by, names[left.by + 1].tolist(), strict=True)]
        logprobs = np.where(left.alive, left.logprobs, -np.inf)
        doubtful = np.flatnonzero(left.undecided if roughly else left.doubtful)
        short = prepared.sorted.head_decides(doubtful) if _needs_head_only(rest) else np.zeros(len(doubtful), np.bool_)
        if short.any():
            alone = _alone(settings, rest)
            self._ask_chain(doubtful[short], alone, left, logprobs, removed_by, roughly, prepared.sorted)
        long = doubtful[~short]
        for first in range(0, len(long), _ROWS_AT_ONCE):
            self._ask_chain(long[first : first + _ROWS_AT_ONCE], settings, left, logprobs, removed_by, roughly)
        by_reference = tuple(self._reach(number, logprobs, removed_by, left) for number in range(len(self._references)))
        return MapCell(settings, by_reference, len(doubtful))

    def is_quick(self, settings: SamplerSettings) -> bool:
        """Whether a look at these is a matter of a millisecond: their penalties are sorted for, the rest are cuts."""
        lead, rest = _parts(settings)
        return all(name in CUTS for name in rest) and {NEUTRAL, _alone(settings, lead)} <= self._prepared.keys()

    def _along(self, reference: Reference, settings: SamplerSettings) -> Reach:
        return reach_along([reference.rows], reference.prompt_ids, reference.ids, settings, reference.breakers)

    def _reach(self, number: int, logprobs: Floats, removed_by: list[str | None], left: Leftover) -> Reach:
        ids, end = self._references[number].ids, int(self._ends[number])
        own = slice(end - len(ids), end)
        return Reach(ids, self._raw[own], logprobs[own], tuple(removed_by[own]), left.choices[own])

    def _prepare(self, settings: SamplerSettings, lead: tuple[str, ...]) -> Generator[None, None, _Prepared]:
        """The rows after the samplers ``lead``, sorted; remembered by those samplers' values alone."""
        alone = _alone(settings, lead)
        prepared = self._prepared.get(alone)
        if prepared is None:
            removed_by: list[str | None] = []
            rows = (self._row_after(lead, alone, place, removed_by) for place in range(len(self._targets)))
            prepared = _Prepared((yield from sort_rows_in_pieces(rows, self._targets)), tuple(removed_by))
        self._prepared[alone] = prepared
        self._prepared.move_to_end(alone)
        while len(self._prepared) > _REMEMBERED:
            self._prepared.pop(next(key for key in self._prepared if key != NEUTRAL))
        return prepared

    def _row_after(
        self, lead: tuple[str, ...], alone: SamplerSettings, place: int, removed_by: list[str | None]
    ) -> npt.NDArray[np.float32]:
        """A token's row after the samplers ``lead``; which of them removed it goes behind ``removed_by``."""
        row, by = self._row(place), None
        if lead:
            final, (by,) = chain_tokens(row[None], [self._targets[place]], alone, [self._context(place)])
            row = final[0]
        removed_by.append(by)
        return row

    def _ask_chain(
        self,
        places: npt.NDArray[np.intp],
        settings: SamplerSettings,
        left: Leftover,
        logprobs: Floats,
        removed_by: list[str | None],
        roughly: bool,
        heads: SortedRows | None = None,
    ) -> None:
        """Put the chain's own word in for these tokens; on the likeliest ``heads`` alone where those decide."""
        if heads is not None:
            rows, targets = heads.ordered[places, :HEAD], heads.larger[places].tolist()
        else:
            rows = np.stack([self._row(int(place)) for place in places])
            targets = [self._targets[place] for place in places]
        final, names = chain_tokens(rows, targets, settings, [self._context(int(place)) for place in places])
        own = np.arange(len(places)), targets
        if roughly:
            logprobs[places] = np.where(np.isneginf(final[own]), -np.inf, left.logprobs[places])
        else:
            shares = log_softmax(final.astype(np.float64))
            logprobs[places] = shares[own]
            left.choices[places] = np.exp(entropy(shares))
        for place, name in zip(places.tolist(), names, strict=True):
            removed_by[place] = name

    def _row(self, place: int) -> npt.NDArray[np.float32]:
        number = int(np.searchsorted(self._ends, place, side="right"))
        reference = self._references[number]
        row: npt.NDArray[np.float32] = reference.rows[place - int(self._ends[number]) + len(reference.ids)]
        return row

    def _context(self, place: int) -> SamplingContext:
        number = int(np.searchsorted(self._ends, place, side="right"))
        reference = self._references[number]
        done = place - int(self._ends[number]) + len(reference.ids)
        return SamplingContext(reference.prompt_ids, reference.ids[:done], dry_breakers=reference.breakers)


def _parts(settings: SamplerSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The active samplers that come before all others and look back, and the rest."""
    lead = tuple(takewhile(looks_back, settings.active()))
    return lead, settings.active()[len(lead) :]


def _needs_head_only(names: tuple[str, ...]) -> bool:
    """Whether nothing that stands behind a row's ``HEAD`` likeliest tokens matters: Top-H drops it unseen."""
    return "top_h" in names and {"temperature", "top_k"} >= set(names[: names.index("top_h")])


def _alone(settings: SamplerSettings, names: tuple[str, ...]) -> SamplerSettings:
    """The settings with the samplers ``names`` only: for the leading ones, what rows are sorted for."""
    if not names:
        return NEUTRAL
    used = {each.name: getattr(settings, each.name) for name in names for each in SAMPLERS[name].parameters}
    return SamplerSettings(order=settings.order, **used)


def looks_back(name: str) -> bool:
    """Whether a sampler needs the tokens so far, or the ids: what sorted rows no longer know."""
    return SAMPLERS[name].group in ("bias", "penalty")
