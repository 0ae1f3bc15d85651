"""What a training makes better: demonstrations' likelihood, a reward model's order of pairs, DPO's.

An objective takes encoded rows and gives losses to go back through, in passes short enough that others wait little.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, cast

import torch

from playground.training.estimate import PASS_TOKENS
from playground.training.losses import (
    collate,
    counted_rows,
    dpo_losses,
    reward_losses,
    scores,
    sft_loss,
    token_logprobs,
)
from playground.training.masks import Encoded, MaskedText, tokens_of
from playground.training.settings import TrainSettings
from playground.training.steps import PreferenceNumbers
from playground.training.student import Student, Tensors

Couple = tuple[MaskedText, MaskedText]
RowT = TypeVar("RowT")
Sums = dict[str, float]


class Objective(ABC, Generic[RowT]):
    """``rows``: what it may be asked about, taught and held out; they are named by their places."""

    def __init__(self, student: Student, rows: Sequence[RowT], settings: TrainSettings) -> None:
        self.student, self.rows, self.settings = student, rows, settings

    @abstractmethod
    def weight(self, places: Sequence[int]) -> float:
        """By how much the summed losses of these rows are divided: counted tokens, or pairs."""

    @abstractmethod
    def loss(self, places: Sequence[int], sums: Sums) -> torch.Tensor:
        """The summed loss of one pass; adds to ``sums`` what is told of pairs."""

    def before(self, places: Sequence[int]) -> Iterator[int]:
        """What has to be known of rows before they are first used, with turns for others between: how many were read in each."""
        return iter(())

    def what_was_read(self) -> Tensors:
        """What ``before`` has found, to be kept with a checkpoint; empty where it finds nothing."""
        return {}

    def take_read(self, kept: Tensors) -> None:
        """What ``what_was_read`` gave: it need not be read again."""
        return

    def look_closer(self, places: Sequence[int], sums: Sums) -> None:
        """Adds what is measured on held-out rows only."""
        return

    def passes(self, places: Sequence[int]) -> Iterator[list[int]]:
        """The rows in groups of about one length, each group small enough for one pass."""
        group: list[int] = []
        for place in sorted(places, key=self._longest):
            width = self._longest(place) * self._texts
            if group and width * (len(group) + 1) > PASS_TOKENS:
                yield group
                group = []
            group.append(place)
        if group:
            yield group

    _texts = 1  # of a row

    def _longest(self, place: int) -> int:
        row: Encoded = cast(Encoded, self.rows[place])
        return len(row.ids) if isinstance(row, MaskedText) else max(len(text.ids) for text in row)

    def tokens(self, places: Sequence[int]) -> int:
        return sum(tokens_of(cast(Encoded, self.rows[place])) for place in places)

    def evaluate(self, places: Sequence[int]) -> Generator[None, None, tuple[float, PreferenceNumbers | None]]:
        """The mean loss on rows, without gradients."""
        sums: Sums = {}
        total = 0.0
        for group in self.passes(places):
            with torch.no_grad():
                total += float(self.loss(group, sums))
                self.look_closer(group, sums)
            yield
        return total / self.weight(places), self.numbers(sums)

    def numbers(self, sums: Mapping[str, float]) -> PreferenceNumbers | None:
        """What ``loss`` added up, as means over pairs."""
        if not sums:
            return None
        pairs = sums["pairs"]
        logps = {name: sums[name] / pairs if name in sums else None for name in ("logps_chosen", "logps_rejected")}
        kl = sums["kl"] / sums["kl_tokens"] if sums.get("kl_tokens") else None
        chosen, rejected = sums["chosen"] / pairs, sums["rejected"] / pairs
        return PreferenceNumbers(chosen, rejected, chosen - rejected, sums["right"] / pairs, **logps, kl=kl)


class Sft(Objective[MaskedText]):
    """Cross-entropy of the counted tokens, over all of a step's tokens (as TRL's SFTTrainer with its batch in one piece)."""

    def weight(self, places: Sequence[int]) -> float:
        return float(sum(self.rows[place].taught for place in places))

    def loss(self, places: Sequence[int], sums: Sums) -> torch.Tensor:
        return sft_loss(self.student, [self.rows[place] for place in places])


class _Pairs(Objective[Couple]):
    _texts = 2

    def weight(self, places: Sequence[int]) -> float:
        return float(len(places))

    def _both(self, places: Sequence[int]) -> list[MaskedText]:
        """The chosen texts, then the rejected ones."""
        return [self.rows[place][side] for side in (0, 1) for place in places]


class Reward(_Pairs):
    """−log σ(s_w − s_l − margin). ``margins``: of each row, 0 where none was given."""

    def __init__(
        self, student: Student, rows: Sequence[Couple], settings: TrainSettings, margins: Sequence[float] = ()
    ) -> None:
        super().__init__(student, rows, settings)
        self._margins = list(margins) or [0.0] * len(rows)

    def loss(self, places: Sequence[int], sums: Sums) -> torch.Tensor:
        rewards = scores(self.student, self._both(places)).view(2, len(places))
        margins = torch.tensor([self._margins[place] for place in places], device=rewards.device)
        _count(sums, rewards)
        return reward_losses(rewards[0], rewards[1], margins).sum()


class Dpo(_Pairs):
    """DPO's loss; the reference is the model with its adapter off, computed once for each pair."""

    def __init__(self, student: Student, rows: Sequence[Couple], settings: TrainSettings) -> None:
        super().__init__(student, rows, settings)
        self._reference: dict[int, torch.Tensor] = {}

    def before(self, places: Sequence[int]) -> Iterator[int]:
        new = [place for place in places if place not in self._reference]
        for group in self.passes(new):
            with torch.no_grad(), self.student.untaught():
                sums = self._sums_of(group)
            self._reference |= {place: sums[:, column] for column, place in enumerate(group)}
            yield len(group)

    def what_was_read(self) -> Tensors:
        if not self._reference:
            return {}
        columns = torch.stack(list(self._reference.values()), 1)  # (2, pairs)
        return {"places": torch.tensor(list(self._reference)), "logps": columns.cpu()}

    def take_read(self, kept: Tensors) -> None:
        if kept:
            columns = kept["logps"].to(self.student.device)
            self._reference |= {int(place): columns[:, column] for column, place in enumerate(kept["places"])}

    def _sums_of(self, places: Sequence[int]) -> torch.Tensor:
        """Summed log-probabilities: (2, pairs)."""
        batch = collate(self._both(places), self.student)
        return token_logprobs(self.student, batch).sum(-1).view(2, len(places))

    def loss(self, places: Sequence[int], sums: Sums) -> torch.Tensor:
        policy = self._sums_of(places)
        reference = torch.stack([self._reference[place] for place in places], 1)
        losses, rewards = dpo_losses(policy, reference, self.settings.beta)
        _count(sums, rewards.detach())
        for name, row in zip(("logps_chosen", "logps_rejected"), policy.detach(), strict=True):
            sums[name] = sums.get(name, 0.0) + float(row.sum())
        return losses.sum()

    def look_closer(self, places: Sequence[int], sums: Sums) -> None:
        batch = collate([self.rows[place][0] for place in places], self.student)
        taught, _targets, counts = counted_rows(self.student, batch)
        with self.student.untaught():
            start = counted_rows(self.student, batch)[0]
        kl = (taught.exp() * (taught - start)).sum(-1) * counts  # (rows, places)
        sums["kl"] = sums.get("kl", 0.0) + float(kl.sum())
        sums["kl_tokens"] = sums.get("kl_tokens", 0.0) + float(counts.sum())


def _count(sums: Sums, rewards: torch.Tensor) -> None:
    """``rewards``: (2, pairs), of chosen and rejected."""
    detached = rewards.detach()
    added = {
        "pairs": float(detached.shape[1]),
        "chosen": float(detached[0].sum()),
        "rejected": float(detached[1].sum()),
        "right": float((detached[0] > detached[1]).sum()),
    }
    for name, value in added.items():
        sums[name] = sums.get(name, 0.0) + value


def make_objective(
    student: Student, rows: Sequence[Encoded], settings: TrainSettings, margins: Sequence[float] = ()
) -> Objective[Any]:
    """The objective of a kind of training."""
    if settings.kind == "sft":
        return Sft(student, cast(Sequence[MaskedText], rows), settings)
    if settings.kind == "dpo":
        return Dpo(student, cast(Sequence[Couple], rows), settings)
    return Reward(student, cast(Sequence[Couple], rows), settings, margins if settings.margin else ())
