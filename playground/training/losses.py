"""The three losses, on rows of token ids, each equal to TRL's on the same batch. Torch in, torch out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from playground.training.masks import MaskedText
from playground.training.student import Student


@dataclass(frozen=True, eq=False)
class Collated:
    """Rows filled up on the right. ``counted``: of the token at each place, whether it counts."""

    ids: torch.Tensor  # (rows, longest)
    mask: torch.Tensor  # (rows, longest), 1 where there is a token
    counted: torch.Tensor  # (rows, longest), bool


def collate(texts: Sequence[MaskedText], student: Student) -> Collated:
    """Rows of different lengths in one tensor."""
    longest = max(len(text.ids) for text in texts)
    ids = torch.full((len(texts), longest), student.pad_id)
    mask, counted = torch.zeros_like(ids), torch.zeros(ids.shape, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        mask[row, : len(text.ids)] = 1
        counted[row, : len(text.ids)] = torch.tensor(text.counted)
    device = student.device
    return Collated(ids.to(device), mask.to(device), counted.to(device))


def counted_rows(student: Student, batch: Collated) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log-softmax rows at the places before counted tokens, those tokens, and which of them count.

    Only these places go through the head, the largest of a small model's layers: (rows, places, vocab) float32, and
    (rows, places) twice.
    """
    wanted = batch.counted[:, 1:]  # place t predicts token t + 1
    places = wanted.any(0).nonzero().flatten()
    keep: dict[str, Any] = {}
    if _keeps_places(student):
        keep["logits_to_keep"] = places
    logits = student.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False, **keep).logits
    if not keep:
        logits = logits[:, places]
    return logits.float().log_softmax(-1), batch.ids[:, 1:][:, places], wanted[:, places]


def _keeps_places(student: Student) -> bool:
    return "logits_to_keep" in inspect.signature(student.model.get_base_model().forward).parameters


def token_logprobs(student: Student, batch: Collated) -> torch.Tensor:
    """Log-probability of each counted token, 0 at the others, nats: (rows, places)."""
    rows, targets, counts = counted_rows(student, batch)
    logprobs: torch.Tensor = rows.gather(-1, targets[..., None])[..., 0]
    return logprobs * counts


def sft_loss(student: Student, texts: Sequence[MaskedText]) -> torch.Tensor:
    """The summed negative log-probability of the counted tokens; over their number it is the mean cross-entropy."""
    return -token_logprobs(student, collate(texts, student)).sum()


def scores(student: Student, texts: Sequence[MaskedText]) -> torch.Tensor:
    """The reward model's number for each text: (rows,)."""
    batch = collate(texts, student)
    rewards: torch.Tensor = student.model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False).logits[:, 0]
    return rewards.float()


def reward_losses(chosen: torch.Tensor, rejected: torch.Tensor, margins: torch.Tensor) -> torch.Tensor:
    """−log σ(s_w − s_l − margin), a pair each: InstructGPT's (2203.02155), with Llama 2's margin (2307.09288)."""
    return -functional.logsigmoid(chosen - rejected - margins)


def dpo_losses(policy: torch.Tensor, reference: torch.Tensor, beta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """−log σ(β((log π_w − log ref_w) − (log π_l − log ref_l))), a pair each, and the implicit rewards (2, pairs).

    ``policy``, ``reference``: summed log-probabilities of (chosen, rejected): (2, pairs). 2305.18290, equation 7.
    """
    rewards = beta * (policy - reference)
    return -functional.logsigmoid(rewards[0] - rewards[1]), rewards
