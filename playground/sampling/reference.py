"""The proof: the present settings run a second time through transformers' own logits processors.

transformers is imported only when a proof is asked for. Where it has no processor for a sampler, our own result is
handed on at that stage, so that every stage it does have is still compared, and the proof names the reference that
the tests hold that sampler against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings

Processor = Callable[
    [torch.Tensor, torch.Tensor], torch.Tensor
]  # (batch, length) ids, (batch, vocab) -> (batch, vocab)
AGREE_WITHIN = 1e-6  # the largest difference of a final probability that counts as equal


@dataclass(frozen=True, slots=True)
class Proof:
    """How our chain compares with transformers' on one row.

    ``largest_difference`` is that of any token's final probability; ``same_kept`` says the same tokens survived.
    ``covered`` samplers ran in transformers; ``uncovered`` have no processor there: (sampler, reference of the tests).
    """

    largest_difference: float
    same_kept: bool
    covered: tuple[str, ...]
    uncovered: tuple[tuple[str, str], ...]

    @property
    def agrees(self) -> bool:
        return self.same_kept and self.largest_difference <= AGREE_WITHIN


def prove_against_transformers(
    logits: npt.NDArray[np.floating], settings: SamplerSettings, context: SamplingContext
) -> Proof:
    """Run ``logits`` (vocab,) through both implementations, sampler by sampler in the settings' order."""
    ours = trace_row(logits, settings, context)
    ids = torch.from_numpy(context.all_ids[None])  # (1, length)
    theirs = torch.from_numpy(ours.raw_logits)[None]  # (1, vocab)
    covered: list[str] = []
    uncovered: list[tuple[str, str]] = []
    for stage in ours.stages:
        processor = _processor(stage.name, settings, theirs.shape[-1])
        # A rescued row is the one place where we depart from transformers, which would leave no token at all.
        if processor is None or stage.facts.get("rescued"):
            uncovered.append((stage.name, SAMPLERS[stage.name].oracle))
            theirs = torch.from_numpy(stage.logits)[None]
        else:
            covered.append(stage.name)
            theirs = processor(ids, theirs)
    their_probs = theirs.softmax(-1)[0].numpy()
    same_kept = bool(np.array_equal(np.isneginf(theirs[0].numpy()), np.isneginf(ours.final_logits)))
    difference = float(np.abs(their_probs - ours.final_probs).max())
    return Proof(difference, same_kept, tuple(covered), tuple(uncovered))


def _processor(name: str, settings: SamplerSettings, vocab: int) -> Processor | None:
    """transformers' own object for one sampler, or None where it has none (greedy is a mode there, not a processor)."""
    build = _BUILDERS.get(name)
    if build is None or (name == "temperature" and settings.temperature == 0):
        return None
    if name == "typical_p" and settings.typical_p == 0:
        return None  # refused there
    if name == "top_h" and settings.top_h == 0:
        return None  # refused there
    from transformers.generation import logits_process

    processor: Processor | None = build(logits_process, settings, vocab)
    return processor


def _sequence_bias(module: Any, settings: SamplerSettings, vocab: int) -> Processor | None:
    inside = [[[token], bias] for token, bias in settings.logit_bias if token < vocab]
    return module.SequenceBiasLogitsProcessor(inside) if inside else None


_BUILDERS: dict[str, Callable[[Any, SamplerSettings, int], Any]] = {
    "logit_bias": _sequence_bias,
    "repetition_penalty": lambda m, s, _: m.RepetitionPenaltyLogitsProcessor(s.repetition_penalty),
    "no_repeat_ngram_size": lambda m, s, _: m.NoRepeatNGramLogitsProcessor(s.no_repeat_ngram_size),
    "temperature": lambda m, s, _: m.TemperatureLogitsWarper(s.temperature),
    "top_h": lambda m, s, _: m.TopHLogitsWarper(s.top_h),
    "top_k": lambda m, s, _: m.TopKLogitsWarper(s.top_k),
    "top_p": lambda m, s, _: m.TopPLogitsWarper(s.top_p),
    "min_p": lambda m, s, _: m.MinPLogitsWarper(s.min_p),
    "typical_p": lambda m, s, _: m.TypicalLogitsWarper(s.typical_p),
    "epsilon_cutoff": lambda m, s, _: m.EpsilonLogitsWarper(s.epsilon_cutoff),
    "eta_cutoff": lambda m, s, _: m.EtaLogitsWarper(s.eta_cutoff),
}
