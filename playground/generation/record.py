"""One step of many rows: logits through each row's samplers, a draw a row, and the record of it.

Rows with equal settings go through the samplers together. The record follows only the few alternatives it will show,
so that it costs little beside the model. Knows no model and no text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch

from playground.engine.prepack import cpu_threads
from playground.engine.types import FloatArray
from playground.generation.types import Alternative
from playground.sampling.chain import apply_chain
from playground.sampling.context import SamplingContext
from playground.sampling.draw import Draw, draw_token
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import NEUTRAL, SamplerSettings

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
    for settings, places in by_settings.items():
        together = logits if len(places) == len(rows) else logits[places]
        with cpu_threads(1 if together.size <= _SMALL else None):
            drawn |= zip(places, _draw_group(together, settings, [rows[place] for place in places]), strict=True)
    return [drawn[place] for place in range(len(rows))]


def _draw_group(logits: FloatArray, settings: SamplerSettings, rows: Sequence[RowInput]) -> list[Drawn]:
    raw = torch.from_numpy(np.array(logits, order="C"))  # (rows, vocab), a copy: NumPy's is read-only
    contexts = [row.context for row in rows]
    watched = top_places(raw, max(row.top for row in rows))  # (rows, top)
    final, removed_by = _follow(raw, settings, contexts, watched)
    logprobs = raw.log_softmax(-1)
    entropies = -(logprobs.exp() * logprobs.clamp(min=torch.finfo(torch.float32).min)).sum(-1)
    means = logprobs.mean(-1)
    probs = final.softmax(-1)
    kept = (final > -torch.inf).sum(-1)
    names = _active(settings)
    result: list[Drawn] = []
    for place, row in enumerate(rows):
        final_probs, raw_row = probs[place].numpy(), raw[place].numpy()
        draw = draw_token(final_probs, row.u)
        value = raw_row[draw.id]
        result.append(
            Drawn(
                draw=draw,
                raw_logprob=float(logprobs[place, draw.id]),
                prob=float(final_probs[draw.id]),
                rank=int(np.count_nonzero(raw_row > value) + np.count_nonzero(raw_row[: draw.id] == value)),
                entropy=max(0.0, float(entropies[place])),
                kept=int(kept[place]),
                top=_alternatives(watched[place, : row.top], logprobs[place], final_probs, removed_by[place], names),
                mean_logprob=mean if math.isfinite(mean := float(means[place])) else None,
            )
        )
    return result


@lru_cache(maxsize=256)
def _active(settings: SamplerSettings) -> tuple[str, ...]:
    """``settings.active()``, asked at every step of every row."""
    return settings.active()


def top_places(raw: torch.Tensor, count: int) -> npt.NDArray[np.int64]:
    """Ids of each row's ``count`` largest logits, largest first, ties by the lower id. (rows, vocab) -> (rows, count)."""
    count = min(count, raw.shape[-1])
    if count == 0:
        return np.empty((raw.shape[0], 0), dtype=np.int64)
    smallest = raw.topk(count, dim=-1).values[:, -1].numpy()
    found = np.empty((raw.shape[0], count), dtype=np.int64)
    for place, row in enumerate(raw.numpy()):
        ids = np.flatnonzero(row >= smallest[place])
        found[place] = ids[np.lexsort((ids, -row[ids]))][:count]
    return found


def _follow(
    raw: torch.Tensor,
    settings: SamplerSettings,
    contexts: Sequence[SamplingContext],
    watched: npt.NDArray[np.int64],
) -> tuple[torch.Tensor, npt.NDArray[np.int16]]:
    """The rows after the chain, and the index of the sampler that removed each watched token (-1: none).

    The samplers are those of ``apply_chain`` in its order; a look at a few places after each is all that is added.
    """
    removed_by = np.full(watched.shape, -1, dtype=np.int16)
    names = _active(settings)
    if watched.shape[1] == 0 or not names:
        return apply_chain(raw, settings, contexts), removed_by
    apply_chain(raw, NEUTRAL, contexts)  # refuses rows that cannot be sampled from
    places = torch.from_numpy(watched)
    alive = raw.gather(-1, places) > -torch.inf  # (rows, top)
    rows = raw
    for index, name in enumerate(names):
        rows = SAMPLERS[name].apply(rows, settings, contexts)
        now = rows.gather(-1, places) > -torch.inf
        removed_by[(alive & ~now).numpy()] = index
        alive = now
    return rows, removed_by


def _alternatives(
    ids: npt.NDArray[np.int64],
    logprobs: torch.Tensor,
    probs: npt.NDArray[np.float32],
    removed_by: npt.NDArray[np.int16],
    names: Sequence[str],
) -> tuple[Alternative, ...]:
    raw = logprobs.numpy()[ids]
    return tuple(
        Alternative(
            id=int(token),
            raw_logprob=float(logprob),
            raw_prob=float(np.exp(logprob)),
            prob=float(probs[token]),
            removed_by=names[stage] if stage >= 0 else None,
        )
        for token, logprob, stage in zip(ids, raw, removed_by[: len(ids)], strict=True)
    )
