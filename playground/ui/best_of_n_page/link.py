"""The page's link: the shared setup's fields and this page's own."""

from __future__ import annotations

import streamlit as st

from playground.state.setup import Setup
from playground.ui.best_of_n_page.bench import put_options
from playground.ui.best_of_n_page.options import Options, option_fields, read_options
from playground.ui.page_link import address_of, link_fields_here, query_with, tell_problems

_SEEN = "best_of_n_link_seen"


def adopt_options() -> None:
    """Take over the link's own fields of this page, once a session."""
    if _SEEN in st.session_state:
        return
    st.session_state[_SEEN] = True
    reading = read_options(link_fields_here())
    put_options(reading.options)
    tell_problems(reading.problems)


def page_query(setup: Setup, options: Options) -> str:
    """Everything after the question mark."""
    return query_with(setup.restart(), option_fields(options))


def page_link(setup: Setup, options: Options) -> str:
    """The full address of this page."""
    return address_of(page_query(setup, options))
