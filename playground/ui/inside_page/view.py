"""The lens of the present text: asked of the model once for each text and window, then remembered by the session."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from playground.charts.lens_grid import LensGridData
from playground.engine.api import CancelToken, Engine, Hidden, TextCodec
from playground.engine.facets import require
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.text.display import glyphs
from playground.engine.types import TokenIds
from playground.inspection.lens import (
    LensPicture,
    RankPath,
    answer_leads_from,
    choose_window,
    follow_token,
    known_path,
    read_lens,
)
from playground.inspection.next_token import CONTEXT_TAIL
from playground.state.inside import InsideState
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import encode_setup
from playground.ui.workspace.setup import setup as present_setup

T = TypeVar("T")
_REMEMBERED = 6


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The text that the present cell was chosen in."""

    ids: TokenIds | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LensView:
    """What the section shows: the picture, its grid, and the cell in view."""

    worker: Worker
    picture: LensPicture
    grid: LensGridData
    depth: int
    position: int

    @property
    def codec(self) -> TextCodec:
        return self.worker.engine.codec

    @property
    def ids(self) -> TokenIds:
        return self.picture.ids

    def text_of(self, token: int, position: int) -> str:
        """What ``token`` would add after ``position``, readable."""
        return glyphs(self.codec.piece(token, self.ids[max(0, position + 1 - CONTEXT_TAIL) : position + 1]))


def text_ids(worker: Worker) -> TokenIds:
    """The tokens of the present text: the prompt, and those accepted on the Sampling page."""
    setup = present_setup()
    ids = encode_setup(worker.engine.codec, setup)
    vocab = worker.engine.info.vocab_size
    return ids + tuple(token for token in setup.taken if token < vocab)


def load_lens() -> LensView:
    """Everything the lens section needs. Raises a PlaygroundError that says what to change."""
    worker = loaded_model()
    require(worker.engine, Hidden)
    ids = text_ids(worker)
    _leave_old_text(ids)
    chosen = session.get(InsideState)
    window = choose_window(len(ids), chosen.start)
    picture = _picture(worker, ids, window)
    grid = remembered(("grid", picture_key(worker, ids, window)), lambda: grid_data(worker, picture))
    depth = picture.depths - 1 if chosen.depth is None else min(chosen.depth, picture.depths - 1)
    position = window.stop - 1 if chosen.position is None else min(max(chosen.position, window.start), window.stop - 1)
    return LensView(worker, picture, grid, depth, position)


def _leave_old_text(ids: TokenIds) -> None:
    """A cell chosen in another text means nothing in this one."""
    looked_at = session.get(LookedAt).ids
    if looked_at not in (None, ids):
        session.change(InsideState, start=None, depth=None, position=None, follow=None)
    session.put(LookedAt(ids))


def picture_key(worker: Worker, ids: TokenIds, window: range) -> tuple[object, ...]:
    return worker.engine.info.revision, ids[: window.stop + 1], window


def _picture(worker: Worker, ids: TokenIds, window: range) -> LensPicture:
    key = picture_key(worker, ids, window)

    def job(engine: Engine, cancel: CancelToken) -> Generator[tuple[int, int], None, LensPicture]:
        return read_lens(engine, ids, window, cancel)

    def read() -> LensPicture:
        doing = f"Each layer is asked at {len(window):,} positions"
        return result_of(
            "lens", key, lambda: worker.submit(session_id(), "lens", job, Priority.LOOK), doing, share=_share
        )

    return remembered(("picture", key), read)


def _share(step: Any) -> float:
    done, whole = step
    return float(done / max(whole, 1))


def followed_path(view: LensView, token: int) -> RankPath:
    """The token's ranks at the position in view; asks the model about one position where it was not followed."""
    known = known_path(view.picture, view.position, token)
    if known is not None:
        return known
    ids, position = view.ids, view.position
    key = ("path", view.worker.engine.info.revision, ids[: position + 1], token)

    def job(engine: Engine, cancel: CancelToken) -> RankPath:
        return follow_token(engine, ids, position, token, cancel)

    def read() -> RankPath:
        doing = "Each layer is asked about the token"
        return result_of("follow", key, lambda: view.worker.submit(session_id(), "follow", job, Priority.LOOK), doing)

    return remembered(key, read)


def grid_data(worker: Worker, picture: LensPicture) -> LensGridData:
    """The picture's cells as readable texts."""
    codec, ids, rows = worker.engine.codec, picture.ids, picture.rows
    known: dict[tuple[int, int], str] = {}

    def text(token: int, position: int) -> str:
        if (token, position) not in known:
            context = ids[max(0, position + 1 - CONTEXT_TAIL) : position + 1]
            known[token, position] = glyphs(codec.piece(token, context))
        return known[token, position]

    window = picture.window
    return LensGridData(
        tokens=tuple(text(ids[place], place - 1) for place in window),
        first=window.start,
        tops=tuple(
            tuple(text(token, place) for token, place in zip(line, window, strict=True))
            for line in rows.top_ids[:, :, 0].tolist()
        ),
        probabilities=np.exp(rows.top_logprobs[:, :, 0]),
        entropies=rows.entropies,
        divergences=rows.divergences,
        leads_from=answer_leads_from(picture),
        vocab_size=worker.engine.info.vocab_size,
    )


class _Memory(dict[object, Any]):
    """The pictures, grids and paths that this session looked at last."""


def remembered(key: object, make: Callable[[], T]) -> T:
    """``make()`` under ``key``, the session's last few kept."""
    memory = session.get(_Memory)
    if key not in memory:
        made = make()
        while len(memory) >= 3 * _REMEMBERED:
            memory.pop(next(iter(memory)))
        memory[key] = made
    found: T = memory[key]
    return found
