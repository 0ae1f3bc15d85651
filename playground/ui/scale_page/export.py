"""What a Plan page gives away beside its link: command line, CSV, Markdown report, and a config of one's own."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from playground.plan import report
from playground.plan.links import left_out, plan_link
from playground.plan.setup import CUSTOM
from playground.ui.kit.links import address_of
from playground.ui.scale_page import store
from playground.ui.scale_page.plan import PlanPage, columns_of

TOO_LONG = {
    "json": "Your config is too long for a link: download it below, send the file along, and give it to the command line "
    "with --config.",
    "prices": "Your price table is too long for a link: send the CSV file along, to be uploaded in the tab API or own GPU.",
}


def export_plan(page: PlanPage) -> None:
    """Command line, CSV, Markdown report, and a config of one's own."""
    setup = store.setup()
    for name in left_out(setup, page.name):
        st.caption(TOO_LONG[name])
    st.markdown("**On the command line**")
    st.code("\n".join(report.to_commands(page.name, setup)), language="bash", wrap_lines=True)
    for sentence in report.not_in_commands(page.name, setup):
        st.caption(sentence)
    if setup.config == CUSTOM and setup.own_config:
        _download("Your config.json", setup.own_config.text, "config.json", "application/json")
    columns = columns_of(page)
    link = address_of(urlencode(plan_link(setup, page.name)))
    title = f"Plan: {page.title}"
    with st.container(horizontal=True):
        _download("CSV", report.to_csv(columns), f"{page.name}.csv", "text/csv")
        document = report.to_markdown(title, setup, page.name, columns, link, page.topics)
        _download("Markdown report", document, f"{page.name}.md", "text/markdown")


def _download(label: str, data: str, name: str, mime: str) -> None:
    st.download_button(
        label, data=data, file_name=name, mime=mime, on_click="ignore", type="tertiary", icon=":material/download:"
    )
