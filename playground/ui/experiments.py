"""Experiments under way: a page set up so that one thing can be seen, by its button or by a link, and the note on it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.page import PageSpec
from playground.ui.workspace import setup as workspace


def begin(spec: PageSpec, name: str) -> None:
    """Set the page up for an experiment, on the model in use; it is under way from now on."""
    each = spec.experiments[name]
    if spec.needs:
        old = workspace.setup()
        session.put(replace(Setup(model=old.model, device=old.device, dtype=old.dtype), **each.setup))
    if spec.begin is not None:
        spec.begin(each)
    elif spec.state is not None:
        session.put(spec.state(**each.state))
    if each.section:
        st.session_state[spec.section_key] = spec.sections[each.section].title
    session.clear_problems()
    for state in each.puts if spec.begin is None else ():
        session.put(state)
    st.session_state[_key(spec)] = name


def under_way(spec: PageSpec) -> str:
    """The name of the experiment whose note is open on that page; "" for none."""
    name: str = st.session_state.get(_key(spec), "")
    return name if name in spec.experiments else ""


def end(spec: PageSpec) -> None:
    """Close its note."""
    st.session_state.pop(_key(spec), None)


def experiment_note(spec: PageSpec) -> None:
    """What to look at in the experiment under way."""
    name = under_way(spec)
    if not name:
        return
    experiment = spec.experiments[name]
    with st.container(horizontal=True, key="experiment_note"):
        st.info(f"**{experiment.label}.** {experiment.look}", icon=":material/science:", width="stretch")
        st.button(
            "",
            icon=":material/close:",
            key=f"end_{spec.name}_experiment",
            type="tertiary",
            help="Close this note",
            on_click=end,
            args=(spec,),
        )


def _key(spec: PageSpec) -> str:
    return f"{spec.name}_experiment"
