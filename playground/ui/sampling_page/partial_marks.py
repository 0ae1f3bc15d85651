"""The mark beside each active sampler where the engine tells a part of the row: exact, bounded or not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps

from playground.charts.partial_pipeline import WORDS
from playground.engine.api import Rows
from playground.engine.facets import offers
from playground.engine.serving.worker import Worker
from playground.engine.types import TopTokens
from playground.errors import PlaygroundError
from playground.sampling.partial_chain import PartialNext
from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, redraw_next
from playground.ui.kit.jobs import Pending
from playground.ui.runtime import request_model
from playground.ui.sampling_page.partial_view import PartialView, partial_view
from playground.ui.workspace.model import chosen_model
from playground.ui.workspace.reading import text_ids, told_row
from playground.ui.workspace.samplers import Mark

COLOURS = {"exact": "green", "bounded": "violet", "unknown": "red"}


@dataclass(frozen=True, slots=True)
class ShownMarks:
    """The marks that the controls of this session show."""

    marks: Mapping[str, Mark] = field(default_factory=dict)


def sampler_marks() -> Mapping[str, Mark]:
    """For the controls, by sampler; none where the row is whole or not there yet."""
    marks: Mapping[str, Mark] = {}
    with suppress(Pending, PlaygroundError):
        loading = request_model(chosen_model())
        if loading.done.is_set() and loading.worker is not None and _tells_in_part(loading.worker):
            prompt_ids, taken = text_ids(loading.worker)
            row = told_row(loading.worker, prompt_ids + taken)
            if isinstance(row, TopTokens):
                marks = _marks(partial_view(loading.worker, row, prompt_ids, session.get(Setup)).next)
    session.put(ShownMarks(marks))
    return marks


def _tells_in_part(worker: Worker) -> bool:
    server = worker.engine.info.server
    return not offers(worker.engine, Rows) and (server is None or server.told is not None)


def _marks(view: PartialNext) -> dict[str, Mark]:
    return {stage.name: Mark(WORDS[stage.verdict], COLOURS[stage.verdict], stage.why) for stage in view.trace.stages}


def with_marks(section: Callable[[PartialView], None]) -> Callable[[PartialView], None]:
    """A section's drawing, after which the controls are redrawn if their marks are no longer true."""

    @wraps(section)
    def draw(view: PartialView) -> None:
        section(view)
        if _marks(view.next) != session.get(ShownMarks).marks:
            redraw_next(CONTROLS)

    return draw
