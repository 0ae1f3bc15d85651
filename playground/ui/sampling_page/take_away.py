"""The take-away popover: a link, the settings as code for other engines and the command line, a file."""

from __future__ import annotations

import json

import streamlit as st

from playground.state.setup import setup_query
from playground.ui import state
from playground.ui.page_link import address_of
from playground.ui.take_away import code_for_engines, popover, show_link


def take_away() -> None:
    """The popover at the top right."""
    popover(_contents)


def _contents() -> None:
    setup = state.setup()
    show_link(address_of(setup_query(setup)))
    code_for_engines(setup, key="export_engine", playground=True)
    st.download_button(
        "Settings as JSON",
        data=json.dumps({"seed": setup.seed, **setup.settings.to_mapping(only_changed=False)}, indent=1),
        file_name="sampling.json",
        mime="application/json",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
