"""Section "Against the model": verdicts beside what the model itself finds of each document."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import streamlit as st

from playground.charts.filter_pictures import AgainstModelData, against_model_figure
from playground.charts.table import TableColumn, TableData, clipped
from playground.corpus.surprise import Surprise
from playground.corpus.verdicts import Flags, Values
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw_page
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.training_data_page.corpus import MOST_RATED, Corpus, rate_documents
from playground.ui.training_data_page.view import FilterView, document_name

LISTED = 8


def model_section(view: FilterView) -> None:
    """A button that has the model read, then the picture and the two lists of disagreement."""
    own, name = session.get(Corpus), view.worker.engine.info.name
    rated = {place: surprise for place, surprise in own.surprises.items() if not math.isnan(surprise.bits_per_byte)}
    missing = min(len(view.measured) - len(own.surprises), MOST_RATED)
    if missing > 0 or own.rated_by != view.worker.engine.info.revision:
        st.button(
            f"Have {escape_markdown(name)} read {missing or min(len(view.measured), MOST_RATED):,} of them",
            key="data_rate",
            type="primary",
            icon=":material/auto_stories:",
            disabled=own.busy,
            on_click=_rate,
            args=(view,),
            help="The first 512 tokens of each, as they come; stop on the left.",
        )
    if not rated:
        st.markdown(
            "Filters never ask what a text says. The model's own **bits a byte** are another opinion: high for what it would not "
            "have written, low for what is fluent or said again and again."
        )
        return
    places = sorted(rated)
    bits = np.array([rated[place].bits_per_byte for place in places])
    failed = view.verdicts.failed[places].sum(axis=1)
    data = AgainstModelData(tuple(document_name(view.measured, place) for place in places), bits, failed)
    kept = failed == 0
    said = _said(bits, kept)
    show_figure(against_model_figure(data), said, key="data_against")
    st.caption(said)
    middle = float(np.median(bits))
    killed = [
        place for place, own_bits, stays in zip(places, bits, kept, strict=True) if not stays and own_bits <= middle
    ]
    st.markdown("**Removed, though the model finds it ordinary**")
    _list(view, killed, rated, "killed")
    st.markdown("**Kept, though a label or a low surprise speaks against it**")
    _list(view, _kept_spam(view, places, bits, kept, middle), rated, "spam")
    why_it_matters(
        "Neither opinion is quality. Advertising is fluent, so a model likes it; poems, tables and other languages surprise it. "
        "What a model finds ordinary is what it was trained on."
    )


def _rate(view: FilterView) -> None:
    rate_documents(view.worker, range(len(view.measured)))
    redraw_page()


def _said(bits: Values, kept: Flags) -> str:
    def mean(chosen: Values) -> str:
        return f"{chosen.mean():.2f}" if len(chosen) else "none"

    return (
        f"Bits a byte on average: kept {mean(bits[kept])}, removed {mean(bits[~kept])}, over {len(bits):,} documents."
    )


def _kept_spam(view: FilterView, places: list[int], bits: Values, kept: Flags, middle: float) -> list[int]:
    """Kept ones that are labelled as anything but good; where nothing is labelled, the most fluent of the kept."""
    labels = {place: view.measured.tags[place].get("label", "") for place in places}
    stay = [place for place, own in zip(places, kept, strict=True) if own]
    if any(labels.values()):
        return [place for place in stay if labels[place] not in ("", "good")]
    order = {place: float(own) for place, own in zip(places, bits, strict=True)}
    return sorted((place for place in stay if order[place] <= middle), key=order.__getitem__)


def _list(view: FilterView, places: list[int], rated: Mapping[int, Surprise], key: str) -> None:
    if not places:
        st.caption("None under the present dials.")
        return

    def why(place: int) -> str:
        failed = ", ".join(view.label(name) for name in view.verdicts.failed_by(place)[:2])
        return failed or view.measured.tags[place].get("label", "")

    columns = (
        TableColumn("document", "Document", 120),
        TableColumn("bits", "Bits a byte", 78, decimals=2),
        TableColumn("why", "", 300),
    )
    rows = tuple(
        {
            "document": clipped(document_name(view.measured, place), 120, 1),
            "bits": rated[place].bits_per_byte,
            "why": why(place),
        }
        for place in sorted(places, key=lambda place: rated[place].bits_per_byte)[:LISTED]
    )
    show_table(TableData(columns, rows), key=f"data_{key}")
