"""What waits in a worker's queue: a job, the tickets that it answers, and how one step of it is done.

Knows no queue, no thread and no turns.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from playground.engine.api import CancelToken, Engine, NextTokens, Pieces
from playground.engine.facets import require
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.turns import Priority
from playground.engine.types import NextRow, TokenIds
from playground.errors import ModelError, PlaygroundError

T = TypeVar("T")
Steps = Generator[Any, None, T]


@dataclass(frozen=True)
class Read:
    """The job of reading texts for the row after each."""

    texts: tuple[TokenIds, ...]

    def __call__(self, engine: Engine, cancel: CancelToken) -> Pieces[tuple[NextRow, ...]]:
        return require(engine, NextTokens).next_logits_in_pieces(self.texts, cancel=cancel)


@dataclass(eq=False)
class Task:
    """A request: ``job`` answers its one ticket. A ``Read`` gives each of its tickets the row of one text, in order."""

    tickets: Sequence[Ticket[Any]]
    job: Callable[[Engine, CancelToken], Any]
    priority: Priority
    joins: bool = False  # a reading that may be done together with others
    number: int = 0  # in the order of the queue
    cancel: CancelToken = field(default_factory=CancelToken)
    steps: Steps[Any] | None = None  # the started generator

    @property
    def sessions(self) -> list[str]:
        return [ticket.session for ticket in self.tickets]

    @property
    def over(self) -> bool:
        """Nobody waits for it any more."""
        return all(ticket.done for ticket in self.tickets)


def texts_of(task: Task) -> tuple[TokenIds, ...]:
    return task.job.texts if isinstance(task.job, Read) else ()


def tokens_of(task: Task) -> int:
    return sum(map(len, texts_of(task)))


def together(group: Sequence[Task]) -> Task:
    texts = tuple(ids for task in group for ids in texts_of(task))
    return Task([ticket for task in group for ticket in task.tickets], Read(texts), group[0].priority)


def advance(task: Task, engine: Engine) -> bool:
    """Run one step; says whether somebody waits for another. Raises what the job raises, and Cancelled."""
    if task.over:
        task.cancel.cancel()
    task.cancel.check()
    if task.steps is None:
        answer = task.job(engine, task.cancel)
        if not isinstance(answer, Generator):
            task.tickets[0].succeed(answer)
            return False
        task.steps = answer
    return _take_step(task) and not task.over


def _take_step(task: Task) -> bool:
    """Pass on the next step, or the result at the end; says whether there was a step."""
    assert task.steps is not None
    try:
        step = next(task.steps)
    except StopIteration as end:
        answers = end.value if isinstance(task.job, Read) else [end.value]
        for ticket, answer in zip(task.tickets, answers, strict=True):
            ticket.succeed(answer)
        return False
    if step is not None:  # None gave the others a turn
        task.tickets[0].add_step(step)
    return True


def in_a_sentence(error: BaseException) -> PlaygroundError:
    """What a library raised, as something a page can show; a panic of a tokenizer is no Exception."""
    if isinstance(error, PlaygroundError):
        return error
    reason = (str(error).splitlines() or [""])[0][:200]
    told = ModelError(
        f"The model's work ended in an error ({type(error).__name__}{reason and ': '}{reason}): "
        "change the input, or choose another model."
    )
    told.__cause__ = error
    return told


def close_quietly(steps: Steps[Any] | None) -> None:
    """Let a generator run its ``finally`` blocks; an error there has nobody left to hear it."""
    if steps is None:
        return
    try:
        steps.close()
    except BaseException:
        return
