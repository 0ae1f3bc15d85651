"""The logit lens over a window of a text: read once on the worker, then looked at from every side without the model."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from playground.engine.api import CancelToken, Engine, Hidden, TextCodec
from playground.engine.facets import require
from playground.engine.text.display import glyphs
from playground.engine.types import FloatArray, LensRows, TokenIds
from playground.errors import BadInput
from playground.inspection.next_token import CONTEXT_TAIL

MAX_POSITIONS = 64  # of one window: 64 positions of 30 layers are 2,000 heads, some seconds on two cores


@dataclass(frozen=True, slots=True, eq=False)
class LensPicture:
    """A lens over ``window`` of ``ids``. ``rows`` are those of the engine, put together; see ``LensRows``."""

    ids: TokenIds
    rows: LensRows
    elapsed_ms: float

    @property
    def depths(self) -> int:
        """One more than the model has layers: depth 0 is what enters the first one."""
        return len(self.rows.entropies)

    @property
    def window(self) -> range:
        """Positions in the text."""
        return range(self.rows.first, self.rows.first + self.rows.entropies.shape[1])


@dataclass(frozen=True, slots=True)
class LensCell:
    """One depth at one position. ``top`` are (token id, probability), likeliest first; nats for the other two."""

    depth: int
    position: int
    top: tuple[tuple[int, float], ...]
    entropy: float
    divergence: float


@dataclass(frozen=True, slots=True, eq=False)
class RankPath:
    """One token's way through the depths at one position: ``ranks`` (0 the likeliest) and ``logprobs``, (D,) each."""

    position: int
    token: int
    ranks: npt.NDArray[np.int32]
    logprobs: FloatArray

    @property
    def leads_from(self) -> int | None:
        """The first depth from which the token stays in the lead up to the answer, None if it does not win."""
        behind = np.flatnonzero(self.ranks > 0)
        first = int(behind[-1]) + 1 if behind.size else 0
        return first if first < len(self.ranks) else None


def choose_window(length: int, start: int | None = None) -> range:
    """At most MAX_POSITIONS positions of a text of ``length`` tokens: its end, or from ``start`` on as far as it can."""
    latest = max(0, length - MAX_POSITIONS)
    first = latest if start is None else min(max(start, 0), latest)
    return range(first, min(first + MAX_POSITIONS, length))


def read_lens(
    engine: Engine, ids: TokenIds, window: range, cancel: CancelToken
) -> Generator[tuple[int, int], None, LensPicture]:
    """Ask the engine; yields (positions done, of how many) so that other sessions get their turns.

    Raises CapabilityMissing for an engine without hidden states and BadInput for a window that is too wide.
    """
    hidden = require(engine, Hidden)
    if len(window) > MAX_POSITIONS:
        raise BadInput(
            f"The lens looks at {MAX_POSITIONS} positions at once at most: choose a shorter window.", "window"
        )
    started = time.perf_counter()
    parts: list[LensRows] = []
    yield 0, len(window)
    for rows in hidden.lens(ids, window, cancel=cancel):
        if rows is None:  # a piece of what stands before the window
            yield 0, len(window)
            continue
        parts.append(rows)
        yield rows.first + rows.entropies.shape[1] - window.start, len(window)
    return LensPicture(tuple(ids), join_rows(parts), (time.perf_counter() - started) * 1000)


def join_rows(parts: list[LensRows]) -> LensRows:
    """Consecutive parts as one."""
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts], axis=int(field.name != "followed"))
        for field in fields(LensRows)
        if field.name not in ("first", "head_gap")
    }
    return LensRows(first=parts[0].first, head_gap=max(part.head_gap for part in parts), **joined)


def lens_cell(picture: LensPicture, depth: int, position: int) -> LensCell:
    """What is known of one cell; ``position`` counts from the start of the text."""
    rows, column = picture.rows, position - picture.rows.first
    probabilities = np.exp(rows.top_logprobs[depth, column].astype(np.float64))
    top = zip(rows.top_ids[depth, column].tolist(), probabilities.tolist(), strict=True)
    return LensCell(
        depth, position, tuple(top), float(rows.entropies[depth, column]), float(rows.divergences[depth, column])
    )


def text_after(codec: TextCodec, ids: TokenIds, position: int, token: int) -> str:
    """What ``token`` would add after ``position`` of ``ids``, made readable."""
    return glyphs(codec.piece(token, ids[max(0, position + 1 - CONTEXT_TAIL) : position + 1]))


def recorded_path(picture: LensPicture, position: int, token: int) -> RankPath | None:
    """The token's way where it was followed (the answer's likeliest and the one that comes), else None."""
    rows, column = picture.rows, position - picture.rows.first
    places = np.flatnonzero(rows.followed[column] == token)
    if not places.size or token < 0:
        return None
    return RankPath(position, token, rows.ranks[:, column, places[0]], rows.logprobs[:, column, places[0]])


def follow_token(engine: Engine, ids: TokenIds, position: int, token: int, cancel: CancelToken) -> RankPath:
    """The same for any token: the model runs on one position, and each depth's head once."""
    asked = require(engine, Hidden).lens(
        ids[: position + 1], range(position, position + 1), follow=(token,), cancel=cancel
    )
    rows = next(part for part in asked if part is not None)
    return RankPath(position, token, rows.ranks[:, 0, -1], rows.logprobs[:, 0, -1])


def answer_leads_from(picture: LensPicture) -> npt.NDArray[np.int64]:
    """(positions,) the first depth from which each position's final top token stays the top token."""
    tops = picture.rows.top_ids[:, :, 0]  # (depths, positions)
    wrong = tops != tops[-1]
    last_wrong = np.where(wrong.any(axis=0), picture.depths - 1 - wrong[::-1].argmax(axis=0), -1)
    return last_wrong.astype(np.int64) + 1
