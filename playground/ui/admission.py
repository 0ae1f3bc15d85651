"""Whether a tab may stay: who has to log in first, and whether it is one too many. What each run of a page asks first."""

from __future__ import annotations

import logging

import streamlit as st
from streamlit.errors import StreamlitAuthError

from playground.errors import PlaygroundError
from playground.ui.kit.messages import escape_markdown, show_problem
from playground.ui.runtime import session_id
from playground.ui.tabs import note_tab
from playground.ui.visitor import has_to_log_in, logged_in_name, visitor_id
from playground.ui.workspace.shared import visitor_limits


def admit_tab() -> bool:
    """At the start of each run of a page: whether this tab may stay; else why not is shown."""
    if has_to_log_in():
        st.title("Playground", anchor=False)
        st.button("Log in", key="log_in", type="primary", icon=":material/login:", on_click=_log_in)
        return False
    try:
        visitor_limits().check_tabs(note_tab(session_id(), visitor_id()))
    except PlaygroundError as error:  # also limits that cannot be read
        show_problem(error)
        return False
    return True


def _log_in() -> None:
    """To the provider, and back to the first page."""
    try:
        st.login()
    except StreamlitAuthError as error:  # who set it up has to hear more than who came
        logging.getLogger(__name__).error("The login is not set up: %s", error)
        show_problem("The login of this server is not set up: tell who runs it; the reason is in its log.")


def login_status() -> None:
    """In the sidebar: who has logged in, and out again. Nothing where there is no login."""
    name = logged_in_name()
    if name:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(escape_markdown(name), width="stretch")
            st.button("Log out", key="log_out", type="tertiary", icon=":material/logout:", on_click=st.logout)
