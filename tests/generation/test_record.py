"""Drawing for many rows at once against drawing for each by itself, and each figure of the record by its definition."""

from __future__ import annotations

import numpy as np
import pytest

from playground.generation.record import RowInput, draw_rows
from playground.sampling.chain import examine
from playground.sampling.context import SamplingContext
from playground.sampling.draw import draw_token
from playground.sampling.settings import SamplerSettings

VOCAB = 3000
SETTINGS = (
    SamplerSettings(),
    SamplerSettings(temperature=0.7),
    SamplerSettings(temperature=1.6),
    SamplerSettings(temperature=0.0),
    SamplerSettings(temperature=0.9, top_p=0.8),
    SamplerSettings(repetition_penalty=1.5, top_k=300),
    SamplerSettings(dynatemp_range=0.5),
)


def some_logits(kind: str, rows: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    wide = {"peaked": 6.0, "flat": 0.05, "tied": 3.0, "holes": 4.0}[kind]
    logits = rng.standard_normal((rows, VOCAB)).astype(np.float32) * wide
    if kind == "tied":
        logits = np.round(logits)  # thousands of equals, also where the head ends
    if kind == "holes":
        logits[:, ::2] = -np.inf
    return logits


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda one: str(one.to_mapping()))
@pytest.mark.parametrize("kind", ["peaked", "flat", "tied", "holes"])
def test_together_is_as_alone_and_the_record_is_true(kind: str, settings: SamplerSettings) -> None:
    logits = some_logits(kind, 40)
    logits.flags.writeable = False
    us = [*np.random.default_rng(1).random(37), 0.0, 0.5, 1 - 2.0**-53]
    context = SamplingContext(prompt_ids=(1, 2), generated_ids=(5, 9))
    rows = [RowInput(settings, context, float(u), 12) for u in us]
    together = draw_rows(logits, rows)
    for row, drawn in enumerate(together):
        assert drawn == draw_rows(logits[row : row + 1], [rows[row]])[0]
        examined = examine(logits[row], settings, prompt_ids=(1, 2), generated_ids=(5, 9), u=us[row])
        assert drawn.draw == draw_token(examined.trace.final_probs, us[row])
        token = drawn.draw.id
        order = np.lexsort((np.arange(VOCAB), -logits[row]))
        assert drawn.rank == int(np.flatnonzero(order == token)[0])
        assert [other.id for other in drawn.top] == order[:12].tolist()
        assert drawn.kept == np.count_nonzero(examined.trace.final_logits > -np.inf)
        exact = logits[row].astype(np.float64)
        exact -= np.log(np.exp(exact - exact.max()).sum()) + exact.max()
        assert drawn.raw_logprob == pytest.approx(exact[token], abs=1e-4)
        alive = np.isfinite(exact)
        assert drawn.entropy == pytest.approx(-(np.exp(exact[alive]) * exact[alive]).sum(), abs=1e-3)
