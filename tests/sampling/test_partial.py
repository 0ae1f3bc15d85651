"""A partial row against the whole one: the true value always lies within the bounds, and what is called exact is.

The truth is the chain on whole rows (``chain.trace_row``), which has references of its own.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.numerics import log_softmax, top_ids
from playground.sampling.chain import RowTrace, trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.draw import draw_token
from playground.sampling.partial_chain import PartialTrace, draw_partial, examine_partial, trace_partial
from playground.sampling.partial_row import make_row
from playground.sampling.partial_rules import RULES
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import NEUTRAL, SamplerSettings
from tests.sampling.test_settings import any_settings

FLOAT32 = 2e-5  # what the float32 chain itself may be off by, relative to 1, in long sums


def whole_row(seed: int, vocab: int, spread: float, dead: float) -> np.ndarray:
    """(vocab,) logits without ties, some of them -inf."""
    rng = np.random.default_rng(seed)
    row = rng.normal(size=vocab) * spread
    row[rng.random(vocab) < dead] = -np.inf
    row[rng.integers(vocab)] = spread
    return row.astype(np.float32)


rows = st.builds(
    whole_row,
    st.integers(0, 10_000),
    st.integers(2, 150),
    st.sampled_from([0.3, 1.0, 3.0, 8.0]),
    st.sampled_from([0.0, 0.0, 0.4]),
)
contexts = st.builds(
    SamplingContext,
    prompt_ids=st.lists(st.integers(0, 12), max_size=10).map(tuple),
    generated_ids=st.just(()),
    xtc_u=st.floats(0, 1, exclude_max=True),
)


def both(
    row: np.ndarray, chosen: SamplerSettings, context: SamplingContext, k: int
) -> tuple[RowTrace, PartialTrace, np.ndarray]:
    """The truth, what is said of its k likeliest tokens, and their ids."""
    logprobs = log_softmax(row)
    ids = top_ids(logprobs, min(k, row.size))
    partial = trace_partial(make_row(ids, logprobs[ids], row.size), logprobs[ids], chosen, context)
    return trace_row(row, chosen, context), partial, ids


def check(whole: RowTrace, partial: PartialTrace, ids: np.ndarray) -> None:
    """Every statement of every stage holds for the true row."""
    others = np.setdiff1d(np.arange(whole.raw_logits.size), ids)
    for truth, said in zip(whole.stages, partial.stages, strict=True):
        if said.row is None:
            break
        alive = np.isfinite(truth.logits)
        probs = np.exp(log_softmax(truth.logits.astype(np.float64)))
        assert (alive[ids] >= said.row.kept).all(), said.name
        assert (alive[ids] <= said.row.possible).all(), said.name
        low, high = said.row.probabilities()
        assert (probs[ids] >= low - FLOAT32).all() and (probs[ids] <= high + FLOAT32).all(), said.name
        rest = said.row.rest_probability()
        assert rest[0] - FLOAT32 <= probs[others].sum() <= rest[1] + FLOAT32, said.name
        dead = int(np.isneginf(whole.raw_logits).sum())  # removed by none
        assert said.kept[0] - dead <= truth.kept <= said.kept[1] or said.row.rest.gone, said.name
        assert said.entropy[0] - 1e-3 <= truth.entropy <= said.entropy[1] + 1e-3, said.name
        assert said.removed_mass[0] - FLOAT32 <= truth.removed_mass <= said.removed_mass[1] + FLOAT32, said.name
        if said.verdict == "exact":
            assert probs[ids] == pytest.approx((low + high) / 2, abs=1e-6 + FLOAT32), said.name
            assert (alive[ids] == said.row.kept).all()


@settings(max_examples=150)
@given(rows, any_settings, contexts, st.integers(1, 160))
def test_the_true_row_lies_within_the_bounds(
    row: np.ndarray, chosen: SamplerSettings, context: SamplingContext, k: int
) -> None:
    check(*both(row, chosen, context, k))


USUAL: dict[str, list[dict[str, object]]] = {
    "logit_bias": [{"logit_bias": {2: 2.0}}, {"logit_bias": {300: -100.0}}],
    "repetition_penalty": [{"repetition_penalty": 1.2}],
    "frequency_penalty": [{"frequency_penalty": 0.5}, {"frequency_penalty": -1}],
    "presence_penalty": [{"presence_penalty": 1.0}],
    "no_repeat_ngram_size": [{"no_repeat_ngram_size": 2}],
    "dry": [{"dry_multiplier": 0.8, "dry_allowed_length": 1}],
    "temperature": [{"temperature": 0}, {"temperature": 0.7}, {"temperature": 1.5}],
    "dynatemp": [{"dynatemp_range": 0.3}],
    "top_h": [{"top_h": 0.4}, {"top_h": 0.9}],
    "top_k": [{"top_k": 5}, {"top_k": 50}],
    "top_p": [{"top_p": 0.3}, {"top_p": 0.9}],
    "min_p": [{"min_p": 0.5}, {"min_p": 0.001}],
    "typical_p": [{"typical_p": 0.2}, {"typical_p": 0.9}],
    "epsilon_cutoff": [{"epsilon_cutoff": 0.1}, {"epsilon_cutoff": 3e-4}],
    "eta_cutoff": [{"eta_cutoff": 0.1}, {"eta_cutoff": 3e-4}],
    "top_n_sigma": [{"top_n_sigma": 1}],
    "xtc": [{"xtc_probability": 1.0}, {"xtc_probability": 1.0, "xtc_threshold": 0.001}],
    "mirostat": [{"mirostat_tau": 1}, {"mirostat_tau": 6}],
}


@pytest.mark.parametrize("degrees", [0.1, 1e-3, 1e-5, 1e-37, 1e-39, 1e-223, 5e-324])
@pytest.mark.parametrize("k", [1, 3])
def test_no_temperature_is_too_low_for_the_bounds(degrees: float, k: int) -> None:
    """A biased token that is not told may be the likeliest: beside it the listed ones' weights are too small for a float."""
    chosen = SamplerSettings.from_mapping({"temperature": degrees, "logit_bias": {0: 1.0}})
    check(*both(whole_row(0, 7, 1.0, 0.0), chosen, SamplingContext(()), k))


