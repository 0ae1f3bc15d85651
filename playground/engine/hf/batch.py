"""Rows that are decoded together on a transformers model.

Rows that share a prompt form a group: the prompt is read once, its state repeated for each row, and one forward pass
serves the group at each step. Different prompts are different groups, so nothing is padded and a row's numbers do not
depend on the length of another. Knows no sampler: it is told which tokens were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from playground.engine.api import CancelToken
from playground.engine.hf.asked_step import AskedStep, Group, GroupStep, run_steps
from playground.engine.hf.runner import ModelRunner
from playground.engine.pieces import Pieces
from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadPrompt

_REMEMBERED_ROWS = 8  # states stored for branching: of more rows than that, nobody looks at each


class TransformersBatch:
    """A ``Batch``; see the protocol. Made by ``open_rows``."""

    def __init__(self, runner: ModelRunner, groups: list[Group], computed_tokens: int, branching: bool) -> None:
        self._runner = runner
        self._groups = groups
        self._left_to_remember = _REMEMBERED_ROWS if branching else 0
        self.computed_tokens = computed_tokens
        self.step_ms = 0.0
        self._asked: AskedStep | None = None
        self._logits = self._collect()

    @property
    def ids(self) -> tuple[TokenIds, ...]:
        by_row = {row: ids for group in self._groups for row, ids in zip(group.rows, group.ids, strict=True)}
        return tuple(by_row[row] for row in sorted(by_row))

    @property
    def logits(self) -> FloatArray:
        self._settle()
        return self._logits

    @property
    def cache_bytes(self) -> int | None:
        sizes = [group.state.cache_bytes for group in self._groups if group.state is not None]
        return _sum_unless_unknown(sizes)

    @property
    def state_bytes(self) -> int | None:
        return _sum_unless_unknown([group.state.state_bytes for group in self._groups if group.state is not None])

    def _collect(self) -> FloatArray:
        """(rows, vocab) in the order of the rows."""
        if not self._groups:
            return np.empty((0, self._runner.info.vocab_size), dtype=np.float32)
        stacked = torch.cat([group.last for group in self._groups]) if len(self._groups) > 1 else self._groups[0].last
        order = [row for group in self._groups for row in group.rows]
        if order != sorted(order):
            stacked = stacked[torch.tensor(order, device=stacked.device).argsort()]
        return self._runner.to_numpy(stacked)

    def ask(self, ids: Sequence[int]) -> None:
        """Feed one token to each row, when the next logits are looked at, or before that with other batches' rows.

        Raises BadPrompt where a row would outgrow the context.
        """
        self._settle()
        self._check(ids)
        parts = [GroupStep(group, [int(ids[row]) for row in group.rows]) for group in self._groups]
        self._asked = AskedStep(parts)
        self._runner.asked_steps.append(self._asked)

    def step(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> FloatArray:
        """Feed one token to each row. Raises Cancelled, and BadPrompt where a row would outgrow the context."""
        if cancel is not None:
            cancel.check()
        self.ask(ids)
        return self.logits

    def _settle(self) -> None:
        """Run what was asked for and nobody has run."""
        if self._asked is None:
            return
        asked = self._asked
        if asked.rows:
            run_steps(self._runner, [(asked, asked.rows)])
        self._withdraw()
        self._logits, self.step_ms = self._collect(), asked.elapsed_ms

    def _withdraw(self) -> None:
        asked, self._asked = self._asked, None
        self._runner.asked_steps = [step for step in self._runner.asked_steps if step is not asked]

    def _check(self, ids: Sequence[int]) -> None:
        rows = sum(len(group.rows) for group in self._groups)
        if len(ids) != rows:
            raise ValueError(f"{rows} rows need {rows} tokens, not {len(ids)}")
        limit = self._runner.info.context_length
        if any(len(row_ids) >= limit for group in self._groups for row_ids in group.ids):
            raise BadPrompt(f"The text has reached the {limit:,} tokens the model reads: start from a shorter one.")

    def select_rows(self, rows: Sequence[int]) -> None:
        """Go on with ``rows`` only, in this order; a row may go on more than once. The caches of those that leave are
        remembered for branching.
        """
        self._settle()
        wanted: dict[int, list[int]] = {}
        for new, old in enumerate(rows):
            wanted.setdefault(old, []).append(new)
        for group in self._groups:
            leaving = [index for index, row in enumerate(group.rows) if row not in wanted]
            self._remember(group, leaving)
            staying = _in_place([len(wanted.get(row, ())) for row in group.rows])
            if staying != list(range(len(group.rows))):
                index = torch.tensor(staying, device=group.last.device, dtype=torch.long)
                group.last = group.last[index]
                group.ids = [group.ids[kept] for kept in staying]
                if group.state is not None and staying:
                    with torch.inference_mode():  # its buffers were created in it
                        group.state.select_rows(index)
            group.rows = [wanted[group.rows[kept]].pop(0) for kept in staying]
        self._groups = [part for group in self._groups if group.rows for part in _apart(self._runner, group)]
        self._logits = self._collect()

    def _remember(self, group: Group, leaving: Sequence[int]) -> None:
        """Store the states of rows that leave, so that a branch of theirs reads only what is new."""
        if group.state is None:
            return
        for index in leaving:
            if self._left_to_remember <= 0:
                return
            self._left_to_remember -= 1
            with torch.inference_mode():
                row = group.state.plain_row(index if len(group.rows) > 1 else None)
            self._runner.store_prefix(group.ids[index], row)

    def close(self) -> None:
        """Let go of the rows and remember their caches. Idempotent; harmless after the engine has closed."""
        groups, self._groups = self._groups, []
        self._withdraw()
        for group in groups:
            self._remember(group, range(len(group.rows)))


def _sum_unless_unknown(values: Sequence[int | None]) -> int | None:
    numbers = [value for value in values if value is not None]
    return sum(numbers) if numbers else None


def open_rows(
    runner: ModelRunner, prompts: Sequence[TokenIds], cancel: CancelToken, branching: bool
) -> Pieces[TransformersBatch]:
    """Read each distinct prompt once, in pieces, and repeat its state for its rows."""
    by_prompt: dict[TokenIds, list[int]] = {}
    for row, prompt in enumerate(prompts):
        by_prompt.setdefault(prompt, []).append(row)
    groups: list[Group] = []
    computed_tokens = 0
    for number, (prompt, rows) in enumerate(by_prompt.items()):
        if number:
            yield
        last, computed, state = yield from runner.run_in_pieces(prompt, cancel)
        computed_tokens += computed
        with runner.running(len(prompt)):
            if state is not None:
                state = state.fork(len(prompt)).preallocate(len(rows))  # the prefix store keeps the other
            groups += _apart(runner, Group(rows, [prompt] * len(rows), state, last.expand(len(rows), -1)))
    return TransformersBatch(runner, groups, computed_tokens, branching)


def _apart(runner: ModelRunner, group: Group) -> list[Group]:
    """The group as it is, or a group a row where the model cannot decode rows together."""
    if group.state is None or runner.joins_rows or len(group.rows) == 1:
        return [group]
    state, last = group.state, group.last
    with torch.inference_mode():
        return [
            Group([row], [ids], state.plain_row(place), last[place : place + 1])
            for place, (row, ids) in enumerate(zip(group.rows, group.ids, strict=True))
        ]


def _in_place(copies: Sequence[int]) -> list[int]:
    """Old places in a new order that leaves as many as possible where they are; place i is wanted ``copies[i]`` times.

    Places that are free, and those past the old end, are filled with what is wanted once more or stood too far behind.
    """
    count = sum(copies)
    order: list[int] = [place if place < len(copies) and copies[place] else -1 for place in range(count)]
    spare = [place for place, wanted in enumerate(copies) for _ in range(wanted - (place < count and wanted > 0))]
    for place in range(count):
        if order[place] < 0:
            order[place] = spare.pop(0)
    return order
