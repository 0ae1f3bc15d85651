"""The samplers transformers lacks, against slow plain-Python versions of llama.cpp's and vLLM's rules, one token at a time.

Those are written from the rules and share nothing with the package: lists and ``math`` only. A row is a list of floats, -inf for
a removed token; engines that physically shorten their candidate list are imitated by leaving such tokens out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.settings import SamplerSettings
from playground.sampling.truncation import updated_mu
from tests.sampling.rows import make_context, make_rows

Row = list[float]
REMOVED = -math.inf


def alive(row: Sequence[float]) -> list[int]:
    return [i for i, z in enumerate(row) if z != REMOVED]


def softmax(row: Sequence[float]) -> Row:
    top = max(row)
    weights = [math.exp(z - top) if z != REMOVED else 0.0 for z in row]
    total = math.fsum(weights)
    return [w / total for w in weights]


def entropy(row: Sequence[float]) -> float:
    return -math.fsum(p * math.log(p) for p in softmax(row) if p > 0)


def vllm_penalties(row: Sequence[float], generated: Sequence[int], frequency: float, presence: float) -> Row:
    result = list(row)
    for i in range(len(row)):
        count = sum(1 for token in generated if token == i)
        if count:
            result[i] -= frequency * count
            result[i] -= presence
    return result


def llama_top_n_sigma(row: Sequence[float], n: float) -> Row:
    ids = alive(row)
    if n <= 0 or len(ids) <= 1:
        return list(row)
    mean = math.fsum(row[i] for i in ids) / len(ids)
    deviation = math.sqrt(math.fsum((row[i] - mean) ** 2 for i in ids) / len(ids))
    limit = max(row) - n * deviation
    return [z if z >= limit else REMOVED for z in row]


def llama_xtc(row: Sequence[float], probability: float, threshold: float, u: float) -> Row:
    ids = alive(row)
    if probability <= 0 or threshold > 0.5 or len(ids) < 2 or u > probability:
        return list(row)
    probs = softmax(row)
    descending = sorted(ids, key=lambda i: (-probs[i], i))
    last = 0
    for place, i in enumerate(descending):
        if probs[i] >= threshold:
            last = place
        else:
            break
    result = list(row)
    for i in descending[:last]:
        result[i] = REMOVED
    return result


def llama_dynatemp(row: Sequence[float], temperature: float, spread: float, exponent: float) -> Row:
    ids = alive(row)
    low, high = max(0.0, temperature - spread), temperature + spread
    if len(ids) <= 1:
        return list(row)
    share = entropy(row) / math.log(len(ids))
    effective = low + (high - low) * share**exponent
    if effective <= 0:
        best = max(ids, key=lambda i: (row[i], -i))
        return [z if i == best else REMOVED for i, z in enumerate(row)]
    return [z / effective for z in row]


def llama_mirostat_v2(row: Sequence[float], mu: float) -> Row:
    probs = softmax(row)
    descending = sorted(alive(row), key=lambda i: (-probs[i], i))
    size = len(descending)
    for place, i in enumerate(descending):
        if probs[i] == 0 or -math.log2(probs[i]) > mu:
            size = place
            break
    kept = set(descending[: max(1, size)])
    return [z if i in kept else REMOVED for i, z in enumerate(row)]


def llama_dry(
    row: Sequence[float],
    ids: Sequence[int],
    multiplier: float,
    base: float,
    allowed: int,
    breakers: Sequence[Sequence[int]] = (),
) -> Row:
    """Compare every earlier position with the end of the text, token by token; no clever string algorithm."""
    result = list(row)
    if multiplier == 0 or base < 1 or len(ids) <= allowed:
        return result
    limit = len(ids)
    for back in range(len(ids)):
        start = len(ids) - 1 - back
        fits = [len(b) for b in breakers if len(b) and list(ids[start : start + len(b)]) == list(b)]
        if fits:
            limit = back - (max(fits) - 1)
            break
    if limit < allowed:
        return result
    longest: dict[int, int] = {}
    for end in range(len(ids) - 1):
        length = 0
        while length < limit and end - length >= 0 and ids[end - length] == ids[len(ids) - 1 - length]:
            length += 1
        if length >= allowed:
            longest[ids[end + 1]] = max(length, longest.get(ids[end + 1], 0))
    largest_exponent = int(88.7228391 / math.log(base)) if base > 1.000001 else 0
    for token, length in longest.items():
        if [token] in [list(b) for b in breakers] or token >= len(row):
            continue
        power = length - allowed
        if largest_exponent > 0:
            power = min(power, largest_exponent)
        result[token] -= multiplier * base**power
    return result


# -- held against them -------------------------------------------------------------------------------------------------

ROWS = {f"{kind} {vocab}": row for vocab in (5, 300) for kind, row in make_rows(vocab, seed=vocab + 7).items()}
row_cases = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())


def check(row: np.ndarray, chosen: SamplerSettings, expected: list[float], context: SamplingContext) -> None:
    trace = trace_row(row, chosen, context)
    assert np.array_equal(np.isneginf(trace.final_logits), np.isneginf(expected))
    np.testing.assert_allclose(trace.final_probs, softmax(expected), atol=1e-6, rtol=0)


@row_cases
@pytest.mark.parametrize(("frequency", "presence"), [(0.4, 0.0), (0.0, 1.5), (0.7, 0.3), (-1.0, -0.5)])
def test_frequency_and_presence_penalties(row: np.ndarray, frequency: float, presence: float) -> None:
    context = make_context(len(row), 30, seed=4)
    expected = vllm_penalties(row.tolist(), context.generated_ids, frequency, presence)
    check(row, SamplerSettings(frequency_penalty=frequency, presence_penalty=presence), expected, context)


def test_penalties_count_generated_tokens_only() -> None:
    row = np.zeros(4, dtype=np.float32)
    trace = trace_row(row, SamplerSettings(frequency_penalty=1.0), SamplingContext((0, 0, 0), (1, 1, 2)))
    assert trace.final_logits.tolist() == [0.0, -2.0, -1.0, 0.0]


@row_cases
@pytest.mark.parametrize("n", [0.3, 1.0, 2.5])
def test_top_n_sigma(row: np.ndarray, n: float) -> None:
    check(row, SamplerSettings(top_n_sigma=n), llama_top_n_sigma(row.tolist(), n), SamplingContext(()))


@row_cases
@pytest.mark.parametrize("threshold", [0.0001, 0.003, 0.1, 0.3, 0.5, 0.6])
@pytest.mark.parametrize("u", [0.2, 0.5, 0.7])
def test_xtc(row: np.ndarray, threshold: float, u: float) -> None:
    expected = llama_xtc(row.tolist(), 0.5, threshold, u)
    chosen = SamplerSettings(xtc_probability=0.5, xtc_threshold=threshold)
    check(row, chosen, expected, SamplingContext((), xtc_u=u))


@row_cases
@pytest.mark.parametrize(("temperature", "spread", "exponent"), [(1.0, 0.5, 1.0), (0.7, 1.0, 2.0), (1.5, 0.3, 0.5)])
def test_dynatemp(row: np.ndarray, temperature: float, spread: float, exponent: float) -> None:
    expected = llama_dynatemp(row.tolist(), temperature, spread, exponent)
    chosen = SamplerSettings(temperature=temperature, dynatemp_range=spread, dynatemp_exponent=exponent)
    check(row, chosen, expected, SamplingContext(()))


@row_cases
@pytest.mark.parametrize("mu", [None, -1.0, 0.5, 2.0, 9.0])
def test_mirostat(row: np.ndarray, mu: float | None) -> None:
    expected = llama_mirostat_v2(row.tolist(), 6.0 if mu is None else mu)
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
    expected = llama_dry(row.tolist(), ids, 0.8, base, allowed, breakers)
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
