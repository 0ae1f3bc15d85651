"""Section "Family tree": who comes of whom, the notes beside the sources, and what each lacks to replace the transformer."""

from __future__ import annotations

import streamlit as st

from playground.architectures.families import FAMILIES
from playground.architectures.growth import exponents_said
from playground.architectures.history import CONTENDERS, LANES, milestones
from playground.architectures.ready import ready_race
from playground.architectures.results import exponents_of
from playground.charts.arch_tree import TreeNode, tree_description, tree_figure
from playground.charts.table import TableColumn, TableData, clipped
from playground.engine.serving.worker import Worker
from playground.ui.architectures_page.growth_job import Race
from playground.ui.kit import session
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure, show_table


def tree_section(_worker: Worker) -> None:
    """The picture, the facts, the contenders."""
    timeline = milestones()
    nodes = [TreeNode(one.name, one.year, LANES.index(one.lane), one.parents, one.differs) for one in timeline]
    show_figure(tree_figure(nodes, LANES), tree_description(nodes), key="arch_tree")
    st.caption("Open diamonds: the sources say otherwise, or more exactly, than the course notes.")
    columns = (
        TableColumn("name", "Architecture", 110, pinned=True),
        TableColumn("year", "Year", 60, decimals=0),
        TableColumn("notes", "As in the notes", 200),
        TableColumn("checked", "Checked", 330),
        TableColumn("source", "Source", 120),
    )
    rows = tuple(
        {
            "name": one.name,
            "year": int(one.year),
            "notes": one.notes or "not in the notes",
            "checked": clipped(one.checked, 330, 3),
            "source": one.source,
        }
        for one in timeline
    )
    show_table(TableData(columns, rows, tall=True), key="arch_facts")
    with st.expander("Where notes and sources differ, in full", key="arch_differences"):
        said = [
            f"- **{one.name}.** Notes: {one.notes} Checked: {one.checked} ({one.source})"
            for one in timeline
            if one.differs
        ]
        st.markdown("\n".join(said))
    st.markdown("**What each needs to replace the transformer**")
    _contenders()
    why_it_matters(
        "Three things are needed at once: quality at the largest scale, speed on the hardware that exists, and the libraries, "
        "servers and people around it. The first cannot be measured on one machine; the second is under What grows, with plain "
        "torch and no kernels. Hybrids keep a few layers of attention, and so need the least of what is not there yet."
    )


def _contenders() -> None:
    rows = session.get(Race).rows or ready_race().rows
    columns = (
        TableColumn("name", "Architecture", 110, pinned=True),
        TableColumn("quality", "Largest published", 260),
        TableColumn("hardware", "Hardware", 190),
        TableColumn("here", "Measured, as under What grows", 200),
        TableColumn("ecosystem", "In transformers", 170),
    )
    contenders = []
    for name, one in CONTENDERS.items():
        own = [row for row in rows if row.config == FAMILIES[name].label]
        contenders.append(
            {
                "name": one.family,
                "quality": one.quality,
                "hardware": one.hardware,
                "here": (exponents_said(exponents_of(own)) if own else "") or "not measured: see What grows",
                "ecosystem": ", ".join(one.classes) or "no class: ours here",
            }
        )
    show_table(TableData(columns, tuple(contenders), tall=True), key="arch_contenders")
