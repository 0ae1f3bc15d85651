"""What the page gives away beside its link: files of what the open section shows."""

from __future__ import annotations

import streamlit as st

from playground.charts.lens_html import lens_page
from playground.inspection import files
from playground.state.inside import InsideState
from playground.ui.components.save_picture import save_picture_button
from playground.ui.inside_page.anatomy_section import load_anatomy
from playground.ui.inside_page.view import load_lens
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.speed import timings


def export_lens() -> None:
    """PNG, CSV, HTML and NPZ of the grid."""
    view = load_lens()
    picture, info, colour = view.picture, view.worker.engine.info, session.get(InsideState).colour
    with st.container(horizontal=True, vertical_alignment="center"):
        save_picture_button("PNG of the grid", "lens", key="inside_save_png")
        file_button("CSV", "lens.csv", lambda: files.lens_csv(picture, view.codec), "Ten tokens a cell.")
        file_button("HTML", "lens.html", lambda: lens_page(view.grid, colour, info.name), "Opens offline, no script.")
        file_button("NPZ", "lens.npz", lambda: files.lens_npz(picture, info), "All arrays of the lens.")


def export_anatomy() -> None:
    """CSV of the parts."""
    anatomy = load_anatomy(loaded_model())
    file_button("CSV", "anatomy.csv", lambda: files.anatomy_csv(anatomy), "One line a part.")


def export_timing() -> None:
    """CSV of what was measured."""
    measurement = timings().get(loaded_model().engine.info.revision)
    if measurement is None:
        st.caption("Nothing is measured yet.")
        return
    file_button("CSV", "timing.csv", lambda: files.timing_csv(measurement[0]), "One line a prompt length.")


def export_note() -> None:
    """What there is no command for."""
    st.caption("This page has no command of its own: `python -m playground` offers the other pages' features.")
