"""What came of a bake-off so far, as pictures and tables."""

from __future__ import annotations

import streamlit as st

from playground.charts.bakeoff_pictures import accuracy_shares, coverage_bands, difficulty_table, problem_table
from playground.charts.candidates_shares import shares_description, shares_figure
from playground.testtime.bakeoff import BakeoffState
from playground.testtime.bakeoff_report import report
from playground.ui.best_of_n_page.pictures import show_bands
from playground.ui.kit.messages import escape_markdown
from playground.ui.kit.pictures import show_figure, show_table


def show_report(state: BakeoffState) -> None:
    """The summary, accuracy with intervals, by difficulty, what each rule did, coverage against N, every problem."""
    overview = report(state)
    st.markdown(f"##### After {overview.problems} problems")
    st.markdown(escape_markdown(overview.summary))
    for why, rules in _left_out(state).items():
        st.caption(f":material/info: Left out: {escape_markdown(', '.join(rules))}. {escape_markdown(why)}")
    shares = accuracy_shares(overview)
    show_figure(shares_figure(shares), shares_description(shares), key="bon_bakeoff_chart")
    st.caption(
        f"Share of the {overview.problems} problems answered right, with its 95% interval; the broken line is one candidate "
        "taken blindly."
    )
    st.markdown("##### By difficulty")
    show_table(difficulty_table(overview), key="bon_by_difficulty")
    with st.expander("Does it help this model? Rule by rule", expanded=True):
        for rule in overview.rules:
            st.markdown(f"**{escape_markdown(rule.name)}.** {escape_markdown(rule.statement)}")
    show_bands(coverage_bands(state), key="bon_bakeoff_n")
    with st.expander("Every problem", on_change="rerun", key="bon_every_problem") as box:
        if box.open:
            show_table(problem_table(state), key="bon_problem_table")


def _left_out(state: BakeoffState) -> dict[str, list[str]]:
    """The rules that read what the engine does not tell, by the sentence that says so."""
    sentences: dict[str, list[str]] = {}
    for rule, why in state.untold:
        sentences.setdefault(why, []).append(rule)
    return sentences
