"""The documents of this session with their values, and the work that reads, rates or counts them.

They live in the session and nowhere else: no store, no link and no log has a document, and personal data is masked before
it comes here.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from io import BufferedIOBase
from typing import Any, TypeVar

from playground.corpus.documents import Documents
from playground.corpus.measuring import BLOCKED, Measured, block_words, measure
from playground.corpus.sample import open_documents
from playground.corpus.surprise import Surprise, surprises
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.state.data_training import FilterState
from playground.ui.kit import session
from playground.ui.kit.job_view import HasJob, JobView
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id

T = TypeVar("T")
SAMPLE = "the sample"
TURN_S = 0.02  # of documents read before others have their turn
MOST_RATED = 200  # documents that the model reads at a press


@dataclass(eq=False)
class Corpus(HasJob[Any]):
    """``measured``: the documents, None before the sample has been read. ``name``: what they are called.

    ``doing``, ``done`` and ``total`` (0 where nobody knows) of the work under way. ``surprises``: what the model ``rated_by``
    found, by document. ``language``: which one the values are of. ``taken``: how many sets of documents stood here before.
    """

    measured: Measured | None = None
    name: str = SAMPLE
    doing: str = ""
    done: int = 0
    total: int = 0
    blocked: tuple[str, ...] = BLOCKED
    surprises: dict[int, Surprise] = field(default_factory=dict)
    rated_by: str = ""
    language: str = ""
    taken: int = -1

    def take(self, measured: Measured, name: str, language: str) -> None:
        """Another set of documents stands in the page."""
        self.measured, self.name, self.language = measured, name, language
        self.taken += 1
        self.surprises, self.rated_by, self.problem = {}, "", ""


def present_documents(worker: Worker) -> Measured:
    """The documents in view; the sample where nobody has brought others. Raises Pending while that is read."""
    own = session.get(Corpus)
    if own.measured is None:
        language = session.get(FilterState).language

        def job(engine: Engine, cancel: CancelToken) -> Generator[int | None, None, Measured]:
            with open_documents() as documents:
                return (yield from paced(measure(documents, language=language), cancel))

        def submit() -> Any:  # noqa: ANN401 - a ticket
            return worker.submit(session_id(), "data-sample", job, Priority.LOOK)

        own.take(result_of("data-sample", "sample", submit, "Reading the sample"), SAMPLE, language)
    assert own.measured is not None
    return own.measured


def paced(steps: Generator[Any, None, T], cancel: CancelToken) -> Generator[Any, None, T]:
    """The same with a step for every ``TURN_S`` seconds of work, where others have their turn; looks whether it is wanted."""
    began = time.monotonic()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        if time.monotonic() - began >= TURN_S:
            cancel.check()
            yield step
            began = time.monotonic()


# -- work ----------------------------------------------------------------------------------------------------------------


def read_documents(worker: Worker, file: BufferedIOBase, name: str, *, parted: bool = False) -> None:
    """Read and measure other documents. What was there stays until they are."""
    own, language = session.get(Corpus), session.get(FilterState).language
    blocked = own.blocked

    def job(engine: Engine, cancel: CancelToken) -> Generator[int, None, Measured]:
        documents = Documents(file, name, parted=parted)
        steps = measure(documents, language=language, blocked=blocked, notes=lambda: documents.notes)
        return (yield from paced(steps, cancel))

    def step(done: int) -> None:
        own.done = done

    _begin(own, f"Reading {name[:40] or 'the text'}", 0)
    ticket = worker.submit(session_id(), "data-work", job)
    own.job = JobView(ticket, step, lambda surprise: own.take(surprise, name, language))


def rate_documents(worker: Worker, documents: Sequence[int]) -> None:
    """Have the model read those documents, for perplexity and bits a byte; the values come as they are there."""
    own = session.get(Corpus)
    measured, revision = own.measured, worker.engine.info.revision
    if measured is None:
        return
    if own.rated_by != revision:
        own.surprises, own.rated_by = {}, revision
        measured.column("perplexity")[:] = float("nan")
    wanted = [number for number in documents if number not in own.surprises][:MOST_RATED]

    def job(engine: Engine, cancel: CancelToken) -> Generator[Surprise | None, None, None]:
        return (yield from surprises(engine, measured, wanted, cancel))

    def step(surprise: Surprise) -> None:
        own.surprises[surprise.document] = surprise
        own.done += 1
        measured.column("perplexity")[surprise.document] = surprise.perplexity

    _begin(own, f"{worker.engine.info.name} reads them", len(wanted))
    own.job = JobView(worker.submit(session_id(), "data-work", job), step)


def count_blocked(worker: Worker, words: tuple[str, ...]) -> None:
    """Count the words of another list."""
    own = session.get(Corpus)
    measured = own.measured
    if measured is None:
        return
    own.blocked = words

    def job(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        return (yield from paced(block_words(measured, words), cancel))

    def step(done: int) -> None:
        own.done = done

    _begin(own, "Counting the blocked words", len(measured))
    own.job = JobView(worker.submit(session_id(), "data-work", job), step)


def _begin(own: Corpus, doing: str, total: int) -> None:
    if own.job is not None:
        own.job.stop()
    own.doing, own.done, own.total, own.problem = doing, 0, total, ""
