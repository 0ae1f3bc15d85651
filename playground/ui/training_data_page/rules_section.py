"""Section "Rules": what each removes by itself and uniquely, and which of them say the same."""

from __future__ import annotations

import numpy as np
import streamlit as st

from playground.charts.filter_pictures import AgreementData, agreement_description, agreement_figure
from playground.charts.table import TableColumn, TableData
from playground.corpus.rules import GROUP_OF, GROUPS, RULES, number
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.training_data_page.view import FilterView


def rules_section(view: FilterView) -> None:
    """A table of the rules that hold, and how far those that remove something agree."""
    removed, only, total = view.verdicts.removed_by, view.verdicts.only_by, len(view.measured)
    bytes_of = dict(zip(view.verdicts.rules, view.measured.sizes @ view.verdicts.failed, strict=True)) if total else {}
    columns = (
        TableColumn("rule", "Rule", 190),
        TableColumn("removes", "Removes", 70, decimals=0),
        TableColumn("only", "It alone", 65, "Documents that would be kept without this rule.", decimals=0),
        TableColumn("threshold", "Fails", 88),
        TableColumn("bytes", "Bytes", 62, decimals=0),
        TableColumn("filter", "Filter", 180),
    )
    rows = tuple(
        {
            "rule": RULES[name].label,
            "removes": removed[name],
            "only": only[name],
            "threshold": f"{RULES[name].fails} {number(view.dials[name])}",
            "bytes": int(bytes_of[name]),
            "filter": GROUPS[GROUP_OF[name]].label,
        }
        for name in sorted(view.verdicts.rules, key=lambda name: -removed[name])
        if removed[name]
    )
    if not rows:
        st.info("No rule removes anything under the present dials.")
        return
    show_table(TableData(columns, rows), key="data_rules")
    with st.expander("Where each rule is published", on_change="rerun", key="data_rule_sources") as box:
        if box.open:
            lines = [escape_markdown(f"{RULES[name].label}: {RULES[name].source}") for name in view.verdicts.rules]
            st.markdown("\n".join(f"- {line}" for line in lines))
    if idle := [view.label(name) for name in view.verdicts.rules if not removed[name]]:
        st.caption(f"{len(idle)} more remove nothing: {escape_markdown(', '.join(idle))}.")
    acting = [place for place, name in enumerate(view.verdicts.rules) if removed[name]]
    if len(acting) > 1:
        names = tuple(view.label(view.verdicts.rules[place]) for place in acting)
        filters = tuple(GROUP_OF[view.verdicts.rules[place]] for place in acting)
        data = AgreementData(names, view.verdicts.agreement()[np.ix_(acting, acting)], filters)
        said = agreement_description(data)
        show_figure(agreement_figure(data), said, key="data_agreement")
        st.caption(f"{said} Columns stand in the order of the rows.")
    why_it_matters(
        "A rule that removes much and nothing alone says again what others say. A pipeline that stops at the first failed rule, "
        "as datatrove does, cannot show that: what it counts for a rule depends on which rules stand before it."
    )