def test_rules_are_of_samplers_and_a_sampler_without_one_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(RULES) <= set(SAMPLERS) and set(USUAL) == set(RULES)
    monkeypatch.delitem(RULES, "top_k")
    row, logprobs = listed_row()
    trace = examine_partial(np.arange(20), logprobs[:20], row.size, NEUTRAL.replace(top_k=5)).trace
    assert trace.verdict == "unknown"
    assert trace.stages[-1].why == "What Top-k does to a partial row is not worked out: reset it."


@pytest.mark.parametrize("name", RULES)
def test_each_sampler_alone_and_before_and_after_others(name: str) -> None:
    """At usual values, on rows of every kind and every number of listed tokens."""
    for case, values in enumerate(USUAL[name]):
        for seed in range(24):
            row = whole_row(seed, 400 if seed % 2 else 40, (0.3, 1.0, 3.0, 8.0)[seed % 4], 0.4 * (seed % 3 == 2))
            around = ({}, {"temperature": 0.8}, {"top_k": 12}, {"top_p": 0.8}, {"frequency_penalty": 0.4})[seed % 5]
            chosen = NEUTRAL.replace(**{**around, **values}, order=("hf", "llama.cpp")[case % 2])
            generated = () if name == "mirostat" else (1, 2, 7, 1, 2, 300)
            context = SamplingContext((1, 2, 3, 1), generated, xtc_u=0.5)
            check(*both(row, chosen, context, (1, 5, 20, 400)[seed % 4]))


