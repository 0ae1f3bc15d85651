"""What judges said as tables: each setting beside the present one, each judge's leaning, what was called bad."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.charts.table import TableColumn, TableData
from playground.preferences.judges import PositionBias
from playground.preferences.shares import Share
from playground.tuning.jury import Standing


def settings_table(standing: Standing, present: str) -> TableData:
    """Of each setting how much stronger it is than the present one, what was settled, and its share of both bad."""
    fitted, ahead = standing.outlook.fitted, standing.outlook
    rows = []
    for name, bad in standing.both_bad.items():
        verdict = next(
            (pair_verdict for pair, pair_verdict in ahead.verdicts.items() if set(pair) == {name, present}), "open"
        )
        better = present if verdict == "first" else name if verdict == "second" else ""
        difference = "the present one"
        if name != present and fitted is not None:
            estimate, low, high = fitted.difference(name, present)
            difference = f"{estimate:+.2f} ({low:+.2f} to {high:+.2f})"
        said = "" if name == present else f"{better} is preferred" if better else verdict
        rows.append({"name": name, "difference": difference, "said": said, "bad": share_text(bad)})
    columns = (
        TableColumn("name", "Setting", 130, pinned=True),
        TableColumn(
            "difference",
            "Stronger by, ln",
            190,
            "Log strength above the present setting's, with an interval that holds whenever one looks.",
        ),
        TableColumn(
            "said", "Their own votes", 150, "By the votes on these two settings alone, at 95% over all pairs together."
        ),
        TableColumn("bad", "Both bad", 120, "Of the votes on texts of this setting."),
    )
    return TableData(columns, tuple(rows))


def judges_table(judges: Sequence[PositionBias], names: Mapping[str, str]) -> TableData:
    """Of each judge the votes, how many went to the left side, and a word on who always presses the same."""
    rows = tuple(
        {
            "name": names.get(each.voter, each.voter),
            "votes": each.left + each.right + each.undecided,
            "left": "–" if each.share is None else f"{each.share:.0%} of {each.left + each.right}",
            "note": "follows the side" if each.biased else "",
        }
        for each in judges
    )
    columns = (
        TableColumn("name", "Judge", 150, pinned=True),
        TableColumn("votes", "Votes", 80, decimals=0),
        TableColumn(
            "left", "To the left", 140, "Of the decided votes; sides are shuffled, so about half are to be expected."
        ),
        TableColumn(
            "note", "Leaning", 150, "Less than one of a thousand judges without a leaning is so one-sided (exact test)."
        ),
    )
    return TableData(columns, rows)


def share_text(share: Share) -> str:
    """A share with what it is of and its interval."""
    if share.share is None or share.low is None or share.high is None:
        return "–"
    return f"{share.share:.0%} of {share.total} ({share.low:.0%} to {share.high:.0%})"
