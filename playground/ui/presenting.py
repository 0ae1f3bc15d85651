"""Presenting: type and bars for a projector, the sidebar away, until the switch or the key P is pressed again.

A browser's switch: each of its tabs begins as the last one was left. Sizes are parts of the window's height, so that they
hold on any projector: body text is 1/35 of it, the smallest numbers 1/50. On a picture 1.4 m high that is 2.8 cm, whose
lower-case letters an eye with normal sight reads from ten metres (5 minutes of arc are 1.5 cm there).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import streamlit as st
from cachetools import LRUCache

from playground.ui.kit import session
from playground.ui.visitor import visitor_id

BODY_SHARE = 35  # body text is this part of the window's height
SMALLEST_SHARE = 50  # and the smallest numbers, which are 0.7 of it
NARROWEST = 701  # pixels: below, a window is a phone and nobody's projector
_STYLE = f"""<style>
@media (min-width: {NARROWEST}px) {{
  html {{ font-size: max(20px, calc(100vh / {BODY_SHARE})) !important; }}
  [data-testid="stSidebar"], [data-testid="stExpandSidebarButton"], [data-testid="stMainMenu"] {{ display: none; }}
  [data-testid="stMainBlockContainer"] {{ padding: 0.25rem 1rem 1rem; }}
  [data-testid="stMain"]::before {{ box-shadow: none !important; }} /* a frame around all, once a key is pressed */
  .st-key-page_head {{ padding-right: 0; }}
  [data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] {{ gap: 0.4rem; }}
  .st-key-page_pictures, .st-key-page_controls {{ gap: 0.5rem; }}
  [class*="st-key-row_"] p {{ font-size: 0.8rem; white-space: nowrap; }}
  [class*="st-key-row_"] [data-testid="stTooltipIcon"] {{ display: none; }}
  .st-key-page_sentence, [data-testid="stLayoutWrapper"]:has(> .st-key-page_sentence) {{ display: none; }}
}}
.st-key-stop_presenting {{ position: fixed; right: 0.25rem; bottom: 0.25rem; width: auto; z-index: 99; opacity: 0.4; }}
.st-key-stop_presenting:hover, .st-key-stop_presenting:focus-within {{ opacity: 1; }}
</style>"""


@dataclass(frozen=True, slots=True)
class _Switch:
    """This tab's."""

    on: bool = False


_lock = threading.Lock()
_left: LRUCache[str, bool] = LRUCache(1_000)  # how visitors of this process left it


def presenting() -> bool:
    """Whether this tab presents."""
    if session.once("presenting"):
        with _lock:
            session.put(_Switch(_left.get(visitor_id(), False)))
    return session.get(_Switch).on


def _turn() -> None:
    on = not presenting()
    session.put(_Switch(on))
    with _lock:
        _left[visitor_id()] = on


def present_switch() -> None:
    """In the sidebar: begin to present. The key works wherever nobody types."""
    if not presenting():
        st.button(
            "Present",
            icon=":material/slideshow:",
            key="present",
            on_click=_turn,
            shortcut="p",
            type="tertiary",
            help="Larger type and bars for a projector, without the sidebar, on every page of this browser.",
        )


def presented_page() -> None:
    """While presenting: the sizes, and the button that ends it, at the lower edge."""
    if presenting():
        st.html(_STYLE)
        st.button(
            "Exit",
            icon=":material/close_fullscreen:",
            key="stop_presenting",
            on_click=_turn,
            shortcut="p",
            help="Stop presenting",
        )
