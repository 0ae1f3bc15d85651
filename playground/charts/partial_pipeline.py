"""From stage to stage on a row that is listed in part: what is certain of each, and what lies open."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from playground.charts.numbers import choices, percent_between
from playground.charts.partial_compare import counts
from playground.charts.pipeline import BANDS, PipelineData, params_words
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.partial_chain import PartialNext, PartialTrace

if TYPE_CHECKING:
    import pandas

PARTIAL_COLUMNS = ("stage", "values", "known", "kept", "removed", "H, nats", "exp H", "why")
WORDS = {"exact": "exact", "bounded": "bounded", "unknown": "not known"}


def partial_pipeline_data(view: PartialNext, codec: TextCodec) -> PipelineData:
    """The likeliest tokens followed through every stage by their lower bounds."""
    trace = view.trace
    rows = [trace.raw, *(stage.row for stage in trace.stages)]
    lows = [np.zeros(len(trace.raw.ids)) if row is None else row.probabilities()[0] for row in rows]
    rest = np.array([0.0 if row is None else row.rest_probability()[0] for row in rows])
    columns = np.stack([low[:BANDS] for low in lows], axis=1)  # (tokens, columns)
    others = np.array([low[BANDS:].sum() for low in lows])
    left_open = np.clip(1.0 - columns.sum(axis=0) - others - rest, 0.0, 1.0)
    left_open[left_open < 2e-6] = 0.0
    words = ["exact", *(WORDS[stage.verdict] for stage in trace.stages)]
    return PipelineData(
        columns=("Raw", *(stage.label for stage in trace.stages)),
        tokens=tuple(glyphs(codec.piece(int(token), view.ids[-CONTEXT_TAIL:])) for token in trace.raw.ids[:BANDS]),
        probabilities=columns.astype(np.float32),
        others=others.astype(np.float32),
        kept=tuple(words),
        not_told=rest.astype(np.float32),
        open=left_open.astype(np.float32),
    )


def partial_stage_table(trace: PartialTrace) -> pandas.DataFrame:
    """One row a stage, the raw distribution first."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    raw = trace.raw
    rows = [("Raw", "", "exact", f"{raw.vocab_size:,}", "–", *_entropy(raw.entropy()), "")]
    for stage in trace.stages:
        removed = "not known" if stage.row is None else percent_between(*stage.removed_mass)
        values = (params_words(stage.params), WORDS[stage.verdict], counts(stage.kept), removed)
        rows.append((stage.label, *values, *_entropy(stage.entropy), stage.why))
    return pd.DataFrame(rows, columns=list(PARTIAL_COLUMNS))


def _entropy(bounds: tuple[float, float]) -> tuple[str, str]:
    if math.isinf(bounds[1]):
        return "not known", "not known"
    pairs = [(f"{bound:.3f}" for bound in bounds), (choices(bound) for bound in bounds)]
    words = [low if low == high else f"{low} to {high}" for low, high in pairs]
    return words[0], words[1]
