"""Keeps the browser's address bar at the link that reproduces what is on screen, without adding to its history."""

from __future__ import annotations

import streamlit as st

from playground.ui.components.assets import script

_BAR = st.components.v2.component(
    "address_bar",
    html="<span hidden></span>\n<!-- nothing to see -->\n",
    js=script("address_bar.js"),
)


def keep_address(query: str, *, key: str) -> None:
    """Put ``?query`` behind the page's path in the address bar. Very long links are left to the take-away popover."""
    if len(query) < 6_000:
        _BAR(data={"query": query}, key=key)