EXACT: list[dict[str, object]] = [
    {},
    {"top_k": 20},
    {"top_k": 3, "temperature": 1.5, "order": "llama.cpp"},
    {"temperature": 0.5, "top_k": 10},
    {"top_p": 0.5},
    {"min_p": 0.2},
    {"logit_bias": {0: 9}, "typical_p": 0.2},
    {"epsilon_cutoff": 0.02},
    {"logit_bias": {0: 9}, "eta_cutoff": 0.1},
    {"top_k": 10, "top_h": 0.5, "order": "top_k,top_h"},
    {"xtc_probability": 1.0},
    {"mirostat_tau": 1.5},
    {"temperature": 0},
    {"frequency_penalty": 0.5, "presence_penalty": 1, "dry_multiplier": 1, "no_repeat_ngram_size": 2},
    {"logit_bias": {0: 4, 1: -3}},
    {"top_k": 8, "top_n_sigma": 1, "order": "top_k,top_n_sigma"},
]
BOUNDED: list[dict[str, object]] = [
    {"temperature": 0.7},
    {"temperature": 1.5},
    {"dynatemp_range": 0.4},
    {"top_k": 21},
    {"top_p": 0.95},
    {"min_p": 0.001},
    {"typical_p": 0.95},
    {"epsilon_cutoff": 3e-4},
    {"eta_cutoff": 3e-4},
    {"top_h": 0.95},
    {"xtc_probability": 1.0, "xtc_threshold": 0.001},
    {"mirostat_tau": 6},
    {"logit_bias": {300: 4}},
]
UNKNOWN: list[dict[str, object]] = [
    {"repetition_penalty": 1.1},
    {"top_n_sigma": 1},
    {"repetition_penalty": 1.1, "top_k": 3},
]


def listed_row() -> tuple[np.ndarray, np.ndarray]:
    """400 logits, falling, and their log-probabilities: the 20 likeliest have 80%."""
    row = (-0.18 * np.arange(400.0)).astype(np.float32)
    row[20:] = -3.5 - 0.02 * np.arange(380.0)
    return row, log_softmax(row)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [(values, "exact") for values in EXACT]
    + [(values, "bounded") for values in BOUNDED]
    + [(values, "unknown") for values in UNKNOWN],
)
def test_what_is_exact_and_what_is_not(values: dict[str, object], verdict: str) -> None:
    row, logprobs = listed_row()
    chosen = SamplerSettings.from_mapping(values)
    generated = () if "mirostat_tau" in values else (1, 2, 1)
    trace = examine_partial(
        np.arange(20), logprobs[:20], row.size, chosen, prompt_ids=(1, 2, 3), generated_ids=generated
    ).trace
    assert trace.verdict == verdict
    assert (trace.unknown is not None) == (verdict == "unknown") and all(
        stage.why.endswith(".") for stage in trace.stages
    )
    truth = trace_row(row, chosen, SamplingContext((1, 2, 3), generated, 0.0))
    low, high = trace.final_probs()
    assert (low - FLOAT32 <= truth.final_probs[:20]).all() and (truth.final_probs[:20] <= high + FLOAT32).all()
    if verdict == "exact":
        assert low == pytest.approx(truth.final_probs[:20], abs=2e-6)


def extremes(listed: np.ndarray, vocab: int) -> list[np.ndarray]:
    """Rows of log-probabilities that have the same listed tokens: the rest all equal, or as few as possible at the cap."""
    left, count, cap = 1 - listed.sum(), vocab - len(listed), listed.min()
    equal = np.full(count, left / count) * (1 + 1e-5 * np.linspace(-1, 1, count))
    few = np.zeros(count)
    few[: int(left / cap)] = cap * (1 - 1e-6 * np.arange(1, int(left / cap) + 1))
    few[int(left / cap)] = left - few.sum()
    with np.errstate(divide="ignore"):
        return [np.log(np.concatenate([listed, rest])).astype(np.float32) for rest in (equal, few)]


@pytest.mark.parametrize(
    "values",
    [{"temperature": 0.5}, {"temperature": 1.5}, {"min_p": 0.01}, {"epsilon_cutoff": 0.002}],
)
def test_the_bounds_are_reached(values: dict[str, object]) -> None:
    """By real rows: none of them could be drawn any closer."""
    row, logprobs = listed_row()
    chosen = SamplerSettings.from_mapping(values)
    said = examine_partial(np.arange(20), logprobs[:20], row.size, chosen).trace
    low, high = said.final_probs()
    ends = [
        trace_row(end, chosen, SamplingContext(())) for end in extremes(np.exp(logprobs[:20].astype(float)), row.size)
    ]
    probs = np.stack([end.final_probs[:20] for end in ends])
    assert probs.min(axis=0) == pytest.approx(low, rel=0.03) and probs.max(axis=0) == pytest.approx(high, rel=0.03)
    assert (high - low)[0] > 0.003


