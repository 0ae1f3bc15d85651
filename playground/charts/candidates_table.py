"""The tables of Best-of-N as data: candidates, winners, places, figures of a race. Knows no browser, page or data frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from playground.charts.numbers import milliseconds, percent
from playground.charts.table import WIDTH, TableColumn, TableData, clipped
from playground.generation.diversity import repeated_share
from playground.testtime.answers import extract_answers
from playground.testtime.clusters import pooled_distinct_n
from playground.testtime.race import RaceResult
from playground.testtime.ranking import rank_all
from playground.testtime.registry import kind_of
from playground.testtime.rules import Choice
from playground.testtime.types import Candidate, ScoreColumn, ScoredCandidates

SELECT, NUMBER, ANSWER, LEAST_TEXT = 34, 36, 84, 150  # pixels: the box that chooses a row, and columns
SHOWN_RANKS = 10
VERDICTS = {True: "✓ valid", False: "✗ not valid", None: ""}
HEADS = {
    "avg-logprob": "⌀ log p",
    "sum-logprob": "Σ log p",
    "length-norm": "log p / len",
    "lowest-group-confidence": "confidence",
    "self-certainty": "certainty",
}
NAMES = {"avg-logprob": "average", "sum-logprob": "sum"}


def label_of(column: ScoreColumn) -> str:
    """The rule's name for people, with its argument."""
    kind = kind_of(column.spec)
    return f"{kind.label} ({column.spec.argument})" if column.spec.argument else kind.label


# -- candidates ------------------------------------------------------------------------------------------------------


def candidate_table(scored: ScoredCandidates, *, beams_only: bool = False) -> TableData:
    """One row a candidate: number, text, as many scores as fit, answer, ending and verdict; then the rest. Numbers stay numbers.

    ``beams_only``: the beams alone, with their own score first.
    """
    valid = scored.valid()
    judged = (_VALID,) if any(one is not None for one in valid) else ()
    first, later = _score_columns(scored, beams_only, sum(column.width for column in judged))
    taken = (0 if beams_only else SELECT) + NUMBER + sum(column.width for column in (*first, _ENDED, *judged))
    answer = [TableColumn("answer", "Answer", ANSWER, "As extracted and normalised for counting.")]
    answer = answer if any(scored.answers) else []
    text = TableColumn("text", "Text", max(LEAST_TEXT, WIDTH - taken - ANSWER * len(answer)))
    columns = (
        TableColumn("#", "#", NUMBER, decimals=0, pinned=True),
        text,
        *first,
        *answer,
        _ENDED,
        *judged,
        *later,
        *_REST,
    )
    rows = [
        _candidate_row(scored, place, valid[place], text.width)
        for place, one in enumerate(scored.candidates)
        if one.beam_score is not None or not beams_only
    ]
    return TableData(columns, tuple(rows), tall=True)


_ENDED = TableColumn("ended", "Ended", 66, "length: the maximum; eos: the model's own end; stop.")
_VALID = TableColumn("valid", "Valid", 58, "Valid (✓) where every verifier among the rules says so.")
_REST = (
    TableColumn("tokens", "Tokens", 66, decimals=0),
    TableColumn("ms", "Time (ms)", 84, "From the end of the prefill to its last token.", 0),
    TableColumn("made by", "Made by", 130),
)
_ALWAYS = (
    TableColumn("average", "⌀ log p", 62, "Average log-probability, in nats a token.", 3),
    TableColumn("sum", "Σ log p", 68, "Sum of log-probabilities: ln P(answer | prompt), in nats.", 3),
)


