"""The links of pages: what a page's link carries, and taking over the link a reader came by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from playground.state.link_fields import Reading, link_of, read_link
from playground.state.setup import read_setup, setup_query
from playground.ui.experiments import begin, end, under_way
from playground.ui.kit import session
from playground.ui.kit.links import address_of, query_here
from playground.ui.kit.page import PageSpec
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.linked_model import adopt_linked

EXPERIMENT, SECTION = "try", "view"  # fields that every page's link may have
_OLD_SECTION = "show"  # what links from before called it


def adopt_link(spec: PageSpec) -> None:
    """Take over the link that the reader came by: the shared setup once a session, the page's own fields once a page."""
    own = session.once(f"link of {spec.name}")
    shared = bool(spec.needs) and session.once("setup")
    if own or shared:
        _take(spec, query_here(), shared=shared, own=own)


def open_link(spec: PageSpec, query: Mapping[str, str]) -> None:
    """Set the page up as a link says, all of it: what the link leaves out is at its default."""
    session.expect_echoes()
    session.once("setup")
    session.once(f"link of {spec.name}")
    session.clear_problems()
    st.session_state[spec.section_key] = next(iter(spec.sections.values())).title
    _take(spec, query, shared=bool(spec.needs), own=True)


def _take(spec: PageSpec, query: Mapping[str, str], *, shared: bool, own: bool) -> None:
    if own:
        _take_experiment(spec, query.get(EXPERIMENT, ""))
    alone = under_way(spec) and not query.keys() - {EXPERIMENT, SECTION, _OLD_SECTION}
    if shared and query and not alone:
        reading = read_setup(query)
        adopt_linked(reading.state)
        session.note_problem(*reading.problems)
    if own and not alone:
        _take_fields(spec, query)
    if own:
        _take_section(spec, query)
        spec.on_open()


def _take_experiment(spec: PageSpec, name: str) -> None:
    """Alone in a link it sets the page up; beside other fields it says which one is under way, and brings its pins."""
    if name not in spec.experiments:
        end(spec)
        _note(f"The link's experiment {name[:20]!r} is none of this page's." if name else "")
    elif name != under_way(spec):
        begin(spec, name)


def _take_fields(spec: PageSpec, query: Mapping[str, str]) -> None:
    reading: Reading[Any] | None = None
    if spec.adopt is not None:
        reading = spec.adopt(query)
    elif spec.state is not None:
        reading = read_link(spec.state, query)
    if reading is not None:
        session.put(reading.state)
        _note(*reading.problems)


def _take_section(spec: PageSpec, query: Mapping[str, str]) -> None:
    wanted = query.get(SECTION) or query.get(_OLD_SECTION, "")
    if wanted in spec.sections:
        st.session_state[spec.section_key] = spec.sections[wanted].title
    elif wanted:
        _note(f"The link's tab {wanted[:20]!r} is none of this page's; the first is shown.")


def _note(*problems: str) -> None:
    stated = tuple(filter(None, problems))
    if stated:
        session.note_problem(*session.problems(), *stated)


def page_query(spec: PageSpec) -> str:
    """Everything after the question mark that brings somebody else to what is on screen."""
    own = dict(spec.link()) if spec.link else link_of(session.get(spec.state)) if spec.state else {}
    opened = open_section(spec)
    if opened != next(iter(spec.sections), ""):
        own[SECTION] = opened
    if under_way(spec):
        own[EXPERIMENT] = under_way(spec)
    shared = setup_query(workspace.setup()) if spec.needs else ""
    return "&".join(part for part in (shared, urlencode(own)) if part)


def page_address(spec: PageSpec) -> str:
    """The full address of the page with ``page_query``."""
    return address_of(page_query(spec))


def open_section(spec: PageSpec) -> str:
    """The name of the tab in view."""
    title = st.session_state.get(spec.section_key)
    return next((name for name, each in spec.sections.items() if each.title == title), next(iter(spec.sections), ""))
