"""Addresses of the page on screen."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import streamlit as st


def query_here() -> dict[str, str]:
    """The fields of the address this page was opened at."""
    return {name: st.query_params[name] for name in st.query_params}


def address_of(query: str) -> str:
    """The full address of the page on screen with ``query`` after the question mark."""
    parts = urlsplit(st.context.url or "http://localhost:8501/")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
