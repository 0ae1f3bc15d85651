"""What "Take away" offers: the verdicts as CSV, and the command that gives them."""

from __future__ import annotations

import streamlit as st

from playground.downloads import csv_text, harmless
from playground.state.data_training import FilterState
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.training_data_page.view import load_view


def export_verdicts() -> None:
    """A row a document with its verdict, the rules it fails and its values; never its text."""
    state = session.get(FilterState)
    moved = {name: value for name, value in state.moved.items() if name in state.thresholds}
    words = ["python -m playground filter --text-file F.jsonl", f"--rules {','.join(state.groups)}"]
    words += [f"--rule {name}:{value:g}" for name, value in moved.items()]
    words += [f"--language {state.language}"] if state.language != "en" else []
    st.code(" ".join(words), language="bash", wrap_lines=True)
    file_button("Verdicts as CSV", "verdicts.csv", _table, "Ids, verdicts, failed rules and values; no text.")


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
