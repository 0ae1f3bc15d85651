"""The proof: the present settings run a second time through transformers' own logits processors.

transformers is imported only when a proof is asked for. Where it has no processor for a sampler, our own result is
handed on at that stage, so that every stage it does have is still compared, and the proof names the reference that
the tests hold that sampler against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from playground.sampling.chain import trace_row
from playground.sampling.context import SamplingContext
from playground.sampling.registry import SAMPLERS
from playground.sampling.settings import SamplerSettings

if TYPE_CHECKING:
    import torch

Processor = Callable[
    ["torch.Tensor", "torch.Tensor"], "torch.Tensor"
]  # (batch, length), (batch, vocab) -> (batch, vocab)
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
    import torch

    ours = trace_row(logits, settings, context)
    ids = torch.from_numpy(context.all_ids[None])  # (1, length)
    theirs = torch.from_numpy(ours.raw_logits)[None]  # (1, vocab)
    covered: list[str] = []
    uncovered: list[tuple[str, str]] = []
    for stage in ours.stages:
        processor = _processor(stage.name, settings, theirs.shape[-1])
        # A rescued row is the one place where we depart from transformers, which would leave no token at all.
        if processor is None or stage.diagnostics.get("rescued"):
            uncovered.append((stage.name, SAMPLERS[stage.name].reference))
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
    sampler = SAMPLERS[name]
    library, _, class_name = sampler.reference.partition(" ")
    if library != "transformers":
        return None
    from transformers.generation import logits_process

    value: Any = getattr(settings, sampler.parameters[0].name)
    if sampler.parameters[0].kind == "bias":
        value = [[[token], bias] for token, bias in value if token < vocab]
    try:
        processor: Processor = getattr(logits_process, class_name)(value)
    except ValueError:
        return None  # a value refused there, such as a temperature of 0
    return processor
