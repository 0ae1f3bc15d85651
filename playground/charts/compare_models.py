"""Other models beside the one in use, after the same text: their bars, how far they are from it, what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.charts.compare import NOW, CompareData, shown_tokens
from playground.charts.numbers import percent, scientific
from playground.engine.text.display import glyphs
from playground.inspection.alignment import align
from playground.inspection.compared import ModelComparison, ModelRow, outcome_text
from playground.inspection.distances import Bounds, outcome_row
from playground.models.info import ModelInfo, or_unknown
from playground.numerics import top_ids

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """One model's bars: its row, and (vocab,) final probabilities; None where the engine tells the row in part."""

    read: ModelRow
    final_probs: npt.NDArray[np.floating] | None


def models_data(now: Mapping[str, Bars], beside: Mapping[str, Bars]) -> CompareData:
    """The likeliest tokens of any, by text: "now" and its pinned settings first, then the models beside.

    Of a row that is told in part the raw probabilities stand, as far as they are told.
    """
    all_bars = {**now, **beside}
    own = now[NOW].read
    outcomes = align([(each.read.codec, each.read.row.vocab_size) for each in (now[NOW], *beside.values())])
    numbers = {**dict.fromkeys(now, 0), **{name: place for place, name in enumerate(beside, 1)}}
    rows = np.stack(
        [
            outcome_row(bars.read.row, outcomes, numbers[name]).probs
            if bars.final_probs is None
            else outcomes.project(bars.final_probs, numbers[name])
            for name, bars in all_bars.items()
        ]
    )  # (settings, outcomes)
    best = rows.max(axis=0)
    ids = [int(outcome) for outcome in top_ids(best, shown_tokens(len(all_bars))) if best[outcome] > 0]
    reads = (own, *(bars.read for bars in beside.values()))
    labels = tuple(glyphs(outcome_text(outcomes, outcome, reads)) for outcome in ids)
    return CompareData(tuple(all_bars), labels, rows[:, ids].astype(np.float32))


def models_table(now: ModelRow, beside: Mapping[str, tuple[ModelRow, ModelComparison]]) -> pandas.DataFrame:
    """One row a model: how far it is from the one in use before any sampler, its size, and how fast it read."""
    import pandas as pd  # only a table needs it

    rows = [
        _cells("Now", now, None),
        *(_cells(letter, read, comparison) for letter, (read, comparison) in beside.items()),
    ]
    return pd.DataFrame(rows)


def _cells(letter: str, read: ModelRow, comparison: ModelComparison | None) -> dict[str, str]:
    gaps, info, speed, tokens = (
        None if comparison is None else comparison.distances,
        read.info,
        read.tokens_per_s,
        read.read_tokens,
    )
    return {
        "": letter,
        "format": or_unknown(info.dtype),
        "where": where(info),
        "KL(now ‖ it)": "" if gaps is None else figure(gaps.kl_pq),
        "total variation": "" if gaps is None else figure(gaps.total_variation, share=True),
        "weights": "unknown" if info.weights_bytes is None else f"{info.weights_bytes / 1e9:.2f} GB",
        "read in": f"{read.row.elapsed_ms:.0f} ms" + (f" for {tokens:,}" if tokens else ""),
        "tokens/s": "" if speed is None else f"{speed:,.0f}",
        "KL(it ‖ now)": "" if gaps is None else figure(gaps.kl_qp),
        "Jensen–Shannon": "" if gaps is None else figure(gaps.jensen_shannon),
        "model": info.name,
    }


def where(info: ModelInfo) -> str:
    """The device, or the kind of server."""
    return or_unknown(info.device) if info.server is None else info.server.kind


def figure(bounds: Bounds | None, *, share: bool = False) -> str:
    """A distance in four digits, as a share for the total variation; what is not defined or told is said."""
    if bounds is None:
        return "other vocabulary"
    write = percent if share else _nats
    if bounds.exact:
        return write(bounds.low)
    return f"≥ {write(bounds.low)}" if bounds.high is None else f"{write(bounds.low)} to {write(bounds.high)}"


def _nats(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:.4f}" if value >= 0.0001 or value == 0 else scientific(value)


def comparison_sentence(letter: str, read: ModelRow, comparison: ModelComparison) -> str:
    """What lies between the model in use and one beside it, in words; plain text."""
    gaps, info = comparison.distances, read.info
    named = f"{info.name} in {or_unknown(info.dtype)} ({where(info)})"
    if comparison.same_vocabulary:
        distance = f"KL(now ‖ {letter}) = {figure(gaps.kl_pq)} nats"
    else:
        distance = (
            f"another vocabulary, so tokens are compared by their text: {percent(gaps.only_p)} of now and "
            f"{percent(gaps.only_q)} of {letter} have no token in the other, and KL is not defined"
        )
    moved = ", ".join(f"{glyphs(each.text)} {percent(each.p)} → {percent(each.q)}" for each in comparison.moved[:3])
    largest = f" Largest differences: {moved}." if moved else " The two are the same."
    return f"{letter}, {named}: {distance}; total variation {figure(gaps.total_variation, share=True)}.{largest}"
