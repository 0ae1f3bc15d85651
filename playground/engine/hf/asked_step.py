"""A step that a batch has asked for, until all its rows have been through the model: alone, or with other batches' rows.

A large batch may go in parts, so that others wait for a part and not for all of it. Torch in, torch out, on the engine's
thread; knows no sampler and no session.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from playground.engine.hf.joint_step import Part, can_join, can_split, joins_steps, joint_step
from playground.engine.hf.runner import ModelRunner
from playground.engine.hf.state import DecoderState
from playground.engine.types import TokenIds


@dataclass
class Group:
    """Rows of one prompt: their numbers in the batch, what they have read, and their common state (None: no state)."""

    rows: list[int]
    ids: list[TokenIds]
    state: DecoderState | None
    last: torch.Tensor = field(repr=False)  # (rows, vocab)


@dataclass(eq=False)
class GroupStep:
    """One more token for each row of a group, in its order; the first ``done`` rows have been through the model."""

    group: Group
    tokens: Sequence[int]
    done: int = 0
    _logits: list[torch.Tensor] = field(default_factory=list)

    def take(self, logits: torch.Tensor) -> None:
        """The next logits (rows, vocab) of the rows that come next. With the last of them the group has moved on."""
        self._logits.append(logits)
        self.done += len(logits)
        if self.done == len(self.tokens):
            self.group.last = torch.cat(self._logits) if len(self._logits) > 1 else logits
            self.group.ids = [(*prefix, token) for prefix, token in zip(self.group.ids, self.tokens, strict=True)]
            self._logits = []


@dataclass(eq=False)
class AskedStep:
    """One more token for each row of a batch. ``elapsed_ms``: of all passes that its rows were in."""

    parts: Sequence[GroupStep]
    elapsed_ms: float = 0.0

    @property
    def rows(self) -> int:
        """How many are left."""
        return sum(len(part.tokens) - part.done for part in self.parts)

    def next_rows(self, runner: ModelRunner, most: int) -> Iterator[tuple[GroupStep, int]]:
        """``most`` rows at most, group by group, and more only of a group that must go whole: the group and the rows' end."""
        for part in self.parts:
            left = len(part.tokens) - part.done
            if left and most > 0:
                splits = left > most and goes_along(runner, part.group) and can_split(part.group.state)
                taken = most if splits else left
                yield part, part.done + taken
                most -= taken


def goes_along(runner: ModelRunner, group: Group) -> bool:
    """Whether the group's next token may be read in a pass with others'."""
    return can_join(group.state) and not runner.is_long(len(group.ids[0]) + 1) and joins_steps(runner)


def run_steps(runner: ModelRunner, wanted: Sequence[tuple[AskedStep, int]]) -> None:
    """So many more rows of each step, in one pass where the model can; a group that cannot go along has its own.

    After a failure each step is as it was, or further.
    """
    started = time.perf_counter()
    pieces = [piece for step, most in wanted for piece in step.next_rows(runner, most)]
    with runner.running(sum(end - part.done for part, end in pieces)):
        by_itself = len(pieces) == 1 and pieces[0][1] - pieces[0][0].done == len(pieces[0][0].tokens)
        together = [] if by_itself else [piece for piece in pieces if goes_along(runner, piece[0].group)]
        apart = [part for part, end in pieces if (part, end) not in together]
        if together:
            _run_together(runner, together)
        for part in apart:
            part.take(_run_alone(runner, part.group, part.tokens))
    elapsed_ms = (time.perf_counter() - started) * 1000
    for step, _most in wanted:
        step.elapsed_ms += elapsed_ms


def _run_together(runner: ModelRunner, pieces: Sequence[tuple[GroupStep, int]]) -> None:
    parts = []
    for one, end in pieces:
        assert one.group.state is not None  # it goes along
        parts.append(Part(one.group.state, one.done, one.tokens[one.done : end], complete=end == len(one.tokens)))
    logits = joint_step(runner, parts)
    sizes = [len(part.tokens) for part in parts]
    for (one, _end), own_logits in zip(pieces, torch.split_with_sizes(logits, sizes), strict=True):
        one.take(own_logits)


def _run_alone(runner: ModelRunner, group: Group, tokens: Sequence[int]) -> torch.Tensor:
    if not _must_read_anew(runner, group):
        return runner.forward([(token,) for token in tokens], group.state, last_row=True)[:, -1]
    whole = [(*prefix, token) for prefix, token in zip(group.ids, tokens, strict=True)]
    logits = runner.forward(whole, group.state, last_row=True)[:, -1]
    if group.state is not None:
        group.state.preallocate(1)  # the rows are there already
    return logits


def _must_read_anew(runner: ModelRunner, group: Group) -> bool:
    """Whether the rows' whole texts are to be read: no state is kept, or the text has just become a long one."""
    length = len(group.ids[0]) + 1
    if group.state is not None and runner.is_long(length) and not runner.is_long(length - 1):
        group.state = runner.empty_state()
    return group.state is None or not group.state.length
