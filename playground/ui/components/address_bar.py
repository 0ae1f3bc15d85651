"""Keeps the browser's address bar at the link that reproduces what is on screen, without adding to its history."""

from __future__ import annotations

import streamlit as st

_BAR = st.components.v2.component(
    "address_bar",
    html="<span hidden></span>\n<!-- nothing to see -->\n",
    js="""
export default function (component) {
  const query = "?" + component.data.query
  if (window.location.search !== query) {
    window.history.replaceState(window.history.state, "", window.location.pathname + query)
  }
}
""",
)


def keep_address(query: str, *, key: str) -> None:
    """Put ``?query`` behind the page's path in the address bar. Very long links are left to the take-away popover."""
    if len(query) < 6_000:
        _BAR(data={"query": query}, key=key)
