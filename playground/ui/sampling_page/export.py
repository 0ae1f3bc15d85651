"""What the Sampling page gives away beside its link: the settings as code for other engines, and as a file."""

from __future__ import annotations

import json

import streamlit as st

from playground.ui.workspace.export import code_for_engines
from playground.ui.workspace.setup import setup


def export_settings() -> None:
    """Code and JSON of the present settings."""
    shown = setup()
    code_for_engines(shown, key="export_engine", playground=True)
    st.download_button(
        "Settings as JSON",
        data=json.dumps({"seed": shown.seed, **shown.settings.to_mapping(only_changed=False)}, indent=1),
        file_name="sampling.json",
        mime="application/json",
        on_click="ignore",
        type="tertiary",
        icon=":material/download:",
    )
