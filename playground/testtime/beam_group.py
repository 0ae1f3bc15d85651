"""The beams of one group: which continue, which finished texts are the best so far, and when the group is over.

The rules are those of transformers' ``generate(num_beams=...)``, step by step. Knows no engine and no text: whether a
beam has ended it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.generation.stopping import Ending
from playground.testtime.beam_settings import BeamSettings

if TYPE_CHECKING:
    import torch

NEVER = -1.0e9  # a score that no beam reaches


@dataclass(frozen=True, slots=True, eq=False)
class RowRecord:
    """What is recorded of one row's distribution: shared by all beams that continue it.

    ``entropy`` in nats, ``mean`` of the row's log-probabilities, ``top`` (k,) the largest of them.
    """

    entropy: float
    mean: float
    top: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Beam:
    """A text as a chain of tokens. ``row``: the batch row that holds all but its last token."""

    before: Beam | None
    token: int
    logprob: float
    record: RowRecord | None  # None at the root, which is no token
    row: int
    ended: Ending | None = None

    def chain(self) -> list[Beam]:
        """Its tokens, first to last."""
        links: list[Beam] = []
        beam: Beam | None = self
        while beam is not None and beam.record is not None:
            links.append(beam)
            beam = beam.before
        return links[::-1]


@dataclass
class BeamGroup:
    """A group's running beams, best first, and the best finished texts. Scores are float32 tensors."""

    settings: BeamSettings
    running: list[Beam]
    scores: torch.Tensor  # (size,)
    finished: list[Beam | None]
    finished_scores: torch.Tensor  # (size,)
    improvable: bool = True
    over: bool = False
    chosen: list[int] = field(default_factory=list)  # the tokens its running beams took in this step

    @classmethod
    def start(cls, settings: BeamSettings, first_row: int, size: int) -> BeamGroup:
        """``size`` beams of no token yet, in the batch's rows from ``first_row`` on."""
        import torch

        roots = [Beam(None, -1, 0.0, None, first_row + place) for place in range(size)]
        scores = torch.zeros(size)
        scores[1:] = NEVER  # all beams are alike yet: only the first may continue
        return cls(settings, roots, scores, [None] * size, torch.full((size,), NEVER))

    @property
    def size(self) -> int:
        return len(self.finished)

    @property
    def full(self) -> bool:
        return all(beam is not None for beam in self.finished)

    def advance(self, beams: Sequence[Beam], best: torch.Tensor, length: int, longest: int) -> None:
        """Take over the best continuations ``beams`` with their scores ``best`` (n,), best first.

        The first ``size`` that have not ended run on; ended ones compete with the finished texts. ``length``: tokens
        after the prompt by now; ``longest``: how many there may be.
        """
        import torch

        ended = torch.tensor([beam.ended is not None for beam in beams])
        order = torch.argsort(ended.int(), stable=True)[: self.size]  # what continues first, the best before the others
        self._finish(beams, best, ended, length)
        self.running, self.scores = [beams[int(place)] for place in order], (best + ended.float() * NEVER)[order]
        self.chosen = [beam.token for beam in self.running]
        self.over = self._is_over(bool(ended.all()), length, longest)

    def _finish(self, beams: Sequence[Beam], best: torch.Tensor, ended: torch.Tensor, length: int) -> None:
        """Take over ended texts that are better than the worst finished one. Only the first ``size`` may count."""
        import torch

        counts = ended & (torch.arange(len(beams)) < self.size)
        scores = best / float(length) ** self.settings.length_penalty
        closed = not self.improvable or (self.full and self.settings.early_stopping is True)
        scores = scores + (float(closed) + (~counts).float()) * NEVER
        candidates = [*self.finished, *(beam if one else None for beam, one in zip(beams, counts, strict=True))]
        self.finished_scores, order = torch.topk(torch.cat([self.finished_scores, scores]), self.size)
        self.finished = [candidates[int(place)] for place in order]

    def _is_over(self, all_ended: bool, length: int, longest: int) -> bool:
        """transformers' three reasons to stop: nothing to win, enough finished, nothing left to continue."""
        settings = self.settings
        to_end = settings.early_stopping == "never" and settings.length_penalty > 0.0
        possible = float(self.scores[0] / float(longest if to_end else length) ** settings.length_penalty)
        worst = float(self.finished_scores.min())
        bars = [worst if beam is not None else NEVER for beam in self.finished]
        self.improvable = self.improvable and any(possible > bar for bar in bars)
        return not self.improvable or (self.full and settings.early_stopping is True) or all_ended
