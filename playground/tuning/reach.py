"""The reach of settings: whether they could have written a given reference, token by token, by the chain itself.

A setting reaches a reference where no sampler removes any of its tokens along the way, each looked at after the
reference's own tokens before it (teacher-forced). Penalties see that history; XTC's coin and Mirostat's ceiling are taken
into account exactly. Knows rows of logits and no model; ``reach_map.py`` does the same for many settings at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.numerics import entropy, log_softmax
from playground.sampling.chain import refuse_unusable, run_samplers
from playground.sampling.context import SamplingContext
from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import updated_mu

FloatRows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Breakers = tuple[tuple[int, ...], ...]

_SURELY, _NEVER = 0.0, 1.0  # uniforms at which XTC acts where it can, and does not
_ROWS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A token of the reference that the settings cannot write. ``by``: the sampler, None where the model gives it 0."""

    position: int
    id: int
    by: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """What settings make of each token of a reference; all of length n, log-probabilities natural.

    ``logprobs`` are -inf where forbidden, ``removed_by`` then names the sampler. ``choices``: exp of the entropy that the
    settings leave at each token, the number of equally likely tokens that would be as uncertain.
    """

    ids: tuple[int, ...]
    raw_logprobs: Floats
    logprobs: Floats
    removed_by: tuple[str | None, ...]
    choices: Floats

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        return self.logprobs > -np.inf

    @property
    def kept_share(self) -> float:
        """Of the reference's tokens, those that are not forbidden."""
        return float(self.kept.mean())

    @property
    def first_forbidden(self) -> Forbidden | None:
        if self.kept.all():
            return None
        place = int(np.argmin(self.kept))
        return Forbidden(place, self.ids[place], self.removed_by[place])


def reach_along(
    blocks: Iterable[FloatRows],
    prompt_ids: Sequence[int],
    reference_ids: Sequence[int],
    settings: SamplerSettings,
    breakers: Breakers = (),
) -> Reach:
    """Run the chain at every token of a reference. ``blocks`` (n, vocab) each: the model's rows in order, as they come.

    ``breakers``: DRY's sequence breakers as ids. Raises BadInput for rows that cannot be sampled from, and for another
    number of rows than tokens.
    """
    walk = _Walk(tuple(prompt_ids), tuple(reference_ids), settings, breakers)
    if not walk.reference_ids:
        raise BadInput("The reference has no token; write what the settings should be able to say.", "reference")
    parts = [walk.look(rows) for block in blocks for rows in walk.split(block)]
    if walk.place != len(walk.reference_ids):
        raise BadInput(f"{walk.place} rows do not fit a reference of {len(walk.reference_ids)} tokens.", "reference")
    raw, final, choices = (np.concatenate([part[column] for part in parts]) for column in range(3))
    removed_by = tuple(name for part in parts for name in part[3])
    return Reach(walk.reference_ids, raw, final, removed_by, choices)


Looked = tuple[Floats, Floats, Floats, list[str | None]]
"""Of some tokens: raw and final log-probability, effective choices, and what removed each."""


