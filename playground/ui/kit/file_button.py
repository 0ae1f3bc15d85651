"""A button that gives a file away."""

from __future__ import annotations

from collections.abc import Callable
from mimetypes import guess_type

import streamlit as st


def file_button(
    label: str, name: str, data: Callable[[], str | bytes], about: str = "", *, quiet: bool = False
) -> None:
    """``data`` is made when the button is pressed and saved as ``name``, whose ending says what it is.

    ``quiet``: without a frame, for a button below a picture.
    """
    st.download_button(
        label,
        data=data,
        file_name=name,
        mime=guess_type(name)[0] or "application/octet-stream",
        on_click="ignore",
        type="tertiary" if quiet else "secondary",
        icon=":material/download:",
        key=f"save_{name}",
        help=about or None,
    )
