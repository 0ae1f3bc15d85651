"""Comparisons of distributions, against scipy, and of what two orders make of the same values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from playground.errors import BadInput
from playground.sampling.chain import trace_row
from playground.sampling.compare import compare, effective_choices, kl_divergence
from playground.sampling.context import SamplingContext
from playground.sampling.presets import PRESETS
from playground.sampling.settings import SamplerSettings
from tests.sampling.rows import make_rows


def test_divergence_and_choices_are_scipys() -> None:
    rng = np.random.default_rng(2)
    p, q = rng.dirichlet(np.ones(30)), rng.dirichlet(np.ones(30))
    result = compare(p, q)
    assert result.kl_pq == pytest.approx(stats.entropy(p, q))
    assert result.kl_qp == pytest.approx(stats.entropy(q, p))
    assert result.choices_p == pytest.approx(np.exp(stats.entropy(p)))
    assert result.total_variation == pytest.approx(np.abs(p - q).sum() / 2)
    assert result.gained == result.lost == () and result.undefined is None


def test_impossible_tokens_make_a_divergence_infinite_and_it_says_which() -> None:
    p, q = np.array([0.5, 0.4, 0.1, 0.0]), np.array([0.6, 0.0, 0.0, 0.4])
    result = compare(p, q)
    assert result.lost == (1, 2) and result.gained == (3,)  # likeliest first
    assert result.kl_pq == result.kl_qp == np.inf
    assert result.undefined is not None and "2 tokens" in result.undefined and "1 token " in result.undefined
    assert kl_divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert effective_choices(np.full(8, 1 / 8)) == pytest.approx(8)


def test_a_distribution_does_not_differ_from_itself() -> None:
    trace = trace_row(make_rows(300, 1)["random"], SamplerSettings(top_p=0.9), SamplingContext(()))
    result = compare(trace, trace)
    assert (result.kl_pq, result.total_variation, result.gained, result.lost) == (0, 0, (), ())


def test_vocabularies_must_match() -> None:
    with pytest.raises(BadInput):
        compare(np.ones(3) / 3, np.ones(4) / 4)


def test_the_same_values_in_another_order_keep_other_tokens() -> None:
    """Temperature first cuts a sharper distribution: hf's order keeps one token where llama.cpp's keeps two."""
    row, chosen = np.array([3, 2, 1], dtype=np.float32), SamplerSettings(temperature=0.5, top_p=0.8)
    own, other = (trace_row(row, chosen.replace(order=name), SamplingContext(())) for name in ("hf", "llama.cpp"))
    change = compare(own, other)
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
