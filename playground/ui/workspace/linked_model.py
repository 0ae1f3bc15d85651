"""A link that names another model asks before it loads one: nobody's link fills the memory of the machine it is opened on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from playground.engine.serving.loading import ModelChoice
from playground.state.setup import Setup
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.runtime import model_pool
from playground.ui.workspace.adapter_access import shares_loaded_weights
from playground.ui.workspace.shared import model_refusal


@dataclass(frozen=True, slots=True)
class LinkedSetup:
    """The setup of a link whose model has not been agreed to; None: there is no question."""

    setup: Setup | None = None


def adopt_linked(setup: Setup) -> None:
    """Take over a link's setup, on the model in use where it names one that is not in memory."""
    choice = model_pool().normalised(ModelChoice(setup.model, setup.device, setup.dtype))
    if choice == ModelChoice() or choice in model_pool().asked_for() or shares_loaded_weights(choice):
        session.put(setup)
        return
    session.put(replace(setup, model=None, device=None, dtype=None).restart())
    if refusal := model_refusal(choice):
        session.note_problem(refusal)
    else:
        session.put(LinkedSetup(setup))


def ask_for_linked_model() -> None:
    """The question, where a link has raised it: load the model it names, or stay with the one in use."""
    wanted = session.get(LinkedSetup).setup
    if wanted is None:
        return
    named = " · ".join(filter(None, (wanted.model or "the default model", wanted.device, wanted.dtype)))
    with st.container(horizontal=True, vertical_alignment="center", key="linked_model"):
        st.info(
            f"This link was made with **{escape_markdown(named)}**, which is not loaded here. "
            "What follows is by the model in use.",
            icon=":material/swap_horiz:",
        )
        st.button("Load it", key="load_linked_model", on_click=_load, help="Others in the room keep their model.")
        st.button("Stay", key="keep_present_model", on_click=lambda: session.put(LinkedSetup()))


def _load() -> None:
    wanted = session.get(LinkedSetup).setup
    session.put(LinkedSetup())
    if wanted is not None:
        session.put(wanted)