def _score_columns(scored: ScoredCandidates, beams: bool, taken: int) -> tuple[list[TableColumn], list[TableColumn]]:
    """The scores that fit beside text, answer, ending and ``taken`` pixels, in the rules' order, and those that do not."""
    always = {column.name: column for column in _ALWAYS}
    wanted = [TableColumn("beam score", "Beam score", 86, decimals=4)] if beams else []
    behind: list[TableColumn] = []
    for column in scored.columns:
        name, kind = NAMES.get(column.label, column.label), kind_of(column.spec)
        head = HEADS.get(column.label, column.label)
        width = min(120, round(6.2 * len(head)) + 22)
        score_column = always.pop(name, None) or TableColumn(name, head, width, f"{kind.label}. {kind.purpose}", 3)
        (behind if column.problem else wanted).append(score_column)
    room = WIDTH - SELECT - NUMBER - LEAST_TEXT - _ENDED.width - taken - (ANSWER if any(scored.answers) else 0)
    first: list[TableColumn] = []
    while wanted and sum(column.width for column in first) + wanted[0].width <= room:
        first.append(wanted.pop(0))
    return first, [*wanted, *behind, *always.values()]


def _candidate_row(scored: ScoredCandidates, place: int, valid: bool | None, width: int) -> dict[str, Any]:
    candidate = scored.candidates[place]
    return {
        "#": candidate.index + 1,
        "average": candidate.avg_logprob,
        "sum": candidate.sum_logprob,
        **{c.label: c.scores[place].value for c in scored.columns if c.label not in NAMES},
        "beam score": candidate.beam_score,
        "answer": clipped((scored.answers[place] if scored.answers else None) or "", ANSWER),
        "text": clipped(candidate.text, width),
        "valid": VERDICTS[valid][:1],
        "ended": candidate.finish_reason,
        "tokens": candidate.n_tokens,
        "ms": candidate.elapsed_ms,
        "made by": candidate.setting or candidate.origin,
    }


def groups_table(groups: Sequence[tuple[str, Sequence[Candidate]]]) -> TableData:
    """Beams beside samples: how likely, how repetitive and how varied the texts of each are."""
    columns = (
        TableColumn("", "", 76),
        TableColumn("average", "⌀ log p", 90, "Average log-probability, in nats a token.", 3),
        TableColumn("repeated 4-grams", "Repeated 4-grams", 140),
        TableColumn("distinct-2", "Distinct-2", 90),
        TableColumn("texts", "Texts", 70, decimals=0),
        TableColumn("tokens", "Tokens each", 104, decimals=1),
    )
    return TableData(columns, tuple(_group_row(name, candidates) for name, candidates in groups))


def _group_row(name: str, candidates: Sequence[Candidate]) -> dict[str, Any]:
    shares = [share for one in candidates if (share := repeated_share(one.keys)) is not None]
    distinct = pooled_distinct_n([one.keys for one in candidates], 2)
    return {
        "": name,
        "average": sum(one.avg_logprob for one in candidates) / len(candidates),
        "repeated 4-grams": percent(sum(shares) / len(shares)) if shares else "–",
        "distinct-2": percent(distinct) if distinct is not None else "–",
        "texts": len(candidates),
        "tokens": sum(one.n_tokens for one in candidates) / len(candidates),
    }


def answers_table(scored: ScoredCandidates, pattern: str) -> TableData:
    """One row a candidate: its answer as it is counted and as it stands in the text."""
    columns = (
        TableColumn("#", "#", NUMBER, decimals=0, pinned=True),
        TableColumn("counted as", "Counted as", 150),
        TableColumn("as it stands", "As it stands", 200),
        TableColumn("note", "Note", 160),
    )
    answers = extract_answers([candidate.text for candidate in scored.candidates], pattern)
    rows = [
        {
            "#": candidate.index + 1,
            "counted as": clipped(answer.key or "", 150),
            "as it stands": clipped(answer.shown or "", 200),
            "note": clipped(answer.note, 160),
        }
        for candidate, answer in zip(scored.candidates, answers, strict=True)
    ]
    return TableData(columns, tuple(rows), tall=True)


# -- rules -------------------------------------------------------------------------------------------------------------


