"""A generation under way: a ticket at the worker and the branches its tokens grow.

Who looks in a few times a second never waits. The model is let go within one step when the reader stops it,
when a newer generation takes its place, or when the tab is closed: the job itself asks whether anybody is there.
Results go on arriving while nobody looks. Knows no page.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from playground.engine.api import CancelToken, Engine, Score
from playground.engine.facets import require
from playground.engine.pieces import Pieces
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.types import SequenceScore
from playground.errors import Cancelled, PlaygroundError
from playground.generation import (
    Generation,
    GenerationRequest,
    GenerationStep,
    TokenStep,
    check_requests,
    generate,
)
from playground.generation.tree import Tree


@dataclass(eq=False)
class RunningGeneration:
    """One generation of the rows ``branches``, in their order. ``before``: steps each branch had already."""

    ticket: Ticket[Generation]
    branches: tuple[int, ...]
    before: tuple[tuple[TokenStep, ...], ...]
    wanted: int  # tokens at most, over all rows
    worker: Worker | None = None  # while it is under way
    arrived: list[list[TokenStep]] = field(default_factory=list)
    elapsed_ms: float = 0.0
    generation: Generation | None = None
    problem: str | None = None
    stopped: bool = False
    limits: tuple[int, ...] = ()  # new tokens of each row at most
    ended: set[int] = field(default_factory=set)  # rows

    @property
    def done(self) -> bool:
        return self.generation is not None or self.problem is not None or self.stopped

    @property
    def count(self) -> int:
        """Tokens so far, over all rows."""
        return sum(map(len, self.arrived))

    @property
    def tokens_per_second(self) -> float:
        """Of decoding alone, all rows together."""
        return self.count / self.elapsed_ms * 1000 if self.elapsed_ms else 0.0

    def left(self) -> dict[int, int]:
        """Tokens that each branch still being written may have, by its id."""
        rows = enumerate(zip(self.branches, self.limits, self.arrived, strict=True))
        return {branch: limit - len(new) for row, (branch, limit, new) in rows if row not in self.ended}

    def stop(self) -> None:
        self.ticket.cancel()
        self.stopped = True

    def drain(self, tree: Tree) -> Tree:
        """Take what has come, without waiting; the tree with it."""
        finished = self.ticket.done  # before the steps are read: none can come after
        results = []
        grown = set[int]()
        for step in self.ticket.take():
            self.elapsed_ms += step.elapsed_ms
            for token in step.tokens:
                self.arrived[token.row].append(replace(token, row=0) if token.row else token)
                grown.add(token.row)
            results += step.finished
        for row in grown:
            branch = tree[self.branches[row]]
            tree = tree.put(replace(branch, steps=(*self.before[row], *self.arrived[row])))
        for result in results:
            self.ended.add(result.row)
            branch = tree[self.branches[result.row]]
            tree = tree.put(
                replace(
                    branch, ended=result.finish_reason, stopped_by=result.stopped_by, hidden_text=result.hidden_text
                )
            )
        if finished and not self.done:
            self._end()
        return tree

    def _end(self) -> None:
        try:
            self.generation = self.ticket.result()
        except Cancelled:
            self.stopped = True
        except PlaygroundError as error:
            self.problem = str(error)


def start_generation(
    worker: Worker,
    session: str,
    requests: Sequence[GenerationRequest],
    branches: Sequence[int],
    before: Sequence[tuple[TokenStep, ...]],
    slot: str = "generate",
) -> RunningGeneration:
    """Ask the worker for a browser tab (``session``). Its unfinished generation of the same slot is cancelled by this one.

    Raises BadInput or BadPrompt for what cannot be generated, before anything is asked or replaced.
    """
    check_requests(requests, worker.engine)

    def job(engine: Engine, cancel: CancelToken) -> Generator[GenerationStep, None, Generation]:
        return generate(engine, requests, cancel=cancel)

    ticket: Ticket[Any] = worker.submit(session, slot, job)
    return RunningGeneration(
        ticket,
        tuple(branches),
        tuple(before),
        sum(request.max_new_tokens for request in requests),
        worker,
        [[] for _ in requests],
        limits=tuple(request.max_new_tokens for request in requests),
    )


def ask_score(worker: Worker, session: str, ids: tuple[int, ...]) -> Ticket[SequenceScore]:
    """The prompt's own log-probabilities, worked out beside the generation's steps."""

    def job(engine: Engine, cancel: CancelToken) -> Pieces[SequenceScore]:
        return require(engine, Score).score_in_pieces(ids, cancel=cancel)

    return worker.submit(session, "generate-score", job, Priority.LOOK)
