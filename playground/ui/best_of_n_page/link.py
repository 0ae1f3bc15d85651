"""The page's link: the shared setup's fields and this page's own."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from playground.ui import state
from playground.ui.best_of_n_page.bench import put_options
from playground.ui.best_of_n_page.options import Options, option_fields, read_options
from playground.ui.setup import Setup, link_query

_SEEN = "best_of_n_link_seen"


def adopt_options() -> None:
    """Take over the link's own fields of this page, once a session."""
    if _SEEN in st.session_state:
        return
    st.session_state[_SEEN] = True
    reading = read_options({name: st.query_params[name] for name in st.query_params})
    put_options(reading.options)
    if reading.problems:
        state.note_problem(*state.problems(), *reading.problems)


def page_query(setup: Setup, options: Options) -> str:
    """Everything after the question mark."""
    return f"{link_query(setup.restart())}&{urlencode(option_fields(options))}"


def page_link(setup: Setup, options: Options) -> str:
    """The full address of this page."""
    parts = urlsplit(st.context.url or "http://localhost:8501/best_of_n")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, page_query(setup, options), ""))