def winners_table(scored: ScoredCandidates, choices: Sequence[tuple[str, Choice]]) -> TableData:
    """One row a rule: its winner with score, answer and text, then verdict and ties."""
    rule, answers = TableColumn("rule", "Rule", 124), any(scored.answers)
    fixed = (
        rule,
        TableColumn("#", "Winner", 66, decimals=0),
        TableColumn("value", "Score", 70),
        *([TableColumn("answer", "Answer", ANSWER + 8)] if answers else []),
    )
    later = (TableColumn("valid", "Valid", 94), TableColumn("tied with", "Tied with", 84))
    text = TableColumn("text", "Text", WIDTH - sum(column.width for column in (*fixed, *later)))
    places = {candidate.index: place for place, candidate in enumerate(scored.candidates)}
    valid, rows = scored.valid(), []
    for name, choice in choices:
        place = None if choice.winner is None else places[choice.winner]
        column = next((c for c in scored.columns if c.label == choice.rule.column), None)
        value = None if column is None or place is None else column.scores[place].value
        tied = choice.ranking.tied if choice.ranking is not None else ()
        rows.append(
            {
                "rule": clipped(name, rule.width),
                "#": None if choice.winner is None else choice.winner + 1,
                "value": "–" if value is None else f"{value:.3f}",
                "answer": clipped((scored.answers[place] if answers and place is not None else None) or "", ANSWER),
                "text": clipped(choice.note if place is None else scored.candidates[place].text, text.width),
                "valid": "" if place is None else VERDICTS[valid[place]],
                "tied with": ", ".join(str(index + 1) for index in tied if index != choice.winner)
                or ("yes" if choice.tied and not tied else ""),
            }
        )
    return TableData((*fixed, text, *later), tuple(rows), tall=True)


def places_table(scored: ScoredCandidates) -> TableData:
    """One row a rule, its first places from left to right; each cell is a candidate's number."""
    shown = min(SHOWN_RANKS, len(scored.candidates))
    columns = [TableColumn(f"{place + 1}", f"{place + 1}.", 40) for place in range(shown)]
    rows = []
    for column, ranking in zip(scored.columns, rank_all(scored), strict=True):
        order = [f"{index + 1}" for index in ranking.order[:shown]]
        cells = order + ["–"] * (shown - len(order))
        rows.append(
            {"rule": clipped(label_of(column), 190, 1)} | {c.name: cell for c, cell in zip(columns, cells, strict=True)}
        )
    return TableData((TableColumn("rule", "Rule", 190, pinned=True), *columns), tuple(rows))


def compare_table(here: ScoredCandidates, there: ScoredCandidates) -> TableData:
    """Each rule's best score and mean, of the present run and of a stored one."""
    names = ("best here", "best there", "mean here", "mean there")
    rows = []
    for column in here.columns:
        (best, mean), (other_best, other_mean) = _best_and_mean(here, column.label), _best_and_mean(there, column.label)
        values = dict(zip(names, (best, other_best, mean, other_mean), strict=True))
        rows.append({"rule": clipped(label_of(column), 190, 1)} | values)
    numbers = tuple(TableColumn(name, name.capitalize(), 98, decimals=3) for name in names)
    return TableData((TableColumn("rule", "Rule", 190, pinned=True), *numbers), tuple(rows))


def _best_and_mean(scored: ScoredCandidates, label: str) -> tuple[float | None, float | None]:
    column = next((c for c in scored.columns if c.label == label), None)
    values = [value for value in (column.values if column else ()) if value is not None and math.isfinite(value)]
    return (max(values), sum(values) / len(values)) if values else (None, None)


# -- the first valid one ---------------------------------------------------------------------------------------------


def race_table(races: Sequence[tuple[str, RaceResult]]) -> TableData:
    """One row a figure, one column an experiment ("race", "retry")."""
    figures: dict[str, Callable[[RaceResult], str]] = {
        "time to first valid": lambda r: "none passed" if r.first_ms is None else milliseconds(r.first_ms),
        "finished": lambda r: f"{len(r.finished):,}",
        "stopped": lambda r: f"{r.stopped:,}",
        "tokens spent": lambda r: f"{r.tokens_spent:,}",
        "wasted": lambda r: f"{r.tokens_wasted:,}",
        "saved by stopping, at most": lambda r: f"{r.tokens_saved:,}",
        "of which checking": lambda r: milliseconds(r.check_ms),
    }
    rows = [{"": name} | {who: figure(result) for who, result in races} for name, figure in figures.items()]
    columns = [TableColumn("", "", 220), *(TableColumn(who, who.capitalize(), 140) for who, _result in races)]
    return TableData(tuple(columns), tuple(rows))
