"""Comparisons of distributions, against scipy, and of what two orders make of the same values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from playground.errors import BadInput
from playground.sampling.chain import trace_row
from playground.sampling.compare import Comparison, compare, kl_divergence
from playground.sampling.context import SamplingContext
from playground.sampling.distribution import FinalDistribution
from playground.sampling.partial_chain import examine_partial
from playground.sampling.presets import PRESETS
from playground.sampling.settings import SamplerSettings
from tests.sampling.rows import make_rows


def whole(probs: np.ndarray) -> FinalDistribution:
    """A distribution (vocab,) of which all is known."""
    with np.errstate(divide="ignore"):
        return trace_row(np.log(probs), SamplerSettings(), SamplingContext(())).distribution()


def test_a_divergence_is_scipys() -> None:
    rng = np.random.default_rng(2)
    p, q = rng.dirichlet(np.ones(30)), rng.dirichlet(np.ones(30))
    result = compare(whole(p), whole(q))
    assert result.kl_qp == pytest.approx(stats.entropy(q, p), rel=1e-5)
    assert result.gained == result.lost == ()


def test_impossible_tokens_make_a_divergence_infinite() -> None:
    p, q = np.array([0.5, 0.4, 0.1, 0.0]), np.array([0.6, 0.0, 0.0, 0.4])
    result = compare(whole(p), whole(q))
    assert result.lost == (1, 2) and result.gained == (3,)  # likeliest first
    assert result.kl_qp == np.inf
    assert kl_divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))


def test_a_distribution_does_not_differ_from_itself() -> None:
    trace = trace_row(make_rows(300, 1)["random"], SamplerSettings(top_p=0.9), SamplingContext(()))
    assert compare(trace.distribution(), trace.distribution()) == Comparison((), (), 0.0)


def test_what_is_told_in_part_is_compared_as_far_as_it_is_certain() -> None:
    """A row of which all tokens are told gives the same numbers; of one that ends within them the rest is one outcome."""
    probs = np.array([0.4, 0.3, 0.2, 0.1])
    cut, every = SamplerSettings(top_k=2), SamplerSettings()
    wanted = compare(whole(probs), trace_row(np.log(probs), cut, SamplingContext(())).distribution())
    for listed in (4, 3):
        p, q = (
            examine_partial(range(listed), np.log(probs[:listed]), 4, settings).trace.distribution()
            for settings in (every, cut)
        )
        comparison = compare(p, q)
        assert (
            comparison.kl_qp == pytest.approx(wanted.kl_qp, abs=1e-5) and comparison.lost == wanted.lost[: listed - 2]
        )
        bounded = examine_partial(range(listed), np.log(probs[:listed]), 4, SamplerSettings(temperature=2))
        assert (compare(p, bounded.trace.distribution()).kl_qp is None) == (listed < 4)
        assert compare(p, None) == Comparison()


def test_vocabularies_must_match() -> None:
    with pytest.raises(BadInput):
        compare(whole(np.ones(3) / 3), whole(np.ones(4) / 4))


def test_the_same_values_in_another_order_keep_other_tokens() -> None:
    """Temperature first cuts a sharper distribution: hf's order keeps one token where llama.cpp's keeps two."""
    row, chosen = np.array([3, 2, 1], dtype=np.float32), SamplerSettings(temperature=0.5, top_p=0.8)
    own, other = (trace_row(row, chosen.replace(order=name), SamplingContext(())) for name in ("hf", "llama.cpp"))
    change = compare(own.distribution(), other.distribution())
    assert change.gained == (1,) and change.lost == () and other.stages[0].name == "top_p"


def test_presets_hold_their_engines_defaults() -> None:
    from transformers import GenerationConfig

    assert set(PRESETS) >= {"neutral", "greedy", "focused", "balanced", "creative", "llama.cpp", "vllm", "hf"}
    assert PRESETS["neutral"].settings.active() == ()
    assert all(preset.explain and preset.source and preset.label for preset in PRESETS.values())
    defaults = GenerationConfig._get_default_generation_params()
    ours = PRESETS["hf"].settings
    assert (ours.top_k, ours.top_p, ours.temperature) == (
        defaults["top_k"],
        defaults["top_p"],
        defaults["temperature"],
    )
    llama = PRESETS["llama.cpp"].settings
    assert llama.active() == ("top_k", "top_p", "min_p", "temperature")
    assert PRESETS["creative"].settings.active() == ("min_p", "temperature")
