"""The page's options in the session, and its link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from playground.state.setup import Setup
from playground.ui import state
from playground.ui.inside_page.options import SECTIONS, Options, option_fields, read_options
from playground.ui.page_link import address_of, link_fields_here, query_with, tell_problems

SECTION_KEY = "inside_section"
ADDRESS = f"{state.PICTURES}:address"  # redrawn with the pictures, and for colours, which the browser sees to, alone
_OPTIONS = "inside_options"


def options() -> Options:
    """This session's options; the open tab has the last word on the section."""
    found = st.session_state.get(_OPTIONS)
    chosen = found if isinstance(found, Options) else Options()
    opened = st.session_state.get(SECTION_KEY)
    section = next((name for name, title in SECTIONS.items() if title == opened), chosen.section)
    return replace(chosen, section=section)


def change(**fields: Any) -> None:
    """Replace some of them."""
    st.session_state[_OPTIONS] = replace(options(), **fields)


def put_options(chosen: Options) -> None:
    """Replace them all, the open tab included."""
    st.session_state[_OPTIONS] = chosen
    st.session_state[SECTION_KEY] = SECTIONS[chosen.section]


def adopt_options() -> None:
    """Take over the link's own fields of this page, once a session."""
    if _OPTIONS in st.session_state:
        st.session_state.setdefault(SECTION_KEY, SECTIONS[options().section])  # Streamlit forgets it on another page
        return
    reading = read_options(link_fields_here())
    put_options(reading.options)
    tell_problems(reading.problems)


def page_query(setup: Setup, chosen: Options) -> str:
    """Everything after the question mark."""
    return query_with(setup, option_fields(chosen))


def page_link(setup: Setup, chosen: Options) -> str:
    """The full address of this page."""
    return address_of(page_query(setup, chosen))
