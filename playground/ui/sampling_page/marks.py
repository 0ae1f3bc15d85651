"""What is known where the engine tells a part of the row: a mark beside each active sampler, and the sentences below a picture.

Of a whole row all is known: nothing is marked and nothing said.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import streamlit as st

from playground.charts.pipeline import VERDICTS
from playground.engine.api import Rows, TextCodec
from playground.engine.facets import offers
from playground.engine.serving.worker import Worker
from playground.engine.text.display import glyphs
from playground.engine.types import TopTokens
from playground.errors import PlaygroundError
from playground.glossary import define
from playground.inspection.next_token import CONTEXT_TAIL
from playground.inspection.partial import WHAT_THE_WORDS_MEAN, draw_sentence, examine_top, verdict_sentence
from playground.sampling.chain import NextToken
from playground.sampling.partial_chain import PartialNext
from playground.sampling.registry import SAMPLERS
from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, redraw_next
from playground.ui.kit.jobs import Pending
from playground.ui.kit.messages import escape_markdown
from playground.ui.workspace.model import request_chosen
from playground.ui.workspace.reading import available_row, text_ids
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
        loading = request_chosen()
        if loading.done.is_set() and loading.worker is not None and _tells_in_part(loading.worker):
            prompt_ids, taken = text_ids(loading.worker)
            row = available_row(loading.worker, prompt_ids + taken)
            if isinstance(row, TopTokens):
                chosen, codec = session.get(Setup), loading.worker.engine.codec
                marks = _marks(examine_top(row, chosen.settings, prompt_ids, chosen.seed, codec))
    session.put(ShownMarks(marks))
    return marks


def _tells_in_part(worker: Worker) -> bool:
    server = worker.engine.info.server
    return not offers(worker.engine, Rows) and (server is None or server.row_tokens is not None)


def _marks(view: NextToken | PartialNext) -> dict[str, Mark]:
    if isinstance(view, NextToken):
        return {}
    return {stage.name: Mark(VERDICTS[stage.verdict], COLOURS[stage.verdict], stage.why) for stage in view.trace.stages}


def follow_marks(view: NextToken | PartialNext) -> None:
    """Redraw the controls if they show other marks."""
    if _marks(view) != session.get(ShownMarks).marks:
        redraw_next(CONTROLS)


def badge(verdict: str) -> str:
    """A verdict as a coloured word of markdown."""
    return f":{COLOURS[verdict]}-badge[{VERDICTS[verdict]}]"


def show_verdict(view: NextToken | PartialNext) -> None:
    """The chain with a mark at each sampler, and the sentence about its end."""
    if isinstance(view, PartialNext):
        steps = " → ".join(f"{SAMPLERS[stage.name].label} {badge(stage.verdict)}" for stage in view.trace.stages)
        definitions = f"{define('Exact')}\n\n{define('Bounded')}"
        st.markdown(steps or f"No sampler is on {badge('exact')}", help=definitions)
        st.caption(f"{escape_markdown(verdict_sentence(view))}\n\n{WHAT_THE_WORDS_MEAN}")


def show_open_draw(view: NextToken | PartialNext, codec: TextCodec) -> None:
    """The sentence about a draw that is open."""
    if isinstance(view, PartialNext):
        before = view.ids[-CONTEXT_TAIL:]
        names = {token: glyphs(codec.piece(token, before)) for token in view.trace.raw.ids.tolist()}
        if sentence := draw_sentence(view, names):
            st.caption(f":material/casino: {escape_markdown(sentence)}")
