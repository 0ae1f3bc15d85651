"""Every sampler transformers has, against transformers: the same tokens kept, the same final probabilities."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from transformers.generation import logits_process as hf

from playground.sampling import chain
from playground.sampling.chain import apply_chain, trace_row
from playground.sampling.context import Contexts
from playground.sampling.reference import prove_against_transformers
from playground.sampling.registry import SAMPLERS
from playground.sampling.rows import RowDiagnostics
from playground.sampling.settings import SamplerSettings
from tests.sampling.rows import make_context, make_rows

CASES = [
    ("temperature", 0.3, hf.TemperatureLogitsWarper),
    ("temperature", 1.7, hf.TemperatureLogitsWarper),
    ("top_k", 1, hf.TopKLogitsWarper),
    ("top_k", 7, hf.TopKLogitsWarper),
    ("top_k", 100_000, hf.TopKLogitsWarper),
    ("top_p", 0.0, hf.TopPLogitsWarper),
    ("top_p", 0.1, hf.TopPLogitsWarper),
    ("top_p", 0.5, hf.TopPLogitsWarper),
    ("top_p", 0.9, hf.TopPLogitsWarper),
    ("top_p", 0.999, hf.TopPLogitsWarper),
    ("min_p", 0.01, hf.MinPLogitsWarper),
    ("min_p", 0.5, hf.MinPLogitsWarper),
    ("min_p", 1.0, hf.MinPLogitsWarper),
    ("typical_p", 0.05, hf.TypicalLogitsWarper),
    ("typical_p", 0.5, hf.TypicalLogitsWarper),
    ("typical_p", 0.95, hf.TypicalLogitsWarper),
    ("epsilon_cutoff", 3e-4, hf.EpsilonLogitsWarper),
    ("epsilon_cutoff", 0.3, hf.EpsilonLogitsWarper),
    ("eta_cutoff", 3e-4, hf.EtaLogitsWarper),
    ("eta_cutoff", 0.3, hf.EtaLogitsWarper),
    ("top_h", 0.1, hf.TopHLogitsWarper),
    ("top_h", 0.4, hf.TopHLogitsWarper),
    ("top_h", 0.9, hf.TopHLogitsWarper),
    ("repetition_penalty", 1.3, hf.RepetitionPenaltyLogitsProcessor),
    ("repetition_penalty", 0.8, hf.RepetitionPenaltyLogitsProcessor),
    ("no_repeat_ngram_size", 1, hf.NoRepeatNGramLogitsProcessor),
    ("no_repeat_ngram_size", 2, hf.NoRepeatNGramLogitsProcessor),
    ("no_repeat_ngram_size", 3, hf.NoRepeatNGramLogitsProcessor),
]


@pytest.mark.parametrize("vocab", [7, 300, 49_152])
@pytest.mark.parametrize(
    ("name", "value", "processor"), CASES, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_each_sampler_keeps_what_transformers_keeps(name: str, value: float, processor: type, vocab: int) -> None:
    context = make_context(vocab, length=40, seed=3)
    ids = torch.from_numpy(context.all_ids[None])
    settings = SamplerSettings(**{name: value})
    for kind, row in make_rows(vocab, seed=vocab).items():
        theirs = processor(value)(ids, torch.from_numpy(row)[None].clone())
        if not torch.isfinite(theirs).any():
            continue  # transformers bans every token; what we do then is tested in test_chain
        ours = trace_row(row, settings, context)
        where = f"{name}={value} on a {kind} row of {vocab}"
        assert np.array_equal(np.isneginf(ours.final_logits), torch.isneginf(theirs)[0].numpy()), where
        np.testing.assert_allclose(ours.final_probs, theirs.softmax(-1)[0].numpy(), atol=1e-6, rtol=0, err_msg=where)


def test_logit_bias_adds_what_transformers_adds() -> None:
    biases = {3: -5.0, 0: 2.5, 6: 100.0}
    processor = hf.SequenceBiasLogitsProcessor([[[token], bias] for token, bias in biases.items()])
    for row in make_rows(7, seed=1).values():
        theirs = processor(torch.zeros((1, 1), dtype=torch.long), torch.from_numpy(row)[None])
        ours = trace_row(row, SamplerSettings(logit_bias=biases), make_context(7, 4, 0))
        np.testing.assert_array_equal(ours.final_logits, theirs[0].numpy())


@pytest.mark.parametrize("order", ["hf", "vllm", "llama.cpp", "top_p,temperature,min_p,repetition_penalty"])
def test_whole_chains_agree_in_every_order(order: str) -> None:
    settings = SamplerSettings(
        logit_bias={1: 3.0},
        repetition_penalty=1.2,
        no_repeat_ngram_size=3,
        temperature=0.8,
        top_k=200,
        top_p=0.95,
        min_p=0.01,
        typical_p=0.98,
        eta_cutoff=1e-4,
        epsilon_cutoff=1e-5,
        top_h=0.9,
        order=order,
    )
    for vocab in (300, 49_152):
        for kind, row in make_rows(vocab, seed=vocab + 1).items():
            proof = prove_against_transformers(row, settings, make_context(vocab, 60, 5))
            assert proof.agrees, (kind, vocab, proof)
            assert not proof.uncovered or kind in ("few left", "one left")


def test_the_proof_still_compares_the_rest_when_a_sampler_has_no_processor() -> None:
    row = make_rows(300, seed=2)["random"]
    settings = SamplerSettings(temperature=0.7, top_p=0.9, frequency_penalty=0.5, xtc_probability=1.0, top_n_sigma=3)
    proof = prove_against_transformers(row, settings, make_context(300, 30, 1))
    assert proof.agrees
    assert proof.covered == ("temperature", "top_p")
    assert [name for name, _ in proof.uncovered] == ["frequency_penalty", "top_n_sigma", "xtc"]
    assert all(reference for _, reference in proof.uncovered)


def test_the_proof_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A top-p that loses its crossing token must be caught."""

    def loses_the_crossing_token(
        logits: torch.Tensor, contexts: Contexts, diagnostics: RowDiagnostics = None, /, *, top_p: float
    ) -> torch.Tensor:
        return SAMPLERS["top_k"].apply(logits, contexts, top_k=2)

    broken = dict(SAMPLERS, top_p=dataclasses.replace(SAMPLERS["top_p"], apply=loses_the_crossing_token))
    monkeypatch.setattr(chain, "SAMPLERS", broken)
    row = make_rows(300, seed=2)["flat"]
    proof = prove_against_transformers(row, SamplerSettings(top_p=0.9), make_context(300, 5, 1))
    assert not proof.agrees and not proof.same_kept


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_low_precision_logits_are_widened_first(dtype: torch.dtype) -> None:
    row = torch.from_numpy(make_rows(300, seed=9)["random"])[None].to(dtype)
    settings = SamplerSettings(temperature=0.7, top_p=0.9)
    ids = torch.zeros((1, 1), dtype=torch.long)
    theirs = hf.TopPLogitsWarper(0.9)(ids, hf.TemperatureLogitsWarper(0.7)(ids, row.float()))
    ours = apply_chain(row, settings, [make_context(300, 5, 1)])
    assert ours.dtype == torch.float32
    assert torch.equal(ours, theirs)
