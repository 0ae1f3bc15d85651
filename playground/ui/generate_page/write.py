"""Section "Write": one text, its strip, its alternatives and its tree."""

from __future__ import annotations

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.ui.generate_page.branches import branches_section
from playground.ui.generate_page.live import legend_line, live, writing_strip
from playground.ui.generate_page.session import SECTION_KEY, WRITE, GenerateSession, PendingAction, ask, opened, options
from playground.ui.generate_page.token_panel import token_panel
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw_page
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.workspace.setup import setup


def ask_write() -> None:
    """From a callback: a new text from the present setup."""
    there = st.session_state.get(SECTION_KEY, WRITE)
    st.session_state[SECTION_KEY] = WRITE
    if there == WRITE:
        ask("write")
    else:
        session.put(PendingAction("write"))
        redraw_page()


def write_section(worker: Worker) -> None:
    """The text and what can be asked of it."""
    work = opened("write", worker)
    if work.problem:
        show_problem(work.problem)
    if work.note:
        st.info(work.note, icon=":material/info:")
    live(work, "write", worker, writing_strip)
    legend_line(worker)
    _outdated(work)
    token_panel(work, worker)
    branches_section(work, worker)
    why_it_matters(
        "Each token is one draw from the distribution after all before it. Bright and dark say how expected it was, not "
        "whether it is true."
    )


def _outdated(work: GenerateSession) -> None:
    """Say when the controls have moved away from the text on screen."""
    present, written = setup(), work.setup
    if written is None or work.run is None or not work.tree.branches:
        return
    branch = work.tree[work.tree.current]
    same = (present.prompt, present.chat, present.system, present.parse_special) == (
        work.run.prompt.text,
        work.run.prompt.chat,
        work.run.prompt.system,
        work.run.prompt.parse_special,
    )
    if not same or (present.settings, present.seed) != (branch.settings, branch.seed):
        st.caption(":material/history: This text was made with another prompt, other settings or another seed.")
    elif options().max_new_tokens != work.run.limits.max_new_tokens:
        st.caption(":material/history: This text was made with another maximum of tokens.")
    elif options().constraint != work.run.limits.constraint:
        st.caption(":material/history: What this text had to match is not what is chosen now.")
