"""The links of pages: what a page's link carries, and taking over the link a reader came by."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from playground.state.link_fields import link_of, read_link
from playground.state.setup import read_setup, setup_query
from playground.ui.kit import session
from playground.ui.kit.links import address_of, query_here
from playground.ui.kit.page import PageSpec
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.linked_model import adopt_linked


def adopt_setup() -> None:
    """Take over the shared setup of the link that the reader came by, once a session."""
    if session.once("setup") and query_here():
        reading = read_setup(query_here())
        adopt_linked(reading.state)
        session.note_problem(*reading.problems)


def adopt_page(spec: PageSpec) -> None:
    """Take over the page's own fields of that link, once a session, and open the tab it names."""
    if not session.once(f"link of {spec.name}"):
        return
    reading = None
    if spec.adopt is not None:
        reading = spec.adopt(query_here())
    elif spec.state is not None:
        reading = read_link(spec.state, query_here())
    if reading is not None:
        session.put(reading.state)
        session.note_problem(*session.problems(), *reading.problems)
    wanted = query_here().get("view") or query_here().get("show", "")
    if wanted in spec.sections:
        st.session_state[spec.section_key] = spec.sections[wanted].title
    elif wanted:
        session.note_problem(
            *session.problems(), f"The link's tab {wanted[:20]!r} is none of this page's; the first is shown."
        )
    spec.on_open()


def page_query(spec: PageSpec) -> str:
    """Everything after the question mark that brings somebody else to what is on screen."""
    own = dict(spec.link()) if spec.link else link_of(session.get(spec.state)) if spec.state else {}
    opened = open_section(spec)
    if opened != next(iter(spec.sections), ""):
        own["view"] = opened
    shared = setup_query(workspace.setup()) if spec.needs else ""
    return "&".join(part for part in (shared, urlencode(own)) if part)


def page_address(spec: PageSpec) -> str:
    """The full address of the page with ``page_query``."""
    return address_of(page_query(spec))


def open_section(spec: PageSpec) -> str:
    """The name of the tab in view."""
    title = st.session_state.get(spec.section_key)
    return next((name for name, each in spec.sections.items() if each.title == title), next(iter(spec.sections), ""))
