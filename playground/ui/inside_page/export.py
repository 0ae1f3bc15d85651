"""What the page gives away beside its link: files of what the open section shows."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.charts.lens_html import lens_page
from playground.inspection import files
from playground.state.inside import InsideState
from playground.ui.components.save_picture import save_picture_button
from playground.ui.inside_page.anatomy_section import load_anatomy
from playground.ui.inside_page.view import load_lens
from playground.ui.kit import session
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.speed import timings


def export_lens() -> None:
    """PNG, CSV, HTML and NPZ of the grid."""
    view = load_lens()
    picture, info, colour = view.picture, view.worker.engine.info, session.get(InsideState).colour
    binary = "application/octet-stream"
    with st.container(horizontal=True, vertical_alignment="center"):
        save_picture_button("PNG of the grid", "lens", key="inside_save_png")
        _download("CSV", lambda: files.lens_csv(picture, view.codec), "lens.csv", "text/csv", "Ten tokens a cell.")
        _download(
            "HTML",
            lambda: lens_page(view.grid, colour, info.name),
            "lens.html",
            "text/html",
            "Opens offline, no script.",
        )
        _download("NPZ", lambda: files.lens_npz(picture, info), "lens.npz", binary, "All arrays of the lens.")


def export_anatomy() -> None:
    """CSV of the parts."""
    anatomy = load_anatomy(loaded_model())
    _download("CSV", lambda: files.anatomy_csv(anatomy), "anatomy.csv", "text/csv", "One line a part.")


def export_timing() -> None:
    """CSV of what was measured."""
    found = timings().get(loaded_model().engine.info.revision)
    if found is None:
        st.caption("Nothing is measured yet.")
        return
    _download("CSV", lambda: files.timing_csv(found[0]), "timing.csv", "text/csv", "One line a prompt length.")


def export_note() -> None:
    """What there is no command for."""
    st.caption("This page has no command of its own: `python -m playground` offers the other pages' features.")


def _download(label: str, data: Callable[[], str | bytes], name: str, mime: str, about: str) -> None:
    """Made when it is pressed."""
    st.download_button(
        label,
        data=data,
        file_name=name,
        mime=mime,
        on_click="ignore",
        icon=":material/download:",
        help=about,
        key=f"inside_save_{name}",
    )
