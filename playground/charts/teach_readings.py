"""One prompt read in several ways, as raw text or in a chat template: bars, distances, and what the template adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from playground.charts.compare import NOW, CompareData
from playground.charts.compare_models import Bars, figure, models_data
from playground.charts.numbers import choices, percent
from playground.charts.palette import BESIDE, FINAL, RAW
from playground.charts.table import TableColumn, TableData, clipped
from playground.charts.token_strip import StripToken
from playground.engine.text.display import glyphs
from playground.inspection.alignment import align
from playground.inspection.compared import ModelRow, compare_rows, outcome_text
from playground.inspection.distances import outcome_row
from playground.inspection.template import TemplateToken
from playground.numerics import top_ids

COLOURS = (RAW, FINAL, BESIDE["X"], BESIDE["Y"])
ROUNDING = 1e-8  # nats: float32 passes of another size differ by some 1e-11
_MODEL, _LIKELIEST = 130, 160  # pixels
_COLUMNS = (
    TableColumn("reading", "Read as", 90, pinned=True),
    TableColumn("likeliest", "Likeliest first token", _LIKELIEST),
    TableColumn("kl", "KL(first ‖ it), nats", 135, "From the first row's distribution to this one's."),
    TableColumn("choices", "exp H", 70, "Effective choices: how many equally likely tokens would be as uncertain."),
    TableColumn("tokens", "Tokens read", 94, decimals=0),
    TableColumn("model", "Model", _MODEL),
)


def readings_data(reads: Mapping[str, ModelRow]) -> CompareData:
    """The likeliest first tokens of up to four readings, by their names; raw probabilities."""
    names = list(reads)[: len(COLOURS)]
    first, *others = names
    compared = models_data({NOW: Bars(reads[first], None)}, {name: Bars(reads[name], None) for name in others})
    return replace(compared, settings=tuple(names), colours=COLOURS[: len(names)])


def readings_table(reads: Mapping[str, ModelRow]) -> TableData:
    """One row a reading: what comes first, how sure that is, how far it is from the first reading's distribution."""
    first, rows = next(iter(reads.values())), list[dict[str, object]]()
    for name, read in reads.items():
        outcomes = align([(read.codec, read.row.vocab_size)])
        row = outcome_row(read.row, outcomes, 0)
        (best,) = top_ids(row.probs, 1)
        likeliest = f"{glyphs(outcome_text(outcomes, int(best), (read,)))} {percent(float(row.probs[best]))}"
        gaps = None if read is first else compare_rows(first, read).distances
        rows.append(
            {
                "reading": name,
                "likeliest": clipped(likeliest, _LIKELIEST, 1),
                "kl": "" if gaps is None else figure(gaps.kl_pq),
                "choices": _choices(row.probs) if row.shown.all() else "not told",
                "tokens": len(read.row.ids),
                "model": clipped(read.info.name, _MODEL, 1),
            }
        )
    return TableData(_COLUMNS, tuple(rows))


def _choices(probs: npt.NDArray[np.float64]) -> str:
    some = probs[probs > 0]
    return choices(float(-(some * np.log(some)).sum()))


def distance_sentence(name: str, first: ModelRow, other_name: str, other: ModelRow) -> str:
    """How far two readings are apart, and which tokens make it so; plain text."""
    comparison = compare_rows(first, other)
    moved = ", ".join(f"{glyphs(each.text)} {percent(each.p)} → {percent(each.q)}" for each in comparison.moved[:3])
    same = f"{name} and {other_name} give the same first token with the same probabilities"
    if not moved:
        return f"{same}."
    kl = comparison.distances.kl_pq
    if kl is not None and kl.high is not None and kl.high < ROUNDING:
        return f"{same}, but for rounding: a pass with other texts or threads beside adds in another order."
    distance = (
        f"KL({name} ‖ {other_name}) = {figure(comparison.distances.kl_pq)} nats"
        if comparison.same_vocabulary
        else (f"total variation {figure(comparison.distances.total_variation, share=True)}")
    )
    return f"{distance}. From {name} to {other_name} the largest differences are {moved}."


def template_strip(tokens: Sequence[TemplateToken]) -> list[StripToken]:
    """The message as it is read: typed tokens underlined, the template's own as they are, each with its reason."""
    strip = []
    for token in tokens:
        shown = glyphs(token.text) or "␀"
        kind = ("special" if token.text.startswith("⟨") else "prompt") if token.added else "step"
        lines = (f"{shown}  ·  id {token.id}", f"added · {token.about}" if token.added else "typed")
        strip.append(StripToken(shown, ", ".join(lines), kind, lines, breaks=token.text.endswith("\n")))
    return strip
