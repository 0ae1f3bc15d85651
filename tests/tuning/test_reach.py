"""Reach along a reference is what the chain says at each of its tokens, one row at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.sampling.truncation import updated_mu
from playground.tuning.reach import Forbidden, reach_along
from tests.tuning.settings import OTHERS, TRUNCATIONS, rows_and_reference, some_settings

PROMPT = (1, 2, 3, 2)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), some_settings(TRUNCATIONS | OTHERS))
def test_it_is_the_trace_of_each_row(seed: int, chosen: SamplerSettings) -> None:
    rows, reference = rows_and_reference(seed, vocab=20, length=6)
    reach = reach_along([rows[:1], rows[1:]], PROMPT, reference, chosen)
    for place, token in enumerate(reference):
        trace = trace_row(rows[place], chosen, SamplingContext(PROMPT, reference[:place]))
        p = float(trace.final_probs[token])
        alive = bool(trace.final_logits[token] > -np.inf)
        assert reach.kept[place] == alive
        index = int(trace.removed_by[token])
        assert reach.removed_by[place] == (trace.stages[index].name if index >= 0 else None)
        if p > 1e-30:
            assert reach.logprobs[place] == pytest.approx(math.log(p), abs=1e-4)
        if trace.raw_probs[token] > 1e-30:
            assert reach.raw_logprobs[place] == pytest.approx(float(trace.raw_logprobs[token]), abs=1e-4)
        assert math.log(reach.choices[place]) == pytest.approx(trace.final_entropy, abs=1e-4)
    assert reach.kept_share == reach.kept.mean()
    first = reach.first_forbidden
    assert (first is None) == bool(reach.kept.all())
    if first is not None:
        place = reach.kept.tolist().index(False)
        assert first == Forbidden(place, reference[place], reach.removed_by[place])


def test_xtc_is_a_mixture_of_its_two_sides() -> None:
    row = np.log(np.array([[0.5, 0.3, 0.2]], dtype=np.float32))
    sometimes = SamplerSettings(xtc_probability=0.25, xtc_threshold=0.25)
    assert np.exp(reach_along([row], (), (0,), sometimes).logprobs[0]) == pytest.approx(0.75 * 0.5)
    assert np.exp(reach_along([row], (), (1,), sometimes).logprobs[0]) == pytest.approx(0.75 * 0.3 + 0.25 * 0.3 / 0.5)
    always = reach_along([row], (), (0,), SamplerSettings(xtc_probability=1, xtc_threshold=0.25))
    assert always.first_forbidden == Forbidden(0, 0, "xtc")
    with_top_k = SamplerSettings(xtc_probability=0.5, xtc_threshold=0.1, top_k=2)
    assert reach_along([row], (), (2,), with_top_k).removed_by == ("top_k",)


def test_mirostats_ceiling_moves_along_the_reference() -> None:
    rows, reference = rows_and_reference(5, vocab=20, length=6)
    chosen = SamplerSettings(mirostat_tau=3, mirostat_eta=0.4)
    reach = reach_along([rows], PROMPT, reference, chosen)
    mu: float | None = None
    for place, token in enumerate(reference):
        trace = trace_row(rows[place], chosen, SamplingContext(PROMPT, reference[:place], mirostat_mu=mu))
        p = float(trace.final_probs[token])
        assert np.exp(reach.logprobs[place]) == pytest.approx(p, abs=1e-5)
        if p:
            mu = updated_mu(mu, -math.log2(p), tau=3, eta=0.4)


def test_what_the_model_itself_excludes_is_said() -> None:
    row = np.array([[0.0, -np.inf, 1.0]], dtype=np.float32)
    reach = reach_along([row], (), (1,), NEUTRAL)
    assert reach.first_forbidden == Forbidden(0, 1, None) and reach.raw_logprobs[0] == -np.inf


@pytest.mark.parametrize(
    ("rows", "reference", "said"),
    [
        (np.zeros((1, 3)), (), "no token"),
        (np.zeros((1, 3)), (1, 2), "1 rows do not fit"),
        (np.zeros((3, 3)), (1, 2), "More rows than"),
        (np.zeros((1, 3)), (3,), "not one of the model's 3"),
        (np.full((1, 3), np.nan), (1,), "NaN"),
    ],
)
def test_what_does_not_fit_is_refused(rows: np.ndarray, reference: tuple[int, ...], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        reach_along([rows.astype(np.float32)], (), reference, NEUTRAL)
