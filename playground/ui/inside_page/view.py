"""The lens of the present text: asked of the model once for each text and window, then remembered by the session."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from playground.charts.lens_grid import LensGridData, grid_of
from playground.engine.api import CancelToken, Engine, Hidden, TextCodec
from playground.engine.facets import require
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds
from playground.inspection.lens import (
    LensPicture,
    RankPath,
    choose_window,
    follow_token,
    read_lens,
    recorded_path,
    text_after,
)
from playground.state.inside import InsideState
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import text_ids

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
        return text_after(self.codec, self.ids, position, token)


def load_lens() -> LensView:
    """Everything the lens section needs. Raises a PlaygroundError that says what to change."""
    worker = loaded_model()
    require(worker.engine, Hidden)
    prompt, taken = text_ids(worker)
    ids = prompt + taken
    _leave_old_text(ids)
    chosen = session.get(InsideState)
    window = choose_window(len(ids), chosen.start)
    picture = _picture(worker, ids, window)
    vocab_size = worker.engine.info.vocab_size
    key = ("grid", picture_key(worker, ids, window))
    grid = remembered(key, lambda: grid_of(picture, worker.engine.codec, vocab_size))
    depth = picture.depths - 1 if chosen.depth is None else min(chosen.depth, picture.depths - 1)
    position = window.stop - 1 if chosen.position is None else min(max(chosen.position, window.start), window.stop - 1)
    return LensView(worker, picture, grid, depth, position)


def adopt_cell() -> None:
    """What a link says of the cell is meant for the link's own text, whatever this tab has looked at before."""
    session.put(LookedAt())


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


def _share(step: tuple[int, int]) -> float:
    done, whole = step
    return float(done / max(whole, 1))


def followed_path(view: LensView, token: int) -> RankPath:
    """The token's ranks at the position in view; asks the model about one position where it was not followed."""
    cached = recorded_path(view.picture, view.position, token)
    if cached is not None:
        return cached
    ids, position = view.ids, view.position
    key = ("path", view.worker.engine.info.revision, ids[: position + 1], token)

    def job(engine: Engine, cancel: CancelToken) -> RankPath:
        return follow_token(engine, ids, position, token, cancel)

    def read() -> RankPath:
        doing = "Each layer is asked about the token"
        return result_of("follow", key, lambda: view.worker.submit(session_id(), "follow", job, Priority.LOOK), doing)

    return remembered(key, read)


class _Memory(dict[object, Any]):
    """The pictures, grids and paths that this session looked at last."""


def remembered(key: object, make: Callable[[], T]) -> T:
    """``make()`` under ``key``, the session's last few kept."""
    memory = session.get(_Memory)
    if key not in memory:
        created = make()
        while len(memory) >= 3 * _REMEMBERED:
            memory.pop(next(iter(memory)))
        memory[key] = created
    cached: T = memory[key]
    return cached
