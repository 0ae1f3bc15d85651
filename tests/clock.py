"""A clock for tests of measurements: time passes only by the passes of a fake engine, at rates that are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playground.engine.fake.batch import FakeBatch
from playground.engine.fake.engine import FakeEngine
from playground.engine.types import FloatArray
from playground.inspection.speed import workload_of

FLOPS_PER_S, BYTES_PER_S = 2e9, 1e9


class PassClock:
    """``now`` in seconds, moved on by every prefill and every step of the engine's batches."""

    def __init__(self, engine: FakeEngine) -> None:
        self.now = 0.0
        self.workload = workload_of(engine.info, engine.weights())
        open_plain = engine.open_batch

        def open_batch(prompts: Sequence[Sequence[int]], **options: Any) -> FakeBatch:
            batch = open_plain(prompts, **options)
            self.spend(len(prompts[0]), 0, 1)  # all rows have the same prompt, which is read once
            plain_step, read = batch.step, [len(prompts[0])]

            def step(ids: Sequence[int], **more: Any) -> FloatArray:
                self.spend(1, read[0], len(ids))
                read[0] += 1
                return plain_step(ids, **more)

            batch.step = step  # type: ignore[method-assign]
            return batch

        engine.open_batch = open_batch  # type: ignore[method-assign]

    def spend(self, tokens: int, context: int, rows: int) -> None:
        work = self.workload
        self.now += work.flops(tokens, context, rows) / FLOPS_PER_S + work.traffic(tokens, context, rows) / BYTES_PER_S
