"""The page's options in the session, and its link."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from playground.ui import state
from playground.ui.inside_page.options import SECTIONS, Options, option_fields, read_options
from playground.ui.setup import Setup, link_query

SECTION_KEY = "inside_section"
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
    reading = read_options({name: st.query_params[name] for name in st.query_params})
    put_options(reading.options)
    if reading.problems:
        state.note_problem(*state.problems(), *reading.problems)


def page_query(setup: Setup, chosen: Options) -> str:
    """Everything after the question mark."""
    own = urlencode(option_fields(chosen))
    return link_query(setup) + (f"&{own}" if own else "")


def page_link(setup: Setup, chosen: Options) -> str:
    """The full address of this page."""
    parts = urlsplit(st.context.url or "http://localhost:8501/inside")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, page_query(setup, chosen), ""))
