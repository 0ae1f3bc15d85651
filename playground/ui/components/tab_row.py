"""A row of tabs as one element: the Plan pages', whose sliders are their hot path.

Streamlit's own tabs are laid out and measured anew in each of the three passes that the browser makes for one move of a
slider. These are buttons that stay, and all of them are in view.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from playground.ui.components.assets import script, style

_ROW = st.components.v2.component(
    "tab_row",
    html='<div class="tabs" role="tablist">\n</div>\n<!-- tabs are made by the script -->\n',
    css=style("tab_row.css"),
    js=script("tab_row.js"),
)


def tab_row(names: Sequence[str], *, key: str, label: str) -> str:
    """Show the tabs and return the name of the open one, which ``st.session_state[key]`` holds: the first at the start."""
    row = f"{key}_row"
    if st.session_state.get(key) not in names:
        st.session_state[key] = names[0]

    def choose() -> None:
        if (chosen := st.session_state[row].chosen) in names:
            st.session_state[key] = chosen

    _ROW(data={"names": list(names), "open": st.session_state[key], "label": label}, key=row, on_chosen_change=choose)
    return str(st.session_state[key])
