"""What settings are measured to be, as tables with intervals: of all prompts, and by tag."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from playground.charts.table import TableColumn, TableData, clipped
from playground.tuning.decision import Findings
from playground.tuning.measures import Measure
from playground.tuning.plan import CONTROL
from playground.tuning.statistics import Interval

SETTING = "setting"
_LABEL, _CELL = 190, 150  # pixels


def value_text(value: float | None, unit: str) -> str:
    """A measure's value with its unit; a share has none, and tokens are said by the measure's name."""
    if value is None or math.isnan(value):
        return "no value"
    if unit == "share":
        return f"{value:.2f}"
    return f"{value:.3g}" if unit == "tokens" else f"{value:.3g} {unit}"


def interval_text(interval: Interval, unit: str) -> str:
    """The mean, and its 95% bounds where there are any."""
    write = "{:.2f}" if unit == "share" else "{:.3g}"
    bounds = (
        ""
        if interval.low is None or interval.high is None
        else f" ({write.format(interval.low)} to {write.format(interval.high)})"
    )
    return value_text(interval.mean, unit) + bounds


def arm_text(arm: str, present: str) -> str:
    """How an arm is called: the control and the present setting are marked, unless its name says so."""
    if arm == CONTROL:
        return f"{arm}: {present} again"
    return f"{arm} (today)" if arm == present and arm.lower() not in ("today", "present") else arm


def results_table(findings: Findings, measures: Sequence[Measure], arms: Sequence[str]) -> TableData:
    """A row a setting, a column a measure, each with its definition and blind spot on hover."""
    columns = [
        TableColumn(SETTING, "Setting", _LABEL, "The control is a second run of the present setting.", pinned=True)
    ]
    for own in measures:
        side = {1: "More is better.", -1: "Less is better.", 0: "More is neither better nor worse."}[own.better]
        about = f"{own.definition} {side} Blind spot: {own.blind_spot}"
        columns.append(TableColumn(own.name, own.name, _CELL, about))
    rows = [
        {SETTING: clipped(arm_text(arm, arms[0]), _LABEL, 1)}
        | {own.name: interval_text(findings.intervals[arm][own.name], own.unit) for own in measures}
        for arm in arms
    ]
    return TableData(tuple(columns), tuple(rows))


def slices_table(
    measure: Measure, arms: Sequence[str], slices: Mapping[str, tuple[int, Sequence[Interval]]]
) -> TableData:
    """A row a setting, a column a tag: prompts with it, and the interval of each arm among them."""
    columns = [TableColumn(SETTING, "Setting", _LABEL, pinned=True)]
    columns += [
        TableColumn(tag, f"{clipped(tag, 100, 1)} ({prompts})", _CELL, f"Prompts with the tag {tag}: {prompts}.")
        for tag, (prompts, _intervals) in slices.items()
    ]
    rows = [
        {SETTING: clipped(arm_text(arm, arms[0]), _LABEL, 1)}
        | {tag: interval_text(intervals[place], measure.unit) for tag, (_prompts, intervals) in slices.items()}
        for place, arm in enumerate(arms)
    ]
    return TableData(tuple(columns), tuple(rows))
