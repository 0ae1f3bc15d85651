"""What every section of the Attention page looks at: one pass over a window of the text.

Only ``load_view`` asks the model, and only for a window that is not remembered: another head costs no model call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from weakref import ref

from playground.engine.api import Attention, CancelToken, Engine, TextCodec
from playground.engine.attention_data import AttentionPass, widest_window
from playground.engine.facets import require
from playground.engine.pieces import Pieces
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.text.display import glyphs
from playground.engine.types import TokenIds
from playground.errors import BadInput, PlaygroundError
from playground.generation.document import pieces
from playground.inspection.attention import (
    HeadFigures,
    Selection,
    check_selection,
    clearest_head,
    head_figures,
    read_selection,
)
from playground.models.info import LoadedModelInfo
from playground.state.attention import AttentionState
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, TEXT
from playground.ui.kit.jobs import Pending, redraw_when_done, result_of
from playground.ui.kit.session import bind_widget
from playground.ui.runtime import session_id
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import text_ids

MOST_SHOWN = 512  # positions in a window: beyond, a cell is less than a pixel
OVERVIEW = f"{TEXT}:overview"  # redrawn with the text, not at every move
SHOWN = (PICTURES, CONTROLS)
EVERYTHING = (PICTURES, OVERVIEW, CONTROLS)
T = TypeVar("T")


def options() -> AttentionState:
    """This session's state of the page."""
    return session.get(AttentionState)


def change(**fields: Any) -> None:
    """Replace some of its fields."""
    session.change(AttentionState, **fields)


def bind_fields(key: str, current: object, write: Callable[[Any], object], *parts: str) -> Callable[[], None]:
    """``bind_widget`` for a value that ``write`` turns into other fields; ``parts`` are redrawn afterwards."""

    def written(value: object) -> tuple[str, ...]:
        session.clear_problems()  # they were about a link or another model's heads, and have been read
        write(value)
        return parts

    return bind_widget(key, current, written)


@dataclass(frozen=True, slots=True)
class PageText:
    """The text to be looked at and the part of it in view. ``pieces`` are its tokens' own texts."""

    ids: TokenIds
    pieces: tuple[str, ...]
    start: int
    end: int

    @property
    def tokens(self) -> tuple[str, ...]:
        """The window's tokens made readable."""
        return tuple(glyphs(piece) for piece in self.pieces[self.start : self.end])


@dataclass(frozen=True, slots=True)
class AttentionPageView:
    """One moment of the page."""

    worker: Worker
    text: PageText
    attention: AttentionPass
    options: AttentionState
    selection: Selection
    beside: Selection | None
    query: int  # position in the whole text

    @property
    def info(self) -> LoadedModelInfo:
        return require(self.worker.engine, Attention).info

    @property
    def lock(self) -> tuple[int, int]:
        """The layer and head that are chosen, (-1, -1) where it is not a single one."""
        chosen = self.selection
        return (chosen.layer or 0, chosen.heads[0]) if chosen.single else (-1, -1)


def page_text(worker: Worker) -> PageText:
    """Prompt and accepted tokens, and the window on them. No model is run. Raises a PlaygroundError."""
    prompt, taken = text_ids(worker)
    ids, codec = prompt + taken, worker.engine.codec
    info = require(worker.engine, Attention).info
    if len(ids) > info.context_length:
        raise BadInput(
            f"The text has {len(ids):,} tokens and {info.name} reads at most {info.context_length:,}: shorten it.",
            "prompt",
        )
    start, end = window(options(), info, len(ids))
    return PageText(ids, _pieces(codec, ids), start, end)


def widest(info: LoadedModelInfo, length: int) -> int:
    """The most positions that are shown at once: as many as fit the picture, and their memory the cap."""
    return min(widest_window(info, length), MOST_SHOWN, length)


def window(chosen: AttentionState, info: LoadedModelInfo, length: int) -> tuple[int, int]:
    """The window that is asked for, as far as the text has it."""
    start = chosen.start if chosen.start < length else 0  # a link's, or of a longer text
    width = widest(info, length)
    if chosen.width:
        width = min(width, chosen.width)
    return start, min(start + width, length)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The last text's tokens as texts, by codec and ids."""

    key: object = None
    pieces: tuple[str, ...] = ()


def _pieces(codec: TextCodec, ids: TokenIds) -> tuple[str, ...]:
    key = (id(codec), ids)
    if session.get(_Pieces).key != key:
        session.put(_Pieces(key, tuple(pieces(codec, ids))))
    return session.get(_Pieces).pieces


def load_view() -> AttentionPageView:
    """Everything the sections need. Raises a PlaygroundError that says what to change."""
    worker = loaded_model()
    text = page_text(worker)
    attention = load_pass(worker, text.ids, text.start, text.end, "attention")
    chosen = options()
    selection = _checked(attention, chosen.heads, "heads") or own_choice(attention)
    beside = _checked(attention, chosen.beside, "beside")
    query = chosen.query if text.start <= chosen.query < text.end else text.end - 1
    return AttentionPageView(worker, text, attention, options(), selection, beside, query)


def load_view_or_nothing(part: str) -> AttentionPageView | None:
    """The view for ``part`` of the page, or None where another part says already why there is none (yet)."""
    try:
        return load_view()
    except Pending as pending:
        redraw_when_done(pending, part)
        return None
    except PlaygroundError:
        return None


def load_pass(worker: Worker, ids: TokenIds, start: int, end: int, slot: str) -> AttentionPass:
    """The pass over a window: remembered, or run with progress and a stop button."""
    cached = worker.engine.cached_pass(ids, start=start, end=end)
    if cached is not None:
        return cached

    def job(engine: Engine, cancel: CancelToken) -> Pieces[AttentionPass]:
        return require(engine, Attention).attentions_in_pieces(ids, start=start, end=end, cancel=cancel)

    doing = f"The model reads {end:,} tokens and keeps the attention of {end - start:,}"
    key = (worker.engine.info.revision, ids, start, end)
    return result_of(slot, key, lambda: worker.submit(session_id(), slot, job, Priority.LOOK), doing)


def _checked(attention: AttentionPass, text: str, field: str) -> Selection | None:
    """The selection a link or another model left behind, if this model has it; else told, and left out."""
    if not text:
        return None
    selection = read_selection(text)
    try:
        check_selection(attention, selection)
    except BadInput as error:
        problems = session.problems()
        change(**{field: ""})
        session.note_problem(*problems, f"{error} The page's own choice is shown.")
        return None
    return selection


def own_choice(attention: AttentionPass) -> Selection:
    """The head with the clearest habit, worked out once a pass."""
    return remembered(attention, "own choice", lambda: clearest_head(attention))


def figures_of(attention: AttentionPass) -> tuple[HeadFigures, ...]:
    """``head_figures``, worked out once a pass."""
    return remembered(attention, "figures", lambda: head_figures(attention))


class _Memory(dict[str, tuple[Any, Any]]):
    """What was worked out of the pass in view, with a weak reference to it."""


def remembered(attention: AttentionPass, name: str, work_out: Callable[[], T]) -> T:
    """What was worked out from a pass, for as long as this session looks at it. Holds no pass alive."""
    memory = session.get(_Memory)
    held = memory.get(name)
    if held is None or held[0]() is not attention:
        held = (ref(attention), work_out())
        memory[name] = held
    cached: T = held[1]
    return cached
