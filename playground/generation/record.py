"""One step of many rows: logits through each row's samplers, a draw a row, and the record of it.

Rows with equal settings go through the samplers together. The record follows only the few alternatives it will show,
so that it costs little beside the model. Knows no model and no text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.engine.cpu_threads import cpu_threads
from playground.engine.types import FloatArray
from playground.generation.types import Alternative
from playground.numerics import entropy_rows, rank_of, top_ids
from playground.sampling.chain import apply_chain, refuse_unusable, run_samplers
from playground.sampling.context import SamplingContext
from playground.sampling.draw import Draw, draw_token
from playground.sampling.settings import SamplerSettings

if TYPE_CHECKING:
    import torch

_TOGETHER = 2**19  # logits that go through all steps together: what a core's cache holds with their copies
_HEAD = 256  # likeliest tokens sorted at once: the draw falls among them nearly always
_KEEP_ORDER = frozenset({"temperature", "dynatemp"})
_SMALL = 2**20  # logits; fewer are done before a second thread has woken, and on a busy machine it may sleep on
SMALLEST_PROBABILITY = 1e-45  # the least a float32 holds


@dataclass(frozen=True, slots=True)
class Drawn:
    """What was drawn for one row and what is known of it. See ``TokenStep``."""

    draw: Draw
    raw_logprob: float
    prob: float
    rank: int
    entropy: float
    kept: int
    top: tuple[Alternative, ...]
    mean_logprob: float | None

    @property
    def surprise_bits(self) -> float:
        """-log2 of the final probability: what Mirostat steers by."""
        return -math.log2(max(self.prob, SMALLEST_PROBABILITY))


@dataclass(frozen=True, slots=True)
class RowInput:
    """One row's part: its settings, its history, this step's uniform and how many alternatives to record."""

    settings: SamplerSettings
    context: SamplingContext
    u: float
    top: int


def draw_rows(logits: FloatArray, rows: Sequence[RowInput]) -> list[Drawn]:
    """Draw a token for each row. ``logits``: (rows, vocab) float32, not written to."""
    by_settings: dict[SamplerSettings, list[int]] = {}
    for place, row in enumerate(rows):
        by_settings.setdefault(row.settings, []).append(place)
    drawn: dict[int, Drawn] = {}
    few = max(1, _TOGETHER // logits.shape[-1])
    for settings, all_places in by_settings.items():
        with cpu_threads(1 if few * logits.shape[-1] <= _SMALL else None):
            for begin in range(0, len(all_places), few):
                places = all_places[begin : begin + few]
                group = _draw_group(logits[places], settings, [rows[place] for place in places])
                drawn |= zip(places, group, strict=True)
    return [drawn[place] for place in range(len(rows))]


def _draw_group(logits: FloatArray, settings: SamplerSettings, rows: Sequence[RowInput]) -> list[Drawn]:
    import torch

    raw = torch.from_numpy(logits)  # (rows, vocab), a copy: it was taken out by its places
    names = settings.active()
    head = Head.of(raw, max(_HEAD, *(row.top for row in rows)))
    watched = head.first(max(row.top for row in rows))  # (rows, top)
    final, removed_by = _follow(raw, settings, [row.context for row in rows], watched)
    logprobs = raw.log_softmax(-1)
    means = logprobs.mean(-1).tolist()
    probs = final.softmax(-1)
    entropies = entropy_rows(logprobs, probs if final is raw else None).flatten().tolist()
    kept = np.count_nonzero(final.numpy() > -np.inf, axis=-1).tolist()
    raw_probs = logprobs.gather(-1, torch.from_numpy(watched)).numpy()
    draws = head.draw(probs.numpy(), [row.u for row in rows], keeps_order=set(names) <= _KEEP_ORDER)
    ids = torch.tensor([draw.id for draw in draws])[:, None]
    own = logprobs.gather(-1, ids)[:, 0].tolist(), probs.gather(-1, ids)[:, 0].tolist()
    return [
        Drawn(
            draw=draws[place],
            raw_logprob=own[0][place],
            prob=own[1][place],
            rank=head.rank_of(place, draws[place].id),
            entropy=entropies[place],
            kept=kept[place],
            top=_alternatives(
                watched[place, : row.top], raw_probs[place], probs[place].numpy(), removed_by[place], names
            ),
            mean_logprob=means[place],
        )
        for place, row in enumerate(rows)
    ]


class Head:
    """Each row's largest logits, sorted once for all that is asked about them: places, ranks and the draw itself."""

    def __init__(self, raw: torch.Tensor, values: FloatArray, ids: npt.NDArray[np.int64]) -> None:
        self._raw = raw.numpy()
        self._values = values  # (rows, n), largest first
        self._ids = ids  # (rows, n), of equals the lower id first
        # What equals the smallest may go on outside; where all tokens are inside nothing does.
        whole = ids.shape[1] == raw.shape[-1]
        self._sure = np.full(len(ids), ids.shape[1]) if whole else (values > values[:, -1:]).sum(-1)

    @classmethod
    def of(cls, raw: torch.Tensor, count: int) -> Head:
        """The ``count`` largest of each row of ``raw`` (rows, vocab)."""
        values, ids = (part.numpy() for part in raw.topk(min(count, raw.shape[-1]), dim=-1))
        order = np.lexsort((ids, -values), axis=-1)
        return cls(raw, np.take_along_axis(values, order, -1), np.take_along_axis(ids, order, -1))

    def first(self, count: int) -> npt.NDArray[np.int64]:
        """Ids of each row's ``count`` largest logits, largest first, ties by the lower id: (rows, count)."""
        count = min(count, self._raw.shape[-1])
        ids = self._ids[:, :count].copy()
        for row in np.flatnonzero(self._sure < count):
            ids[row] = top_ids(self._raw[row], count)
        return ids

    def rank_of(self, row: int, token: int) -> int:
        """The token's place by raw logits, 0 the largest, ties by the lower id."""
        within = np.flatnonzero(self._ids[row, : self._sure[row]] == token)
        if len(within):
            return int(within[0])
        return rank_of(self._raw[row], token)

    def draw(self, probs: FloatArray, us: Sequence[float], *, keeps_order: bool) -> list[Draw]:
        """``draw_token`` of each row of ``probs`` (rows, vocab), to the last bit, with one sum and one sort for all.

        ``keeps_order``: of two tokens the one with the larger logit is never the less probable, so the likeliest are
        here. A row whose u lies beyond them is drawn by itself.
        """
        if not keeps_order or self._ids.shape[1] == probs.shape[1]:
            return [draw_token(row, u) for row, u in zip(probs, us, strict=True)]
        near = np.take_along_axis(probs, self._ids, -1)  # (rows, n)
        order = np.lexsort(
            (self._ids, -near), axis=-1
        )  # tokens of different logits may have rounded to one probability
        near, ids = np.take_along_axis(near, order, -1), np.take_along_axis(self._ids, order, -1)
        ends = np.cumsum(near.astype(np.float64), axis=-1) / probs.sum(axis=-1, dtype=np.float64, keepdims=True)
        certain = (near > near[:, -1:]).sum(-1)
        return [
            self._drawn(ids[row], ends[row, : certain[row]], u) or draw_token(probs[row], u) for row, u in enumerate(us)
        ]

    @staticmethod
    def _drawn(ids: npt.NDArray[np.int64], ends: npt.NDArray[np.float64], u: float) -> Draw | None:
        rank = int(np.searchsorted(ends, u, side="right"))
        if rank >= len(ends) or not 0 <= u < 1:
            return None
        low = float(ends[rank - 1]) if rank else 0.0
        return Draw(u=u, id=int(ids[rank]), low=low, high=float(ends[rank]), rank=rank)


