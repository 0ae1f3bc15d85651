"""Section "Write": one text, its strip, its alternatives and its tree."""

from __future__ import annotations

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.ui import state
from playground.ui.generate_page.branches import branches_section
from playground.ui.generate_page.desk import WRITE, Desk, Todo, desk, options
from playground.ui.generate_page.desk_work import do_todo
from playground.ui.generate_page.live import live, scale_control, writing_strip
from playground.ui.generate_page.token_panel import token_panel
from playground.ui.kit.messages import show_problem, why_it_matters


def ask_write() -> None:
    """From a callback: a new text from the present setup."""
    st.session_state["generate_wanted"] = Todo("write")
    st.session_state["generate_section"] = WRITE
    state.rerun_parts(state.PICTURES)


def write_section(worker: Worker) -> None:
    """No page opens empty: the first visit writes at once."""
    mine = desk(WRITE, worker.engine.info.id)
    wanted = st.session_state.pop("generate_wanted", None)
    if wanted is not None:
        mine.todo = wanted
    elif mine.run is None and mine.problem is None and mine.todo is None:
        mine.todo = Todo("write")
    do_todo(mine, worker)
    if mine.problem:
        show_problem(mine.problem)
    if mine.note:
        st.info(mine.note, icon=":material/info:")
    scale_control()
    live(mine, worker, writing_strip)
    _outdated(mine)
    token_panel(mine, worker)
    branches_section(mine, worker)
    why_it_matters(
        "Each token is one draw from the distribution after all before it. Bright and dark say how expected it was, not "
        "whether it is true."
    )


def _outdated(mine: Desk) -> None:
    """Say when the controls have moved away from the text on screen."""
    setup, made = state.setup(), mine.setup
    if made is None or mine.run is None or not mine.tree.branches:
        return
    branch = mine.tree[mine.tree.current]
    same = (setup.prompt, setup.chat, setup.system, setup.parse_special) == (
        mine.run.prompt.text,
        mine.run.prompt.chat,
        mine.run.prompt.system,
        mine.run.prompt.parse_special,
    )
    if not same or (setup.settings, setup.seed) != (branch.settings, branch.seed):
        st.caption(":material/history: This text was made with another prompt, other settings or another seed.")
    elif options().max_new_tokens != mine.run.limits.max_new_tokens:
        st.caption(":material/history: This text was made with another maximum of tokens.")
