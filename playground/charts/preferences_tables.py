"""What voters said as tables: how two of them agree, and how each uses a scale of scores."""

from __future__ import annotations

from playground.charts.table import TableColumn, TableData
from playground.preferences.agreement import Agreement
from playground.preferences.scores import ScoresCompared


def kappa_table(agreement: Agreement, most: int = 50) -> TableData:
    """Cohen's kappa of every two voters who share comparisons."""
    rows = tuple(
        {"one": one, "other": other, "kappa": "undefined" if kappa is None else f"{kappa:.2f}"}
        for one, other, kappa in agreement.cohen[:most]
    )
    columns = (
        TableColumn("one", "Voter", 180, pinned=True),
        TableColumn("other", "and voter", 180),
        TableColumn("kappa", "Cohen's kappa", 140, "1 is full agreement, 0 what chance would give."),
    )
    return TableData(columns, rows)


def scores_table(compared: ScoresCompared) -> TableData:
    """Each voter's use of the scale from 1 to 7."""
    rows = tuple(
        {"voter": each.voter, "count": each.count, "mean": each.mean, "deviation": each.deviation}
        for each in compared.voters
    )
    columns = (
        TableColumn("voter", "Voter", 180, pinned=True),
        TableColumn("count", "Answers scored", 130, decimals=0),
        TableColumn("mean", "Mean score", 120, decimals=2),
        TableColumn("deviation", "Spread", 120, "Standard deviation of the voter's scores.", decimals=2),
    )
    return TableData(columns, rows)
