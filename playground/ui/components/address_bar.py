"""Keeps the browser's address bar at the link that reproduces what is on screen, without adding to its history."""

from __future__ import annotations

from playground.ui.components.declare import Component

_BAR = Component(
    "address_bar",
    html="<span hidden></span>\n<!-- nothing to see -->\n",
    script="address_bar.js",
)
LONGEST = 6_000  # characters of a link in the bar


def keep_address(query: str, *, key: str) -> None:
    """Put ``?query`` behind the page's path in the address bar. Very long links are left to the take-away popover; what else
    the script does for the page is done all the same."""
    _BAR(data={"query": query if len(query) < LONGEST else None}, key=key)