def test_a_top_p_that_ends_beyond_what_is_listed_is_known_but_for_one_token() -> None:
    """What it keeps of the rest brings the sum to p, give or take the token that crosses it."""
    row, logprobs = listed_row()
    said = examine_partial(np.arange(20), logprobs[:20], row.size, NEUTRAL.replace(top_p=0.95)).trace
    listed = np.exp(logprobs[:20].astype(float))
    low, high = said.final_probs()
    assert high == pytest.approx(listed / 0.95, abs=1e-5) and low == pytest.approx(
        listed / (0.95 + listed[-1]), abs=1e-5
    )


@settings(max_examples=60)
@given(rows, any_settings, contexts, st.integers(1, 160), st.floats(0, 1, exclude_max=True))
def test_the_drawn_token_is_one_of_those_named(
    row: np.ndarray, chosen: SamplerSettings, context: SamplingContext, k: int, u: float
) -> None:
    truth, said, ids = both(row, chosen, context, k)
    drawn = draw_token(truth.final_probs, u)
    if min(abs(drawn.low - u), abs(drawn.high - u)) < FLOAT32:
        return  # at the border of two tokens float32 decides
    token = draw_partial(said, u)
    assert drawn.id in token.ids or (token.rest and drawn.id not in ids.tolist())
    assert token.id is None or token.id == drawn.id


def test_a_certain_draw_and_one_that_is_not() -> None:
    _row, logprobs = listed_row()
    certain = examine_partial(np.arange(20), logprobs[:20], 400, NEUTRAL.replace(top_k=5), seed=3)
    assert certain.draw.id is not None and certain.draw.low <= certain.draw.u < certain.draw.high
    beyond = draw_partial(certain.trace, 0.999)
    assert beyond.id == 4 and not beyond.rest
    open_ = examine_partial(np.arange(20), logprobs[:20], 400, NEUTRAL)
    assert draw_partial(open_.trace, 0.999) == draw_partial(open_.trace, 0.999)
    assert draw_partial(open_.trace, 0.999).ids == () and draw_partial(open_.trace, 0.999).rest
    unknown = examine_partial(np.arange(20), logprobs[:20], 400, NEUTRAL.replace(top_n_sigma=1))
    assert len(unknown.draw.ids) == 20 and unknown.draw.rest and unknown.draw.id is None


@pytest.mark.parametrize("name", RULES)
def test_a_row_of_which_every_token_is_listed_is_known(name: str) -> None:
    row = whole_row(5, 60, 2.0, 0.0)
    for values in USUAL[name]:
        chosen, context = NEUTRAL.replace(**values), SamplingContext((1, 2, 3, 1), () if name == "mirostat" else (2, 1))
        truth, said, ids = both(row, chosen, context, row.size)
        if said.verdict == "unknown":
            assert name == "repetition_penalty", "what it multiplies is not known from log-probabilities"
            continue
        assert said.verdict == "exact" and said.final_rest() == (0, 0)
        assert said.final_probs()[0] == pytest.approx(truth.final_probs[ids], abs=1e-6)


def test_a_token_that_has_no_name_here_may_be_likelier_than_the_listed_ones() -> None:
    """Its log-probability was told and its id was not: it is one of the rest, and the rest has a cap of its own."""
    logprobs = np.log([0.4, 0.1, 0.05])
    plain = examine_partial([1, 2, 3], logprobs, 100, NEUTRAL.replace(top_k=2)).trace
    assert plain.verdict == "exact"
    unnamed = examine_partial([1, 2, 3], logprobs, 100, NEUTRAL.replace(top_k=2), log_cap=float(np.log(0.2))).trace
    assert unnamed.verdict == "bounded" and unnamed.final is not None
    assert unnamed.final.possible.tolist() == [True, True, False] and unnamed.final.kept.tolist() == [
        True,
        False,
        False,
    ]
