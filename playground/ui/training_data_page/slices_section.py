"""Section "Who is removed": rates by language, dialect, domain or label, with intervals."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts.figure import shortened
from playground.charts.filter_pictures import RatesData, rates_description, rates_figure
from playground.charts.numbers import p_value
from playground.corpus.slices import slices
from playground.state.data_training import SLICED, FilterState
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.widgets import Bound
from playground.ui.training_data_page.view import FilterView

MOST_SLICES = 14


def slices_section(view: FilterView) -> None:
    """One rate a slice; what stands out after a correction for many tests is said."""
    by = session.get(FilterState).sliced
    Bound(FilterState).segmented("sliced")
    tags = [own.get(by, "") for own in view.measured.tags]
    identified = by == "language" and not any(tags)
    if identified:
        tags = [each.language if each is not None else "" for each in view.measured.languages]
    shown_slices = slices(tags, view.verdicts)[:MOST_SLICES]
    if not shown_slices:
        st.info(f"These documents have no {SLICED[by].lower()}: give each the field {by}, in JSON lines or a table.")
        return
    data = RatesData(
        tuple(f"{shortened(each.name)} ({each.total})" for each in shown_slices),
        np.array([each.rate for each in shown_slices]),
        np.array([each.low for each in shown_slices]),
        np.array([each.high for each in shown_slices]),
        tuple(f"{each.removed}" + (f" · {view.label(each.rule)}" if each.rule else "") for each in shown_slices),
    )
    show_figure(rates_figure(data), rates_description(data), key="data_slices")
    out = [each for each in shown_slices if each.stands_out]
    if out:
        named = "; ".join(f"{each.name} ({each.rate:.0%}, p {p_value(each.p)})" for each in out)
        st.markdown(f"Other than the rest, after Holm's correction: {escape_markdown(named)}.")
    else:
        st.markdown("No slice differs from the rest by more than chance explains: there are few documents of each.")
    source = "py3langid's answer" if identified else "the documents' own field"
    st.caption(
        f"Removed share with Wilson's 95% interval; {source}, and how many have it. Above each: how many are removed, and the "
        "rule that removes most of them."
    )
    why_it_matters(
        "Rules made on one kind of text remove other kinds: stop words and a language filter remove what is not standard "
        "English, a blocked-words list removes who uses such words of themselves, and votes remove what few people see."
    )
