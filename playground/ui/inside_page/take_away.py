"""The take-away popover of the page: link, and files of what the open section shows."""

from __future__ import annotations

import streamlit as st

from playground.ui import state
from playground.ui.components.save_picture import save_picture_button
from playground.ui.inside_page import files
from playground.ui.inside_page.anatomy_section import load_anatomy
from playground.ui.inside_page.choice import options, page_link
from playground.ui.inside_page.timing_section import timings
from playground.ui.inside_page.view import load_lens
from playground.ui.kit.messages import problems_shown_here
from playground.ui.runtime import wait_for_model
from playground.ui.workspace.export import popover, show_link
from playground.ui.workspace.model import chosen_model


def take_away() -> None:
    """The popover at the top right."""
    popover(_contents)


def _contents() -> None:
    show_link(page_link(state.setup(), options()))
    with problems_shown_here():
        _FILES[options().section]()
    st.caption("This page has no command of its own: `python -m playground` offers the other pages' features.")


def _lens() -> None:
    view = load_lens()
    colour = options().colour
    with st.container(horizontal=True, vertical_alignment="center"):
        save_picture_button("PNG of the grid", "lens", key="inside_save_png")
        _download("CSV", lambda: files.lens_csv(view), "lens.csv", "text/csv", "Ten tokens a cell.")
        _download("HTML", lambda: files.lens_html(view, colour), "lens.html", "text/html", "Opens offline, no script.")
        _download(
            "NPZ", lambda: files.lens_npz(view), "lens.npz", "application/octet-stream", "All arrays of the lens."
        )


def _anatomy() -> None:
    anatomy = load_anatomy(wait_for_model(chosen_model()))
    _download("CSV", lambda: files.anatomy_csv(anatomy), "anatomy.csv", "text/csv", "One line a part.")


def _timing() -> None:
    found = timings().get(wait_for_model(chosen_model()).engine.info.revision)
    if found is None:
        st.caption("Nothing is measured yet.")
        return
    _download("CSV", lambda: files.timing_csv(found[0]), "timing.csv", "text/csv", "One line a prompt length.")


_FILES = {"lens": _lens, "anatomy": _anatomy, "timing": _timing}


def _download(label: str, data: files.Made, name: str, mime: str, about: str) -> None:
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
