"""A process that makes candidates and keeps them, for a test that kills it. Runs on the fake engine, slowly on purpose:
it says on its output how many it has kept, and from the third on waits for a line on its input before each step.
"""

from __future__ import annotations

import sys

import numpy as np

from playground.engine.fake.codec import EOS_ID
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.types import FloatArray, TokenIds
from playground.generation.document import origin_of
from playground.testtime.events import BatchStep
from playground.testtime.recorder import RunRecorder, recorded_run
from playground.testtime.request import BestOfNRequest
from playground.testtime.stored_runs import RunStore

ASKING = BestOfNRequest("hello", n=12, max_new_tokens=30, seed=5)


def child_engine() -> FakeEngine:
    """The same numbers in every process; rows end at different lengths."""

    def logits(ids: TokenIds) -> FloatArray:
        row = np.array(default_logits(ids))
        row[EOS_ID] = 4.5
        return row

    return FakeEngine(logits)


def main(url: str) -> None:
    engine, store = child_engine(), RunStore(url=url)
    run = store.start(ASKING, origin_of(engine.info))
    kept = 0
    for event in recorded_run(engine, ASKING, RunRecorder(store, run)):
        if isinstance(event, BatchStep) and event.finished:
            kept += len(event.finished)
            sys.stdout.write(f"{run} {kept}\n")
            sys.stdout.flush()
            if kept >= 3:
                sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1])
