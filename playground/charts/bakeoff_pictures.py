"""What a bake-off says, as pictures and tables: shares with their intervals, coverage against N, each problem."""

from __future__ import annotations

import numpy as np

from playground.charts.candidates_shares import SharesData
from playground.charts.curves_bands import STRONG, BandCurve, BandsData
from playground.charts.numbers import percent
from playground.charts.table import WIDTH, TableColumn, TableData, clipped
from playground.testtime.bakeoff import BakeoffState
from playground.testtime.bakeoff_report import BakeoffReport, coverage_by_n

COVERAGE = "a right one is among them (coverage)"


def accuracy_shares(report: BakeoffReport) -> SharesData:
    """Coverage, every rule and one blind candidate, each with its interval where it has one."""
    rows = [(COVERAGE, report.coverage), *((rule.name, rule.accuracy) for rule in report.rules)]
    rows.append(("one, taken blindly", report.single))
    shares = [share for _name, share in rows]
    return SharesData(
        tuple(name for name, _share in rows),
        np.array([share.mean for share in shares], dtype=np.float32),
        np.array([share.mean if share.low is None else share.low for share in shares], dtype=np.float32),
        np.array([share.mean if share.high is None else share.high for share in shares], dtype=np.float32),
        reference=report.single.mean,
    )


def coverage_bands(state: BakeoffState) -> BandsData:
    """pass@k over the problems, against N."""
    n, share = np.array(coverage_by_n(state), float).reshape(-1, 2).T
    return BandsData("N", "share of problems", (BandCurve("coverage (pass@k)", n, share, kind=STRONG),), percent=True)


def difficulty_table(report: BakeoffReport) -> TableData:
    """Accuracy of each rule on each difficulty, as percent."""
    lines = [
        ("coverage", dict(report.coverage_by_difficulty)),
        ("one, taken blindly", dict(report.single_by_difficulty)),
    ]
    lines += [(rule.name, dict(rule.by_difficulty)) for rule in report.rules]
    levels = list(lines[0][1])
    each = min(110, (WIDTH - 240) // max(1, len(levels)))
    columns = [
        TableColumn(level, f"{level} ({lines[0][1][level].count})", each, "Problems of this difficulty.")
        for level in levels
    ]
    rows = [
        {"rule": clipped(name, 240, 1)}
        | {level: percent(shares[level].mean) if level in shares else "" for level in levels}
        for name, shares in lines
    ]
    return TableData((TableColumn("rule", "Rule", 240, pinned=True), *columns), tuple(rows))


def problem_table(state: BakeoffState) -> TableData:
    """One row a problem: what was asked, how many were right, what the first candidate said, which rules chose well."""
    columns = (
        TableColumn("prompt", "Prompt", 200),
        TableColumn("reference", "Reference", 100),
        TableColumn("right", "Right", 66),
        TableColumn("first candidate", "First candidate", 180),
        TableColumn("rules that chose a right one", "Rules that chose a right one", 300),
        TableColumn("kind", "Kind", 110),
        TableColumn("difficulty", "Difficulty", 90),
    )
    prompts = {problem.id: problem for problem in state.plan.problems}
    rows = [
        {
            "prompt": clipped(prompts[outcome.problem].prompt, 200),
            "reference": clipped(prompts[outcome.problem].reference, 100),
            "right": f"{sum(outcome.correct)} of {len(outcome.correct)}",
            "first candidate": clipped(outcome.texts[0] if outcome.texts else "", 180),
            "rules that chose a right one": clipped(", ".join(c.rule for c in outcome.choices if c.correct), 300),
            "kind": outcome.kind,
            "difficulty": outcome.difficulty,
        }
        for outcome in state.outcomes
    ]
    return TableData(columns, tuple(rows), tall=True)