class _Walk:
    """How far along the reference the chain is, and what it carries from token to token."""

    def __init__(
        self, prompt_ids: tuple[int, ...], reference_ids: tuple[int, ...], settings: SamplerSettings, breakers: Breakers
    ) -> None:
        self.prompt_ids, self.reference_ids, self.settings, self.breakers = (
            prompt_ids,
            reference_ids,
            settings,
            breakers,
        )
        self.place = 0
        self.mirostat = "mirostat" in settings.active()
        self.mu: float | None = None

    def split(self, block: FloatRows) -> Iterator[FloatRows]:
        """A few rows at a time; with Mirostat one, since each token moves its ceiling."""
        step = 1 if self.mirostat else _ROWS_AT_ONCE
        for first in range(0, len(block), step):
            yield block[first : first + step]

    def look(self, rows: FloatRows) -> Looked:
        """The next tokens of the reference, each under its row."""
        if self.place + len(rows) > len(self.reference_ids):
            raise BadInput(f"More rows than the reference's {len(self.reference_ids)} tokens.", "reference")
        targets = np.array(self.reference_ids[self.place : self.place + len(rows)], dtype=np.int64)
        check_rows(rows, targets)
        raw = log_softmax(rows.astype(np.float64))
        final, removed_by = self._final(rows, targets)
        own = np.arange(len(rows)), targets
        result = raw[own], final[own], np.exp(entropy(final)).astype(np.float64), removed_by
        if self.mirostat and final[own][0] > -np.inf:  # what could not be written moves nothing
            tau, eta = self.settings.mirostat_tau, self.settings.mirostat_eta
            self.mu = updated_mu(self.mu, -float(final[own][0]) / math.log(2), tau=tau, eta=eta)
        self.place += len(rows)
        return result

    def _final(self, rows: FloatRows, targets: npt.NDArray[np.int64]) -> tuple[Floats, list[str | None]]:
        """Log-probabilities after the chain (n, vocab), and what removed each target. XTC's coin is averaged over."""
        acts = self.settings.xtc_probability if "xtc" in self.settings.active() else 0.0
        if not 0 < acts < 1:
            return self._run(rows, targets, _SURELY)
        with_xtc, removed_by = self._run(rows, targets, _SURELY)
        without, removed_anyway = self._run(rows, targets, _NEVER)
        with np.errstate(divide="ignore"):
            mixed = np.logaddexp(with_xtc + math.log(acts), without + math.log1p(-acts))
        gone = np.isneginf(mixed[np.arange(len(rows)), targets])
        by = [a or b if lost else None for a, b, lost in zip(removed_by, removed_anyway, gone, strict=True)]
        return mixed, by

    def _run(self, rows: FloatRows, targets: npt.NDArray[np.int64], xtc_u: float) -> tuple[Floats, list[str | None]]:
        contexts = [
            SamplingContext(
                self.prompt_ids,
                self.reference_ids[: self.place + offset],
                xtc_u=xtc_u,
                mirostat_mu=self.mu,
                dry_breakers=self.breakers,
            )
            for offset in range(len(rows))
        ]
        final, removed_by = chain_tokens(rows, targets.tolist(), self.settings, contexts)
        return log_softmax(final.astype(np.float64)), removed_by


def check_rows(rows: FloatRows, targets: Sequence[int] | npt.NDArray[np.int64]) -> None:
    """Raises BadInput for rows that cannot be sampled from, another number of targets, or one outside the vocabulary."""
    import torch

    if len(rows) != len(targets):
        raise BadInput(f"{len(rows)} rows do not fit a reference of {len(targets)} tokens.", "reference")
    if not all(0 <= token < rows.shape[1] for token in targets):
        raise BadInput(f"The reference has a token that is not one of the model's {rows.shape[1]:,}.", "reference")
    refuse_unusable(torch.from_numpy(np.array(rows, dtype=np.float32)))


def chain_tokens(
    rows: FloatRows, targets: Sequence[int], settings: SamplerSettings, contexts: Sequence[SamplingContext]
) -> tuple[FloatRows, list[str | None]]:
    """The chain on checked rows (n, vocab), one context each: what it makes of them, and what removed each target, if so."""
    import torch

    final = torch.from_numpy(np.array(rows, dtype=np.float32))
    own = torch.arange(len(rows)), torch.tensor(targets)
    alive = (final[own] > -math.inf).tolist()
    removed_by: list[str | None] = [None] * len(rows)
    for name, stage, _diagnostics in run_samplers(final, settings, contexts):
        final = stage
        for row, still in enumerate((final[own] > -math.inf).tolist()):
            if alive[row] and not still:
                alive[row], removed_by[row] = False, name
    return final.numpy(), removed_by
