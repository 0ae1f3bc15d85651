"""The page's options in the session, its link, and widgets that follow them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from playground.state.setup import Setup
from playground.ui import state
from playground.ui.attention_page.options import SECTIONS, Options, option_fields, read_options
from playground.ui.page_link import address_of, link_fields_here, query_with, tell_problems

OVERVIEW, CHOICE = f"{state.TEXT}:overview", f"{state.TEXT}:choice"  # redrawn with the text, not at every move
ADDRESS = f"{state.PICTURES}:address"  # redrawn with the pictures, and for colours, which the browser sees to, alone
SECTION_KEY = "attention_section"
_OPTIONS = "attention_options"


def options() -> Options:
    """This session's options of the page."""
    found = st.session_state.get(_OPTIONS)
    return found if isinstance(found, Options) else Options()


def change(**fields: Any) -> None:
    """Replace some of them."""
    st.session_state[_OPTIONS] = replace(options(), **fields)


def adopt_options() -> None:
    """Take over the link's own fields of this page, once a session."""
    if _OPTIONS in st.session_state:
        return
    reading = read_options(link_fields_here())
    st.session_state[_OPTIONS] = reading.options
    st.session_state[SECTION_KEY] = SECTIONS[reading.options.section]
    tell_problems(reading.problems)


def follow(key: str, current: object, write: Callable[[Any], None], *parts: str) -> Callable[[], None]:
    """As ``state.follow``, for the page's own options: the new value goes to ``write``, then ``parts`` are redrawn."""
    if key not in st.session_state or st.session_state[key] != current:
        st.session_state[key] = current

    def on_change() -> None:
        write(st.session_state[key])
        state.clear_problems()  # they were about a link or another model's heads, and have been read
        state.rerun_parts(*parts)

    return on_change


def page_query(setup: Setup, chosen: Options) -> str:
    """Everything after the question mark."""
    return query_with(setup, option_fields(chosen))


def page_link(setup: Setup, chosen: Options) -> str:
    """The full address of this page."""
    return address_of(page_query(setup, chosen))