def _follow(
    raw: torch.Tensor,
    settings: SamplerSettings,
    contexts: Sequence[SamplingContext],
    watched: npt.NDArray[np.int64],
) -> tuple[torch.Tensor, npt.NDArray[np.int16]]:
    """The rows after the chain, and the index of the sampler that removed each watched token (-1: none).

    The samplers are those of ``apply_chain`` in its order; a look at a few places after each is all that is added.
    """
    import torch

    removed_by = np.full(watched.shape, -1, dtype=np.int16)
    names = settings.active()
    if watched.shape[1] == 0 or not names:
        return apply_chain(raw, settings, contexts), removed_by
    refuse_unusable(raw)
    places = torch.from_numpy(watched)
    alive = raw.gather(-1, places) > -torch.inf  # (rows, top)
    rows = raw
    for index, (_name, after, _diagnostics) in enumerate(run_samplers(raw, settings, contexts)):
        rows = after
        now = rows.gather(-1, places) > -torch.inf
        removed_by[(alive & ~now).numpy()] = index
        alive = now
    return rows, removed_by


def _alternatives(
    ids: npt.NDArray[np.int64],
    logprobs: FloatArray,
    probs: FloatArray,
    removed_by: npt.NDArray[np.int16],
    names: Sequence[str],
) -> tuple[Alternative, ...]:
    """``logprobs``: (top,) of the watched tokens; ``probs``: (vocab,)."""
    count = len(ids)
    return tuple(
        Alternative(token, logprob, raw_prob, prob, names[stage] if stage >= 0 else None)
        for token, logprob, raw_prob, prob, stage in zip(
            ids.tolist(),
            logprobs[:count].tolist(),
            np.exp(logprobs[:count]).tolist(),
            probs[ids].tolist(),
            removed_by[:count].tolist(),
            strict=True,
        )
    )
