"""What "Take away" offers: the verdicts as CSV, and the command that gives them."""

from __future__ import annotations

import streamlit as st

from playground.corpus.measuring import BLOCKED
from playground.downloads import csv_text, harmless
from playground.state.data_training import FilterState
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.training_data_page.corpus import SAMPLE, Corpus
from playground.ui.training_data_page.view import load_view
from playground.ui.workspace.export import model_words, show_command
from playground.ui.workspace.setup import setup


def export_verdicts() -> None:
    """A row a document with its verdict, the rules it fails and its values; never its text."""
    state, own = session.get(FilterState), session.get(Corpus)
    if state.groups:
        show_command(*filter_words(state, own))
        if own.name != SAMPLE:
            st.caption("Documents stand in no command: give it the file that they are from.")
    else:
        st.caption("No filter holds: there is no command that keeps everything.")
    file_button("Verdicts as CSV", "verdicts.csv", _table, "Ids, verdicts, failed rules and values; no text.")


def filter_words(state: FilterState, own: Corpus) -> list[str]:
    """``filter`` of the documents in view; without a file it reads the sample, as the page does."""
    words = ["filter", *([] if own.name == SAMPLE else ["--text-file", "F.jsonl"]), "--rules", ",".join(state.groups)]
    words += [f"--rule={name}:{value:g}" for name, value in state.moved.items() if name in state.thresholds]
    words += ["--language", state.language] if state.language != "en" else []
    words += ["--blocked-words", "words.txt"] if own.blocked != BLOCKED and "words" in state.groups else []
    return words + (model_words(setup()) if "perplexity" in state.groups else [])


def _table() -> str:
    view = load_view()
    kept = view.verdicts.kept
    columns = [view.measured.column(name) for name in view.verdicts.rules]
    rows = (
        [
            harmless(str(own)),
            "kept" if kept[place] else "removed",
            " ".join(view.verdicts.failed_by(place)),
            *("" if column[place] != column[place] else f"{column[place]:.6g}" for column in columns),
        ]
        for place, own in enumerate(view.measured.ids)
    )
    return csv_text(["id", "verdict", "failed", *view.verdicts.rules], rows)
