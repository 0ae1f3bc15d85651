"""What "Take away" offers beside the link: the command that reads the same texts."""

from __future__ import annotations

import streamlit as st

from playground.corpus.domains import OwnTexts
from playground.ui.kit import session
from playground.ui.workspace.export import model_words, show_command
from playground.ui.workspace.setup import setup


def export_domains() -> None:
    """``domains`` under the model in use, once more for each one beside."""
    show_command("domains", *model_words(setup()))
    if session.get(OwnTexts).texts:
        st.caption("It reads the texts that ship: give it your file with `--text-file`, which then stands alone.")
    if setup().beside:
        st.caption("A model beside: the same with its name after `--model`.")
