"""What "Take away" offers beside the link: the commands that cut and count the same texts."""

from __future__ import annotations

import streamlit as st

from playground.corpus.parallel import declaration
from playground.state.languages import LanguagesState
from playground.ui.kit import session
from playground.ui.languages_page.session import OwnTokenizers, UsedText, parallel
from playground.ui.workspace.export import show_command


def export_strips() -> None:
    """``tokens`` of the sentence."""
    text = session.get(LanguagesState).sentence
    if text.strip() and "\0" not in text:
        show_command("tokens", f"--text={text}")
        _own_tokenizers()


def export_premiums() -> None:
    """``languages`` of the parallel text."""
    baseline = parallel().baseline
    show_command("languages", *(["--baseline", baseline] if baseline != declaration().baseline else []))
    _own_tokenizers()
    if session.get(UsedText).own is not None:
        st.caption("It counts the declaration: give it your file with `--text-file`.")


def _own_tokenizers() -> None:
    if session.get(OwnTokenizers).opened:
        st.caption("Tokenizers of your own are in no command: name each with `--tokenizer`, beside `--tokenizer all`.")
