"""The worker for servers: jobs side by side, rows first, what nobody waits for let go. What both kinds do: test_worker.py."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from playground.engine.api import CancelToken, Engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.pieces import Pieces
from playground.engine.serving.pool import open_worker
from playground.engine.serving.slot_worker import AT_ONCE, SlotWorker
from playground.engine.serving.step_worker import StepWorker
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.turns import Priority
from playground.engine.types import NextLogits, StreamedEnd, StreamEvent, StreamRequest
from playground.errors import BadPrompt, Cancelled
from playground.generation import Generation, GenerationRequest, generate
from playground.models.info import LoadedModelInfo, ServerFacts
from tests.engine.test_worker import PATIENCE, noting

SLOTS = 4


@pytest.fixture
def left() -> set[str]:
    """Sessions that nobody looks at any more."""
    return set()


@pytest.fixture
def worker(left: set[str]) -> Iterator[SlotWorker]:
    slot_worker = SlotWorker(
        FakeEngine(), at_once=SLOTS, is_alive=lambda session: session not in left, look_seconds=0.01, clock=lambda: 0.0
    )
    yield slot_worker
    slot_worker.close()


class Held:
    """A job that says when it has begun and ends when it is let, or when it is cancelled."""

    def __init__(self, worker: SlotWorker, session: str, priority: Priority = Priority.STEPS) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.ticket: Ticket[str] = worker.submit(session, "held", self._job, priority)

    def _job(self, engine: Engine, cancel: CancelToken) -> str:
        self.begun.set()
        while not self.let.is_set():
            cancel.wait(0.005)
        return "done"


def full(worker: SlotWorker) -> list[Held]:
    """Every slot taken."""
    held = [Held(worker, f"held {number}") for number in range(SLOTS)]
    assert all(job.begun.wait(PATIENCE) for job in held)
    return held


def test_as_many_jobs_as_slots_run_at_the_same_time(worker: SlotWorker) -> None:
    meeting = threading.Barrier(SLOTS)  # passed only where all are there together
    tickets = [worker.submit(str(n), "x", lambda engine, cancel: meeting.wait(PATIENCE) >= 0) for n in range(SLOTS * 3)]
    assert all(ticket.result(PATIENCE) for ticket in tickets)


def test_never_more_than_slots(worker: SlotWorker) -> None:
    held = full(worker)
    more = [Held(worker, f"more {number}") for number in range(3)]
    assert [job.ticket.before().ahead for job in [*held, *more]] == [0] * SLOTS + [1, 2, 3]
    status = worker.status()
    assert (status.busy, status.queued) == (True, 3)
    held[2].let.set()
    assert more[0].begun.wait(PATIENCE) and not more[1].begun.is_set()
    assert more[1].ticket.before().ahead == 1


def test_one_that_hangs_stops_nobody(worker: SlotWorker) -> None:
    hanging = Held(worker, "hanging")
    rows = [worker.next_row(str(n), "next", (5, n)) for n in range(30)]
    assert [row.result(PATIENCE).ids for row in rows] == [(5, n) for n in range(30)]
    assert not hanging.ticket.done


def test_rows_begin_before_scores_and_scores_before_generations(worker: SlotWorker) -> None:
    held, order = full(worker), list[str]()
    tickets = [
        worker.submit(f"{name}{n}", "x", noting(order, name), priority)
        for n in range(3)
        for name, priority in (("g", Priority.STEPS), ("s", Priority.LOOK), ("r", Priority.ROW))
    ]
    held[0].let.set()  # one slot: one after the other
    for ticket in tickets:
        ticket.result(PATIENCE)
    assert "".join(order) == "rrrsssggg"


def test_who_has_used_the_server_less_goes_first() -> None:
    now, order = [0.0], list[str]()
    worker = SlotWorker(FakeEngine(), at_once=1, clock=lambda: now[0])
    held = Held(worker, "busy")
    assert held.begun.wait(PATIENCE)

    idle_before = worker.submit("idle", "before", noting(order, "idle"))
    busy = worker.submit("busy", "more", noting(order, "busy"))
    idle = worker.submit("other", "x", noting(order, "other"))
    now[0] = 10.0  # what runs has taken ten seconds, which count already
    held.let.set()
    for ticket in (idle_before, busy, idle):
        ticket.result(PATIENCE)
    worker.close()
    assert order == ["idle", "other", "busy"]


def test_the_same_row_is_computed_once_however_many_ask() -> None:
    begun, let, computed = threading.Event(), threading.Event(), list[tuple[int, ...]]()

    class Slow(FakeEngine):
        def next_logits_in_pieces(
            self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
        ) -> Pieces[tuple[NextLogits, ...]]:
            computed.extend(tuple(ids) for ids in texts)
            begun.set()
            assert let.wait(PATIENCE)
            return super().next_logits_in_pieces(texts, cancel=cancel)

    worker = SlotWorker(Slow(), at_once=SLOTS)
    tickets = [worker.next_row(str(n), "next", (9, 9)) for n in range(30)]
    other = worker.next_row("other", "next", (9, 8))
    assert begun.wait(PATIENCE)
    let.set()
    rows = [ticket.result(PATIENCE) for ticket in tickets]
    assert other.result(PATIENCE).ids == (9, 8)
    worker.close()
    assert sorted(computed) == [(9, 8), (9, 9)]
    assert all(row.ids == (9, 9) for row in rows)


def test_a_row_that_fails_is_asked_anew_by_the_next_one(worker: SlotWorker) -> None:
    tickets = [worker.next_row(str(n), "next", (10**6,)) for n in range(6)]
    for ticket in tickets:
        with pytest.raises(BadPrompt):
            ticket.result(PATIENCE)


def test_a_newer_request_takes_the_place_of_the_older_one(worker: SlotWorker) -> None:
    held = full(worker)
    newer = Held(worker, "held 1")
    with pytest.raises(Cancelled):
        held[1].ticket.result(PATIENCE)
    assert newer.begun.wait(PATIENCE) and not held[0].ticket.done


@pytest.mark.parametrize("waiting", [False, True])
def test_what_a_session_that_has_left_asked_for_is_cancelled(worker: SlotWorker, left: set[str], waiting: bool) -> None:
    """Though nothing comes from the server that would make anybody look."""
    held = full(worker)
    last = Held(worker, "last")
    left.add("last" if waiting else "held 0")
    with pytest.raises(Cancelled):
        (last if waiting else held[0]).ticket.result(PATIENCE)
    if not waiting:
        assert last.begun.wait(PATIENCE)
    assert not held[1].ticket.done


def test_a_generator_is_closed_on_its_own_thread(worker: SlotWorker) -> None:
    threads = list[int]()
    closed = threading.Event()

    def job(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        try:
            while True:
                threads.append(threading.get_ident())
                yield 1
        finally:
            threads.append(threading.get_ident())
            closed.set()

    with worker.submit("a", "x", job) as ticket:
        assert next(ticket.steps(PATIENCE)) == 1
    assert closed.wait(PATIENCE) and len(set(threads)) == 1


# -- streams of one job ------------------------------------------------------------------------------------------------


class Gated(ServedFakeEngine):
    """Each text waits until it is let; ``open`` are the seeds of those under way, in the order in which they began."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()
        self.open, self.let, self.begun, self.most = list[int](), set[int](), list[int](), 0

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        with self.changed:
            self.open.append(request.seed)
            self.begun.append(request.seed)
            self.most = max(self.most, len(self.open))
            self.changed.notify_all()
        try:
            with self.changed:
                while not self.changed.wait_for(lambda: request.seed in self.let, 0.01):
                    if cancel is not None:
                        cancel.check()
            yield StreamedEnd(0, "", "length")
        finally:
            with self.changed:
                self.open.remove(request.seed)
                self.changed.notify_all()

    def end(self, *seeds: int) -> None:
        with self.changed:
            self.let |= set(seeds)
            self.changed.notify_all()

    def until_open(self, seeds: set[int]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: set(self.open) == seeds, PATIENCE), self.open


