"""The take-away popover of the Plan pages: link, command line, CSV, Markdown report, and a config of one's own."""

from __future__ import annotations

import streamlit as st

from playground.ui.kit.messages import problems_shown_here
from playground.ui.page_link import address_of
from playground.ui.scale_page import report, store
from playground.ui.scale_page.fields import CUSTOM
from playground.ui.scale_page.page import PlanPage, columns_of
from playground.ui.scale_page.setup import left_out, link_query
from playground.ui.workspace.export import popover, show_link

TOO_LONG = {
    "json": "Your config is too long for a link: download it below, send the file along, and give it to the command line "
    "with --config.",
    "prices": "Your price table is too long for a link: send the CSV file along, to be uploaded in the tab API or own GPU.",
}


def take_away(page: PlanPage) -> None:
    """The popover at the top right."""

    def contents() -> None:
        with problems_shown_here():
            _contents(page)

    popover(contents, key="scale_take_away")


def _contents(page: PlanPage) -> None:
    setup = store.setup()
    link = address_of(link_query(setup, page.name))
    show_link(link)
    for name in left_out(setup, page.name):
        st.caption(TOO_LONG[name])
    st.markdown("**On the command line**")
    st.code(report.to_command(page.name, setup), language="bash", wrap_lines=True)
    if setup.own_gpus:
        st.caption("The command line knows the built-in hardware table only, not the rows you edited.")
    if setup.config == CUSTOM:
        _download("Your config.json", setup.json, "config.json", "application/json")
    columns = columns_of(page)
    from pages import PAGES

    title = f"Plan: {PAGES[page.name].title}"
    with st.container(horizontal=True):
        _download("CSV", report.to_csv(columns), f"{page.name}.csv", "text/csv")
        document = report.to_markdown(title, setup, page.name, columns, link, page.topics)
        _download("Markdown report", document, f"{page.name}.md", "text/markdown")


def _download(label: str, data: str, name: str, mime: str) -> None:
    st.download_button(
        label, data=data, file_name=name, mime=mime, on_click="ignore", type="tertiary", icon=":material/download:"
    )
