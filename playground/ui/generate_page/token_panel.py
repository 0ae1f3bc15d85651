"""Below the strip: what else could have come at the chosen token, going on with it, and the way to Sampling."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import streamlit as st

from playground.charts.bars import bars_payload, recorded_bars
from playground.charts.generation_strip import shown_text
from playground.charts.numbers import percent
from playground.charts.step_bars import step_bars
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds
from playground.generation import DrawnStep, TokenStep
from playground.generation.document import ids_before, step_pieces
from playground.generation.types import ids_of
from playground.state.setup import Setup
from playground.ui.components.bars import PROBABILITY_BARS, on_picked
from playground.ui.frame import page_of
from playground.ui.generate_page.session import GenerateSession, ask
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.workspace.setup import setup


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Whether the next run is to go on to the Sampling page."""

    now: bool = False


def token_panel(work: GenerateSession, worker: Worker, *, branches: bool = True) -> None:
    """Nothing without an open token. ``branches`` False shows without offering to go on from here."""
    branch, place = work.tree.current, work.open_place if branches else work.selected
    if work.run is None or place is None or not work.tree.branches:
        return
    path = work.tree.path(branch)
    if not 0 <= place < len(path):
        return
    step, before = path[place], ids_before(work.run.prompt.ids, path, place)
    text = step_pieces(worker.engine.codec, path[: place + 1], work.run.prompt.ids)[place]
    least = branches and work.selected is None
    st.container(key="token_heading").markdown(
        f"###### Token {place + 1}: {escape_markdown(shown_text(text))}{', the least expected' if least else ''}"
    )
    payload = _bars(step, worker, before)
    keys = tuple(other.key for other in path[:place])
    position = zlib.crc32(repr((branch, work.run.prompt.ids, keys)).encode())

    def pick(token: int) -> None:
        if branches and token != step.id:
            ask("branch", branch, place, token)

    if payload is None:
        st.caption("This engine did not tell what else could have come here.")
    else:
        PROBABILITY_BARS(
            data={**payload, "position": position},
            key="generate_alternatives",
            on_picked_change=on_picked(
                "generate_alternatives", position, [row["pick"] for row in payload["rows"]], pick
            ),
        )
    _explain(work, step, place)
    _buttons(work, branch, place, worker)
    if branches and payload is not None:
        why_it_matters(
            "Press a bar to go on with that token instead: the text before it is not run again. A removed token can be "
            "picked by hand too; its final probability is 0, so the path's is."
            if isinstance(step, DrawnStep)
            else "Press a bar to go on with that token instead: the engine is given the text up to it and goes on by itself."
        )


def _bars(step: TokenStep, worker: Worker, before: TokenIds) -> dict[str, Any] | None:
    """What the bars show; None where the engine told of no token."""
    codec, size = worker.engine.codec, worker.engine.info.vocab_size
    if isinstance(step, DrawnStep):
        return bars_payload(recorded_bars(step, codec, before, size))
    return step_bars(step, codec, before, size) if step.top else None


def _explain(work: GenerateSession, step: TokenStep, place: int) -> None:
    if place in work.tree.hand_picked(work.tree.current):
        st.markdown("Chosen by hand, not drawn.")
        return
    if not isinstance(step, DrawnStep):
        probability = (
            "" if step.raw_logprob is None else f" Its raw probability was {percent(math.exp(step.raw_logprob))}."
        )
        st.markdown(f"The engine drew this token by itself; it tells no random number.{probability}")
        return
    st.markdown(
        f"The random number **u = {step.u:.6f}** fell between {step.low:.6f} and {step.high:.6f}, the band of this token in the "
        f"final distribution ({percent(step.high - step.low)} of it; {step.kept:,} tokens could be drawn)."
    )


def _buttons(work: GenerateSession, branch: int, place: int, worker: Worker) -> None:
    has_ids = all(step.id is not None for step in work.tree.path(branch)[:place])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Open in Sampling",
            icon=":material/open_in_new:",
            key="open_in_sampling",
            on_click=open_in_sampling,
            args=(work, branch, place),
            disabled=not has_ids,
            help="The whole distribution at exactly this point, under the settings of this text."
            if has_ids
            else "The engine did not tell the ids of all tokens before this one.",
        )

        def other() -> None:
            token = st.session_state.get("w_other_token")
            if isinstance(token, int) and 0 <= token < worker.engine.info.vocab_size:
                ask("branch", branch, place, token)
            elif token is not None:
                last = worker.engine.info.vocab_size - 1
                work.problem = f"There is no token {token}: ids go from 0 to {last:,}; choose one of them."

        st.number_input(
            "Any other token, by id",
            value=None,
            step=1,
            key="w_other_token",
            on_change=other,
            width=200,
            help="Branch with a token that is not among the bars. The Sampling page finds a word's id.",
        )
        st.button("Close", key="close_token", on_click=work.close_token, type="tertiary")


def open_in_sampling(work: GenerateSession, branch: int, place: int) -> None:
    """From a callback: go to the Sampling page with the context before this token, the text's settings and seed."""
    text = work.tree[branch]
    run = work.run
    assert run is not None
    present = setup()
    path = work.tree.path(branch)
    steps = ids_of([*path[:place], *takewhile(lambda step: step.id is not None, path[place:])])
    session.put(
        replace(
            Setup(model=present.model, device=present.device, dtype=present.dtype),
            prompt=run.prompt.text,
            chat=run.prompt.chat,
            system=run.prompt.system,
            parse_special=run.prompt.parse_special,
            settings=text.settings,
            seed=min(text.seed, 2**32 - 1),
            steps=steps,
            position=place,
        )
    )
    session.put(_Leaving(True))


def leave_if_asked() -> None:
    """Change the page: a callback cannot."""
    if session.get(_Leaving).now:
        session.put(_Leaving())
        from pages import PAGES

        st.switch_page(page_of(PAGES["sampling"]))
