"""A choice the pictures of a page follow in the browser, before the server has heard of it: colours, for instance.

What is chosen needs no new data, so a round trip would only be waited for. The pictures listen by the choice's name
(``event_bus.js``); Python is told afterwards, for links, files and other pages, and its own changes reach the browser
whenever the choice is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from playground.ui.components.declare import Component

_CHOICE = Component(
    "live_choice",
    html='<div class="liveChoice">\n</div>\n<!-- buttons are made by the script -->\n',
    styles=("live_choice.css", "card.css"),
    script="live_choice.js",
)


def live_choice(
    label: str,
    options: Mapping[str, str],
    *,
    name: str,
    value: str,
    help: str,
    key: str,
    on_choose: Callable[[str], None],
) -> None:
    """Radio buttons over ``options`` (value to label), ``value`` chosen. Pictures follow it as ``name``.

    ``on_choose`` is told a new value after the pictures have it; there is no need to draw them again.
    """
    heard = f"{key}_heard"  # the number of the last press that Python knows of

    def chosen() -> None:
        choice: Any = getattr(st.session_state.get(key), "chosen", None)
        if not isinstance(choice, Mapping) or not isinstance(choice.get("serial"), int):
            return
        st.session_state[heard] = choice["serial"]
        if choice.get("value") in list(options):
            on_choose(str(choice["value"]))

    data = {
        "label": label,
        "help": help,
        "name": name,
        "values": list(options),
        "labels": list(options.values()),
        "value": value,
        "serial": st.session_state.get(heard, 0),
    }
    _CHOICE(data=data, key=key, on_chosen_change=chosen, width="content")
