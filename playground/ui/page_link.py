"""Addresses of pages: the shared setup's fields, then the page's own. What those mean is each page's business."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from playground.state.setup import Setup, setup_query
from playground.ui import state


def link_fields_here() -> dict[str, str]:
    """The fields of the address this page was opened at."""
    return {name: st.query_params[name] for name in st.query_params}


def tell_problems(problems: tuple[str, ...]) -> None:
    """What a page could not use of its link, beside what is being told already."""
    if problems:
        state.note_problem(*state.problems(), *problems)


def query_with(setup: Setup, own: Mapping[str, str]) -> str:
    """Everything after the question mark: the setup, then the page's ``own`` fields."""
    return "&".join(part for part in (setup_query(setup), urlencode(own)) if part)


def address_of(query: str) -> str:
    """The full address of the page on screen with ``query``."""
    parts = urlsplit(st.context.url or "http://localhost:8501/")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