def writing(worker: SlotWorker, session: str, seeds: range) -> Ticket[Generation]:
    """A job of several texts, as Best-of-N has them."""
    requests = [GenerationRequest((1,), max_new_tokens=1, seed=seed) for seed in seeds]
    job: Callable[[Engine, CancelToken], Any] = lambda engine, cancel: generate(engine, requests, cancel=cancel)  # noqa: E731
    return worker.submit(session, "texts", job)


def until_waiting(worker: SlotWorker, streams: int) -> None:
    """Texts are asked for on threads of their own."""
    deadline = time.monotonic() + PATIENCE
    while len(worker._streams) != streams:
        assert time.monotonic() < deadline, len(worker._streams)
        time.sleep(0.001)  # a queue has no event to wait for


def test_the_texts_of_all_jobs_are_at_most_as_many_as_slots_and_a_free_one_goes_to_who_has_fewest() -> None:
    now, engine = [0.0], Gated()
    worker = SlotWorker(engine, at_once=3, clock=lambda: now[0])
    many = writing(worker, "many", range(6))
    engine.until_open({0, 1, 2})
    until_waiting(worker, 3)
    now[0] = 5.0  # three slots for five seconds
    other = writing(worker, "other", range(10, 13))
    row = worker.next_row("third", "next", (1, 2))
    assert (other.before().ahead, row.before().ahead) == (2, 1), "a row first, then who has used the server least"
    engine.end(0)
    assert row.result(PATIENCE).ids == (1, 2)
    engine.until_open({1, 2, 10})
    until_waiting(worker, 5)
    engine.end(1)
    engine.until_open({2, 10, 11})
    engine.end(2)
    engine.until_open({10, 11, 12})
    now[0] = 30.0
    engine.end(11)
    engine.until_open({3, 10, 12})
    engine.end(*range(20))
    assert len(many.result(PATIENCE).rows) == 6 and len(other.result(PATIENCE).rows) == 3
    assert engine.most == 3 and not worker.status().busy
    worker.close()


def test_a_cancelled_job_of_many_texts_gives_back_all_of_its_slots() -> None:
    engine = Gated()
    worker = SlotWorker(engine, at_once=3)
    first = writing(worker, "a", range(8))
    engine.until_open({0, 1, 2})
    second = writing(worker, "b", range(10, 14))
    first.cancel()
    engine.until_open({10, 11, 12})
    engine.end(*range(20))
    assert len(second.result(PATIENCE).rows) == 4 and engine.begun[:3] == [0, 1, 2] and 3 not in engine.begun
    worker.close()


class Served(FakeEngine):
    """Says that it stands behind an address."""

    def __init__(self, slots: int | None) -> None:
        super().__init__()
        self._facts = ServerFacts("some", "1", ("m",), slots, None, True)

    @property
    def info(self) -> LoadedModelInfo:
        return replace(super().info, server=self._facts)


@pytest.mark.parametrize(("slots", "at_once"), [(3, 3), (None, AT_ONCE)])
def test_what_an_engine_says_chooses_the_kind(slots: int | None, at_once: int) -> None:
    here, there = open_worker(FakeEngine()), open_worker(Served(slots))
    assert isinstance(here, StepWorker) and isinstance(there, SlotWorker)
    held = [Held(there, str(number)) for number in range(at_once + 1)]
    assert all(job.begun.wait(PATIENCE) for job in held[:-1])
    assert held[-1].ticket.before().ahead == 1
    for worker in (here, there):
        worker.close()
