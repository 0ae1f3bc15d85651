"""The take-away popover of the Plan pages: link, command line, CSV, Markdown report, and a config of one's own."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from playground.ui.frame import PAGES
from playground.ui.messages import problems_shown_here
from playground.ui.scale_page import report, store
from playground.ui.scale_page.fields import CUSTOM
from playground.ui.scale_page.page import PlanPage, columns_of
from playground.ui.scale_page.setup import MAX_LINK_CONFIG, link_query


def take_away(page: PlanPage) -> None:
    """The popover at the top right. Its body runs only while it is open."""
    with st.popover(
        "Take away", icon=":material/ios_share:", on_change="rerun", key="scale_take_away", width="stretch"
    ) as box:
        if not box.open:
            return
        with problems_shown_here():
            _body(page)


def _body(page: PlanPage) -> None:
    setup = store.setup()
    link = page_link(page.name)
    st.markdown("**Link** to exactly this page")
    st.code(link, language=None, wrap_lines=True)
    if setup.config == CUSTOM and len(setup.json) > MAX_LINK_CONFIG:
        st.caption("Your config is too long for a link; send it along as a file.")
    st.markdown("**On the command line**")
    st.code(report.to_command(page.name, setup), language="bash", wrap_lines=True)
    if setup.own_gpus:
        st.caption("The command line knows the built-in hardware table only, not the rows you edited.")
    if setup.config == CUSTOM:
        _download("Your config.json", setup.json, "config.json", "application/json")
    columns = columns_of(page)
    title = f"Plan: {PAGES[page.name].title}"
    with st.container(horizontal=True):
        _download("CSV", report.to_csv(columns), f"{page.name}.csv", "text/csv")
        document = report.to_markdown(title, setup, page.name, columns, link, page.topics)
        _download("Markdown report", document, f"{page.name}.md", "text/markdown")


def page_link(page: str) -> str:
    """The full address of this page with everything in it that matters."""
    parts = urlsplit(st.context.url or "http://localhost:8501/")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, link_query(store.setup(), page), ""))


def _download(label: str, data: str, name: str, mime: str) -> None:
    st.download_button(
        label, data=data, file_name=name, mime=mime, on_click="ignore", type="tertiary", icon=":material/download:"
    )
