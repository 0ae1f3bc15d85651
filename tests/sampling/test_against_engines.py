"""The samplers transformers lacks, against slow plain-Python versions of llama.cpp's and vLLM's rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import updated_mu
from tests.sampling import reference_engines as engines
from tests.sampling.rows import make_context, make_rows

ROWS = {f"{kind} {vocab}": row for vocab in (5, 300) for kind, row in make_rows(vocab, seed=vocab + 7).items()}
row_cases = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


def check(row: np.ndarray, chosen: SamplerSettings, expected: list[float], context: SamplingContext) -> None:
    trace = trace_row(row, chosen, context)
    assert np.array_equal(np.isneginf(trace.final_logits), np.isneginf(expected))
    np.testing.assert_allclose(trace.final_probs, engines.softmax(expected), atol=1e-6, rtol=0)


@row_cases
@pytest.mark.parametrize(("frequency", "presence"), [(0.4, 0.0), (0.0, 1.5), (0.7, 0.3), (-1.0, -0.5)])
def test_frequency_and_presence_penalties(row: np.ndarray, frequency: float, presence: float) -> None:
    context = make_context(len(row), 30, seed=4)
    expected = engines.vllm_penalties(row.tolist(), context.generated_ids, frequency, presence)
    check(row, SamplerSettings(frequency_penalty=frequency, presence_penalty=presence), expected, context)


def test_penalties_count_generated_tokens_only() -> None:
    row = np.zeros(4, dtype=np.float32)
    trace = trace_row(row, SamplerSettings(frequency_penalty=1.0), SamplingContext((0, 0, 0), (1, 1, 2)))
    assert trace.final_logits.tolist() == [0.0, -2.0, -1.0, 0.0]


@row_cases
@pytest.mark.parametrize("n", [0.3, 1.0, 2.5])
def test_top_n_sigma(row: np.ndarray, n: float) -> None:
    check(row, SamplerSettings(top_n_sigma=n), engines.llama_top_n_sigma(row.tolist(), n), SamplingContext(()))


@row_cases
@pytest.mark.parametrize("threshold", [0.0001, 0.003, 0.1, 0.3, 0.5, 0.6])
@pytest.mark.parametrize("u", [0.2, 0.5, 0.7])
def test_xtc(row: np.ndarray, threshold: float, u: float) -> None:
    expected = engines.llama_xtc(row.tolist(), 0.5, threshold, u)
    chosen = SamplerSettings(xtc_probability=0.5, xtc_threshold=threshold)
    check(row, chosen, expected, SamplingContext((), xtc_u=u))


@row_cases
@pytest.mark.parametrize(("temperature", "spread", "exponent"), [(1.0, 0.5, 1.0), (0.7, 1.0, 2.0), (1.5, 0.3, 0.5)])
def test_dynatemp(row: np.ndarray, temperature: float, spread: float, exponent: float) -> None:
    expected = engines.llama_dynatemp(row.tolist(), temperature, spread, exponent)
    chosen = SamplerSettings(temperature=temperature, dynatemp_range=spread, dynatemp_exponent=exponent)
    check(row, chosen, expected, SamplingContext(()))


@row_cases
@pytest.mark.parametrize("mu", [None, -1.0, 0.5, 2.0, 9.0])
def test_mirostat(row: np.ndarray, mu: float | None) -> None:
    expected = engines.llama_mirostat_v2(row.tolist(), 6.0 if mu is None else mu)
    check(row, SamplerSettings(mirostat_tau=3.0), expected, SamplingContext((), mirostat_mu=mu))


def test_mirostat_moves_its_ceiling_towards_the_target() -> None:
    assert updated_mu(None, 5.0, tau=3.0, eta=0.1) == pytest.approx(6.0 - 0.1 * 2.0)
    assert updated_mu(4.0, 1.0, tau=3.0, eta=0.1) == pytest.approx(4.0 + 0.1 * 2.0)
    assert updated_mu(4.0, 3.0, tau=3.0, eta=0.1) == 4.0


@settings(max_examples=150, deadline=None)
@given(
    ids=st.lists(st.integers(0, 4), max_size=40),
    split=st.integers(0, 40),
    allowed=st.integers(1, 4),
    base=st.sampled_from([1.0, 1.1, 1.75, 3.0]),
    breakers=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple), max_size=3, unique=True),
)
def test_dry(ids: list[int], split: int, allowed: int, base: float, breakers: list[tuple[int, ...]]) -> None:
    row = np.linspace(-1, 1, 6, dtype=np.float32)
    expected = engines.llama_dry(row.tolist(), ids, 0.8, base, allowed, breakers)
    context = SamplingContext(tuple(ids[:split]), tuple(ids[split:]), dry_breakers=tuple(breakers))
    chosen = SamplerSettings(dry_multiplier=0.8, dry_base=base, dry_allowed_length=allowed)
    trace = trace_row(row, chosen, context)
    np.testing.assert_allclose(trace.final_logits, expected, rtol=1e-5)


def test_dry_worked_example() -> None:
    """In a b c ... a b the token c would extend a repeat of length 2; a break in between forgets it."""
    row = np.zeros(6, dtype=np.float32)
    chosen = SamplerSettings(dry_multiplier=0.8, dry_base=1.75, dry_allowed_length=2)
    repeated = (0, 1, 2, 5, 0, 1)
    assert trace_row(row, chosen, SamplingContext(repeated)).final_logits.tolist() == pytest.approx(
        [0, 0, -0.8, 0, 0, 0]
    )
    broken = SamplingContext(repeated, dry_breakers=((1,),))
    assert trace_row(row, chosen, broken).final_logits.tolist() == [0] * 6


def test_dry_stays_finite_and_quick_on_one_endless_token() -> None:
    row = np.zeros(3, dtype=np.float32)
    trace = trace_row(row, SamplerSettings(dry_multiplier=5, temperature=0.05), SamplingContext((1,) * 2000))
    assert np.isfinite(trace.final_logits).all()
    assert trace.final_probs[1] == 0 and trace.stages[0].removed == 0
