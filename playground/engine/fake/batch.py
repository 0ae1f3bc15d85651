"""Rows decoded together on an engine with known logits: each row is asked for by itself, whoever else is in the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from playground.engine.api import CancelToken
from playground.engine.types import FloatArray, NextLogits, TokenIds
from playground.models.info import LoadedModelInfo


class Asked(Protocol):
    """What a batch needs of its engine: rows, and lists in which the engine finds what was opened and asked for."""

    batches: list[FakeBatch]
    asked_steps: list[FakeStep]

    @property
    def info(self) -> LoadedModelInfo: ...

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits: ...


class FakeStep:
    """An ``AskedStep`` of a ``FakeBatch``: what its rows have read with the new token, and their logits so far."""

    def __init__(self, engine: Asked, texts: list[TokenIds]) -> None:
        self._engine = engine
        self.texts = texts
        self.logits: list[FloatArray] = []

    @property
    def rows(self) -> int:
        return len(self.texts) - len(self.logits)

    def run(self, most: int) -> None:
        for ids in self.texts[len(self.logits) :][:most]:
            self.logits.append(self._engine.next_logits(ids).logits)


class FakeBatch:
    """A ``Batch`` on a ``FakeEngine``; ``closed`` tells whether it was let go."""

    def __init__(self, engine: Asked, prompts: list[TokenIds], cancel: CancelToken | None) -> None:
        self._engine = engine
        self._ids = prompts
        self.closed = False
        answers = {prompt: engine.next_logits(prompt, cancel=cancel) for prompt in prompts}
        self.computed_tokens = sum(answer.computed_tokens for answer in answers.values())
        self._logits: FloatArray = np.stack([answers[prompt].logits for prompt in prompts])
        self.step_ms = 0.0
        self._asked: FakeStep | None = None
        engine.batches.append(self)

    @property
    def ids(self) -> tuple[TokenIds, ...]:
        return tuple(self._ids)

    @property
    def logits(self) -> FloatArray:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._engine.asked_steps = [step for step in self._engine.asked_steps if step is not asked]
            asked.run(asked.rows)
            self._ids, self._logits = asked.texts, np.stack(asked.logits)
        return self._logits

    @property
    def cache_bytes(self) -> int | None:
        info = self._engine.info
        return 2 * info.layers * info.kv_heads * info.head_dim * 4 * sum(map(len, self._ids))

    @property
    def state_bytes(self) -> int | None:
        return None

    def ask(self, ids: Sequence[int]) -> None:
        self._asked = FakeStep(
            self._engine, [(*prefix, int(token)) for prefix, token in zip(self._ids, ids, strict=True)]
        )
        self._engine.asked_steps.append(self._asked)

    def step(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> FloatArray:
        if cancel is not None:
            cancel.check()
        self.ask(ids)
        return self.logits

    def select_rows(self, rows: Sequence[int]) -> None:
        assert self._asked is None
        self._ids = [self._ids[row] for row in rows]
        self._logits = self._logits[list(rows)]

    def close(self) -> None:
        self.closed = True
