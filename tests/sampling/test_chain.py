"""The chain's own invariants: what must hold for any row and any settings, whoever wrote the samplers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from playground.errors import BadInput
from playground.sampling.chain import apply_chain, trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import NEUTRAL, SamplerSettings
from tests.sampling.rows import make_context, make_rows
from tests.sampling.test_settings import any_settings

EVERYTHING = SamplerSettings(
    logit_bias={3: 2.0},
    repetition_penalty=1.1,
    frequency_penalty=0.2,
    presence_penalty=0.1,
    no_repeat_ngram_size=3,
    dry_multiplier=0.8,
    temperature=0.9,
    dynatemp_range=0.4,
    top_h=0.95,
    top_k=200,
    top_p=0.97,
    min_p=0.001,
    typical_p=0.97,
    epsilon_cutoff=1e-5,
    eta_cutoff=1e-5,
    top_n_sigma=4,
    xtc_probability=0.5,
    xtc_threshold=0.2,
)
rows = hnp.arrays(
    np.float32, st.integers(1, 40), elements=st.one_of(st.floats(-30, 30, width=32), st.just(-np.inf), st.just(1.0))
).filter(lambda row: np.isfinite(row).any())
contexts = st.builds(
    SamplingContext,
    prompt_ids=st.lists(st.integers(0, 45), max_size=12).map(tuple),
    generated_ids=st.lists(st.integers(0, 3), max_size=12).map(tuple),
    xtc_u=st.floats(0, 1, exclude_max=True),
    mirostat_mu=st.one_of(st.none(), st.floats(-50, 50)),
)


@settings(deadline=None, max_examples=300)
@given(rows, any_settings, contexts)
def test_any_chain_leaves_a_distribution(row: np.ndarray, chosen: SamplerSettings, context: SamplingContext) -> None:
    before = row.copy()
    trace = trace_row(row, chosen, context)
    assert np.array_equal(row, before)
    assert trace.final_probs.sum(dtype=np.float64) == pytest.approx(1, abs=1e-5)
    assert not np.isnan(trace.final_logits).any() and np.isfinite(trace.final_logits).any()
    assert tuple(stage.name for stage in trace.stages) == chosen.active()
    alive = int(np.isfinite(row).sum())
    for index, stage in enumerate(trace.stages):
        assert stage.removed == int((trace.removed_by == index).sum())
        assert stage.kept == alive - stage.removed >= 1
        assert -1e-6 <= stage.removed_mass <= 1
        assert 0 <= stage.entropy <= np.log(len(row)) + 1e-4
        assert np.array_equal(np.isfinite(stage.logits).sum(), stage.kept)
        assert SAMPLERS[stage.name].filled_formula(chosen, stage.diagnostics)
        alive = stage.kept
    came_in_dead = np.isneginf(row)
    gone = np.isneginf(trace.final_logits)
    assert np.array_equal(gone, came_in_dead | (trace.removed_by >= 0))
    assert (trace.removed_by[came_in_dead] == -1).all()


@settings(deadline=None, max_examples=100)
@given(rows, any_settings, contexts)
def test_the_fast_path_and_the_trace_are_the_same_numbers(
    row: np.ndarray, chosen: SamplerSettings, context: SamplingContext
) -> None:
    fast = apply_chain(torch.from_numpy(row)[None], chosen, [context])
    assert np.array_equal(fast[0].numpy(), trace_row(row, chosen, context).final_logits)


@settings(deadline=None, max_examples=50)
@given(rows, contexts)
def test_neutral_settings_change_nothing(row: np.ndarray, context: SamplingContext) -> None:
    trace = trace_row(row, NEUTRAL, context)
    assert np.array_equal(trace.final_logits, row) and trace.stages == ()
    assert np.array_equal(trace.final_probs, trace.raw_probs)
    for name in SAMPLERS:  # and each function alone, at its neutral value, is the identity where it has one
        assert NEUTRAL.is_neutral(name)


@settings(deadline=None, max_examples=50)
@given(rows)
def test_temperature_zero_is_the_lowest_argmax(row: np.ndarray) -> None:
    trace = trace_row(row, SamplerSettings(temperature=0), SamplingContext(()))
    assert np.flatnonzero(trace.final_probs).tolist() == [int(np.argmax(row))]
    assert trace.final_probs.max() == 1


@pytest.mark.parametrize(
    ("name", "looser_to_stricter"),
    [
        ("top_k", [300, 50, 7, 1]),
        ("top_p", [0.999, 0.9, 0.5, 0.0]),
        ("min_p", [0.001, 0.05, 0.5, 1.0]),
        ("epsilon_cutoff", [1e-5, 1e-3, 0.1]),
        ("eta_cutoff", [1e-5, 1e-3, 0.1]),
        ("typical_p", [0.99, 0.5, 0.1]),
        ("top_h", [0.9, 0.4, 0.1]),
        ("top_n_sigma", [5, 2, 0.5]),
    ],
)
def test_a_stricter_truncation_keeps_a_subset(name: str, looser_to_stricter: list[float]) -> None:
    for kind, row in make_rows(300, seed=11).items():
        if name == "top_p" and kind in ("tied", "uniform", "sparse ties"):
            continue  # which of several equal tokens stay is arbitrary, so sets need not nest; counts must
        previous = np.isfinite(row)
        for value in looser_to_stricter:
            kept = np.isfinite(trace_row(row, SamplerSettings(**{name: value}), SamplingContext(())).final_logits)
            assert not (kept & ~previous).any() and kept.any(), (kind, value)
            previous = kept


@settings(deadline=None, max_examples=60)
@given(st.permutations(range(24)))
def test_ids_are_only_names(permutation: list[int]) -> None:
    """Renaming the tokens renames the result: no sampler but a tie looks at an id's number."""
    row = np.random.default_rng(5).normal(size=24).astype(np.float32) * 2
    order = np.array(permutation)
    context = SamplingContext((1, 2, 3, 1, 2), (7, 7, 2, 1), xtc_u=0.1)
    place = np.argsort(order)  # old id -> new id

    def renamed(ids: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(int(place[i]) for i in ids)

    chosen = EVERYTHING.replace(top_h=0.99, top_n_sigma=6)
    there = chosen.replace(logit_bias=tuple((int(place[i]), bias) for i, bias in chosen.logit_bias))
    moved = SamplingContext(renamed(context.prompt_ids), renamed(context.generated_ids), xtc_u=0.1)
    straight = trace_row(row, chosen, context).final_probs
    np.testing.assert_allclose(trace_row(row[order], there, moved).final_probs, straight[order], atol=1e-6)


def test_the_order_changes_the_result() -> None:
    row = np.array([3, 2, 1], dtype=np.float32)
    for order, kept in (("temperature,top_p", 1), ("top_p,temperature", 2)):
        trace = trace_row(row, SamplerSettings(temperature=0.5, top_p=0.8, order=order), SamplingContext(()))
        assert np.isfinite(trace.final_logits).sum() == kept


def test_stages_report_what_they_removed() -> None:
    row = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    trace = trace_row(row, SamplerSettings(top_p=0.7, min_p=0.7), SamplingContext(()))
    top_p, min_p = trace.stages
    assert (top_p.name, top_p.kept, top_p.removed) == ("top_p", 2, 2)
    assert top_p.removed_mass == pytest.approx(0.2)
    assert top_p.entropy == pytest.approx(-(5 / 8) * np.log(5 / 8) - (3 / 8) * np.log(3 / 8), abs=1e-6)
    assert top_p.diagnostics["crossing_prob"] == pytest.approx(0.3, abs=1e-6)
    assert min_p.removed_mass == pytest.approx(3 / 8) and min_p.entropy == 0
    assert min_p.diagnostics["cutoff_prob"] == pytest.approx(0.7 * 5 / 8)
    assert "0.4375" in SAMPLERS["min_p"].filled_formula(SamplerSettings(top_p=0.7, min_p=0.7), min_p.diagnostics)
    assert trace.removed_by.tolist() == [-1, 1, 0, 0]
    assert trace.raw_probs == pytest.approx([0.5, 0.3, 0.15, 0.05]) and trace.final_probs[0] == 1


def test_a_chain_that_would_remove_all_keeps_the_likeliest_and_says_so() -> None:
    row = np.array([1.0, 3.0, 2.0], dtype=np.float32)
    trace = trace_row(row, SamplerSettings(no_repeat_ngram_size=1), SamplingContext((0, 1, 2)))
    assert trace.final_probs.tolist() == [0, 1, 0]
    assert trace.note is not None and "No-repeat n-gram" in trace.note
    assert trace_row(row, SamplerSettings(no_repeat_ngram_size=1), SamplingContext((0, 1))).note is None


def test_typical_p_may_remove_the_likeliest() -> None:
    row = np.log(np.array([0.4] + [0.006] * 100, dtype=np.float32))
    trace = trace_row(row, SamplerSettings(typical_p=0.2), SamplingContext(()))
    assert trace.final_probs[0] == 0


def test_a_batch_gives_each_row_what_it_gets_alone_on_any_number_of_threads() -> None:
    kinds = make_rows(49_152, seed=8)
    batch = torch.from_numpy(np.stack(list(kinds.values())))
    histories = [make_context(49_152, 50, seed) for seed in range(len(kinds))]
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(apply_chain(batch, EVERYTHING, histories))
            for row, context, expected in zip(batch, histories, results[0], strict=True):
                assert torch.equal(apply_chain(row[None], EVERYTHING, [context])[0], expected)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


@pytest.mark.parametrize(
    "bad", [[1e300, 0.0], [np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf], [], [[1.0, 2.0]], [1, 2]], ids=str
)
def test_unusable_logits_are_refused_with_a_sentence(bad: list[float]) -> None:
    with pytest.raises(BadInput):
        trace_row(np.array(bad), NEUTRAL, SamplingContext(()))


def test_a_batch_needs_one_context_per_row() -> None:
    with pytest.raises(BadInput):
        apply_chain(torch.zeros(2, 3), NEUTRAL, [SamplingContext(())])
    with pytest.raises(BadInput):
        apply_chain(torch.full((1, 3), torch.nan), NEUTRAL, [SamplingContext(())])


@pytest.mark.parametrize("temperature", [5e-324, 1e-45, 1e-30, 1e-12, 10.0])
def test_extreme_temperatures_and_logits_never_overflow(temperature: float) -> None:
    row = np.array([1e30, 9e29, -3e38, -np.inf], dtype=np.float32)
    trace = trace_row(row, SamplerSettings(temperature=temperature), SamplingContext(()))
    assert trace.final_probs.tolist() == [1, 0, 0, 0]
    assert trace.removed_by.tolist() == [-1] * 4


def test_ids_outside_the_vocabulary_are_ignored() -> None:
    row = np.zeros(4, dtype=np.float32)
    chosen = EVERYTHING.replace(logit_bias={99: 5.0}, order="hf")
    assert np.isfinite(trace_row(row, chosen, SamplingContext((90, 91, 90), (91, 90, 91))).final_probs).all()


@pytest.mark.parametrize(
    "settings",
    [
        SamplerSettings(typical_p=0.9),
        SamplerSettings(dynatemp_range=0.3),
        SamplerSettings(temperature=1e-38, typical_p=0.9, order="temperature,typical_p"),
    ],
    ids=lambda one: "+".join(one.active()),
)
def test_what_stands_at_the_lowest_float_adds_nothing_to_the_entropy(settings: SamplerSettings) -> None:
    """Two equal tokens are left: ln 2. A model's own mask, or a tiny temperature, once made thousands of nats of the rest."""
    lowest = float(np.finfo(np.float32).min)
    low = [1.0, 0.0, -1.0] if settings.temperature < 1 else [lowest] * 3
    trace = trace_row(np.array([5.0, 5.0, *low], dtype=np.float32), settings, SamplingContext(()))
    assert trace.stages[-1].diagnostics["entropy"] == pytest.approx(np.log(2), abs=1e-6)
