"""What came of a bake-off so far, as pictures and tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts.candidates_shares import SharesData, shares_description, shares_figure
from playground.charts.curves_bands import STRONG, BandCurve, BandsData, bands_description, bands_figure
from playground.charts.numbers import percent
from playground.testtime.bakeoff import BakeoffState
from playground.testtime.bakeoff_report import BakeoffReport, Share, coverage_by_n, report
from playground.ui.kit.messages import escape_markdown


def show_report(found: BakeoffState) -> None:
    """The summary, accuracy with intervals, by difficulty, what each rule did, coverage against N, every problem."""
    made = report(found)
    st.markdown(f"##### After {made.problems} problems")
    st.markdown(escape_markdown(made.summary))
    data = SharesData(
        ("a right one is among them (coverage)", *(rule.name for rule in made.rules), "one, taken blindly"),
        np.array(
            [made.coverage.mean, *(rule.accuracy.mean for rule in made.rules), made.single.mean], dtype=np.float32
        ),
        np.array(
            [_low(made.coverage), *(_low(rule.accuracy) for rule in made.rules), _low(made.single)], dtype=np.float32
        ),
        np.array(
            [_high(made.coverage), *(_high(rule.accuracy) for rule in made.rules), _high(made.single)], dtype=np.float32
        ),
        reference=made.single.mean,
    )
    st.plotly_chart(
        shares_figure(data), key="bon_bakeoff_chart", config={"displayModeBar": False}, alt=shares_description(data)
    )
    st.caption(
        f"Share of the {made.problems} problems answered right, with its 95% interval; the broken line is one candidate taken "
        "blindly."
    )
    st.markdown("##### By difficulty")
    st.dataframe(difficulty_table(made), hide_index=True, key="bon_by_difficulty")
    with st.expander("Does it help this model? Rule by rule", expanded=True):
        for rule in made.rules:
            st.markdown(f"**{escape_markdown(rule.name)}.** {escape_markdown(rule.statement)}")
    points = coverage_by_n(found)
    curve = BandsData(
        "N",
        "share of problems",
        (
            BandCurve(
                "coverage (pass@k)",
                np.array([n for n, _ in points], float),
                np.array([s for _, s in points]),
                kind=STRONG,
            ),
        ),
        percent=True,
    )
    st.plotly_chart(
        bands_figure(curve), key="bon_bakeoff_n", config={"displayModeBar": False}, alt=bands_description(curve)
    )
    with st.expander("Every problem", on_change="rerun", key="bon_every_problem") as box:
        if box.open:
            st.dataframe(problem_table(found), hide_index=True, key="bon_problem_table")


def _low(share: Share) -> float:
    return share.mean if share.low is None else share.low


def _high(share: Share) -> float:
    return share.mean if share.high is None else share.high


def difficulty_table(made: BakeoffReport) -> pd.DataFrame:
    """Accuracy of each rule on each difficulty, as percent."""
    lines = [("coverage", dict(made.coverage_by_difficulty)), ("one, taken blindly", dict(made.single_by_difficulty))]
    lines += [(rule.name, dict(rule.by_difficulty)) for rule in made.rules]
    levels = list(lines[0][1])
    return pd.DataFrame(
        [
            {"rule": name}
            | {f"{level} ({shares[level].count})": percent(shares[level].mean) for level in levels if level in shares}
            for name, shares in lines
        ]
    )


def problem_table(found: BakeoffState) -> pd.DataFrame:
    """One line a problem: how many were right, what the rules chose."""
    prompts = {problem.id: problem for problem in found.plan.problems}
    return pd.DataFrame(
        [
            {
                "kind": outcome.kind,
                "difficulty": outcome.difficulty,
                "prompt": prompts[outcome.problem].prompt.replace("\n", " ")[:200],
                "reference": prompts[outcome.problem].reference[:80],
                "right": f"{sum(outcome.correct)} of {len(outcome.correct)}",
                "rules that chose a right one": ", ".join(choice.rule for choice in outcome.choices if choice.correct),
                "first candidate": outcome.texts[0].replace("\n", " ")[:120] if outcome.texts else "",
            }
            for outcome in found.outcomes
        ]
    )
