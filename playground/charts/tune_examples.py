"""How the examples of a plan stand with a model, as a table. Knows no browser, page or data frame."""

from __future__ import annotations

from collections.abc import Sequence

from playground.charts.table import TableColumn, TableData, clipped
from playground.tuning.examples import Example
from playground.tuning.standing import Standing

_PROMPT, _SAID = 300, 380  # pixels
_COLUMNS = (
    TableColumn("#", "#", 40, decimals=0, pinned=True),
    TableColumn("prompt", "Prompt", _PROMPT),
    TableColumn("tokens", "Prompt tokens", 110, "As the model reads it, the chat template included.", decimals=0),
    TableColumn("reference", "Reference tokens", 130, decimals=0),
    TableColumn(
        "said", "Its reference under its own checks", _SAID, "A reference that fails its own check is no target."
    ),
)


def standing_table(examples: Sequence[Example], standings: Sequence[Standing], problems: Sequence[str]) -> TableData:
    """One row an example; ``problems``: what keeps each from being run, "" for nothing."""
    rows = [
        {
            "#": number,
            "prompt": clipped(example.prompt, _PROMPT),
            "tokens": standing.prompt_tokens,
            "reference": standing.reference_tokens if example.reference else None,
            "said": clipped(problem or reference_words(example, standing), _SAID),
        }
        for number, (example, standing, problem) in enumerate(zip(examples, standings, problems, strict=True), 1)
    ]
    return TableData(_COLUMNS, tuple(rows), tall=True)


def reference_words(example: Example, standing: Standing) -> str:
    """What the example's checks say of its reference, in a few words."""
    if not example.reference:
        return "no reference" if example.checks else "no reference, no check"
    if not example.checks:
        return "no check"
    failed = [each for each in standing.checks if each.passed is False]
    unknown = [each for each in standing.checks if each.passed is None]
    if not failed and not unknown:
        return f"passes {'its check' if len(standing.checks) == 1 else f'all {len(standing.checks)}'}"
    parts = [f"✗ fails {each.check}" + (f" ({each.note})" if each.note else "") for each in failed]
    parts += [f"? {each.check}: {each.note or 'not found out'}" for each in unknown]
    return "; ".join(parts)
